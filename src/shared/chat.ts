import type { ConnectionFailure } from './connection-failure.ts';

/**
 * Where a message of ours stands. `null` on rows that the gateway holds.
 * queued: kept here until there is a connection; sending: on its way; sent: the gateway has it;
 * running: the agent works on it; failed: certainly not executed; unconfirmed: it may have been executed.
 */
export type Delivery = 'queued' | 'sending' | 'sent' | 'running' | 'failed' | 'unconfirmed';

/** Longest message that is accepted, in UTF-16 code units; the composer and the IPC schema share it. */
export const MAX_MESSAGE_CHARS = 200_000;

export type ChatPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'thinking'; readonly text: string }
  | {
      readonly type: 'tool';
      readonly callId: string;
      readonly name: string;
      readonly status: 'running' | 'done' | 'failed';
      /** Arguments and result as text, bounded. */
      readonly input: string;
      readonly output: string;
    }
  | {
      readonly type: 'image';
      readonly mimeType: string;
      readonly alt: string;
      readonly artifactId: string | null;
    }
  | { readonly type: 'other'; readonly kind: string };

export interface ChatRow {
  /** Unique in its session and stable over reloads: from the gateway's ids, or our message id while it is ours alone. */
  readonly id: string;
  readonly role: 'user' | 'assistant' | 'system';
  readonly parts: readonly ChatPart[];
  /** Epoch milliseconds; null where the gateway does not say. */
  readonly createdAtMs: number | null;
  readonly delivery: Delivery | null;
  readonly failure: ChatFailure | null;
  /** True while text still arrives. */
  readonly streaming: boolean;
  /** A reply that was stopped before it was finished; what it said until then is there. */
  readonly stopped: boolean;
}

export type ChatFailure =
  | { readonly type: 'connection'; readonly failure: ConnectionFailure }
  | { readonly type: 'gateway'; readonly code: string; readonly detail: string }
  | { readonly type: 'agent'; readonly kind: string; readonly detail: string };

export interface ChatMeta {
  readonly load: 'loading' | 'loaded' | 'failed' | 'cached';
  readonly loadFailure: ChatFailure | null;
  /** The run that is active in this session, whoever started it. */
  readonly activeRun: { readonly runId: string; readonly phase: 'running' | 'stopping' } | null;
  readonly hasMore: boolean;
}

/** One session's conversation. Rows are in display order. */
export interface ChatSnapshot {
  readonly gatewayId: string;
  readonly sessionKey: string;
  readonly revision: number;
  readonly rows: readonly ChatRow[];
  readonly meta: ChatMeta;
}

/** What changed since `baseRevision`; whoever holds another revision opens the conversation anew. */
export interface ChatPatch {
  readonly gatewayId: string;
  readonly sessionKey: string;
  readonly baseRevision: number;
  readonly revision: number;
  readonly upserts: readonly ChatRow[];
  /** Ids in display order, only when order or membership changed. */
  readonly order: readonly string[] | null;
  readonly meta: ChatMeta;
}

export interface ChatSession {
  readonly key: string;
  readonly title: string;
  readonly updatedAtMs: number | null;
  readonly active: boolean;
}
