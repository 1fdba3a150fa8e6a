import type { ChatFailure, Delivery } from '../../../shared/chat.ts';
import type { Result } from '../../../shared/result.ts';
import type { Disposable } from '../lifecycle.ts';

/**
 * A message of ours on its way. Its id is the idempotency key: however often it is sent, the gateway runs it once (OpenClaw
 * docs: chat.send, `idempotencyKey`). It gets another one only after the gateway said that it dropped the message before it
 * ran: the old key is spent then.
 */
export interface OutgoingMessage {
  readonly messageId: string;
  readonly sessionKey: string;
  readonly text: string;
  /** Epoch milliseconds. */
  readonly createdAtMs: number;
  readonly state: OutgoingState;
}

export type OutgoingState =
  /** Not on its way: kept until there is a connection and it is its turn. `first` when it was handed over before. */
  | { readonly type: 'queued'; readonly first: FirstSend | null }
  /** Handed to the connection, no answer yet. */
  | { readonly type: 'sending'; readonly first: FirstSend }
  /** Handed over, and no answer came: the history decides. */
  | { readonly type: 'in-doubt'; readonly first: FirstSend; readonly insisted: boolean }
  /** The gateway acknowledged it; its row is not in the history yet. */
  | { readonly type: 'sent'; readonly first: FirstSend }
  /** It was carried out without a row of its own (a command such as /status). */
  | { readonly type: 'settled' }
  | { readonly type: 'failed'; readonly failure: MessageFailure }
  /** It may have been carried out. Only the person may send it again. */
  | { readonly type: 'unconfirmed'; readonly failure: MessageFailure };

export type MessageFailure = Extract<ChatFailure, { readonly type: 'gateway' }>;

/**
 * When a message was handed over for the first time, by every clock that may be asked later: the gateway forgets
 * idempotency keys with time and with its process.
 */
export interface FirstSend {
  /** Epoch milliseconds. */
  readonly atMs: number;
  /** Milliseconds since the computer started, sleep included (`Clock.uptimeMs`). */
  readonly uptimeMs: number;
  /** `OutgoingMessages.runId` of the app that sent it. */
  readonly runId: string;
  /** `bootId` of the gateway that it was sent to. */
  readonly bootId: string | null;
}

/** Why a message was not taken. `detail` is the store's own code, e.g. `SQLITE_FULL`. */
export type NotKept =
  | { readonly type: 'full' }
  /** The file is a newer build's. */
  | { readonly type: 'newer' }
  | { readonly type: 'unwritable'; readonly detail: string };

/**
 * Where one gateway's outgoing messages are kept, in the order in which they were written. A change that is not on disk
 * still holds for this run: only what must not be forgotten in a crash asks for the answer.
 */
export interface OutgoingMessages {
  /** Random, and another one at each start of the app. */
  readonly runId: string;
  list(sessionKey: string): readonly OutgoingMessage[];
  sessionKeys(): readonly string[];
  get(messageId: string): OutgoingMessage | null;
  /** Takes a message, and with it the draft of the same text. It is taken only when a power cut would not lose it. */
  add(message: OutgoingMessage): Promise<Result<null, NotKept>>;
  /** Resolves with whether a power cut would keep the change. */
  setState(messageId: string, state: OutgoingState): Promise<boolean>;
  /** Queues a message that was certainly not carried out under another id, in its old place. */
  renew(messageId: string): Promise<boolean>;
  remove(messageId: string): Promise<boolean>;
  /** Messages came from the disk late, or it takes writes again. */
  onRecovered(listener: () => void): Disposable;
}

/** What was last known of a gateway, so that its conversations open before it answers. */
export interface KnownGateway {
  /** Names the gateway that the messages were written for (`gatewayIdentity`). */
  readonly identity: string;
  readonly mainSessionKey: string | null;
}

/** Everything of one gateway's conversations that survives the app. */
export interface GatewayMessages extends OutgoingMessages {
  /** What was typed and not sent; empty where there is nothing. */
  draft(sessionKey: string): string;
  /** Resolves with whether a crash of the app would keep it. */
  setDraft(sessionKey: string, text: string): Promise<boolean>;
  readonly known: KnownGateway | null;
  setKnown(known: KnownGateway): Promise<boolean>;
  /**
   * Takes over what is kept of the known gateway under ids that nobody uses any more: after broken settings were put aside,
   * it has another id. Called once it is connected, when every gateway of the settings has claimed its own.
   */
  adoptStrays(): void;
}

/** The delivery that a row of ours shows. */
export function deliveryOf(state: OutgoingState): {
  readonly delivery: Delivery | null;
  readonly failure: ChatFailure | null;
} {
  switch (state.type) {
    case 'queued':
      return { delivery: 'queued', failure: null };
    case 'sending':
    case 'in-doubt':
      return { delivery: 'sending', failure: null };
    case 'sent':
      return { delivery: 'sent', failure: null };
    case 'settled':
      return { delivery: null, failure: null };
    case 'failed':
      return { delivery: 'failed', failure: state.failure };
    case 'unconfirmed':
      return { delivery: 'unconfirmed', failure: state.failure };
  }
}
