import type { Approval, ApprovalDecision, InboxOutcome, QuestionAnswers } from '../../shared/inbox.ts';
import type { Result } from '../../shared/result.ts';
import type { RpcError } from '../core/chat/gateway-rpc.ts';

type Decided = Promise<Result<InboxOutcome, RpcError>>;

/** What waits for the person at one gateway, as the commands of the contract decide it. */
export interface InboxPort {
  decide(type: Approval['type'], id: string, decision: ApprovalDecision): Decided;
  answer(id: string, answers: QuestionAnswers): Decided;
  dismiss(id: string): Decided;
  /** What of these answers must not show in any log. */
  secretsAmong(id: string, answers: QuestionAnswers): readonly string[];
}
