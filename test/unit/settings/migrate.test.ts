import { describe, expect, it } from 'vitest';
import { migrate, type MigrationStep } from '../../../src/main/core/settings/migrate.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { defaultSettings, parseSettings, SETTINGS_VERSION } from '../../../src/main/core/settings/schema.ts';

const rename: MigrationStep = ({ host, ...rest }) => ({ ...rest, target: host });
const nest: MigrationStep = ({ target, ...rest }) => ({ ...rest, ssh: { target } });

describe('migrate', () => {
  it('runs every step between the version of the file and the current one, in order', () => {
    const result = migrate({ version: 1, host: 'homelab', kept: true }, [rename, nest], 3);
    expect(result).toEqual({
      status: 'migrated',
      fromVersion: 1,
      settings: { version: 3, ssh: { target: 'homelab' }, kept: true },
    });
  });

  it('starts with the step of the version that the file has', () => {
    const result = migrate({ version: 2, target: 'homelab' }, [rename, nest], 3);
    expect(result).toEqual({
      status: 'migrated',
      fromVersion: 2,
      settings: { version: 3, ssh: { target: 'homelab' } },
    });
  });

  it('leaves settings of the current version as they are', () => {
    const settings = { version: SETTINGS_VERSION, anything: [1] };
    expect(migrate(settings)).toEqual({ status: 'current', settings });
  });

  it('refuses settings of a newer version and says which', () => {
    const settings = { version: SETTINGS_VERSION + 1 };
    expect(migrate(settings)).toEqual({ status: 'newer', settings, version: SETTINGS_VERSION + 1 });
  });

  it.each([
    ['a list', []],
    ['null', null],
    ['a text', 'x'],
    ['no version', {}],
    ['a version that is a text', { version: '1' }],
    ['version 0', { version: 0 }],
    ['half a version', { version: 1.5 }],
  ])('calls %s broken', (_name, raw) => {
    expect(migrate(raw).status).toBe('broken');
  });

  it('calls a file broken that a step does not understand, instead of throwing', () => {
    const fragile: MigrationStep = (settings) => ({ name: (settings['name'] as string).trim() });
    expect(migrate({ version: 1 }, [fragile], 2).status).toBe('broken');
  });

  it('does not change what it was given', () => {
    const raw = Object.freeze({ version: 1, host: 'homelab' });
    migrate(raw, [rename], 2);
    expect(raw).toEqual({ version: 1, host: 'homelab' });
  });

  it('brings settings of version 1 to what is written now, and they pass the schema', () => {
    const profile = emptyProfile('g1');
    const { target, gatewayPort, localPort, identityFile } = profile.ssh;
    const ssh = { target, gatewayPort, localPort, identityFile };
    const old = {
      ...defaultSettings('g1'),
      version: 1,
      gateways: [{ ...profile, ssh: { ...ssh, later: 1 } }],
    };
    const result = migrate(old);
    if (result.status !== 'migrated') throw new Error(result.status);
    expect(result.settings['gateways']).toEqual([
      { ...profile, ssh: { ...ssh, later: 1, transport: 'automatic', lastCredential: '' } },
    ]);
    expect(parseSettings(result.settings)).toMatchObject({ ok: true });
  });

  it.each([[{}], [{ gateways: 'none' }], [{ gateways: [null, 3, { ssh: 'x' }, { ssh: [] }] }]])(
    'leaves it to the schema to refuse a version 1 of another shape: %j',
    (strange) => {
      const result = migrate({ ...strange, version: 1 });
      if (result.status !== 'migrated') throw new Error(result.status);
      expect(parseSettings(result.settings).ok).toBe(false);
    },
  );
});
