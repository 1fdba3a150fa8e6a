import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { linesOf, startStoreChild } from './store-child.ts';

const KILLS = 12;
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-store-'));
  path = join(dir, 'messages.db');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function open(clock = new FakeClock()): MessageStore {
  return new MessageStore({ path, clock, logger: new MemoryLogger() });
}

describe('a process that is killed while it writes', () => {
  it('has kept every message that it accepted, in order, and nothing that it removed', async () => {
    let accepted = 0;
    for (let round = 0; round < KILLS; round += 1) {
      rmSync(path, { force: true });
      const child = await startStoreChild('write', path);
      try {
        // From the very first message to some that come with a checkpoint of the log.
        const enough = 1 + round * round * 4;
        await waitFor(() => linesOf(child).length >= enough, { what: `${enough} lines`, intervalMs: 1 });
        child.signal('SIGKILL');
        await child.waitForExit();
        const lines = linesOf(child);
        const idsOf = (key: string): readonly string[] =>
          lines.flatMap((line) => (typeof line[key] === 'string' ? [line[key]] : []));
        const removed = idsOf('removed');
        const store = open();
        try {
          expect(store.notices).toEqual([]);
          const kept = store
            .forGateway('g1')
            .list('s')
            .map(({ messageId }) => messageId);
          // The last one of each may have been on its way to the disk, or to the pipe.
          const certain = idsOf('accepted').filter((id) => !removed.includes(id));
          expect(kept).toEqual(expect.arrayContaining([...certain]));
          expect(kept.filter((id) => removed.slice(0, -1).includes(id))).toEqual([]);
          expect(kept).toEqual([...kept].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))));
          accepted += certain.length;
        } finally {
          store.dispose();
        }
      } finally {
        await child.close();
      }
    }
    expect(accepted).toBeGreaterThan(KILLS);
  });
});

describe('two processes at once', () => {
  it('keep their hands off each other’s file: the second says so, and takes over once the first is gone', async () => {
    const first = await startStoreChild('hold', path);
    try {
      await first.waitForLine(/notices/);
      const clock = new FakeClock();
      const second = open(clock);
      try {
        expect(second.notices).toEqual([{ type: 'messages-unwritable', path, detail: 'SQLITE_BUSY' }]);
        const messages = second.forGateway('g1');
        const message = {
          messageId: 'm1',
          sessionKey: 's',
          text: 'text',
          createdAtMs: 1,
          state: { type: 'queued', first: null },
        } as const;
        expect(await messages.add(message)).toEqual({
          ok: false,
          error: { type: 'unwritable', detail: 'SQLITE_BUSY' },
        });
        let recoveries = 0;
        messages.onRecovered(() => (recoveries += 1));
        first.stdin?.end();
        await first.waitForExit();
        await clock.advance(5000);
        expect(second.notices).toEqual([]);
        expect(recoveries).toBe(1);
        expect(await messages.add(message)).toMatchObject({ ok: true });
      } finally {
        second.dispose();
      }
    } finally {
      await first.close();
    }
    expect(readdirSync(dir)).toEqual(['messages.db']);
  });
});
