import type { ChatFailure } from '../../../shared/chat.ts';
import { failure } from '../../../shared/connection-failure.ts';
import type { CommandError } from '../../../shared/ipc-contract.ts';

/** Why the gateway did not do what a command asked for, as the windows show it. */
export function commandErrorOf(reason: ChatFailure): CommandError {
  if (reason.type === 'connection') return { type: 'failure', failure: reason.failure };
  const [code, detail] =
    reason.type === 'gateway' ? [reason.code, reason.detail] : [reason.kind, reason.detail];
  return { type: 'failure', failure: failure('gateway-rejected', { detailCode: code, detail }) };
}
