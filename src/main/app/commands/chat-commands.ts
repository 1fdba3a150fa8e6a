import { done, withGateway, type CommandPorts, type GroupHandlers } from './command-ports.ts';

/** What the commands of `chat` do. */
export function createChatCommands(ports: CommandPorts): GroupHandlers<'chat'> {
  const { chats } = ports;

  return {
    'chat.open': (input, { windowId }) =>
      withGateway(ports, input, async ({ chat }) => {
        // Subscribed first: a patch between the answer and the subscription would be lost.
        chats.add(windowId, input.gatewayId, input.sessionKey, chat);
        const opened = await chat.open(input.sessionKey);
        if (!opened.ok) chats.remove(windowId, input.gatewayId, input.sessionKey);
        return opened;
      }),
    'chat.close': (input, { windowId }) =>
      withGateway(ports, input, () => {
        chats.remove(windowId, input.gatewayId, input.sessionKey);
        return done;
      }),
    'chat.listSessions': (input) => withGateway(ports, input, ({ chat }) => chat.listSessions()),
    'chat.listCommands': (input) =>
      withGateway(ports, input, ({ chat }) => chat.listCommands(input.sessionKey)),
    'chat.readDraft': (input) => withGateway(ports, input, ({ chat }) => chat.readDraft(input.sessionKey)),
    'chat.writeDraft': (input) =>
      withGateway(ports, input, ({ chat }) => chat.writeDraft(input.sessionKey, input.text)),
    'chat.send': (input) =>
      withGateway(ports, input, ({ chat }) => chat.send(input.sessionKey, input.messageId, input.text)),
    'chat.stop': (input) => withGateway(ports, input, ({ chat }) => chat.stop(input.sessionKey)),
    'chat.retry': (input) =>
      withGateway(ports, input, ({ chat }) => chat.retry(input.sessionKey, input.messageId)),
    'chat.discard': (input) =>
      withGateway(ports, input, ({ chat }) => chat.discard(input.sessionKey, input.messageId)),
    'chat.loadOlder': (input) => withGateway(ports, input, ({ chat }) => chat.loadOlder(input.sessionKey)),
  };
}
