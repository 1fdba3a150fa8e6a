import {
  type GatewaySessionMessageSubscription,
  type GatewaySessionMessageSubscriptionCoordinator,
} from '@openclaw/gateway-client';
import type { ChatFailure, ChatMeta, ChatPatch, ChatRow, ChatSnapshot } from '../../../shared/chat.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import { ChatModel } from '../../core/chat/chat-model.ts';
import { changeBetween } from '../../core/chat/chat-patch.ts';
import { failureOfRpcError } from '../../core/chat/delivery-rules.ts';
import type { GatewayEvent, GatewayHello, GatewayRpc } from '../../core/chat/gateway-rpc.ts';
import { type Fields, fieldsOf, stringOf } from '../../core/chat/message-content.ts';
import type { OutgoingMessage } from '../../core/chat/outgoing-messages.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock, Logger } from '../../core/ports.ts';

/** Between two patches: at most 30 in a second, however many events come. */
const PATCH_EVERY_MS = 34;
const PAGE_SIZE = 200;
const MIN_PAGE_SIZE = 10;
/** Older pages overlap, because what arrived meanwhile moves their offsets. */
const PAGE_OVERLAP = 10;
const LOAD_RETRY_MS = 3000;
/** Large histories over slow lines. */
const HISTORY_LIMIT_MS = 60_000;
/** Longest text of a stored message that the gateway sends before it cuts it (chat.history, `maxChars`). */
const MAX_MESSAGE_CHARS = 500_000;
const RELOAD_AFTER_GAP_MS = 200;
const RELOAD_AFTER_END_MS = 1000;
/** A run of which nothing is heard for so long may be over: the gateway is asked, ever more rarely while it says no. */
const SILENT_RUN_MS = [15_000, 30_000, 60_000] as const;

export interface ChatSessionOptions {
  readonly gatewayId: string;
  readonly sessionKey: string;
  readonly rpc: GatewayRpc;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly outgoing: () => readonly OutgoingMessage[];
  readonly onPatch: (patch: ChatPatch) => void;
  /** The history shows our messages with these ids. */
  readonly onStored: (sendIds: ReadonlySet<string>) => void;
  readonly onRunEnded: (runId: string) => void;
}

/** One conversation that someone looks at: kept in step with the gateway, told to the windows in patches. */
export class ChatSession implements Disposable {
  readonly #options: ChatSessionOptions;
  #model = new ChatModel();
  readonly #store = new DisposableStore();
  readonly #patchTimer = this.#store.add(new MutableDisposable<Disposable>());
  readonly #reloadTimer = this.#store.add(new MutableDisposable<Disposable>());
  readonly #silenceTimer = this.#store.add(new MutableDisposable<Disposable>());
  #silences = 0;
  /** The key under which the gateway sends events; ours may be an alias of it. */
  #canonicalKey: string;
  #coordinator: GatewaySessionMessageSubscriptionCoordinator | null = null;
  #subscription: GatewaySessionMessageSubscription | null = null;
  #pageSize = PAGE_SIZE;
  #loadingHistory = false;
  #loadingOlder = false;
  #revision = 0;
  #shown: { readonly rows: readonly ChatRow[]; readonly meta: ChatMeta };
  #lastPatchMs = Number.NEGATIVE_INFINITY;
  #disposed = false;

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#canonicalKey = options.sessionKey;
    this.#store.defer(() => {
      this.#disposed = true;
    });
    this.#model.setOutgoing(options.outgoing());
    this.#shown = { rows: this.#model.rows(), meta: this.#model.meta() };
  }

  get sessionKey(): string {
    return this.#options.sessionKey;
  }

  snapshot(): ChatSnapshot {
    this.#flush();
    const { gatewayId, sessionKey } = this.#options;
    return { gatewayId, sessionKey, revision: this.#revision, ...this.#shown };
  }

  isKey(key: string): boolean {
    return key === this.#canonicalKey || key === this.#options.sessionKey;
  }

  /** A new connection: everything is read anew (OpenClaw docs, gateway/clients: recover state after reconnect). */
  connected(hello: GatewayHello, coordinator: GatewaySessionMessageSubscriptionCoordinator): void {
    this.#coordinator = coordinator;
    this.#subscription = null;
    this.#model.setConnected(true);
    this.#model.setLoading();
    this.#changed();
    void this.#recover(hello);
  }

  /** `tooLarge`: the answer did not fit into a frame, so that the next one has to be shorter. */
  disconnected(tooLarge: boolean): void {
    if (tooLarge && this.#loadingHistory) this.#pageSize = Math.max(MIN_PAGE_SIZE, this.#pageSize >> 1);
    this.#coordinator = null;
    this.#subscription = null;
    this.#model.setConnected(false);
    this.#changed();
  }

  /** What is shown came from another gateway: it goes, but for our own messages. */
  forget(): void {
    this.#model = new ChatModel();
    this.#model.setOutgoing(this.#options.outgoing());
    this.#canonicalKey = this.#options.sessionKey;
    this.#changed();
  }

  gap(): void {
    this.#reloadIn(RELOAD_AFTER_GAP_MS);
  }

  outgoingChanged(): void {
    this.#model.setOutgoing(this.#options.outgoing());
    this.#changed();
  }

  apply({ event, payload }: GatewayEvent): void {
    const fields = fieldsOf(payload);
    if (!fields) return;
    switch (event) {
      case 'session.message':
        this.#model.applySessionMessage(fields);
        this.#options.onStored(this.#model.storedSendIds());
        break;
      case 'chat':
        this.#model.applyChatEvent(fields);
        this.#noticeEnd(fields);
        break;
      case 'agent':
      case 'session.tool':
        this.#model.applyAgentEvent(fields);
        break;
      default:
        return;
    }
    this.#silences = 0;
    this.#silenceTimer.set(null);
    this.#changed();
  }

  /** Stops exactly the run that is shown as active. */
  async stop(): Promise<Result<null, ChatFailure>> {
    const { rpc } = this.#options;
    const runId = this.#model.meta().activeRun?.runId;
    if (runId === undefined) return ok(null);
    this.#model.setStopping(runId, true);
    this.#changed();
    const answer = await rpc.request('chat.abort', { sessionKey: this.#canonicalKey, runId });
    if (!answer.ok) {
      this.#model.setStopping(runId, false);
      this.#changed();
      return err(failureOfRpcError(answer.error));
    }
    // It was over already: its end is in the history.
    if (fieldsOf(answer.value)?.['aborted'] !== true) this.#reloadIn(0);
    return ok(null);
  }

  async loadOlder(): Promise<Result<null, ChatFailure>> {
    if (this.#loadingOlder || !this.#model.canLoadOlder) return ok(null);
    this.#loadingOlder = true;
    try {
      const { rpc } = this.#options;
      const { hello } = rpc;
      const offset = Math.max(0, this.#model.heldCount - PAGE_OVERLAP);
      const answer = await rpc.request('chat.history', this.#historyParams({ offset }), {
        timeoutMs: HISTORY_LIMIT_MS,
      });
      if (!answer.ok) return err(failureOfRpcError(answer.error));
      // Another connection has read the newest page anew: this one no longer joins it.
      if (hello && this.#isCurrent(hello)) this.#model.prependOlder(fieldsOf(answer.value) ?? {});
      this.#changed();
      return ok(null);
    } finally {
      this.#loadingOlder = false;
    }
  }

  dispose(): void {
    const [coordinator, subscription] = [this.#coordinator, this.#subscription];
    this.#store.dispose();
    if (coordinator && subscription) coordinator.release(subscription).catch(() => undefined);
  }

  async #recover(hello: GatewayHello): Promise<void> {
    const coordinator = this.#coordinator;
    if (!coordinator) return;
    try {
      const subscription = await coordinator.acquire(this.#options.sessionKey);
      if (this.#disposed || this.#coordinator !== coordinator) {
        await coordinator.release(subscription);
        return;
      }
      this.#subscription = subscription;
      this.#canonicalKey = subscription.key;
    } catch {
      // Without it rows still come with the history, only later: after each run's end.
      this.#options.logger.log('warn', 'chat.not-subscribed', { gatewayId: this.#options.gatewayId });
    }
    await this.#loadHistory(hello);
  }

  async #loadHistory(hello: GatewayHello): Promise<void> {
    const { rpc } = this.#options;
    if (this.#disposed || this.#loadingHistory || !this.#isCurrent(hello)) return;
    this.#loadingHistory = true;
    const mark = this.#model.mark();
    const answer = await rpc.request('chat.history', this.#historyParams({}), {
      timeoutMs: HISTORY_LIMIT_MS,
    });
    this.#loadingHistory = false;
    if (!this.#isCurrent(hello)) {
      // The connection changed under it, and the new one's own load found this one in the way.
      this.#reloadIn(0);
      return;
    }
    // Disposed meanwhile: nothing of this reaches anyone, since patches and timers are gone.
    if (answer.ok) {
      this.#model.loadSnapshot(fieldsOf(answer.value) ?? {}, mark);
      this.#options.onStored(this.#model.storedSendIds());
    } else {
      this.#model.setLoadFailed(failureOfRpcError(answer.error));
      if (answer.error.type !== 'refused' || answer.error.retryable) this.#reloadIn(LOAD_RETRY_MS);
    }
    this.#changed();
  }

  #isCurrent(hello: GatewayHello): boolean {
    return this.#options.rpc.hello === hello;
  }

  #historyParams(page: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return {
      sessionKey: this.#options.sessionKey,
      limit: this.#pageSize,
      maxChars: MAX_MESSAGE_CHARS,
      ...page,
    };
  }

  #noticeEnd(payload: Fields): void {
    const runId = stringOf(payload['runId']);
    if (runId === null || !['final', 'aborted', 'error'].includes(stringOf(payload['state']) ?? '')) return;
    this.#options.onRunEnded(runId);
    if (this.#model.hasUnstoredReply()) this.#reloadIn(RELOAD_AFTER_END_MS);
  }

  #reloadIn(delayMs: number): void {
    const { clock, rpc } = this.#options;
    this.#reloadTimer.set(
      clock.setTimer(delayMs, () => {
        if (!rpc.hello) return;
        // An answer that is on its way may be older than what this is about.
        if (this.#loadingHistory) this.#reloadIn(RELOAD_AFTER_GAP_MS);
        else void this.#loadHistory(rpc.hello);
      }),
    );
  }

  /** An end that never comes, because the gateway lost it, must not leave the conversation busy for ever. */
  #watchSilence(meta: ChatMeta): void {
    if (meta.activeRun === null) {
      this.#silences = 0;
      this.#silenceTimer.set(null);
    } else if (!this.#silenceTimer.value) {
      const step = Math.min(this.#silences, SILENT_RUN_MS.length - 1);
      this.#silenceTimer.set(
        this.#options.clock.setTimer(SILENT_RUN_MS[step] ?? 0, () => {
          this.#silences += 1;
          this.#silenceTimer.set(null);
          this.#reloadIn(0);
          this.#changed();
        }),
      );
    }
  }

  #changed(): void {
    if (this.#disposed || this.#patchTimer.value) return;
    const { clock } = this.#options;
    const waitMs = Math.max(0, this.#lastPatchMs + PATCH_EVERY_MS - clock.monotonicMs());
    this.#patchTimer.set(clock.setTimer(waitMs, () => this.#flush()));
  }

  #flush(): void {
    this.#patchTimer.set(null);
    if (this.#disposed) return;
    this.#lastPatchMs = this.#options.clock.monotonicMs();
    const now = { rows: this.#model.rows(), meta: this.#model.meta() };
    this.#watchSilence(now.meta);
    const change = changeBetween(this.#shown, now);
    if (!change) return;
    const { gatewayId, sessionKey } = this.#options;
    const baseRevision = this.#revision;
    this.#revision += 1;
    this.#shown = now;
    this.#options.onPatch({
      gatewayId,
      sessionKey,
      baseRevision,
      revision: this.#revision,
      meta: now.meta,
      ...change,
    });
  }
}
