import { describe, expect, it } from 'vitest';
import type { ChatPort } from '../../../src/main/app/chat-port.ts';
import { ChatSubscriptions } from '../../../src/main/app/chat-subscriptions.ts';
import { createCommandHandlers } from '../../../src/main/app/command-handlers.ts';
import type { CommandPorts } from '../../../src/main/app/commands/command-ports.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type { ChatPatch } from '../../../src/shared/chat.ts';
import { err, ok } from '../../../src/shared/result.ts';

/** The chat commands over one conversation `main`; every other key is refused. */
function chatCommands() {
  const patches = new Emitter<ChatPatch>();
  const got: number[] = [];
  const chat = {
    open: (key: string) =>
      Promise.resolve(key === 'main' ? ok({} as never) : err({ type: 'refused', reason: 'payload' })),
    close: () => undefined,
    onPatch: (listener: (patch: ChatPatch) => void) => patches.on(listener),
  } as unknown as ChatPort;
  const chats = new ChatSubscriptions({
    toAll: () => undefined,
    toWindow: (windowId) => got.push(windowId),
    onPageGone: () => ({ dispose: () => undefined }),
  });
  chats.connect(chat);
  const handlers = createCommandHandlers({
    registry: { get: () => ({ chat }) },
    chats,
  } as unknown as CommandPorts);
  return {
    open: (sessionKey: string) => handlers['chat.open']({ gatewayId: 'g1', sessionKey }, { windowId: 7 }),
    patch: (sessionKey: string) => patches.emit({ gatewayId: 'g1', sessionKey } as ChatPatch),
    got,
  };
}

describe('a window', () => {
  it('gets the patches of a conversation that it opened', async () => {
    const { open, patch, got } = chatCommands();
    expect((await open('main')).ok).toBe(true);
    patch('main');
    expect(got).toEqual([7]);
  });

  it('is not remembered for a conversation that was refused', async () => {
    const { open, patch, got } = chatCommands();
    expect((await open('other')).ok).toBe(false);
    patch('other');
    expect(got).toEqual([]);
  });
});
