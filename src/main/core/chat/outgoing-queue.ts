import { readSessionMessageIdentity } from '@openclaw/gateway-client/browser';
import { err, ok, type Result } from '../../../shared/result.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../lifecycle.ts';
import type { Clock, Logger } from '../ports.ts';
import {
  afterGatewayChange,
  afterReconcile,
  afterSendError,
  type Finding,
  nextStep,
} from './delivery-rules.ts';
import type { GatewayRpc } from './gateway-rpc.ts';
import { type Fields, fieldsOf } from './message-content.ts';
import type { FirstSend, OutgoingMessage, OutgoingMessages } from './outgoing-messages.ts';

/** Stored messages that are searched for one of ours; a message in doubt is at most minutes old. */
const SEARCHED_MESSAGES = 200;
/** `inputRunIds` of chat.history takes no more. */
const MAX_RECONCILED = 50;
const RECONCILE_RETRY_MS = 2000;
/** A command that leaves no row is known to be done a moment after its run ended. */
const SETTLE_AFTER_MS = 1000;

export interface OutgoingQueueOptions {
  readonly rpc: GatewayRpc;
  readonly messages: OutgoingMessages;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A message of this session changed its state, or went. */
  readonly onChange: (sessionKey: string) => void;
  /** Whether someone looks at the session: then `stored` tells when its own rows have taken a message's place. */
  readonly isShown: (sessionKey: string) => boolean;
}

/**
 * Brings our messages to the gateway: in order within a session, under one key for life, at most once. What was handed
 * over and not answered is looked up in the gateway's history before anything is sent again.
 */
export class OutgoingQueue implements Disposable {
  readonly #options: OutgoingQueueOptions;
  readonly #store = new DisposableStore();
  /** Sessions whose queue is being worked on, and whether to look once more afterwards. */
  readonly #working = new Map<string, { again: boolean }>();
  /** Sessions whose acknowledged messages are to be looked up too. */
  readonly #stale = new Set<string>();
  readonly #timers = new Map<string, MutableDisposable<Disposable>>();
  #disposed = false;

  constructor(options: OutgoingQueueOptions) {
    this.#options = options;
    this.#store.defer(() => {
      this.#disposed = true;
      for (const timer of this.#timers.values()) timer.dispose();
    });
    this.#store.add(
      options.rpc.onHello(() => {
        for (const sessionKey of options.messages.sessionKeys()) {
          this.#stale.add(sessionKey);
          this.#kick(sessionKey);
        }
      }),
    );
  }

  /** Takes a message. What becomes of it shows in its state; refused only when the queue is full or the id is taken. */
  async send(message: Omit<OutgoingMessage, 'state'>): Promise<Result<null, 'duplicate' | 'full'>> {
    const { messages } = this.#options;
    if (messages.get(message.messageId)) return err('duplicate');
    if (!(await messages.add({ ...message, state: { type: 'queued', first: null } }))) return err('full');
    this.#changed(message.sessionKey);
    return ok(null);
  }

  /** The person wants a failed or unconfirmed message sent: under its old key, and not if the history has it after all. */
  async retry(messageId: string): Promise<void> {
    const { messages, clock, rpc } = this.#options;
    const message = messages.get(messageId);
    if (message?.state.type === 'failed') {
      await messages.setState(messageId, { type: 'queued', first: null });
    } else if (message?.state.type === 'unconfirmed') {
      const first: FirstSend = { atMs: clock.monotonicMs(), bootId: rpc.hello?.bootId ?? null };
      await messages.setState(messageId, { type: 'in-doubt', first, insisted: true });
    } else return;
    this.#changed(message.sessionKey);
  }

  /** Forgets a message that is not under way. */
  async discard(messageId: string): Promise<void> {
    const message = this.#options.messages.get(messageId);
    if (!message || !['queued', 'failed', 'unconfirmed', 'settled'].includes(message.state.type)) return;
    await this.#options.messages.remove(messageId);
    this.#changed(message.sessionKey);
  }

  /** The history shows these: their rows are the gateway's from now on. */
  async stored(sessionKey: string, sendIds: ReadonlySet<string>): Promise<void> {
    const shown = this.#options.messages.list(sessionKey).filter(({ messageId }) => sendIds.has(messageId));
    for (const { messageId } of shown) await this.#options.messages.remove(messageId);
    if (shown.length > 0) this.#changed(sessionKey);
  }

  /** The run of a message ended: if it left no row in the history, it was a command. */
  runEnded(sessionKey: string, runId: string): void {
    if (this.#options.messages.get(runId)?.state.type !== 'sent') return;
    this.#later(sessionKey, SETTLE_AFTER_MS, () => this.#stale.add(sessionKey));
  }

  /** Forgets what was only kept to be shown. */
  async closeSession(sessionKey: string): Promise<void> {
    for (const { messageId, state } of this.#options.messages.list(sessionKey)) {
      if (state.type === 'settled') await this.#options.messages.remove(messageId);
    }
  }

  /** The connection is to lead to another gateway. */
  async gatewayChanged(): Promise<void> {
    const { messages } = this.#options;
    for (const sessionKey of messages.sessionKeys()) {
      for (const { messageId, state } of messages.list(sessionKey)) {
        const next = afterGatewayChange(state);
        if (next !== state) await messages.setState(messageId, next);
      }
      this.#changed(sessionKey);
    }
  }

  dispose(): void {
    this.#store.dispose();
  }

  #changed(sessionKey: string): void {
    this.#options.onChange(sessionKey);
    this.#kick(sessionKey);
  }

  #kick(sessionKey: string): void {
    const working = this.#working.get(sessionKey);
    if (working) working.again = true;
    else void this.#work(sessionKey);
  }

  async #work(sessionKey: string): Promise<void> {
    const working = { again: true };
    this.#working.set(sessionKey, working);
    try {
      while (working.again) {
        working.again = false;
        while (!this.#disposed && this.#options.rpc.hello && (await this.#step(sessionKey)));
      }
    } catch (error) {
      this.#options.logger.log('error', 'outgoing.failed', {
        kind: error instanceof Error ? error.name : 'unknown',
      });
    } finally {
      this.#working.delete(sessionKey);
    }
  }

  /** One step of a session's queue; false when it has to wait for something. */
  async #step(sessionKey: string): Promise<boolean> {
    const list = this.#options.messages.list(sessionKey);
    if (this.#stale.has(sessionKey)) {
      const handedOver = list.filter(({ state }) => state.type === 'sent' || state.type === 'in-doubt');
      if (handedOver.length > 0 && !(await this.#reconcile(sessionKey, handedOver))) return false;
      this.#stale.delete(sessionKey);
      return true;
    }
    const step = nextStep(list);
    switch (step.type) {
      case 'wait':
        return false;
      case 'reconcile':
        return await this.#reconcile(sessionKey, step.messages);
      case 'send':
        return await this.#send(step.message);
    }
  }

  async #send(message: OutgoingMessage): Promise<boolean> {
    const { messages, clock, rpc, logger, onChange } = this.#options;
    const { messageId, sessionKey, text, state } = message;
    const earlier = state.type === 'queued' ? state.first : null;
    const first = earlier ?? { atMs: clock.monotonicMs(), bootId: rpc.hello?.bootId ?? null };
    await messages.setState(messageId, { type: 'sending', first });
    onChange(sessionKey);
    const answer = await rpc.request('chat.send', { sessionKey, message: text, idempotencyKey: messageId });
    // The row may have come before the answer; then there is nothing left to keep.
    if (messages.get(messageId) === null) return true;
    if (answer.ok) {
      await messages.setState(messageId, { type: 'sent', first });
      onChange(sessionKey);
      return true;
    }
    const { state: next, retryAfterMs } = afterSendError(answer.error, first, earlier);
    logger.log('info', 'outgoing.not-acknowledged', { reason: answer.error.type, next: next.type });
    await messages.setState(messageId, next);
    onChange(sessionKey);
    if (retryAfterMs !== null) this.#later(sessionKey, retryAfterMs, () => undefined);
    return retryAfterMs === null && answer.error.type !== 'not-connected';
  }

  async #reconcile(sessionKey: string, doubtful: readonly OutgoingMessage[]): Promise<boolean> {
    const { messages, clock, rpc, logger, onChange, isShown } = this.#options;
    const batch = doubtful.slice(0, MAX_RECONCILED);
    const bootId = rpc.hello?.bootId ?? null;
    const inputRunIds = batch.map(({ messageId }) => messageId);
    const answer = await rpc.request('chat.history', { sessionKey, limit: SEARCHED_MESSAGES, inputRunIds });
    if (!answer.ok) {
      this.#later(sessionKey, RECONCILE_RETRY_MS, () => undefined);
      return false;
    }
    const history = fieldsOf(answer.value) ?? {};
    for (const { messageId } of batch) {
      // As it is now: its row may have come while the history was on its way.
      const state = messages.get(messageId)?.state;
      if (!state) continue;
      const finding = findIn(history, messageId);
      const next = afterReconcile(state, finding, { atMs: clock.monotonicMs(), bootId });
      logger.log('info', 'outgoing.reconciled', {
        before: state.type,
        finding,
        next: next?.type ?? 'removed',
      });
      if (next) await messages.setState(messageId, next);
      else if (!isShown(sessionKey)) await messages.remove(messageId);
      // Its row stays until the conversation shows the gateway's own, so that it is never gone in between.
      else if (state.type === 'in-doubt')
        await messages.setState(messageId, { type: 'sent', first: state.first });
    }
    onChange(sessionKey);
    return true;
  }

  #later(sessionKey: string, delayMs: number, before: () => void): void {
    if (this.#disposed) return;
    const timer = this.#timers.get(sessionKey) ?? new MutableDisposable<Disposable>();
    this.#timers.set(sessionKey, timer);
    timer.set(
      this.#options.clock.setTimer(delayMs, () => {
        before();
        this.#kick(sessionKey);
      }),
    );
  }
}

/** What a `chat.history` answer says about one message of ours. */
function findIn(history: Fields, messageId: string): Finding {
  const isStored = arrayOf(history['messages']).some(
    (message) => readSessionMessageIdentity(message)?.sendId === messageId,
  );
  if (isStored) return 'in-history';
  const pending = arrayOf(fieldsOf(history['pendingInputs'])?.['items']).find((item) =>
    isOfRun(item, messageId),
  );
  if (pending) return fieldsOf(pending)?.['state'] === 'queued' ? 'accepted' : 'cancelled';
  const activeRunIds = arrayOf(fieldsOf(history['sessionInfo'])?.['activeRunIds']);
  const isAccepted =
    arrayOf(history['inputReceipts']).some((receipt) => isOfRun(receipt, messageId)) ||
    isOfRun(history['inFlightRun'], messageId) ||
    activeRunIds.includes(messageId);
  return isAccepted ? 'accepted' : 'unknown';
}

function isOfRun(value: unknown, runId: string): boolean {
  return fieldsOf(value)?.['runId'] === runId;
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
