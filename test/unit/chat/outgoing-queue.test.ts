import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryMessages } from '../../support/fakes/memory-messages.ts';
import type { OutgoingState } from '../../../src/main/core/chat/outgoing-messages.ts';
import { OutgoingQueue } from '../../../src/main/core/chat/outgoing-queue.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { history, userMessage } from './messages.ts';

const KEY = 'agent:main:main';
let rpc: FakeRpc;
let clock: FakeClock;
let messages: MemoryMessages;
let queue: OutgoingQueue;
let logger: MemoryLogger;
let isShown: boolean;

beforeEach(() => {
  rpc = new FakeRpc();
  clock = new FakeClock();
  messages = new MemoryMessages();
  logger = new MemoryLogger();
  isShown = false;
  queue = new OutgoingQueue({
    rpc,
    messages,
    clock,
    logger,
    onChange: () => undefined,
    isShown: () => isShown,
  });
});
afterEach(() => {
  queue.dispose();
  expect(clock.pendingTimers).toBe(0);
});

async function write(messageId: string, sessionKey = KEY): Promise<void> {
  const accepted = await queue.send({ messageId, sessionKey, text: `text of ${messageId}`, createdAtMs: 0 });
  expect(accepted.ok).toBe(true);
  await settle();
}
const stateOf = (messageId: string): string | undefined => messages.get(messageId)?.state.type;
const sentIds = (): readonly unknown[] => rpc.of('chat.send').map(({ params }) => params['idempotencyKey']);

describe('sending', () => {
  it('waits for a connection, then goes in the order of writing, each once the one before has its row', async () => {
    await write('m1');
    await write('m2');
    expect([stateOf('m1'), stateOf('m2')]).toEqual(['queued', 'queued']);
    rpc.connect();
    await settle();
    expect(sentIds()).toEqual(['m1']);
    rpc.of('chat.send')[0]?.answer({ runId: 'm1', status: 'started' });
    await settle();
    expect(sentIds()).toEqual(['m1']);
    expect(stateOf('m1')).toBe('sent');
    await queue.stored(KEY, new Set(['m1']));
    await settle();
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('looks up the row that the next one waits for, and only then', async () => {
    let answer = history([], { inputReceipts: [{ runId: 'm1', state: 'pending' }] });
    rpc.always('chat.history', () => answer);
    rpc.connect();
    await write('m1');
    rpc.of('chat.send')[0]?.answer({ status: 'started' });
    await clock.advance(60_000);
    expect(rpc.of('chat.history')).toHaveLength(0);
    await write('m2');
    await clock.advance(60_000);
    expect(sentIds()).toEqual(['m1']);
    expect(rpc.of('chat.history')).toHaveLength(20);
    answer = history([userMessage(1, 'text of m1', 'm1')]);
    await clock.advance(3000);
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('goes on behind a row that the conversation does not show yet', async () => {
    isShown = true;
    rpc.always('chat.history', () => history([userMessage(1, 'text of m1', 'm1')]));
    rpc.connect();
    await write('m1');
    rpc.of('chat.send')[0]?.answer({ status: 'started' });
    await write('m2');
    await clock.advance(3000);
    expect(stateOf('m1')).toBe('sent');
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('goes on behind a command, which leaves no row', async () => {
    rpc.always('chat.history', () => history([]));
    rpc.connect();
    await write('m1');
    await write('m2');
    rpc.of('chat.send')[0]?.answer({ status: 'started' });
    await settle();
    queue.runEnded(KEY, 'm1');
    await clock.advance(1000);
    expect(stateOf('m1')).toBe('settled');
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('keeps the order where a restart of the gateway interrupts an acknowledged message', async () => {
    rpc.connect();
    await write('m1');
    await write('m2');
    rpc.of('chat.send')[0]?.answer({ status: 'started' });
    await settle();
    rpc.disconnect();
    rpc.always('chat.history', () =>
      history([], { pendingInputs: { total: 1, items: [{ id: 'p', runId: 'm1', state: 'interrupted' }] } }),
    );
    rpc.connect({ bootId: 'boot-2' });
    await settle();
    expect(sentIds()).toEqual(['m1', 'm1']);
    rpc.of('chat.send')[1]?.answer({ status: 'started' });
    await queue.stored(KEY, new Set(['m1']));
    await settle();
    expect(sentIds()).toEqual(['m1', 'm1', 'm2']);
  });

  it('logs why the gateway refused, without its words, which may quote the person', async () => {
    rpc.connect();
    await write('m1');
    rpc.of('chat.send')[0]?.refuse({
      type: 'refused',
      code: 'INVALID_REQUEST',
      message: 'SessionChangedError: agent:main:secret does not take "text of m1"',
      reason: null,
      retryable: false,
      retryAfterMs: null,
    });
    await settle();
    expect(logger.of('outgoing.not-acknowledged')).toEqual([
      {
        reason: 'refused',
        next: 'failed',
        code: 'INVALID_REQUEST',
        kind: 'SessionChangedError',
      },
    ]);
  });

  it('sends to another gateway what was written for the old one only when the person says so', async () => {
    rpc.connect();
    await write('handed-over');
    rpc.disconnect();
    await write('waiting');
    await queue.gatewayChanged();
    expect([stateOf('handed-over'), stateOf('waiting')]).toEqual(['unconfirmed', 'failed']);
    rpc.always('chat.history', () => history([]));
    rpc.connect({ bootId: 'of another gateway' });
    await settle();
    expect(sentIds()).toEqual(['handed-over']);
    await queue.discard('handed-over');
    await queue.retry('waiting');
    await settle();
    expect(sentIds()).toEqual(['handed-over', 'waiting']);
  });

  it('does not send to another gateway what was about to be sent when it changed', async () => {
    await write('m1');
    const setState = messages.setState.bind(messages);
    messages.setState = (messageId, state) => {
      const kept = setState(messageId, state);
      if (state.type !== 'sending') return kept;
      rpc.disconnect();
      return queue.gatewayChanged().then(() => kept);
    };
    rpc.connect();
    await settle();
    expect(stateOf('m1')).toBe('failed');
    rpc.connect({ bootId: 'of another gateway' });
    await settle();
    expect(sentIds()).toEqual([]);
  });

  it('does not send to another gateway what the old one said of it when it changed', async () => {
    rpc.connect();
    await write('m1');
    rpc.disconnect();
    rpc.connect();
    await settle();
    const interrupted = { total: 1, items: [{ id: 'p', runId: 'm1', state: 'interrupted' }] };
    rpc.of('chat.history')[0]?.answer(history([], { pendingInputs: interrupted }));
    rpc.disconnect();
    await queue.gatewayChanged();
    rpc.always('chat.history', () => history([]));
    rpc.connect({ bootId: 'of another gateway' });
    await clock.advance(10_000);
    expect([stateOf('m1'), sentIds()]).toEqual(['unconfirmed', ['m1']]);
  });

  it('lets no session wait for another', async () => {
    rpc.connect();
    await write('m1', 'agent:main:a');
    await write('m2', 'agent:main:b');
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('takes an id once', async () => {
    await write('m1');
    const again = await queue.send({ messageId: 'm1', sessionKey: KEY, text: 'x', createdAtMs: 0 });
    expect(again).toEqual({ ok: false, error: { type: 'duplicate' } });
  });

  it('takes a refusal as final, and goes on with the next', async () => {
    rpc.connect();
    await write('m1');
    await write('m2');
    rpc.of('chat.send')[0]?.refuse({
      type: 'refused',
      code: 'INVALID_REQUEST',
      message: 'no',
      reason: 'send-blocked',
      retryable: false,
      retryAfterMs: null,
    });
    await settle();
    expect(messages.get('m1')?.state).toMatchObject({
      type: 'failed',
      failure: { code: 'send-blocked', detail: 'no' },
    });
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('tries again, under the same key, when the gateway says later', async () => {
    rpc.connect();
    await write('m1');
    rpc.of('chat.send')[0]?.refuse({
      type: 'refused',
      code: 'UNAVAILABLE',
      message: 'busy',
      reason: null,
      retryable: true,
      retryAfterMs: 700,
    });
    await clock.advance(699);
    expect(sentIds()).toEqual(['m1']);
    await clock.advance(1);
    expect(sentIds()).toEqual(['m1', 'm1']);
    rpc.of('chat.send')[1]?.answer({ status: 'started' });
    await settle();
    expect(stateOf('m1')).toBe('sent');
  });

  it.each([
    [0, 500],
    [1e12, 60_000],
  ])('asks a gateway that says "again after %d ms" after %d ms', async (retryAfterMs, waitMs) => {
    rpc.connect();
    await write('m1');
    const error = { code: 'UNAVAILABLE', message: 'busy', reason: null, retryable: true, retryAfterMs };
    rpc.of('chat.send')[0]?.refuse({ type: 'refused', ...error });
    await clock.advance(waitMs - 1);
    expect(sentIds()).toEqual(['m1']);
    await clock.advance(1);
    expect(sentIds()).toEqual(['m1', 'm1']);
  });

  it('says at once that a message is too large', async () => {
    rpc.connect();
    await write('m1');
    rpc.of('chat.send')[0]?.refuse({ type: 'too-large', bytes: 30, maxBytes: 25 });
    await settle();
    expect(messages.get('m1')?.state).toMatchObject({ type: 'failed', failure: { code: 'TOO_LARGE' } });
  });
});

describe('a connection lost between send and acknowledgement', () => {
  beforeEach(async () => {
    rpc.connect();
    await write('m1');
    await write('m2');
    rpc.disconnect();
    await settle();
    expect([stateOf('m1'), stateOf('m2')]).toEqual(['in-doubt', 'queued']);
  });

  async function reconnectWith(answer: unknown, bootId = 'boot-1'): Promise<void> {
    rpc.always('chat.history', () => answer);
    rpc.connect({ bootId });
    await settle();
  }

  it('sends nothing again when the history has it', async () => {
    await reconnectWith(history([userMessage(1, 'text of m1', 'm1')]));
    expect(messages.get('m1')).toBeNull();
    expect(sentIds()).toEqual(['m1', 'm2']);
    expect(rpc.of('chat.history')[0]?.params).toMatchObject({ sessionKey: KEY, inputRunIds: ['m1'] });
  });

  it('sends nothing again when the gateway has accepted it', async () => {
    await reconnectWith(history([], { inputReceipts: [{ runId: 'm1', state: 'pending' }] }));
    expect(stateOf('m1')).toBe('sent');
    expect(sentIds()).toEqual(['m1']);
  });

  it.each([
    ['runs it', { inFlightRun: { runId: 'm1', text: '' } }],
    ['counts it among its runs', { sessionInfo: { hasActiveRun: true, activeRunIds: ['m1'] } }],
    ['keeps it waiting', { pendingInputs: { total: 1, items: [{ id: 'p', runId: 'm1', state: 'queued' }] } }],
  ])('sends nothing again when the gateway %s', async (_name, more) => {
    await reconnectWith(history([], more));
    expect(stateOf('m1')).toBe('sent');
  });

  it('sends it again under the same key when the same process does not know it', async () => {
    await reconnectWith(history([]));
    expect(sentIds()).toEqual(['m1', 'm1']);
    rpc.of('chat.send')[1]?.answer({ status: 'started' });
    await queue.stored(KEY, new Set(['m1']));
    await settle();
    expect(sentIds()).toEqual(['m1', 'm1', 'm2']);
  });

  it('asks the person when the process is another one; later messages wait', async () => {
    await reconnectWith(history([]), 'boot-2');
    expect([stateOf('m1'), stateOf('m2')]).toEqual(['unconfirmed', 'queued']);
    expect(sentIds()).toEqual(['m1']);
  });

  it('asks the person when too much time has passed', async () => {
    await clock.advance(240_000);
    await reconnectWith(history([]));
    expect(stateOf('m1')).toBe('unconfirmed');
  });

  it('sends it again under the same key when the person insists, unless the history has it by then', async () => {
    await reconnectWith(history([]), 'boot-2');
    await queue.retry('m1');
    await settle();
    expect(sentIds()).toEqual(['m1', 'm1']);
    rpc.of('chat.send')[1]?.answer({ status: 'started' });
    await queue.stored(KEY, new Set(['m1']));
    await settle();
    expect(sentIds()).toEqual(['m1', 'm1', 'm2']);
  });

  it('finds on retry that it was carried out after all', async () => {
    await reconnectWith(history([]), 'boot-2');
    rpc.always('chat.history', () => history([userMessage(1, 'text of m1', 'm1')]));
    await queue.retry('m1');
    await settle();
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('goes on with the next when the person discards it', async () => {
    await reconnectWith(history([]), 'boot-2');
    await queue.discard('m1');
    await settle();
    expect(messages.get('m1')).toBeNull();
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('does not send again on a history that could not be read, and asks once more', async () => {
    rpc.connect();
    await settle();
    rpc.of('chat.history')[0]?.refuse({ type: 'timeout', sent: true, limitMs: 1 });
    await settle();
    expect(sentIds()).toEqual(['m1']);
    await clock.advance(2000);
    rpc.of('chat.history')[1]?.answer(history([userMessage(1, 'text of m1', 'm1')]));
    await settle();
    expect(sentIds()).toEqual(['m1', 'm2']);
  });

  it('survives losing the connection again and again without a second key', async () => {
    for (let round = 0; round < 5; round++) {
      await reconnectWith(history([]));
      rpc.disconnect();
      await settle();
    }
    await reconnectWith(history([userMessage(1, 'text of m1', 'm1')]));
    expect(new Set(sentIds())).toEqual(new Set(['m1', 'm2']));
    expect(stateOf('m1')).toBeUndefined();
  });
});

describe('acknowledged messages', () => {
  beforeEach(async () => {
    rpc.connect();
    await write('m1');
    rpc.of('chat.send')[0]?.answer({ status: 'started' });
    await settle();
  });

  it('are forgotten when the history shows them', async () => {
    await queue.stored(KEY, new Set(['m1']));
    expect(messages.get('m1')).toBeNull();
  });

  it('that leave no row are commands: done when their run ended', async () => {
    rpc.always('chat.history', () => history([]));
    queue.runEnded(KEY, 'm1');
    await clock.advance(1000);
    expect(stateOf('m1')).toBe('settled');
    await queue.closeSession(KEY);
    expect(messages.get('m1')).toBeNull();
  });

  it('are not done because the gateway does not name what it works on', async () => {
    rpc.always('chat.history', () => ({ ...history([]), sessionInfo: { hasActiveRun: true } }));
    rpc.disconnect();
    rpc.connect();
    await clock.advance(60_000);
    expect(stateOf('m1')).toBe('sent');
  });

  it('are not done because the gateway rests between two runs, but when it stays so', async () => {
    rpc.always('chat.history', () => history([]));
    rpc.disconnect();
    rpc.connect();
    await clock.advance(8_000);
    expect(stateOf('m1')).toBe('sent');
    await clock.advance(6_000);
    expect(stateOf('m1')).toBe('settled');
  });

  it('that a restarted gateway lost are not silently gone', async () => {
    rpc.always('chat.history', () => history([]));
    rpc.disconnect();
    rpc.connect({ bootId: 'boot-2' });
    await settle();
    expect(stateOf('m1')).toBe('unconfirmed');
  });

  it('cannot be discarded: the gateway has them', async () => {
    await queue.discard('m1');
    expect(stateOf('m1')).toBe('sent');
  });
});

describe('a disk that refuses', () => {
  const full = { type: 'unwritable', detail: 'SQLITE_FULL' } as const;

  it('takes no message', async () => {
    messages.refuses = full;
    const refused = await queue.send({ messageId: 'm1', sessionKey: KEY, text: 'x', createdAtMs: 0 });
    expect(refused).toEqual({ ok: false, error: full });
    expect(messages.get('m1')).toBeNull();
  });

  it('sends nothing that a crash would forget, and sends it once the disk takes writes again', async () => {
    await write('m1');
    messages.refuses = full;
    rpc.connect();
    await settle();
    expect(sentIds()).toEqual([]);
    expect(stateOf('m1')).toBe('queued');
    messages.recover();
    await settle();
    expect(sentIds()).toEqual(['m1']);
  });
});

describe('what an earlier run or a sleep left', () => {
  const first = { atMs: 0, uptimeMs: 0, runId: 'run-0', bootId: 'boot-1' };

  async function left(state: OutgoingState): Promise<void> {
    await messages.add({ messageId: 'old', sessionKey: KEY, text: 'x', createdAtMs: 0, state });
  }

  it('is not sent again when it was looked up long ago: the person decides', async () => {
    await left({ type: 'queued', first });
    rpc.always('chat.history', () => history([]));
    rpc.connect();
    await settle();
    expect(sentIds()).toEqual([]);
    expect(stateOf('old')).toBe('unconfirmed');
  });

  it('is not sent again after a night, in which the monotonic clock stood still', async () => {
    rpc.connect();
    await write('m1');
    rpc.disconnect();
    clock.sleep(8 * 3_600_000);
    rpc.always('chat.history', () => history([]));
    rpc.connect();
    await settle();
    expect(sentIds()).toEqual(['m1']);
    expect(stateOf('m1')).toBe('unconfirmed');
  });

  it('is found behind more rows than one page holds', async () => {
    await left({ type: 'in-doubt', first, insisted: false });
    rpc.always('chat.history', ({ offset }) =>
      offset === 0
        ? history([userMessage(900, 'new')], { hasMore: true, nextOffset: 200 })
        : history([userMessage(1, 'x', 'old')], { hasMore: false }),
    );
    rpc.connect();
    await settle();
    expect(messages.get('old')).toBeNull();
    expect(sentIds()).toEqual([]);
  });

  it('goes by itself when its row is found after all', async () => {
    await left({ type: 'unconfirmed', failure: { type: 'gateway', code: 'UNCONFIRMED', detail: '' } });
    rpc.always('chat.history', () => history([userMessage(1, 'x', 'old')]));
    rpc.connect();
    await settle();
    expect(messages.get('old')).toBeNull();
  });

  it('is handed over again under its key when it waited in a process of the gateway that ended', async () => {
    await left({ type: 'sent', first });
    rpc.always('chat.history', () =>
      history([], { pendingInputs: { total: 1, items: [{ id: 'p', runId: 'old', state: 'interrupted' }] } }),
    );
    rpc.connect({ bootId: 'boot-2' });
    await settle();
    expect(sentIds()).toEqual(['old']);
  });

  it('gets another key when the person retries what the gateway dropped: the old one is spent', async () => {
    await left({ type: 'sent', first });
    rpc.always('chat.history', () =>
      history([], { pendingInputs: { total: 1, items: [{ id: 'p', runId: 'old', state: 'cancelled' }] } }),
    );
    rpc.connect();
    await settle();
    expect(stateOf('old')).toBe('failed');
    await queue.retry('old');
    await settle();
    expect(sentIds()).toEqual(['old+']);
  });
});
