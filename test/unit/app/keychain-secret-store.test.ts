import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Keychain, KeychainSecretStore } from '../../../src/main/node/secrets/keychain-secret-store.ts';
import { DeviceIdentityStore } from '../../../src/main/node/gateway/device-identity.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';

/** A keychain whose key can be locked, taken away or replaced. */
class FakeKeychain implements Keychain {
  readonly backend = 'gnome_libsecret';
  state: Awaited<ReturnType<Keychain['look']>> = 'ready';
  key = 'key-1';
  looks = 0;

  look(): ReturnType<Keychain['look']> {
    this.looks += 1;
    return Promise.resolve(this.state);
  }
  encrypt(text: string): Promise<Buffer> {
    this.#mustBeReady();
    return Promise.resolve(Buffer.from(`${this.key}|${Buffer.from(text).toString('hex')}`));
  }
  decrypt(ciphertext: Buffer): ReturnType<Keychain['decrypt']> {
    this.#mustBeReady();
    const [key, hex = ''] = ciphertext.toString().split('|');
    if (key !== this.key) return Promise.reject(new Error('Another key'));
    return Promise.resolve({ result: Buffer.from(hex, 'hex').toString(), shouldReEncrypt: false });
  }
  #mustBeReady(): void {
    if (this.state !== 'ready') throw new Error('It was asked while it is locked');
  }
}

let dir: string;
let path: string;
let clock: FakeClock;
let keychain: FakeKeychain;
let logger: MemoryLogger;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-secrets-'));
  path = join(dir, 'secrets.json');
  clock = new FakeClock();
  keychain = new FakeKeychain();
  logger = new MemoryLogger();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(): KeychainSecretStore {
  return new KeychainSecretStore({ path, keychain, clock, logger, redactor: { addSecret: () => undefined } });
}
function onDisk(): string {
  return readFileSync(path, 'utf8');
}
function types(store: KeychainSecretStore): readonly string[] {
  return store.notices.map(({ type }) => type);
}

describe('a keychain that is there', () => {
  it('keeps secrets over a restart, never as plain text', async () => {
    await open().set('token', 'the-secret');
    expect(onDisk()).not.toContain('the-secret');
    const store = open();
    expect(store.has('token')).toBe(true);
    expect(await store.get('token')).toBe('the-secret');
    await store.delete('token');
    expect(await open().get('token')).toBeNull();
    expect(store.notices).toEqual([]);
  });

  it('leaves a secret as it was where the disk refuses the new one', async () => {
    const store = open();
    await store.set('token', 'old');
    rmSync(path);
    mkdirSync(join(path, 'in-the-way'), { recursive: true });
    await expect(store.set('token', 'new')).rejects.toThrow();
    expect(await store.get('token')).toBe('old');
    await expect(store.set('other', 'new')).rejects.toThrow();
    expect(store.has('other')).toBe(false);
  });
});

describe('a keychain that is locked', () => {
  it('makes secrets last for the run only, writes nothing, and is said', async () => {
    keychain.state = 'refused';
    const store = open();
    await store.set('token', 'the-secret');
    expect(await store.get('token')).toBe('the-secret');
    expect(store.persistence).toBe('memory');
    expect(types(store)).toEqual(['secrets-in-memory']);
    expect(readdirSync(dir)).toEqual([]);
    store.dispose();
    expect(clock.pendingTimers).toBe(0);
    keychain.state = 'ready';
    expect(await open().get('token')).toBeNull();
    const control = open();
    await control.set('token', 'the-secret');
    expect(types(control)).toEqual([]);
    expect(readdirSync(dir)).toEqual(['secrets.json']);
    recordFault({
      row: 70,
      part: 'locked or absent',
      layer: 'unit',
      injected: 'a keychain that refuses',
      shown: 'banner "secrets-in-memory", secrets work for the run, nothing is written',
      tookMs: null,
      limitMs: null,
      control: 'with the keychain unlocked there is no banner and the secret is on disk',
    });
  });

  it('is waited for 30 s, in which nothing is lost, while it asks the person', async () => {
    keychain.state = 'opening';
    const store = open();
    const stored = store.set('token', 'typed');
    await clock.advance(29_000);
    expect(store.persistence).toBe('keychain');
    keychain.state = 'ready';
    await clock.advance(100);
    await stored;
    expect(await open().get('token')).toBe('typed');
  });

  it('is used as soon as it is unlocked, however late: what was set meanwhile wins, the banner goes', async () => {
    const before = open();
    await before.set('token', 'stored');
    await before.set('kept', 'stored');
    await before.set('removed', 'stored');

    keychain.state = 'opening';
    const store = open();
    let heard = 0;
    store.onChange(() => (heard += 1));
    await clock.advance(31_000);
    expect(types(store)).toEqual(['secrets-in-memory']);
    expect(await store.get('kept')).toBeNull();
    await store.set('token', 'typed meanwhile');
    await store.delete('removed');
    await clock.advance(10 * 60_000);
    const looks = keychain.looks;
    await clock.advance(60_000);
    expect(keychain.looks - looks).toBeLessThanOrEqual(4);

    keychain.state = 'ready';
    heard = 0;
    const unlockedMs = clock.monotonicMs();
    for (let second = 0; second < 60 && store.persistence === 'memory'; second += 1)
      await clock.advance(1_000);
    const tookMs = clock.monotonicMs() - unlockedMs;
    expect(store.persistence).toBe('keychain');
    expect(types(store)).toEqual([]);
    expect(heard).toBe(1);
    expect(await store.get('kept')).toBe('stored');
    expect(await store.get('token')).toBe('typed meanwhile');
    const next = open();
    expect(await next.get('token')).toBe('typed meanwhile');
    expect(await next.get('kept')).toBe('stored');
    expect(next.has('removed')).toBe(false);
    expect(clock.pendingTimers).toBe(0);
    recordFault({
      row: 70,
      part: 'unlocked after minutes',
      layer: 'unit',
      injected: 'a keychain that opens after 11 minutes',
      shown: 'the banner goes, stored secrets are there, what was typed meanwhile is stored',
      tookMs,
      limitMs: 15_000,
      control: 'before it opened, the stored secret was not to be had and the banner stood',
    });
  });

  it('is tried again where the disk does not take what was set meanwhile, and the banner stays until it does', async () => {
    keychain.state = 'refused';
    const store = open();
    await store.set('token', 'typed');
    keychain.state = 'ready';
    mkdirSync(join(path, 'in-the-way'), { recursive: true });
    await clock.advance(60_000);
    expect(store.persistence).toBe('memory');
    rmSync(path, { recursive: true });
    await clock.advance(15_000);
    expect(store.persistence).toBe('keychain');
    expect(await open().get('token')).toBe('typed');
  });

  it('does not cost the device its identity: the stored one counts once it can be read', async () => {
    const stored = await new DeviceIdentityStore(open(), logger).load();
    keychain.state = 'refused';
    const store = open();
    const identities = new DeviceIdentityStore(store, logger);
    const meantime = await identities.load();
    expect(meantime.deviceId).not.toBe(stored.deviceId);
    expect(await identities.load()).toEqual(meantime);
    keychain.state = 'ready';
    await clock.advance(15_000);
    expect(await identities.load()).toEqual(stored);
    expect(identities.notices).toEqual([]);
  });

  it('keeps the identity that was made meanwhile where it holds none', async () => {
    keychain.state = 'refused';
    const identities = new DeviceIdentityStore(open(), logger);
    const meantime = await identities.load();
    keychain.state = 'ready';
    await clock.advance(15_000);
    expect(await identities.load()).toEqual(meantime);
    expect(await new DeviceIdentityStore(open(), logger).load()).toEqual(meantime);
  });

  it('that never deserves the name is not looked at again', async () => {
    keychain.state = 'worthless';
    const store = open();
    await settle();
    expect(types(store)).toEqual(['secrets-in-memory']);
    expect(clock.pendingTimers).toBe(0);
    store.dismissNotice('secrets-in-memory');
    expect(types(store)).toEqual([]);
  });
});

describe('stored secrets that cannot be read', () => {
  it.each(['', 'garbage', '{}', '{"version":1,"entries":{"token":"not base64!"}}', '\u0000'.repeat(500)])(
    'are put aside when the file is %j, to the last byte, and the person is told',
    async (text) => {
      writeFileSync(path, text);
      const store = open();
      await settle();
      const aside = `${path}.bad-2026-11-23T09-00-00-000Z`;
      expect(store.notices).toEqual([{ type: 'secrets-quarantined', path: aside }]);
      expect(readFileSync(aside, 'utf8')).toBe(text);
      await store.set('token', 'typed again');
      expect(await open().get('token')).toBe('typed again');
      expect(open().notices).toEqual([]);
      if (text !== 'garbage') return;
      recordFault({
        row: 68,
        part: 'secrets',
        layer: 'unit',
        injected: 'secrets.json overwritten with garbage, emptied, of another shape',
        shown: 'file put aside as .bad-TIME, notice "secrets-quarantined", secrets can be typed again',
        tookMs: null,
        limitMs: null,
        control: 'the file that was written anew opens without a notice',
      });
    },
  );

  it('are left alone when the file may not be read, and used once it may', async () => {
    await open().set('token', 'stored');
    const content = onDisk();
    rmSync(path);
    mkdirSync(path);
    const store = open();
    await settle();
    expect(store.notices).toEqual([{ type: 'secrets-unreadable', path, detail: 'EISDIR' }]);
    await store.set('other', 'typed');
    expect(readdirSync(path)).toEqual([]);
    rmSync(path, { recursive: true });
    writeFileSync(path, content);
    await clock.advance(15_000);
    expect(store.notices).toEqual([]);
    expect(await store.get('token')).toBe('stored');
    expect(await open().get('other')).toBe('typed');
  });

  it('count as none when they are of a key that is gone: kept beside the file, and the others still work', async () => {
    await open().set('token', 'of the old key');
    keychain.key = 'key-2';
    const store = open();
    await store.set('other', 'of the new key');
    expect(await store.get('token')).toBeNull();
    expect(store.has('token')).toBe(false);
    const [notice] = store.notices;
    if (notice?.type !== 'secrets-quarantined') throw new Error('No notice');
    expect(await store.get('other')).toBe('of the new key');
    await store.set('token', 'typed again');
    expect(await open().get('token')).toBe('typed again');
    // The old key is back, for example from a backup: nothing was destroyed.
    keychain.key = 'key-1';
    writeFileSync(path, readFileSync(notice.path));
    expect(await open().get('token')).toBe('of the old key');
  });

  it('do not stop the app from connecting: the device gets a new identity, and the person is told', async () => {
    const before = await new DeviceIdentityStore(open(), logger).load();
    keychain.key = 'key-2';
    const store = open();
    const after = await new DeviceIdentityStore(store, logger).load();
    expect(after.deviceId).not.toBe(before.deviceId);
    expect(types(store)).toEqual(['secrets-quarantined']);
    expect(await new DeviceIdentityStore(open(), logger).load()).toEqual(after);
  });

  it('are not given up while the keychain itself fails', async () => {
    await open().set('token', 'stored');
    const store = open();
    await settle();
    keychain.state = 'refused';
    await expect(store.get('token')).rejects.toThrow();
    keychain.state = 'ready';
    expect(await store.get('token')).toBe('stored');
    expect(store.notices).toEqual([]);
  });
});
