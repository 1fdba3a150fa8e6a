import { describe, expect, it } from 'vitest';
import { ChatService } from '../../../src/main/node/gateway/chat-service.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemoryMessages } from '../../support/fakes/memory-messages.ts';

const KEY = 'agent:main:main';

describe('a conversation whose history is on its way', () => {
  it.each([
    [true, 2],
    [false, 1],
  ])('is read once more afterwards when events were lost meanwhile (%s)', async (isGap, loads) => {
    const rpc = new FakeRpc();
    const clock = new FakeClock();
    rpc.always('sessions.messages.subscribe', () => ({ subscribed: true, key: KEY }));
    rpc.always('sessions.subscribe', () => ({}));
    rpc.always('sessions.list', () => ({ sessions: [] }));
    const messages = new MemoryMessages();
    const chat = new ChatService({ gatewayId: 'g', rpc, messages, clock, logger: new MemoryLogger() });
    rpc.connect();
    await chat.open(KEY);
    await clock.advance(100);
    const [first] = rpc.of('chat.history');
    expect(first).toBeDefined();
    if (isGap) rpc.gap();
    await clock.advance(5_000);
    expect(rpc.of('chat.history')).toHaveLength(1);
    first?.answer({ messages: [], hasMore: false });
    await clock.advance(5_000);
    expect(rpc.of('chat.history')).toHaveLength(loads);
    chat.dispose();
  });
});

describe('a run whose end never comes', () => {
  it('is asked about while nothing is heard of it, ever more rarely, and no more once it is over', async () => {
    const rpc = new FakeRpc();
    const clock = new FakeClock();
    rpc.always('sessions.messages.subscribe', () => ({ subscribed: true, key: KEY }));
    rpc.always('sessions.subscribe', () => ({}));
    rpc.always('sessions.list', () => ({ sessions: [] }));
    let isRunning = true;
    rpc.always('chat.history', () => ({
      messages: [],
      hasMore: false,
      ...(isRunning ? { inFlightRun: { runId: 'r', text: 'so far' } } : {}),
    }));
    const messages = new MemoryMessages();
    const chat = new ChatService({ gatewayId: 'g', rpc, messages, clock, logger: new MemoryLogger() });
    rpc.connect();
    await chat.open(KEY);
    await clock.advance(100);
    expect(rpc.of('chat.history')).toHaveLength(1);
    await clock.advance(14_000);
    rpc.event('chat', { sessionKey: KEY, runId: 'r', state: 'delta', seq: 3, deltaText: ' more' });
    await clock.advance(14_000);
    expect(rpc.of('chat.history')).toHaveLength(1);
    await clock.advance(2_000);
    expect(rpc.of('chat.history')).toHaveLength(2);
    await clock.advance(28_000);
    expect(rpc.of('chat.history')).toHaveLength(2);
    isRunning = false;
    await clock.advance(3_000);
    expect(rpc.of('chat.history')).toHaveLength(3);
    const opened = await chat.open(KEY);
    expect(opened.ok && opened.value.meta.activeRun).toBeNull();
    await clock.advance(600_000);
    expect(rpc.of('chat.history')).toHaveLength(3);
    chat.dispose();
  });
});
