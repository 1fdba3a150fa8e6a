import type {
  GatewayMessages,
  KnownGateway,
  NotKept,
  OutgoingMessage,
  OutgoingState,
} from '../../../src/main/core/chat/outgoing-messages.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type { Disposable } from '../../../src/main/core/lifecycle.ts';
import { err, ok, type Result } from '../../../src/shared/result.ts';

/** Keeps messages for the life of a test, on a disk that can be made to refuse. */
export class MemoryMessages implements GatewayMessages {
  readonly #messages = new Map<string, OutgoingMessage>();
  readonly #drafts = new Map<string, string>();
  readonly #recoveries = new Emitter<null>();
  readonly runId: string;
  known: KnownGateway | null = null;
  /** Null takes everything; else the reason why nothing is taken. */
  refuses: NotKept | null = null;

  constructor(runId = 'run-1') {
    this.runId = runId;
  }

  /** The disk takes writes again. */
  recover(): void {
    this.refuses = null;
    this.#recoveries.emit(null);
  }

  list(sessionKey: string): readonly OutgoingMessage[] {
    return [...this.#messages.values()].filter((message) => message.sessionKey === sessionKey);
  }
  sessionKeys(): readonly string[] {
    return [...new Set([...this.#messages.values()].map((message) => message.sessionKey))];
  }
  get(messageId: string): OutgoingMessage | null {
    return this.#messages.get(messageId) ?? null;
  }
  add(message: OutgoingMessage): Promise<Result<null, NotKept>> {
    if (this.refuses) return Promise.resolve(err(this.refuses));
    this.#messages.set(message.messageId, message);
    if (this.#drafts.get(message.sessionKey) === message.text) this.#drafts.delete(message.sessionKey);
    return Promise.resolve(ok(null));
  }
  setState(messageId: string, state: OutgoingState): Promise<boolean> {
    const message = this.#messages.get(messageId);
    if (message) this.#messages.set(messageId, { ...message, state });
    return Promise.resolve(this.refuses === null);
  }
  renew(messageId: string): Promise<boolean> {
    const all = [...this.#messages.values()];
    this.#messages.clear();
    for (const message of all) {
      const renewed = {
        ...message,
        messageId: `${messageId}+`,
        state: { type: 'queued', first: null },
      } as const;
      const next = message.messageId === messageId ? renewed : message;
      this.#messages.set(next.messageId, next);
    }
    return Promise.resolve(this.refuses === null);
  }
  remove(messageId: string): Promise<boolean> {
    this.#messages.delete(messageId);
    return Promise.resolve(this.refuses === null);
  }
  draft(sessionKey: string): string {
    return this.#drafts.get(sessionKey) ?? '';
  }
  setDraft(sessionKey: string, text: string): Promise<boolean> {
    if (text === '') this.#drafts.delete(sessionKey);
    else this.#drafts.set(sessionKey, text);
    return Promise.resolve(this.refuses === null);
  }
  setKnown(known: KnownGateway): Promise<boolean> {
    this.known = known;
    return Promise.resolve(this.refuses === null);
  }
  /** Nobody else keeps anything here. */
  adoptStrays(): void {
    return;
  }
  onRecovered(listener: () => void): Disposable {
    return this.#recoveries.on(() => listener());
  }
}
