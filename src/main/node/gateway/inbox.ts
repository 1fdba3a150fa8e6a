import {
  inboxKey,
  type Approval,
  type ApprovalDecision,
  type InboxFacts,
  type InboxItem,
  type InboxOutcome,
  type QuestionAnswers,
} from '../../../shared/inbox.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { GatewayRpc, RpcError } from '../../core/chat/gateway-rpc.ts';
import { type Fields, fieldsOf } from '../../core/chat/message-content.ts';
import type { PendingRequests } from './pending-requests.ts';

type Over = Extract<InboxOutcome, { readonly type: 'over' }>;
type Decided = Promise<Result<InboxOutcome, RpcError>>;

const APPLIED: InboxOutcome = { type: 'applied' };
const OVER: Over = { type: 'over', how: null };
/** The gateway's own words for what is over. */
const OVER_CODES = [
  'APPROVAL_ALREADY_RESOLVED',
  'APPROVAL_NOT_FOUND',
  'QUESTION_ALREADY_TERMINAL',
  'QUESTION_NOT_FOUND',
];
const NOT_OFFERED: RpcError = {
  type: 'refused',
  code: 'NOT_OFFERED',
  message: '',
  reason: null,
  retryable: false,
  retryAfterMs: null,
};
const ENDS = ['allowed', 'denied', 'expired', 'cancelled', 'answered'] as const;

/**
 * What the person decides about what waits at the gateway, where the first answer of any client counts. Nothing is decided
 * twice or tried again by itself: an answer that got lost is asked for in the gateway's list, which still shows what waits.
 */
export class Inbox {
  readonly #rpc: GatewayRpc;
  readonly #pending: PendingRequests;

  constructor(rpc: GatewayRpc, pending: PendingRequests) {
    this.#rpc = rpc;
    this.#pending = pending;
  }

  get facts(): InboxFacts {
    return this.#pending.facts();
  }

  get items(): readonly InboxItem[] {
    return this.#pending.list();
  }

  /** `approval.resolve` (OpenClaw docs: approval families): only what the gateway offered for it. */
  async decide(type: Approval['type'], id: string, decision: ApprovalDecision): Decided {
    const item = this.#find(type, id);
    if (item === null || item.type === 'question') return ok(OVER);
    if (!item.decisions.includes(decision)) return err(NOT_OFFERED);
    const kind = type === 'exec-approval' ? 'exec' : 'plugin';
    const answer = await this.#rpc.request('approval.resolve', { id, kind, decision });
    if (!answer.ok) return await this.#notTaken(item, answer.error);
    void this.#pending.reread(type);
    const recorded = fieldsOf(fieldsOf(answer.value)?.['approval']);
    // "Applied" may also be the denial of a decision that the gateway does not take: what counts is what it wrote down.
    const isOurs = fieldsOf(answer.value)?.['applied'] === true && isDecision(recorded, decision);
    return ok(isOurs ? APPLIED : overBy(recorded?.['status']));
  }

  async answer(id: string, answers: QuestionAnswers): Decided {
    const item = this.#find('question', id);
    if (item?.type !== 'question') return ok(OVER);
    const asked = new Set(item.questions.map(({ questionId }) => questionId));
    const ours = Object.fromEntries(Object.entries(answers).filter(([questionId]) => asked.has(questionId)));
    return await this.#resolveQuestion(item, { id, answers: { answers: ours } });
  }

  /** Tells the agent that there will be no answer. */
  async dismiss(id: string): Decided {
    const item = this.#find('question', id);
    return item === null ? ok(OVER) : await this.#resolveQuestion(item, { id, cancel: true });
  }

  secretsAmong(id: string, answers: QuestionAnswers): readonly string[] {
    const item = this.#find('question', id);
    if (item?.type !== 'question') return [];
    return item.questions.flatMap(({ questionId, isSecret }) =>
      isSecret && Object.hasOwn(answers, questionId) ? (answers[questionId] ?? []) : [],
    );
  }

  async #resolveQuestion(item: InboxItem, params: Readonly<Record<string, unknown>>): Decided {
    const answer = await this.#rpc.request('question.resolve', params);
    if (!answer.ok) return await this.#notTaken(item, answer.error);
    void this.#pending.reread(item.type);
    return ok(APPLIED);
  }

  /** The list tells whether it still waits; what does not is no failure, and the gateway's reason is kept. */
  async #notTaken(item: InboxItem, error: RpcError): Decided {
    const reading = this.#pending.reread(item.type);
    if (error.type !== 'refused') return err(error);
    await reading;
    if (this.#find(item.type, item.id) !== null) return err(error);
    const isOver = OVER_CODES.includes(error.reason ?? error.code);
    return ok(isOver ? OVER : { type: 'gone', detail: error.message });
  }

  #find(type: InboxItem['type'], id: string): InboxItem | null {
    const key = inboxKey({ type, id });
    return this.#pending.list().find((item) => inboxKey(item) === key) ?? null;
  }
}

function isDecision(recorded: Fields | null | undefined, decision: ApprovalDecision): boolean {
  if (decision === 'deny') return recorded?.['status'] === 'denied';
  return recorded?.['status'] === 'allowed' && recorded['decision'] === decision;
}

function overBy(status: unknown): Over {
  return { type: 'over', how: ENDS.find((end) => end === status) ?? null };
}
