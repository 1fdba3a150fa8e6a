import type { ChatFailure } from '../../../shared/chat.ts';
import type { RpcError } from './gateway-rpc.ts';
import type { FirstSend, MessageFailure, OutgoingMessage, OutgoingState } from './outgoing-messages.ts';

/**
 * How long a message may be sent again under its key: the gateway remembers keys for 300 s in memory (DEDUPE_TTL), and
 * the way there takes time.
 */
export const RESEND_LIMIT_MS = 240_000;

/**
 * True while the gateway would know the key of a message that was first sent then: its process is the same, and it is not
 * long ago. In one run of the app only the uptime counts: the monotonic clock may stand still in a sleep, and the wall clock
 * be set. Over a restart of the app the computer may have been restarted too, which the wall clock alone would tell.
 */
export function isSafeToResend(first: FirstSend, now: FirstSend): boolean {
  if (first.bootId === null || first.bootId !== now.bootId) return false;
  const isRecent = (agoMs: number): boolean => agoMs >= 0 && agoMs < RESEND_LIMIT_MS;
  if (!isRecent(now.uptimeMs - first.uptimeMs)) return false;
  return first.runId === now.runId || isRecent(now.atMs - first.atMs);
}

/** What a session's queue does next. `wait` until something changes. */
export type QueueStep =
  | { readonly type: 'send'; readonly message: OutgoingMessage }
  | { readonly type: 'reconcile'; readonly messages: readonly OutgoingMessage[] }
  /** The next one waits for the row of an acknowledged one. */
  | { readonly type: 'await-row' }
  | { readonly type: 'wait' };

/**
 * Messages of a session go out in the order in which they were written, each once the one before has its row. What is only
 * acknowledged lies in the gateway's memory, which takes up several out of order, folds more than twenty into a summary,
 * and loses them with its process. `hasRow`: of acknowledged ones.
 */
export function nextStep(
  messages: readonly OutgoingMessage[],
  hasRow: (messageId: string) => boolean,
): QueueStep {
  const doubtful = messages.filter(({ state }) => state.type === 'in-doubt');
  if (doubtful.length > 0) return { type: 'reconcile', messages: doubtful };
  let isHeldBack = false;
  for (const message of messages) {
    switch (message.state.type) {
      case 'queued':
        return isHeldBack && !isStop(message) ? { type: 'await-row' } : { type: 'send', message };
      // A later message must not overtake one that is under way, or whose fate the person has to decide.
      case 'sending':
      case 'unconfirmed':
        return { type: 'wait' };
      case 'sent':
        isHeldBack ||= !hasRow(message.messageId);
        break;
      case 'in-doubt':
      case 'settled':
      case 'failed':
        break;
    }
  }
  return { type: 'wait' };
}

/** It ends what the gateway has, so that it must not wait for it. */
function isStop({ text }: OutgoingMessage): boolean {
  return text.trim().toLowerCase() === '/stop';
}

/**
 * What becomes of a message whose `chat.send` was not acknowledged. `earlier` is its first send when this was not the
 * first one: what was in doubt before this try still is.
 */
export function afterSendError(
  error: RpcError,
  first: FirstSend,
  earlier: FirstSend | null,
): { readonly state: OutgoingState; readonly retryAfterMs: number | null } {
  const unsent: OutgoingState = earlier
    ? { type: 'in-doubt', first: earlier, insisted: false }
    : { type: 'queued', first: null };
  switch (error.type) {
    case 'not-connected':
      return { state: unsent, retryAfterMs: null };
    case 'connection-lost':
    case 'timeout':
      return {
        state: error.sent ? { type: 'in-doubt', first, insisted: false } : unsent,
        retryAfterMs: null,
      };
    case 'too-large':
      return {
        state: { type: 'failed', failure: tooLarge(error.bytes, error.maxBytes) },
        retryAfterMs: null,
      };
    case 'refused':
      // The gateway refused before it ran anything, and says that it will take it later.
      if (error.retryable || asksToRetry(error))
        return { state: { type: 'queued', first: earlier }, retryAfterMs: error.retryAfterMs ?? 1000 };
      // What was in doubt before this try may have been carried out all the same.
      return {
        state: { type: earlier ? 'unconfirmed' : 'failed', failure: refused(error) },
        retryAfterMs: null,
      };
  }
}

/**
 * Where the session changes just while a message is admitted to it, as a new one does while its first run begins, or the gateway
 * is about to end, it says so in words alone (OpenClaw 2026.9.6, dist/chat-send-handler: respondChatSendAdmissionError).
 */
function asksToRetry({ code, reason, message }: Extract<RpcError, { readonly type: 'refused' }>): boolean {
  if (code !== 'INVALID_REQUEST') return false;
  if (reason !== null) return reason === 'SESSION_MUTATION_AUTHORIZATION_CHANGED';
  return (
    /; retry the request|\. Retry\.|\. Retry after initialization completes\./.test(message) ||
    message.includes('Gateway is draining')
  );
}

/** What the gateway knows of a message, from its history, its pending inputs and its active runs. */
export type Finding =
  | 'in-history'
  /** In it, and not among the newest rows that a conversation shows first. */
  | 'in-old-history'
  /** It waits, or runs. */
  | 'accepted'
  /** It waited in a process of the gateway that ended. */
  | 'interrupted'
  /** It was dropped before it ran. */
  | 'cancelled'
  /** It is not named, but the session is at work, and does not always say on what (OpenClaw docs, gateway/clients). */
  | 'perhaps-active'
  | 'unknown';

/** Decides about messages that were handed over, after a new connection or a lost answer. `null` removes the message. */
export function afterReconcile(state: OutgoingState, finding: Finding, now: FirstSend): OutgoingState | null {
  if (state.type !== 'in-doubt' && state.type !== 'sent' && state.type !== 'unconfirmed') return state;
  if (finding === 'in-history' || finding === 'in-old-history') return null;
  if (finding === 'cancelled') return { type: 'failed', failure: CANCELLED };
  // It waited in a process that ended: it never runs by itself, and may be handed over again under its key.
  if (finding === 'interrupted') return { type: 'queued', first: null };
  if (finding === 'accepted') {
    if (state.type === 'sent') return state;
    return { type: 'sent', first: state.type === 'unconfirmed' ? now : state.first };
  }
  if (state.type === 'unconfirmed') return state;
  const sameProcess = state.first.bootId !== null && state.first.bootId === now.bootId;
  if (state.type === 'sent') {
    if (sameProcess && finding === 'perhaps-active') return state;
    // It was acknowledged. In the same process a turn without a row is a command; after a restart it may be lost.
    return sameProcess ? { type: 'settled' } : { type: 'unconfirmed', failure: UNCONFIRMED };
  }
  if (state.insisted) return { type: 'queued', first: null };
  if (isSafeToResend(state.first, now)) return { type: 'queued', first: state.first };
  return { type: 'unconfirmed', failure: UNCONFIRMED };
}

/**
 * Decides about messages when the connection is to lead to another gateway: what was written for the old one goes to the
 * new one only when the person says so. What is under way or acknowledged is decided when its answer is due.
 */
export function afterGatewayChange(state: OutgoingState): OutgoingState {
  switch (state.type) {
    case 'queued':
      return state.first === null
        ? { type: 'failed', failure: OTHER_GATEWAY }
        : { type: 'unconfirmed', failure: UNCONFIRMED };
    case 'in-doubt':
      return { type: 'unconfirmed', failure: UNCONFIRMED };
    case 'sending':
    case 'sent':
    case 'settled':
    case 'failed':
    case 'unconfirmed':
      return state;
  }
}

/** Whether the key of a failed message is spent: the gateway answers for it as it did before, and runs nothing. */
export function isKeySpent(failure: MessageFailure): boolean {
  return failure.code === CANCELLED.code;
}

/** The gateway took it and dropped it before it ran: a stop that also cleared what was waiting, a restart. */
const CANCELLED: MessageFailure = { type: 'gateway', code: 'CANCELLED', detail: '' };
const OTHER_GATEWAY: MessageFailure = { type: 'gateway', code: 'OTHER_GATEWAY', detail: '' };
export const UNCONFIRMED: MessageFailure = { type: 'gateway', code: 'UNCONFIRMED', detail: '' };

function tooLarge(bytes: number, maxBytes: number): MessageFailure {
  return { type: 'gateway', code: 'TOO_LARGE', detail: `${bytes} > ${maxBytes}` };
}

function refused(error: Extract<RpcError, { readonly type: 'refused' }>): MessageFailure {
  return { type: 'gateway', code: error.reason ?? error.code, detail: error.message };
}

/** What the person sees when a request has no answer. */
export function failureOfRpcError(error: RpcError): ChatFailure {
  switch (error.type) {
    case 'refused':
      return refused(error);
    case 'too-large':
      return tooLarge(error.bytes, error.maxBytes);
    case 'timeout':
      return { type: 'connection', failure: { code: 'gateway-silent', facts: { limitMs: error.limitMs } } };
    case 'not-connected':
    case 'connection-lost':
      return { type: 'connection', failure: { code: 'gateway-closed', facts: { code: 1006, reason: '' } } };
  }
}
