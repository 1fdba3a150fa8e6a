import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SecretStore } from '../../../src/main/core/ports.ts';
import {
  DeviceIdentityStore,
  publicKeyRawBase64Url,
  signDevicePayload,
} from '../../../src/main/node/gateway/device-identity.ts';
import { DeviceTokens } from '../../../src/main/node/gateway/device-tokens.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';

describe('device identity', () => {
  it('is stored before anyone gets it, and is the same after a restart', async () => {
    const secrets = new MemorySecrets();
    const first = await new DeviceIdentityStore(secrets, new MemoryLogger()).load();
    expect(secrets.values.get('device-identity')).toContain('PRIVATE KEY');
    const second = await new DeviceIdentityStore(secrets, new MemoryLogger()).load();
    expect(second).toEqual(first);
    expect(first.deviceId).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is made once when several gateways ask at the same time', async () => {
    const secrets = new MemorySecrets();
    const store = new DeviceIdentityStore(secrets, new MemoryLogger());
    const [a, b] = await Promise.all([store.load(), store.load()]);
    expect(a).toBe(b);
    expect(secrets.writes).toBe(1);
  });

  it('is not used when it could not be stored, and is tried again', async () => {
    const secrets = new MemorySecrets();
    secrets.failWrites = true;
    const store = new DeviceIdentityStore(secrets, new MemoryLogger());
    await expect(store.load()).rejects.toThrow();
    secrets.failWrites = false;
    await expect(store.load()).resolves.toMatchObject({ deviceId: expect.any(String) as string });
  });

  it.each(['', 'garbage', '{}', '{"version":1,"privateKeyPem":"x"}', '{"version":2,"privateKeyPem":"x"}'])(
    'replaces %j, which is no identity, keeps it, and tells the person',
    async (text) => {
      const secrets = new MemorySecrets();
      secrets.values.set('device-identity', text);
      const logger = new MemoryLogger();
      const store = new DeviceIdentityStore(secrets, logger);
      let heard = 0;
      store.onChange(() => (heard += 1));
      await store.load();
      expect(heard).toBe(1);
      expect(store.notices).toEqual([{ type: 'device-identity-replaced' }]);
      expect(secrets.values.get('device-identity-replaced')).toBe(text);
      const next = new DeviceIdentityStore(secrets, logger);
      expect(await next.load()).toEqual(await store.load());
      expect(next.notices).toEqual([]);
      expect(logger.lines.map(({ event }) => event)).toContain('device-identity.unreadable');
      expect(secrets.values.get('device-identity')).not.toBe(text);
      if (text !== 'garbage') return;
      recordFault({
        row: 68,
        part: 'device key',
        layer: 'unit',
        injected: 'an entry of the keychain that is no key pair',
        shown: 'notice "device-identity-replaced": gateways may ask to pair again; the old entry is kept',
        tookMs: null,
        limitMs: null,
        control: 'the next start finds the new identity and has no notice',
      });
    },
  );

  it('signs so that its public key verifies', async () => {
    const identity = await new DeviceIdentityStore(new MemorySecrets(), new MemoryLogger()).load();
    const signature = Buffer.from(signDevicePayload(identity.privateKeyPem, 'v3|payload'), 'base64url');
    expect(verify(null, Buffer.from('v3|payload'), createPublicKey(identity.publicKeyPem), signature)).toBe(
      true,
    );
    expect(Buffer.from(publicKeyRawBase64Url(identity.publicKeyPem), 'base64url')).toHaveLength(32);
  });

  it('never shows its key in the log', async () => {
    const logger = new MemoryLogger();
    const { privateKeyPem } = await new DeviceIdentityStore(new MemorySecrets(), logger).load();
    expect(JSON.stringify(logger.lines)).not.toContain(privateKeyPem.split('\n')[1]);
  });
});

describe('device tokens', () => {
  const tokensOf = (secrets: SecretStore): DeviceTokens =>
    new DeviceTokens('g1', secrets, new MemoryLogger());

  it('survive a restart, for the same gateway, device and role only', async () => {
    const secrets = new MemorySecrets();
    const before = tokensOf(secrets);
    before.store('device', 'operator', 'issued-token', ['operator.read']);
    await before.flush();
    const after = tokensOf(secrets);
    expect(after.get('device', 'operator')).toBeNull();
    await after.load('operator');
    expect(after.get('device', 'operator')).toEqual({ token: 'issued-token', scopes: ['operator.read'] });
    expect(after.get('other-device', 'operator')).toBeNull();
    expect(after.get('device', 'node')).toBeNull();
    const elsewhere = new DeviceTokens('g2', secrets, new MemoryLogger());
    await elsewhere.load('operator');
    expect(elsewhere.get('device', 'operator')).toBeNull();
  });

  it('are gone after a rejection', async () => {
    const secrets = new MemorySecrets();
    const tokens = tokensOf(secrets);
    tokens.store('device', 'operator', 'issued-token', []);
    tokens.clear('operator');
    await tokens.flush();
    expect(tokens.get('device', 'operator')).toBeNull();
    expect([...secrets.values.keys()]).toEqual([]);
  });

  it('are written once, not with every hello that repeats them', async () => {
    const secrets = new MemorySecrets();
    const tokens = tokensOf(secrets);
    for (let hello = 0; hello < 5; hello++) tokens.store('device', 'operator', 'same', ['a', 'b']);
    await tokens.flush();
    expect(secrets.writes).toBe(1);
  });

  it('that cannot be stored still work until the end of the run', async () => {
    const secrets = new MemorySecrets();
    secrets.failWrites = true;
    const tokens = tokensOf(secrets);
    tokens.store('device', 'operator', 'issued', []);
    await tokens.flush();
    expect(tokens.get('device', 'operator')?.token).toBe('issued');
  });

  it('that are garbage count as none', async () => {
    const secrets = new MemorySecrets();
    secrets.values.set('device-token:g1:operator', '{"token":5}');
    const tokens = tokensOf(secrets);
    await tokens.load('operator');
    expect(tokens.get('device', 'operator')).toBeNull();
  });
});
