import { readSessionMessageIdentity } from '@openclaw/gateway-client/browser';
import { err, type Result } from '../../../shared/result.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../lifecycle.ts';
import type { Clock, Logger } from '../ports.ts';
import {
  afterGatewayChange,
  afterReconcile,
  afterSendError,
  type Finding,
  isKeySpent,
  isSafeToResend,
  nextStep,
} from './delivery-rules.ts';
import type { GatewayRpc, RpcError } from './gateway-rpc.ts';
import { type Fields, fieldsOf } from './message-content.ts';
import type {
  FirstSend,
  NotKept,
  OutgoingMessage,
  OutgoingMessages,
  OutgoingState,
} from './outgoing-messages.ts';

/** Stored messages that are searched for one of ours: the newest at first, then older ones in pages of the largest size. */
const NEWEST_MESSAGES = 200;
const OLDER_MESSAGES = 1000;
const MAX_SEARCHED = 5 * OLDER_MESSAGES;
/** What is looked for is an id: texts come cut to this. */
const SEARCHED_CHARS = 1;
/** Histories over slow lines. */
const HISTORY_LIMIT_MS = 60_000;
/** `inputRunIds` of chat.history takes no more. */
const MAX_RECONCILED = 50;
const RECONCILE_RETRY_MS = 2000;
/** Whatever a gateway says that it wants to be asked again after: neither without a pause, nor never. */
const LEAST_WAIT_MS = 500;
const MOST_WAIT_MS = 60_000;
/** The row that the next message waits for comes as an event where the conversation is open; else it is looked up. */
const ROW_LOOK_UP_MS = 3000;
/** A command that leaves no row is known to be done a moment after its run ended. */
const SETTLE_AFTER_MS = 1000;
/** Between two runs of a session the gateway says for a moment that none is active, though messages wait. */
const SETTLE_UNSEEN_MS = 10_000;

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
  /** Acknowledged messages whose run was seen to end. */
  readonly #ended = new Set<string>();
  /** Acknowledged messages whose row was found in the history before the conversation shows it. */
  readonly #withRow = new Set<string>();
  /** Since when the gateway was at rest and knew nothing of an acknowledged message, on the monotonic clock. */
  readonly #unseenSinceMs = new Map<string, number>();
  /** Counts the gateways that this queue was led to. */
  #gateway = 0;
  #disposed = false;

  constructor(options: OutgoingQueueOptions) {
    this.#options = options;
    this.#store.defer(() => {
      this.#disposed = true;
      for (const timer of this.#timers.values()) timer.dispose();
    });
    this.#store.add(options.rpc.onHello(() => this.#lookAgain()));
    this.#store.add(
      options.messages.onRecovered(() => {
        for (const sessionKey of options.messages.sessionKeys()) options.onChange(sessionKey);
        this.#lookAgain();
      }),
    );
    this.#lookAgain();
  }

  /** Takes a message once it is kept. What becomes of it shows in its state. An id that is taken is refused. */
  async send(
    message: Omit<OutgoingMessage, 'state'>,
  ): Promise<Result<null, { readonly type: 'duplicate' } | NotKept>> {
    const { messages } = this.#options;
    if (messages.get(message.messageId)) return err({ type: 'duplicate' });
    const added = await messages.add({ ...message, state: { type: 'queued', first: null } });
    if (added.ok) this.#changed(message.sessionKey);
    return added;
  }

  /** The person wants a failed or unconfirmed message sent: under its old key, and not if the history has it after all. */
  async retry(messageId: string): Promise<void> {
    const { messages } = this.#options;
    const message = messages.get(messageId);
    if (message?.state.type === 'failed') {
      if (isKeySpent(message.state.failure)) await messages.renew(messageId);
      else await messages.setState(messageId, { type: 'queued', first: null });
    } else if (message?.state.type === 'unconfirmed') {
      await messages.setState(messageId, { type: 'in-doubt', first: this.#now(), insisted: true });
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
    for (const { messageId } of shown) {
      this.#ended.delete(messageId);
      this.#withRow.delete(messageId);
      this.#unseenSinceMs.delete(messageId);
      await this.#options.messages.remove(messageId);
    }
    if (shown.length > 0) this.#changed(sessionKey);
  }

  /** The run of a message ended: if it left no row in the history, it was a command. */
  runEnded(sessionKey: string, runId: string): void {
    if (this.#options.messages.get(runId)?.state.type !== 'sent') return;
    this.#ended.add(runId);
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
    this.#gateway += 1;
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

  /** The state of things may have changed for every message: what was handed over is looked up. */
  #lookAgain(): void {
    for (const sessionKey of this.#options.messages.sessionKeys()) {
      this.#stale.add(sessionKey);
      this.#kick(sessionKey);
    }
  }

  #now(): FirstSend {
    const { clock, messages, rpc } = this.#options;
    return {
      atMs: clock.nowMs(),
      uptimeMs: clock.uptimeMs(),
      runId: messages.runId,
      bootId: rpc.hello?.bootId ?? null,
    };
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
      const handedOver = list.filter(({ state }) => ['sent', 'in-doubt', 'unconfirmed'].includes(state.type));
      for (let start = 0; start < handedOver.length; start += MAX_RECONCILED) {
        const batch = handedOver.slice(start, start + MAX_RECONCILED);
        if (!(await this.#reconcile(sessionKey, batch))) return false;
      }
      this.#stale.delete(sessionKey);
      return true;
    }
    const step = nextStep(list, (messageId) => this.#withRow.has(messageId));
    switch (step.type) {
      case 'wait':
        return false;
      case 'await-row':
        if (!this.#timers.get(sessionKey)?.value)
          this.#later(sessionKey, ROW_LOOK_UP_MS, () => this.#stale.add(sessionKey));
        return false;
      case 'reconcile':
        return await this.#reconcile(sessionKey, step.messages.slice(0, MAX_RECONCILED));
      case 'send':
        return await this.#send(step.message);
    }
  }

  async #send(message: OutgoingMessage): Promise<boolean> {
    const { messages, rpc, logger, onChange } = this.#options;
    const { messageId, sessionKey, text, state } = message;
    const gateway = this.#gateway;
    // What was written for one gateway is not sent to the next.
    const forGateway = (next: OutgoingState): OutgoingState =>
      gateway === this.#gateway ? next : afterGatewayChange(next);
    const earlier = state.type === 'queued' ? state.first : null;
    const now = this.#now();
    if (earlier && !isSafeToResend(earlier, now)) {
      // It waited too long after it was looked up, or for another process.
      await messages.setState(messageId, { type: 'in-doubt', first: earlier, insisted: false });
      return true;
    }
    const first = earlier ?? now;
    // A crash after this must find that it may have been carried out. The disk tells when it takes writes again.
    if (!(await messages.setState(messageId, { type: 'sending', first }))) {
      await messages.setState(messageId, forGateway(state));
      return false;
    }
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
    logger.log('info', 'outgoing.not-acknowledged', {
      reason: answer.error.type,
      next: next.type,
      ...(answer.error.type === 'refused' ? refusalForLog(answer.error) : {}),
    });
    await messages.setState(messageId, forGateway(next));
    onChange(sessionKey);
    if (retryAfterMs !== null) {
      const waitMs = Math.min(Math.max(retryAfterMs, LEAST_WAIT_MS), MOST_WAIT_MS);
      this.#later(sessionKey, waitMs, () => undefined);
    }
    return retryAfterMs === null && answer.error.type !== 'not-connected';
  }

  async #reconcile(sessionKey: string, batch: readonly OutgoingMessage[]): Promise<boolean> {
    const { messages, rpc, logger, onChange, isShown } = this.#options;
    const bootId = rpc.hello?.bootId ?? null;
    const gateway = this.#gateway;
    const found = await this.#search(sessionKey, batch);
    // What one gateway knows says nothing of the next.
    if (!found || gateway !== this.#gateway) {
      this.#later(sessionKey, RECONCILE_RETRY_MS, () => undefined);
      return false;
    }
    let lookAgain = false;
    for (const { messageId } of batch) {
      // As it is now: its row may have come while the history was on its way.
      const state = messages.get(messageId)?.state;
      if (!state) continue;
      const finding = found.get(messageId) ?? 'unknown';
      if (finding !== 'unknown') this.#unseenSinceMs.delete(messageId);
      const next = afterReconcile(state, finding, { ...this.#now(), bootId });
      if (
        state.type === 'sent' &&
        (next === state || (next?.type === 'settled' && !this.#isOver(messageId)))
      ) {
        // What the gateway still has shows its row by itself; whoever waits for that looks again.
        if (finding !== 'accepted') lookAgain = true;
        continue;
      }
      logger.log('info', 'outgoing.reconciled', {
        before: state.type,
        finding,
        next: next?.type ?? 'removed',
      });
      if (next) await messages.setState(messageId, next);
      else if (finding === 'in-old-history' || !isShown(sessionKey)) {
        this.#withRow.delete(messageId);
        await messages.remove(messageId);
      } else {
        // It stays until the conversation shows the gateway's own, so that it is never gone in between.
        this.#withRow.add(messageId);
        if (state.type !== 'sent')
          await messages.setState(messageId, {
            type: 'sent',
            first: state.type === 'in-doubt' ? state.first : this.#now(),
          });
      }
    }
    if (lookAgain) this.#later(sessionKey, RECONCILE_RETRY_MS, () => this.#stale.add(sessionKey));
    onChange(sessionKey);
    return true;
  }

  /** Whether an acknowledged message that the gateway does not know any more has been carried out. */
  #isOver(messageId: string): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    const sinceMs = this.#unseenSinceMs.get(messageId) ?? nowMs;
    this.#unseenSinceMs.set(messageId, sinceMs);
    if (!this.#ended.has(messageId) && nowMs - sinceMs < SETTLE_UNSEEN_MS) return false;
    this.#ended.delete(messageId);
    this.#unseenSinceMs.delete(messageId);
    return true;
  }

  /** What the gateway knows of each message that it knows; null when it does not say. */
  async #search(
    sessionKey: string,
    searched: readonly OutgoingMessage[],
  ): Promise<ReadonlyMap<string, Finding> | null> {
    const { rpc } = this.#options;
    const found = new Map<string, Finding>();
    const inputRunIds = searched.map(({ messageId }) => messageId);
    for (let offset = 0; ;) {
      const page =
        offset === 0 ? { limit: NEWEST_MESSAGES, offset, inputRunIds } : { limit: OLDER_MESSAGES, offset };
      const params = { sessionKey, maxChars: SEARCHED_CHARS, ...page };
      const answer = await rpc.request('chat.history', params, { timeoutMs: HISTORY_LIMIT_MS });
      if (!answer.ok) return null;
      const history = fieldsOf(answer.value) ?? {};
      for (const { messageId } of searched) {
        const finding = findIn(history, messageId);
        if (finding === 'unknown' || isFound(found.get(messageId))) continue;
        found.set(messageId, finding === 'in-history' && offset > 0 ? 'in-old-history' : finding);
      }
      const { hasMore, nextOffset } = history;
      if (hasMore !== true || typeof nextOffset !== 'number') return found;
      if (nextOffset <= offset || nextOffset >= MAX_SEARCHED) return found;
      if (searched.every(({ messageId }) => isFound(found.get(messageId)))) return found;
      offset = nextOffset;
    }
  }

  #later(sessionKey: string, delayMs: number, before: () => void): void {
    if (this.#disposed) return;
    const timer = this.#timers.get(sessionKey) ?? new MutableDisposable<Disposable>();
    this.#timers.set(sessionKey, timer);
    timer.set(
      this.#options.clock.setTimer(delayMs, () => {
        timer.set(null);
        before();
        this.#kick(sessionKey);
      }),
    );
  }
}

/** Why the gateway refused: its code, and the kind of error that its words begin with. The words may quote the person's. */
function refusalForLog({ code, reason, message }: Extract<RpcError, { readonly type: 'refused' }>): {
  readonly code: string;
  readonly kind: string | null;
} {
  return { code: reason ?? code, kind: /^[A-Z][A-Za-z]{1,60}Error(?=:)/.exec(message)?.[0] ?? null };
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
  if (pending) {
    const state = fieldsOf(pending)?.['state'];
    return state === 'cancelled' || state === 'interrupted' ? state : 'accepted';
  }
  // One that ran together with others has no row of its own.
  const receipt = arrayOf(history['inputReceipts']).find((item) => isOfRun(item, messageId));
  if (fieldsOf(receipt)?.['state'] === 'consumed') return 'in-old-history';
  const activeRunIds = arrayOf(fieldsOf(history['sessionInfo'])?.['activeRunIds']);
  const isAccepted =
    receipt !== undefined || isOfRun(history['inFlightRun'], messageId) || activeRunIds.includes(messageId);
  if (isAccepted) return 'accepted';
  return fieldsOf(history['sessionInfo'])?.['hasActiveRun'] === true ? 'perhaps-active' : 'unknown';
}

function isFound(finding: Finding | undefined): boolean {
  return finding !== undefined && finding !== 'perhaps-active';
}

function isOfRun(value: unknown, runId: string): boolean {
  return fieldsOf(value)?.['runId'] === runId;
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
