import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../../../src/main/core/chat/outgoing-messages.ts';
import {
  createDatabaseFile,
  type DatabaseStep,
  openDatabaseFile,
} from '../../../src/main/node/storage/database-file.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';

const KEY = 'agent:main:main';
let dir: string;
let path: string;
let clock: FakeClock;
const stores: MessageStore[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-messages-'));
  path = join(dir, 'messages.db');
  clock = new FakeClock();
});
afterEach(() => {
  for (const store of stores.splice(0)) store.dispose();
  expect(clock.pendingTimers).toBe(0);
  rmSync(dir, { recursive: true, force: true });
});

function open(): MessageStore {
  const store = new MessageStore({ path, clock, logger: new MemoryLogger() });
  stores.push(store);
  return store;
}
function message(messageId: string, more: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    messageId,
    sessionKey: KEY,
    text: `text of ${messageId}`,
    createdAtMs: 1_700_000_000_000,
    state: { type: 'queued', first: null },
    ...more,
  };
}
const known = { identity: 'ssh ops@host 18789', mainSessionKey: KEY };
const FIRST = { atMs: 5, uptimeMs: 6, runId: 'run', bootId: 'boot' };

describe('over a restart of the app', () => {
  it('keeps messages in the order of writing, drafts, and what is known of the gateway', async () => {
    const before = open();
    const messages = before.forGateway('g1');
    for (const id of ['m2', 'm1', 'm3']) expect(await messages.add(message(id))).toMatchObject({ ok: true });
    await messages.setState('m1', { type: 'sent', first: FIRST });
    await messages.remove('m3');
    await messages.setDraft(KEY, 'half a thought 안녕');
    await messages.setKnown({ identity: 'ssh ops@host 18789', mainSessionKey: KEY });
    before.dispose();

    const after = open().forGateway('g1');
    expect(after.list(KEY)).toMatchObject([
      { messageId: 'm2', text: 'text of m2', state: { type: 'queued' } },
      { messageId: 'm1', state: { type: 'sent', first: FIRST } },
    ]);
    expect(after.draft(KEY)).toBe('half a thought 안녕');
    expect(after.known).toEqual({ identity: 'ssh ops@host 18789', mainSessionKey: KEY });
  });

  it('has what was being sent in doubt, and drops what was only kept to be shown', async () => {
    const before = open();
    const messages = before.forGateway('g1');
    for (const id of ['m1', 'm2']) await messages.add(message(id));
    await messages.setState('m1', { type: 'sending', first: FIRST });
    await messages.setState('m2', { type: 'settled' });
    before.dispose();
    const after = open();
    expect(after.forGateway('g1').list(KEY)).toMatchObject([
      { messageId: 'm1', state: { type: 'in-doubt', first: FIRST, insisted: false } },
    ]);
    expect(after.runId).not.toBe(before.runId);
  });

  it('keeps a message under its new id in its old place', async () => {
    const before = open();
    const messages = before.forGateway('g1');
    for (const id of ['m1', 'm2', 'm3']) await messages.add(message(id));
    await messages.renew('m2');
    before.dispose();
    const texts = open()
      .forGateway('g1')
      .list(KEY)
      .map(({ messageId, text }) => [messageId === 'm2', text]);
    expect(texts).toEqual([
      [false, 'text of m1'],
      [false, 'text of m2'],
      [false, 'text of m3'],
    ]);
  });
});

describe('a draft', () => {
  it('goes with the message that it became, and with no other', async () => {
    const messages = open().forGateway('g1');
    await messages.setDraft(KEY, 'text of m1\n');
    await messages.setDraft('other', 'text of m1');
    await messages.add(message('m2'));
    expect(messages.draft(KEY)).toBe('text of m1\n');
    await messages.add(message('m1'));
    expect(messages.draft(KEY)).toBe('');
    for (const store of stores.splice(0)) store.dispose();
    const after = open().forGateway('g1');
    expect([after.draft(KEY), after.draft('other')]).toEqual(['', 'text of m1']);
  });
});

describe('a gateway that was removed', () => {
  it('leaves nothing behind, and what still comes for it is not kept', async () => {
    const store = open();
    const removed = store.forGateway('g1');
    await removed.add(message('m1'));
    await removed.setDraft(KEY, 'draft');
    await removed.setKnown({ identity: 'i', mainSessionKey: KEY });
    await store.forGateway('g2').add(message('m1'));
    store.forget('g1');
    expect(await removed.add(message('late'))).toMatchObject({ ok: false });
    await removed.setDraft(KEY, 'late');
    store.dispose();
    const after = open();
    const gone = after.forGateway('g1');
    expect([gone.list(KEY), gone.draft(KEY), gone.known]).toEqual([[], '', null]);
    expect(after.forGateway('g2').list(KEY)).toHaveLength(1);
  });
});

describe('a gateway that came back under another id', () => {
  async function leftBehind(): Promise<void> {
    const before = open();
    const lost = before.forGateway('lost');
    await lost.setKnown(known);
    await lost.add(message('m1', { state: { type: 'sent', first: FIRST } }));
    await lost.add(message('m2'));
    await lost.setDraft(KEY, 'half a thought');
    before.dispose();
  }

  it('has what was kept under the old one, before what is its own', async () => {
    await leftBehind();
    const store = open();
    const messages = store.forGateway('new');
    let told = 0;
    messages.onRecovered(() => (told += 1));
    await messages.add(message('m3'));
    await messages.setKnown(known);
    const ids = (kept: typeof messages): readonly string[] =>
      kept.list(KEY).map(({ messageId }) => messageId);
    expect(ids(messages)).toEqual(['m3']);
    messages.adoptStrays();
    messages.adoptStrays();
    expect([ids(messages), told]).toEqual([['m1', 'm2', 'm3'], 1]);
    await messages.setState('m2', { type: 'sent', first: FIRST });
    store.dispose();
    const after = open();
    expect(ids(after.forGateway('new'))).toEqual(['m1', 'm2', 'm3']);
    expect(
      after
        .forGateway('new')
        .list(KEY)
        .map(({ state }) => state.type),
    ).toEqual(['sent', 'sent', 'queued']);
    expect(after.forGateway('new').draft(KEY)).toBe('half a thought');
    expect(after.forGateway('lost').list(KEY)).toEqual([]);
  });

  it.each([
    ['another gateway’s', 'ssh ops@other 18789', false],
    ['those of a gateway that is still there', known.identity, true],
  ])('does not take %s', async (_name, identity, isThere) => {
    await leftBehind();
    const store = open();
    if (isThere) store.forGateway('lost');
    const messages = store.forGateway('new');
    await messages.setKnown({ ...known, identity });
    messages.adoptStrays();
    expect([messages.list(KEY), messages.draft(KEY)]).toEqual([[], '']);
    expect(store.forGateway('lost').list(KEY)).toHaveLength(2);
  });

  it('takes nothing when it was removed itself', async () => {
    await leftBehind();
    const store = open();
    const removed = store.forGateway('new');
    await removed.setKnown(known);
    store.forget('new');
    removed.adoptStrays();
    expect(store.forGateway('lost').list(KEY)).toHaveLength(2);
  });
});

describe('the file', () => {
  it('is its owner’s alone, and so is its log', async () => {
    const store = open();
    await store.forGateway('g1').add(message('m1'));
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).sort()).toEqual(['messages.db', 'messages.db-wal']);
    store.dispose();
    expect(readdirSync(dir)).toEqual(['messages.db']);
  });

  it('takes a thousand messages of a gateway and no more', async () => {
    const messages = open().forGateway('g1');
    for (let index = 0; index < 1000; index += 1) await messages.add(message(`m${index}`));
    expect(await messages.add(message('one more'))).toEqual({ ok: false, error: { type: 'full' } });
  });

  it('is led from version to version, each step once, and stays as it was when a step fails', () => {
    const first: DatabaseStep = (database) => database.exec('CREATE TABLE a (x) ');
    const second: DatabaseStep = (database) => database.exec('INSERT INTO a VALUES (2)');
    const failing: DatabaseStep = (database) =>
      database.exec('INSERT INTO a VALUES (3); INSERT INTO none VALUES (1)');
    const file = join(dir, 'steps.db');
    const rows = (steps: readonly DatabaseStep[]): unknown => {
      let seen: unknown = null;
      const opened = openDatabaseFile(file, steps, (database) => {
        seen = database.prepare('SELECT x FROM a').all();
      });
      if ('database' in opened) opened.database.close();
      return [opened.status, 'migratedFrom' in opened ? opened.migratedFrom : null, seen];
    };
    createDatabaseFile(file, [first], () => undefined);
    expect(rows([first, second, failing])).toEqual(['broken', null, null]);
    expect(rows([first])).toEqual(['open', null, []]);
    expect(rows([first, second])).toEqual(['open', 1, [{ x: 2 }]]);
    expect(rows([first, second])).toEqual(['open', null, [{ x: 2 }]]);
    expect(rows([first])).toEqual(['newer', null, null]);
  });

  it('of a first start that was killed while it was made is made anew, without a word', async () => {
    writeFileSync(`${path}.new`, 'the first half of a database');
    writeFileSync(`${path}.new-journal`, 'and how to take it back');
    const store = open();
    expect(store.notices).toEqual([]);
    expect(await store.forGateway('g1').add(message('m1'))).toMatchObject({ ok: true });
    store.dispose();
    expect(readdirSync(dir)).toEqual(['messages.db']);
  });

  it('that was to take a broken one’s place gets its name at the next start, without the other’s log', async () => {
    const other = new MessageStore({ path: join(dir, 'other.db'), clock, logger: new MemoryLogger() });
    await other.forGateway('g1').add(message('of the other'));
    const log = readFileSync(join(dir, 'other.db-wal'));
    other.dispose();
    const before = open();
    await before.forGateway('g1').add(message('m1'));
    before.dispose();
    renameSync(path, `${path}.whole`);
    writeFileSync(`${path}-wal`, log);
    const after = open();
    expect(after.notices).toEqual([]);
    expect(after.forGateway('g1').list(KEY)).toMatchObject([{ messageId: 'm1' }]);
    expect(readdirSync(dir)).not.toContain('messages.db.whole');
  });

  it.each([
    ['to the same gateway keeps its state', known.identity, 'queued', KEY],
    ['to another one by then is not for that', 'ssh ops@other 18789', 'failed', null],
  ])(
    'that comes late: what was written for a profile that leads %s',
    async (_name, identity, state, main) => {
      const before = open();
      await before.forGateway('g1').setKnown(known);
      await before.forGateway('g1').add(message('m1'));
      before.dispose();
      renameSync(path, `${path}.away`);
      mkdirSync(path);
      const messages = open().forGateway('g1');
      await messages.setKnown({ identity, mainSessionKey: null });
      rmSync(path, { recursive: true });
      renameSync(`${path}.away`, path);
      await clock.advance(5000);
      expect(messages.list(KEY)).toMatchObject([{ messageId: 'm1', state: { type: state } }]);
      expect(messages.known).toEqual({ identity, mainSessionKey: main });
    },
  );

  it('that cannot be opened is tried again, and what was in it comes then', async () => {
    const before = open();
    await before.forGateway('g1').add(message('m1'));
    before.dispose();
    renameSync(path, `${path}.away`);
    mkdirSync(path);
    const store = open();
    expect(store.notices).toMatchObject([{ type: 'messages-unwritable' }]);
    const messages = store.forGateway('g1');
    let recoveries = 0;
    messages.onRecovered(() => (recoveries += 1));
    expect(await messages.add(message('m2'))).toMatchObject({ ok: false, error: { type: 'unwritable' } });
    await messages.setDraft(KEY, 'typed meanwhile');
    rmSync(path, { recursive: true });
    renameSync(`${path}.away`, path);
    await clock.advance(5000);
    expect([store.notices, recoveries]).toEqual([[], 1]);
    expect(messages.list(KEY)).toHaveLength(1);
    store.dispose();
    expect(open().forGateway('g1').draft(KEY)).toBe('typed meanwhile');
  });
});
