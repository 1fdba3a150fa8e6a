import { expect, it } from 'vitest';
import { MemoryMessages } from '../../support/fakes/memory-messages.ts';
import { ChatService } from '../../../src/main/node/gateway/chat-service.ts';
import type { ChatSnapshot } from '../../../src/shared/chat.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';

const KEY = 'agent:main:main';

it('does not show one gateway the conversation of another', async () => {
  const rpc = new FakeRpc();
  const clock = new FakeClock();
  rpc.always('sessions.subscribe', () => ({ subscribed: true, list: { sessions: [] } }));
  rpc.always('sessions.messages.subscribe', () => ({ subscribed: true, key: KEY }));
  rpc.always('chat.history', () => ({
    sessionId: 's',
    messages: [
      {
        role: 'user',
        content: [{ type: 'text', text: 'of the first gateway' }],
        __openclaw: { id: 'm1', seq: 1 },
      },
    ],
  }));
  const chat = new ChatService({
    gatewayId: 'g',
    rpc,
    messages: new MemoryMessages(),
    clock,
    logger: new MemoryLogger(),
  });
  const shown = async (): Promise<ChatSnapshot> => {
    const opened = await chat.open(KEY);
    if (!opened.ok) throw new Error('not opened');
    return opened.value;
  };
  await shown();
  rpc.connect();
  await clock.advance(1_000);
  expect((await shown()).rows).toHaveLength(1);

  rpc.disconnect();
  expect(await shown()).toMatchObject({ rows: [{ role: 'user' }], meta: { load: 'cached' } });
  await chat.gatewayChanged();
  expect((await shown()).rows).toEqual([]);
  chat.dispose();
});
