import type { InboxOutcome } from '../../../shared/inbox.ts';
import { err, type Result } from '../../../shared/result.ts';
import { commandErrorOf } from '../../core/chat/command-error.ts';
import { failureOfRpcError } from '../../core/chat/delivery-rules.ts';
import type { RpcError } from '../../core/chat/gateway-rpc.ts';
import { withGateway, type Answer, type CommandPorts, type GroupHandlers } from './command-ports.ts';

/** What the commands of `inbox` do. Each is a person's act in one of our windows; nothing else decides. */
export function createInboxCommands(ports: CommandPorts): GroupHandlers<'inbox'> {
  return {
    'inbox.decide': (input) =>
      withGateway(ports, input, ({ inbox }) => told(inbox.decide(input.type, input.id, input.decision))),
    'inbox.answer': (input) =>
      withGateway(ports, input, ({ inbox }) => {
        for (const typed of inbox.secretsAmong(input.id, input.answers)) ports.noteSecret(typed);
        return told(inbox.answer(input.id, input.answers));
      }),
    'inbox.dismiss': (input) => withGateway(ports, input, ({ inbox }) => told(inbox.dismiss(input.id))),
  };
}

async function told(decided: Promise<Result<InboxOutcome, RpcError>>): Answer<InboxOutcome> {
  const result = await decided;
  return result.ok ? result : err(commandErrorOf(failureOfRpcError(result.error)));
}
