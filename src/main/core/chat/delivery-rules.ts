import type { ChatFailure } from '../../../shared/chat.ts';
import type { RpcError } from './gateway-rpc.ts';
import type { FirstSend, OutgoingMessage, OutgoingState } from './outgoing-messages.ts';

/**
 * How long a message may be sent again under its key: the gateway remembers keys for 300 s in memory (DEDUPE_TTL), and
 * the way there takes time.
 */
export const RESEND_LIMIT_MS = 240_000;

/** What a session's queue does next. `wait` until something changes. */
export type QueueStep =
  | { readonly type: 'send'; readonly message: OutgoingMessage }
  | { readonly type: 'reconcile'; readonly messages: readonly OutgoingMessage[] }
  | { readonly type: 'wait' };

/** Messages of a session go out in the order in which they were written, one at a time. */
export function nextStep(messages: readonly OutgoingMessage[]): QueueStep {
  const doubtful = messages.filter(({ state }) => state.type === 'in-doubt');
  if (doubtful.length > 0) return { type: 'reconcile', messages: doubtful };
  for (const message of messages) {
    switch (message.state.type) {
      case 'queued':
        return { type: 'send', message };
      // A later message must not overtake one that is under way, or whose fate the person has to decide.
      case 'sending':
      case 'unconfirmed':
        return { type: 'wait' };
      case 'in-doubt':
      case 'sent':
      case 'settled':
      case 'failed':
        break;
    }
  }
  return { type: 'wait' };
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
      if (error.retryable)
        return { state: { type: 'queued', first: earlier }, retryAfterMs: error.retryAfterMs ?? 1000 };
      return { state: { type: 'failed', failure: refused(error) }, retryAfterMs: null };
  }
}

/** What the gateway knows of a message, from its history, its pending inputs and its active runs. */
export type Finding = 'in-history' | 'accepted' | 'cancelled' | 'unknown';

/** Decides about messages that were handed over, after a new connection or a lost answer. `null` removes the message. */
export function afterReconcile(
  state: OutgoingState,
  finding: Finding,
  now: { readonly atMs: number; readonly bootId: string | null },
): OutgoingState | null {
  if (state.type !== 'in-doubt' && state.type !== 'sent') return state;
  if (finding === 'in-history') return null;
  if (finding === 'cancelled') return { type: 'failed', failure: CANCELLED };
  if (finding === 'accepted') return { type: 'sent', first: state.first };
  const sameProcess = state.first.bootId !== null && state.first.bootId === now.bootId;
  if (state.type === 'sent') {
    // It was acknowledged. In the same process a turn without a row is a command; after a restart it may be lost.
    return sameProcess ? { type: 'settled' } : { type: 'unconfirmed', failure: UNCONFIRMED };
  }
  if (state.insisted) return { type: 'queued', first: null };
  if (sameProcess && now.atMs - state.first.atMs < RESEND_LIMIT_MS)
    return { type: 'queued', first: state.first };
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

/** The gateway took it and dropped it before it ran: a stop that also cleared what was waiting, a restart. */
const CANCELLED: ChatFailure = { type: 'gateway', code: 'CANCELLED', detail: '' };
const OTHER_GATEWAY: ChatFailure = { type: 'gateway', code: 'OTHER_GATEWAY', detail: '' };
const UNCONFIRMED: ChatFailure = { type: 'gateway', code: 'UNCONFIRMED', detail: '' };

function tooLarge(bytes: number, maxBytes: number): ChatFailure {
  return { type: 'gateway', code: 'TOO_LARGE', detail: `${bytes} > ${maxBytes}` };
}

function refused(error: Extract<RpcError, { readonly type: 'refused' }>): ChatFailure {
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
