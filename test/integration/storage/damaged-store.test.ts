import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AppNotice } from '../../../src/shared/app-snapshot.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { recordFault } from '../../support/faults/evidence.ts';

const KEY = 's';
const LIMIT_MS = 2000;
const COUNT = 200;
let dir: string;
let path: string;
let clock: FakeClock;
const stores: MessageStore[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-damage-'));
  path = join(dir, 'messages.db');
  clock = new FakeClock();
});
afterEach(() => {
  for (const store of stores.splice(0)) store.dispose();
  rmSync(dir, { recursive: true, force: true });
});

function open(): MessageStore {
  const store = new MessageStore({ path, clock, logger: new MemoryLogger() });
  stores.push(store);
  return store;
}
const textOf = (index: number): string => `text ${index} ${'안녕 '.repeat(100)}`;

async function fill(store: MessageStore): Promise<void> {
  const messages = store.forGateway('g1');
  for (let index = 0; index < COUNT; index += 1) {
    const state = { type: 'queued', first: null } as const;
    const message = { messageId: `m${index}`, sessionKey: KEY, text: textOf(index), createdAtMs: 1, state };
    expect(await messages.add(message)).toMatchObject({ ok: true });
  }
  await messages.setDraft('other', 'a draft');
  await messages.setKnown({ identity: 'ssh host 1', mainSessionKey: KEY });
}

let filledDir: string;
/** A file with everything in it, closed as a quit does, and the log that it had before. */
let filled: { readonly file: Buffer; readonly log: Buffer };

beforeAll(async () => {
  filledDir = mkdtempSync(join(tmpdir(), 'gangway-filled-'));
  const filledPath = join(filledDir, 'messages.db');
  const store = new MessageStore({ path: filledPath, clock: new FakeClock(), logger: new MemoryLogger() });
  await fill(store);
  const log = readFileSync(`${filledPath}-wal`);
  store.dispose();
  filled = { file: readFileSync(filledPath), log };
});
afterAll(() => rmSync(filledDir, { recursive: true, force: true }));

function filledFile(): Buffer {
  writeFileSync(path, filled.file, { mode: 0o600 });
  return filled.file;
}

function overwrite(atByte: number, length: number): void {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(length, 0xa5), 0, length, atByte);
  closeSync(file);
}

const asideName = (): string | undefined =>
  readdirSync(dir).find((name) => /^messages\.db\.bad-[\dTZ-]+$/.test(name));

function quarantineOf(store: MessageStore): Extract<AppNotice, { type: 'messages-quarantined' }> {
  const [notice, ...more] = store.notices;
  expect(more).toEqual([]);
  if (notice?.type !== 'messages-quarantined') throw new Error(`No quarantine: ${JSON.stringify(notice)}`);
  return notice;
}

function keptIndexes(store: MessageStore): readonly number[] {
  const list = store.forGateway('g1').list(KEY);
  // Whatever was saved is what was written.
  for (const { messageId, text } of list) expect(text).toBe(textOf(Number(messageId.slice(1))));
  return list.map(({ messageId }) => Number(messageId.slice(1)));
}

describe('a file that is damaged', () => {
  it.each<[string, (size: number) => void, number]>([
    ['garbage over its head', () => overwrite(0, 100), COUNT],
    ['garbage over its whole first page', () => overwrite(0, 4096), COUNT],
    ['garbage in the middle', (size) => overwrite(Math.floor(size / 8192) * 4096, 4096), COUNT - 12],
    ['the second half cut off', (size) => truncateSync(path, Math.floor(size / 2)), 1],
    ['nothing left', () => truncateSync(path, 0), 0],
    ['another program’s file', () => writeFileSync(path, 'key = value\n'.repeat(1000)), 0],
  ])('%s: is put aside, and what can be read of it is taken over', async (part, damage, atLeast) => {
    const whole = filledFile();
    // The control: the same file without damage is read without a word.
    const control = open();
    expect(control.notices).toEqual([]);
    expect(keptIndexes(control)).toHaveLength(COUNT);
    control.dispose();

    damage(whole.length);
    const damaged = readFileSync(path);
    const startedMs = performance.now();
    const store = open();
    const tookMs = performance.now() - startedMs;
    const notice = quarantineOf(store);
    const kept = keptIndexes(store);
    expect(notice.salvaged).toBe(kept.length);
    expect(kept.length).toBeGreaterThanOrEqual(atLeast);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(notice.path).toBe(join(dir, asideName() ?? ''));
    expect(readFileSync(notice.path).equals(damaged)).toBe(true);

    // It is a whole file again: it takes messages, and keeps them.
    const state = { type: 'queued', first: null } as const;
    const added = { messageId: 'new', sessionKey: 'later', text: 'new', createdAtMs: 1, state };
    expect(await store.forGateway('g1').add(added)).toMatchObject({ ok: true });
    store.dispose();
    const next = open();
    expect(next.notices).toEqual([]);
    expect(keptIndexes(next)).toEqual(kept);
    expect(next.forGateway('g1').get('new')).not.toBeNull();
    expect(readdirSync(dir).filter((name) => /salvage|\.new|\.whole/.test(name))).toEqual([]);
    recordFault({
      row: 68,
      part: `outbox: ${part}`,
      layer: 'core',
      injected: `the messages file with ${part}`,
      shown: `notice messages-quarantined, ${kept.length} of ${COUNT} messages taken over, the file kept as .bad-…`,
      tookMs,
      limitMs: LIMIT_MS,
      control: 'the same file without damage: no notice, all messages',
    });
  });

  it('loses nothing that is in its log when the file itself was emptied', () => {
    writeFileSync(path, '');
    writeFileSync(`${path}-wal`, filled.log);
    const after = open();
    expect(quarantineOf(after).salvaged).toBe(COUNT);
    expect(existsSync(`${quarantineOf(after).path}-wal`)).toBe(true);
  });

  it('while the app runs is replaced from memory, with nothing lost', async () => {
    filledFile();
    const running = open();
    const messages = running.forGateway('g1');
    const { size } = statSync(path);
    overwrite(4096, size - 4096);
    for (const id of ['m0', 'm100', 'm199'])
      await messages.setState(id, { type: 'in-doubt', first: FIRST, insisted: false });
    expect(quarantineOf(running).salvaged).toBe(COUNT);
    running.dispose();
    const after = open();
    expect(after.notices).toEqual([]);
    expect(keptIndexes(after)).toHaveLength(COUNT);
    expect(after.forGateway('g1').get('m0')?.state.type).toBe('in-doubt');
  });
});

const FIRST = { atMs: 1, uptimeMs: 1, runId: 'r', bootId: 'b' };

describe('a single record that makes no sense', () => {
  it.each(['', 'not json', '{"type":"flying"}', '{"type":"sent"}', '{"type":"failed","failure":{}}'])(
    'keeps its text, and the person decides: %j',
    (state) => {
      filledFile();
      change(`UPDATE messages SET state = '${state}' WHERE message_id = 'm1'`);
      const startedMs = performance.now();
      const store = open();
      const tookMs = performance.now() - startedMs;
      expect(store.notices).toEqual([]);
      expect(keptIndexes(store)).toHaveLength(COUNT);
      expect(store.forGateway('g1').get('m1')?.state.type).toBe('unconfirmed');
      expect(store.forGateway('g1').get('m2')?.state.type).toBe('queued');
      recordFault({
        row: 68,
        part: `outbox: a record with the state ${JSON.stringify(state)}`,
        layer: 'core',
        injected: 'one row of the messages file with a state that makes no sense',
        shown: 'its text with "delivery unconfirmed": Retry, Discard',
        tookMs,
        limitMs: LIMIT_MS,
        control: 'the row beside it is queued as before',
      });
    },
  );
});

describe('a file of another version', () => {
  it('of a newer build is only read: nothing is taken, nothing is changed, and it says so', async () => {
    filledFile();
    change('PRAGMA user_version = 99');
    const before = readFileSync(path);
    const store = open();
    expect(store.notices).toEqual([{ type: 'messages-newer', path, version: 99 }]);
    expect(keptIndexes(store)).toHaveLength(COUNT);
    const messages = store.forGateway('g1');
    const state = { type: 'queued', first: null } as const;
    const message = { messageId: 'new', sessionKey: KEY, text: 'new', createdAtMs: 1, state };
    expect(await messages.add(message)).toMatchObject({ ok: false, error: { type: 'newer' } });
    expect(await messages.setState('m1', { type: 'sending', first: FIRST })).toBe(false);
    store.dispose();
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

/** As another program would. */
function change(sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}
