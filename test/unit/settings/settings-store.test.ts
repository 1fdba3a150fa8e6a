import { describe, expect, it } from 'vitest';
import type { Logger } from '../../../src/main/core/ports.ts';
import { defaultSettings, type Settings } from '../../../src/main/core/settings/schema.ts';
import { type SettingsStorage, SettingsStore } from '../../../src/main/node/settings/settings-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const silent: Logger = { log: () => undefined };
/** FakeClock starts there. */
const PUT_ASIDE = '.bad-2026-11-23T09-00-00-000Z';

/** A disk of one file; each of its calls can be made to fail. */
class MemoryStorage implements SettingsStorage {
  readonly path = '/data/settings.json';
  text: string | null;
  aside = new Map<string, string>();
  writes = 0;
  fails: Partial<Record<'read' | 'write' | 'putAside', string>> = {};

  constructor(text: string | null) {
    this.text = text;
  }
  readText(): string | null {
    this.#failOn('read');
    return this.text;
  }
  write(settings: Settings): void {
    this.#failOn('write');
    this.writes += 1;
    this.text = JSON.stringify(settings);
  }
  putAside(suffix: string): string {
    this.#failOn('putAside');
    this.aside.set(suffix, this.text ?? '');
    this.text = null;
    return `${this.path}${suffix}`;
  }
  #failOn(call: 'read' | 'write' | 'putAside'): void {
    const code = this.fails[call];
    if (code !== undefined) throw Object.assign(new Error('refused'), { code });
  }
}

function open(storage: MemoryStorage, clock = new FakeClock()): SettingsStore {
  return new SettingsStore(storage, silent, 'fresh', clock);
}
const dark = (settings: Settings): Settings => ({
  ...settings,
  preferences: { ...settings.preferences, theme: 'dark' },
});

describe('SettingsStore', () => {
  it('starts with defaults where there is no file, and writes none before a change', () => {
    const storage = new MemoryStorage(null);
    const store = open(storage);
    expect(store.current).toEqual(defaultSettings('fresh'));
    expect(store.notices).toEqual([]);
    expect(storage.writes).toBe(0);
  });

  it('gives back what was written', () => {
    const storage = new MemoryStorage(null);
    open(storage).update(dark);
    expect(open(storage).current.preferences.theme).toBe('dark');
  });

  it('tells listeners of a change, and not of a change that changes nothing', () => {
    const store = open(new MemoryStorage(null));
    const heard: string[] = [];
    store.onChange(({ preferences }) => heard.push(preferences.theme));
    store.update(dark);
    store.update((settings) => settings);
    expect(heard).toEqual(['dark']);
  });

  it.each([
    ['no JSON', '{ "version": 1,'],
    ['an empty file', ''],
    ['JSON of another shape', '{"version":1,"gateways":"none"}'],
    ['no object', '[]'],
  ])('puts a file aside that holds %s, keeps its every byte and says where it is', (_name, text) => {
    const storage = new MemoryStorage(text);
    const store = open(storage);
    expect(store.current).toEqual(defaultSettings('fresh'));
    expect([...storage.aside]).toEqual([[PUT_ASIDE, text]]);
    expect(store.notices).toMatchObject([
      { type: 'settings-quarantined', path: `/data/settings.json${PUT_ASIDE}` },
    ]);
    store.update(dark);
    expect(open(storage).current.preferences.theme).toBe('dark');
  });

  it('never overwrites a broken file that it could not put aside', () => {
    const storage = new MemoryStorage('garbage');
    storage.fails.putAside = 'EROFS';
    const store = open(storage);
    store.update(dark);
    expect(storage.text).toBe('garbage');
    expect(store.current.preferences.theme).toBe('dark');
    expect(store.notices).toMatchObject([{ type: 'settings-unwritable', detail: 'EROFS' }]);
  });

  it('reads the settings of a newer build as far as it understands them, and never writes them', () => {
    const text = JSON.stringify({ ...dark(defaultSettings('theirs')), version: 9, later: true });
    const storage = new MemoryStorage(text);
    const store = open(storage);
    expect(store.current.primaryGatewayId).toBe('theirs');
    expect(store.current.preferences.theme).toBe('dark');
    expect(store.notices).toMatchObject([{ type: 'settings-newer', version: 9 }]);
    store.update((settings) => ({ ...settings, windows: {} }));
    expect(storage.text).toBe(text);
  });

  it('leaves a file alone that it may not read', () => {
    const storage = new MemoryStorage('{}');
    storage.fails.read = 'EACCES';
    const store = open(storage);
    expect(store.notices).toMatchObject([{ type: 'settings-unwritable', detail: 'EACCES' }]);
    store.update(dark);
    expect(storage.text).toBe('{}');
    expect(storage.aside.size).toBe(0);
  });

  it('keeps a change in memory while the disk refuses it, and takes the notice back when it no longer does', () => {
    const storage = new MemoryStorage(null);
    const store = open(storage);
    storage.fails.write = 'ENOSPC';
    store.update(dark);
    expect(store.current.preferences.theme).toBe('dark');
    expect(store.notices).toMatchObject([{ type: 'settings-unwritable', detail: 'ENOSPC' }]);
    delete storage.fails.write;
    store.update((settings) => ({ ...settings, windows: {} }));
    expect(store.notices).toEqual([]);
    expect(open(storage).current.preferences.theme).toBe('dark');
  });

  it('writes what the disk refused as soon as it takes it, without another change, and says so', async () => {
    const storage = new MemoryStorage(null);
    const clock = new FakeClock();
    const store = open(storage, clock);
    storage.fails.write = 'ENOSPC';
    store.update(dark);
    await clock.advance(60_000);
    expect(storage.text).toBeNull();
    let heard = 0;
    store.onChange(() => (heard += 1));
    delete storage.fails.write;
    await clock.advance(5_000);
    expect(open(storage).current.preferences.theme).toBe('dark');
    expect(store.notices).toEqual([]);
    expect(heard).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('does not bring back a notice that was dismissed while the disk goes on refusing', async () => {
    const storage = new MemoryStorage(null);
    const clock = new FakeClock();
    const store = open(storage, clock);
    storage.fails.write = 'EROFS';
    store.update(dark);
    store.dismissNotice('settings-unwritable');
    await clock.advance(60_000);
    expect(store.notices).toEqual([]);
    store.update((settings) => ({ ...settings, windows: {} }));
    expect(store.notices).toMatchObject([{ type: 'settings-unwritable' }]);
  });

  it('offers what the disk refused a last time when it ends', () => {
    const storage = new MemoryStorage(null);
    const clock = new FakeClock();
    const store = open(storage, clock);
    storage.fails.write = 'ENOSPC';
    store.update(dark);
    delete storage.fails.write;
    store.dispose();
    expect(open(storage).current.preferences.theme).toBe('dark');
    expect(clock.pendingTimers).toBe(0);
  });

  it('drops a notice that the person dismissed and tells listeners', () => {
    const store = open(new MemoryStorage('garbage'));
    let heard = 0;
    store.onChange(() => (heard += 1));
    store.dismissNotice('settings-quarantined');
    store.dismissNotice('no-such-notice');
    expect(store.notices).toEqual([]);
    expect(heard).toBe(1);
  });
});
