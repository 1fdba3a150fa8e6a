import { describe, expect, it } from 'vitest';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import {
  defaultSettings,
  parseSettings,
  SETTINGS_VERSION,
  withProfile,
} from '../../../src/main/core/settings/schema.ts';

const good = defaultSettings('a');

describe('parseSettings', () => {
  it('accepts the settings of a fresh start', () => {
    expect(parseSettings(good)).toEqual({ ok: true, value: good });
  });

  it('keeps keys that this build does not know, at every level', () => {
    const [gateway] = good.gateways;
    const extended = {
      ...good,
      later: 1,
      gateways: [{ ...gateway, later: 2, ssh: { ...gateway?.ssh, later: 3 } }],
      preferences: { ...good.preferences, later: 4 },
    };
    expect(parseSettings(extended)).toEqual({ ok: true, value: extended });
  });

  it.each([
    ['no gateway', { ...good, gateways: [] }, 'gateways'],
    ['a primary gateway that is not listed', { ...good, primaryGatewayId: 'b' }, 'primaryGatewayId'],
    [
      'two gateways of one id',
      { ...good, gateways: [emptyProfile('a'), emptyProfile('a')] },
      'gateways: Two gateways',
    ],
    [
      'a port out of range',
      { ...good, gateways: [{ ...emptyProfile('a'), local: { port: 70_000 } }] },
      'gateways.0.local.port',
    ],
    ['an unknown theme', { ...good, preferences: { theme: 'pink', language: 'en' } }, 'preferences.theme'],
    ['another version', { ...good, version: SETTINGS_VERSION + 1 }, 'version'],
  ])('refuses %s and names the place', (_name, value, place) => {
    const result = parseSettings(value);
    expect(result.ok).toBe(false);
    expect(!result.ok && result.detail).toContain(place);
  });

  it('does not quote the value that is wrong', () => {
    const result = parseSettings({ ...good, primaryGatewayId: 'tok_0123456789abcdef with spaces' });
    expect(!result.ok && result.detail).not.toContain('tok_0123456789abcdef');
  });
});

describe('withProfile', () => {
  it('replaces one gateway and keeps order and the others', () => {
    const settings = { ...good, gateways: [emptyProfile('a'), emptyProfile('b'), emptyProfile('c')] };
    const changed = { ...emptyProfile('b'), name: 'homelab' };
    expect(withProfile(settings, changed).gateways).toEqual([emptyProfile('a'), changed, emptyProfile('c')]);
  });
});
