import type { ChatFailure, Delivery } from '../../../shared/chat.ts';

/**
 * A message of ours on its way. Its id is the idempotency key for life: however often it is sent, the gateway runs it
 * once (OpenClaw docs: chat.send, `idempotencyKey`).
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
  | { readonly type: 'failed'; readonly failure: ChatFailure }
  /** It may have been carried out. Only the person may send it again. */
  | { readonly type: 'unconfirmed'; readonly failure: ChatFailure };

/** The gateway forgets idempotency keys with time and with its process: both are counted from the first send. */
export interface FirstSend {
  /** Monotonic milliseconds. */
  readonly atMs: number;
  /** `bootId` of the gateway that it was sent to. */
  readonly bootId: string | null;
}

/**
 * Where outgoing messages are kept, in the order in which they were written. Changes are awaited before anything is sent,
 * so that a durable store can take the place of the one in memory.
 */
export interface OutgoingMessages {
  list(sessionKey: string): readonly OutgoingMessage[];
  sessionKeys(): readonly string[];
  get(messageId: string): OutgoingMessage | null;
  /** False when there is no room for another one. */
  add(message: OutgoingMessage): Promise<boolean>;
  setState(messageId: string, state: OutgoingState): Promise<void>;
  remove(messageId: string): Promise<void>;
}

const MAX_MESSAGES = 1000;

/** Keeps messages for the life of the app. */
export class MemoryOutgoingMessages implements OutgoingMessages {
  readonly #messages = new Map<string, OutgoingMessage>();

  list(sessionKey: string): readonly OutgoingMessage[] {
    return [...this.#messages.values()].filter((message) => message.sessionKey === sessionKey);
  }
  sessionKeys(): readonly string[] {
    return [...new Set([...this.#messages.values()].map((message) => message.sessionKey))];
  }
  get(messageId: string): OutgoingMessage | null {
    return this.#messages.get(messageId) ?? null;
  }
  add(message: OutgoingMessage): Promise<boolean> {
    if (this.#messages.size >= MAX_MESSAGES) return Promise.resolve(false);
    this.#messages.set(message.messageId, message);
    return Promise.resolve(true);
  }
  setState(messageId: string, state: OutgoingState): Promise<void> {
    const message = this.#messages.get(messageId);
    if (message) this.#messages.set(messageId, { ...message, state });
    return Promise.resolve();
  }
  remove(messageId: string): Promise<void> {
    this.#messages.delete(messageId);
    return Promise.resolve();
  }
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
