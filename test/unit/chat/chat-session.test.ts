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
