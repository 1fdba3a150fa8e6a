import { randomUUID } from 'node:crypto';
import { err, ok, type Result } from '../../../shared/result.ts';
import type {
  GatewayMessages,
  KnownGateway,
  NotKept,
  OutgoingMessage,
  OutgoingState,
} from '../../core/chat/outgoing-messages.ts';
import type { StoredMessage } from '../../core/chat/stored-messages.ts';
import type { Disposable } from '../../core/lifecycle.ts';
import type { MessageStatements } from './messages-schema.ts';

/** Of one gateway. */
const MAX_MESSAGES = 1000;

/** One gateway's part of the memory. */
export interface Kept {
  readonly messages: Map<string, StoredMessage>;
  readonly drafts: Map<string, string>;
  known: KnownGateway | null;
}

/** Gives `own` what `stray` holds, before what it has itself, which is newer. */
export function takeOver(gatewayId: string, own: Kept, stray: Kept): void {
  const newer = [...own.messages];
  own.messages.clear();
  for (const [messageId, message] of stray.messages) own.messages.set(messageId, { ...message, gatewayId });
  for (const [messageId, message] of newer) own.messages.set(messageId, message);
  for (const [sessionKey, text] of stray.drafts)
    if (!own.drafts.has(sessionKey)) own.drafts.set(sessionKey, text);
}

export type Write = (statements: MessageStatements) => void;

/** The store as one gateway's part of it uses it. */
export interface KeptStore {
  readonly runId: string;
  /** Why nothing is taken at the moment. */
  readonly whyNot: NotKept;
  holds(gatewayId: string, kept: Kept): boolean;
  write(change: Write, lasting?: boolean): boolean;
  adoptStrays(gatewayId: string, own: Kept): void;
  onRecovered(listener: () => void): Disposable;
}

/** One gateway's messages and drafts: in memory at once, and on disk in the same call. */
export class StoredGatewayMessages implements GatewayMessages {
  readonly #gatewayId: string;
  readonly #kept: Kept;
  readonly #store: KeptStore;

  constructor(gatewayId: string, kept: Kept, store: KeptStore) {
    this.#gatewayId = gatewayId;
    this.#kept = kept;
    this.#store = store;
  }

  get runId(): string {
    return this.#store.runId;
  }
  get known(): KnownGateway | null {
    return this.#kept.known;
  }

  list(sessionKey: string): readonly OutgoingMessage[] {
    return [...this.#kept.messages.values()].filter((message) => message.sessionKey === sessionKey);
  }
  sessionKeys(): readonly string[] {
    return [...new Set([...this.#kept.messages.values()].map((message) => message.sessionKey))];
  }
  get(messageId: string): OutgoingMessage | null {
    return this.#kept.messages.get(messageId) ?? null;
  }

  add(message: OutgoingMessage): Promise<Result<null, NotKept>> {
    const { messages, drafts } = this.#kept;
    if (messages.size >= MAX_MESSAGES) return Promise.resolve(err({ type: 'full' }));
    const stored = { ...message, gatewayId: this.#gatewayId };
    const { sessionKey, text } = message;
    const isDraft = drafts.get(sessionKey)?.trim() === text.trim();
    const isKept = this.#write((statements) => {
      statements.addMessage(stored);
      if (isDraft) statements.setDraft({ gatewayId: this.#gatewayId, sessionKey, text: '' });
    });
    if (!isKept) return Promise.resolve(err(this.#store.whyNot));
    messages.set(message.messageId, stored);
    if (isDraft) drafts.delete(sessionKey);
    return Promise.resolve(ok(null));
  }

  setState(messageId: string, state: OutgoingState): Promise<boolean> {
    const message = this.#kept.messages.get(messageId);
    if (!message) return Promise.resolve(true);
    this.#kept.messages.set(messageId, { ...message, state });
    return Promise.resolve(
      this.#write((statements) => statements.setState(this.#gatewayId, messageId, state)),
    );
  }

  renew(messageId: string): Promise<boolean> {
    const { messages } = this.#kept;
    if (!messages.has(messageId)) return Promise.resolve(true);
    const newId = randomUUID();
    const state: OutgoingState = { type: 'queued', first: null };
    const all = [...messages.values()];
    messages.clear();
    for (const message of all)
      if (message.messageId === messageId) messages.set(newId, { ...message, messageId: newId, state });
      else messages.set(message.messageId, message);
    return Promise.resolve(
      this.#write((statements) => statements.renew(this.#gatewayId, messageId, newId, state)),
    );
  }

  remove(messageId: string): Promise<boolean> {
    if (!this.#kept.messages.delete(messageId)) return Promise.resolve(true);
    return Promise.resolve(this.#write((statements) => statements.removeMessage(this.#gatewayId, messageId)));
  }

  draft(sessionKey: string): string {
    return this.#kept.drafts.get(sessionKey) ?? '';
  }

  setDraft(sessionKey: string, text: string): Promise<boolean> {
    if (this.draft(sessionKey) === text) return Promise.resolve(true);
    if (text === '') this.#kept.drafts.delete(sessionKey);
    else this.#kept.drafts.set(sessionKey, text);
    const draft = { gatewayId: this.#gatewayId, sessionKey, text };
    // Typing must not cost an fsync at every pause.
    return Promise.resolve(this.#write((statements) => statements.setDraft(draft), false));
  }

  setKnown(known: KnownGateway): Promise<boolean> {
    const before = this.#kept.known;
    if (before?.identity === known.identity && before.mainSessionKey === known.mainSessionKey)
      return Promise.resolve(true);
    this.#kept.known = known;
    return Promise.resolve(
      this.#write((statements) => statements.setGateway({ gatewayId: this.#gatewayId, ...known })),
    );
  }

  adoptStrays(): void {
    if (this.#store.holds(this.#gatewayId, this.#kept)) this.#store.adoptStrays(this.#gatewayId, this.#kept);
  }

  onRecovered(listener: () => void): Disposable {
    return this.#store.onRecovered(listener);
  }

  #write(change: Write, lasting = true): boolean {
    if (!this.#store.holds(this.#gatewayId, this.#kept)) return false;
    return this.#store.write(change, lasting);
  }
}
