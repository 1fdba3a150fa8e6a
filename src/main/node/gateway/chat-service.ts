import {
  getGatewaySessionMessageSubscriptionCoordinator,
  resetGatewaySessionMessageSubscriptionCoordinator,
  type GatewaySessionMessageRequestClient,
} from '@openclaw/gateway-client';
import type { ChatPatch, ChatSession as ChatSessionInfo, ChatSnapshot } from '../../../shared/chat.ts';
import { failure } from '../../../shared/connection-failure.ts';
import type { CommandError } from '../../../shared/ipc-contract.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { SlashCommand } from '../../../shared/slash-commands.ts';
import { readCommands } from '../../core/chat/command-list.ts';
import { commandErrorOf } from '../../core/chat/command-error.ts';
import { failureOfRpcError } from '../../core/chat/delivery-rules.ts';
import type { GatewayEvent, GatewayHello, GatewayRpc } from '../../core/chat/gateway-rpc.ts';
import { fieldsOf, stringOf } from '../../core/chat/message-content.ts';
import type { GatewayMessages } from '../../core/chat/outgoing-messages.ts';
import { OutgoingQueue } from '../../core/chat/outgoing-queue.ts';
import { readSessions } from '../../core/chat/session-list.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { ChatSession } from './chat-session.ts';

/** The protocol's own limit of a session key. */
const MAX_SESSION_KEY_CHARS = 512;
const MAX_OPEN_SESSIONS = 32;
const SESSIONS_LISTED = 100;
const LIST_REFRESH_MS = 500;
const LIST_PARAMS = { limit: SESSIONS_LISTED, includeDerivedTitles: true } as const;
/** Events that belong to one conversation. */
const CONVERSATION_EVENTS = new Set(['chat', 'agent', 'session.message', 'session.tool']);

export interface ChatServiceOptions {
  readonly gatewayId: string;
  readonly rpc: GatewayRpc;
  readonly messages: GatewayMessages;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One gateway's conversations: which are open, which exist, and our messages to them. */
export class ChatService implements Disposable {
  readonly #options: ChatServiceOptions;
  readonly #store = new DisposableStore();
  readonly #sessions = new Map<string, ChatSession>();
  readonly #queue: OutgoingQueue;
  readonly #patches = this.#store.add(new Emitter<ChatPatch>());
  readonly #listChanges = this.#store.add(new Emitter<readonly ChatSessionInfo[]>());
  readonly #listTimer = this.#store.add(new MutableDisposable<Disposable>());
  #list: readonly ChatSessionInfo[] = [];
  /** Stands for the connection at the official subscription coordinator; a new one each time. */
  #client: GatewaySessionMessageRequestClient | null = null;

  constructor(options: ChatServiceOptions) {
    this.#options = options;
    const { rpc, messages, clock, logger } = options;
    this.#queue = this.#store.add(
      new OutgoingQueue({
        rpc,
        messages,
        clock,
        logger,
        onChange: (sessionKey) => this.#sessions.get(sessionKey)?.outgoingChanged(),
        isShown: (sessionKey) => this.#sessions.has(sessionKey),
      }),
    );
    this.#store.add(rpc.onHello((hello) => this.#connected(hello)));
    this.#store.add(rpc.onDown((reason) => this.#disconnected(reason?.code === 'frame-too-large')));
    this.#store.add(rpc.onGatewayEvent((event) => this.#event(event)));
    this.#store.add(
      rpc.onGap(() => {
        for (const session of this.#sessions.values()) session.gap();
        this.#refreshListSoon();
      }),
    );
    if (rpc.hello) this.#connected(rpc.hello);
  }

  get sessions(): readonly ChatSessionInfo[] {
    return this.#list;
  }

  onPatch(listener: (patch: ChatPatch) => void): Disposable {
    return this.#patches.on(listener);
  }

  onSessions(listener: (sessions: readonly ChatSessionInfo[]) => void): Disposable {
    return this.#listChanges.on(listener);
  }

  /** The conversation as far as it is known; what is still to be read comes as patches. */
  open(sessionKey: string): Promise<Result<ChatSnapshot, CommandError>> {
    const known = this.#sessions.get(sessionKey);
    if (known) return Promise.resolve(ok(known.snapshot()));
    if (!isSessionKey(sessionKey) || this.#sessions.size >= MAX_OPEN_SESSIONS) {
      return Promise.resolve(err({ type: 'refused', reason: 'payload' }));
    }
    const { gatewayId, rpc, messages, clock, logger } = this.#options;
    const session = new ChatSession({
      gatewayId,
      sessionKey,
      rpc,
      clock,
      logger,
      outgoing: () => messages.list(sessionKey),
      onPatch: (patch) => this.#patches.emit(patch),
      onStored: (sendIds) => void this.#queue.stored(sessionKey, sendIds),
      onRunEnded: (runId) => this.#queue.runEnded(sessionKey, runId),
    });
    this.#sessions.set(sessionKey, session);
    if (rpc.hello && this.#client) {
      session.connected(rpc.hello, getGatewaySessionMessageSubscriptionCoordinator(this.#client));
    }
    return Promise.resolve(ok(session.snapshot()));
  }

  close(sessionKey: string): void {
    this.#sessions.get(sessionKey)?.dispose();
    this.#sessions.delete(sessionKey);
    void this.#queue.closeSession(sessionKey);
  }

  /** The connection is to lead to another gateway: what waits for the old one is not for it. */
  async gatewayChanged(): Promise<void> {
    for (const session of this.#sessions.values()) session.forget();
    await this.#queue.gatewayChanged();
  }

  async listSessions(): Promise<Result<readonly ChatSessionInfo[], CommandError>> {
    const { rpc } = this.#options;
    // Without a connection what was last heard is better than nothing.
    if (!rpc.hello) return ok(this.#list);
    const answer = await rpc.request('sessions.list', LIST_PARAMS);
    if (!answer.ok) return err(commandErrorOf(failureOfRpcError(answer.error)));
    this.#setList(answer.value);
    return ok(this.#list);
  }

  /** `commands.list`; a session that has no message yet is not known to the gateway, and gets the agent's commands. */
  async listCommands(sessionKey: string): Promise<Result<readonly SlashCommand[], CommandError>> {
    const { rpc } = this.#options;
    const params = { scope: 'text', includeArgs: true };
    let answer = await rpc.request('commands.list', { ...params, sessionKey });
    if (!answer.ok && answer.error.type === 'refused') answer = await rpc.request('commands.list', params);
    if (!answer.ok) return err(commandErrorOf(failureOfRpcError(answer.error)));
    return ok(readCommands(answer.value) ?? []);
  }

  readDraft(sessionKey: string): Promise<Result<{ readonly text: string }, CommandError>> {
    return Promise.resolve(ok({ text: this.#options.messages.draft(sessionKey) }));
  }

  /** A draft that the disk does not take is kept for this run; the store says that it cannot write. */
  async writeDraft(sessionKey: string, text: string): Promise<Result<null, CommandError>> {
    if (!isSessionKey(sessionKey)) return err({ type: 'refused', reason: 'payload' });
    await this.#options.messages.setDraft(sessionKey, text);
    return ok(null);
  }

  /** Accepted means: it is on disk. Its fate shows as the delivery of its row. */
  async send(sessionKey: string, messageId: string, text: string): Promise<Result<null, CommandError>> {
    if (!isSessionKey(sessionKey) || messageId.trim() === '' || text.trim() === '') {
      return err({ type: 'refused', reason: 'payload' });
    }
    const createdAtMs = this.#options.clock.nowMs();
    const accepted = await this.#queue.send({ messageId, sessionKey, text, createdAtMs });
    // The same message once more is the same message: nothing to do, nothing to complain about.
    if (accepted.ok || accepted.error.type === 'duplicate') return ok(null);
    const { error } = accepted;
    const facts = { reason: error.type, detail: error.type === 'unwritable' ? error.detail : '' };
    return err({ type: 'failure', failure: failure('message-not-kept', facts) });
  }

  async stop(sessionKey: string): Promise<Result<null, CommandError>> {
    const session = this.#sessions.get(sessionKey);
    if (!session) return err({ type: 'refused', reason: 'unknown-session' });
    const stopped = await session.stop();
    return stopped.ok ? stopped : err(commandErrorOf(stopped.error));
  }

  async retry(sessionKey: string, messageId: string): Promise<Result<null, CommandError>> {
    if (!this.#isOf(sessionKey, messageId)) return err({ type: 'refused', reason: 'payload' });
    await this.#queue.retry(messageId);
    return ok(null);
  }

  async discard(sessionKey: string, messageId: string): Promise<Result<null, CommandError>> {
    if (!this.#isOf(sessionKey, messageId)) return err({ type: 'refused', reason: 'payload' });
    await this.#queue.discard(messageId);
    return ok(null);
  }

  async loadOlder(sessionKey: string): Promise<Result<null, CommandError>> {
    const session = this.#sessions.get(sessionKey);
    if (!session) return err({ type: 'refused', reason: 'unknown-session' });
    const loaded = await session.loadOlder();
    return loaded.ok ? loaded : err(commandErrorOf(loaded.error));
  }

  dispose(): void {
    for (const session of this.#sessions.values()) session.dispose();
    this.#sessions.clear();
    this.#disconnected(false);
    this.#store.dispose();
  }

  #connected(hello: GatewayHello): void {
    const client = requestClient(this.#options.rpc);
    this.#client = client;
    const coordinator = getGatewaySessionMessageSubscriptionCoordinator(client);
    for (const session of this.#sessions.values()) session.connected(hello, coordinator);
    void this.#subscribeList(hello);
  }

  #disconnected(tooLarge: boolean): void {
    if (this.#client) resetGatewaySessionMessageSubscriptionCoordinator(this.#client);
    this.#client = null;
    this.#listTimer.set(null);
    for (const session of this.#sessions.values()) session.disconnected(tooLarge);
  }

  #event(event: GatewayEvent): void {
    if (event.event === 'sessions.changed') this.#refreshListSoon();
    if (!CONVERSATION_EVENTS.has(event.event)) return;
    // Chat events of all sessions come to every operator.
    const sessionKey = stringOf(fieldsOf(event.payload)?.['sessionKey']);
    if (sessionKey === null) return;
    for (const session of this.#sessions.values()) if (session.isKey(sessionKey)) session.apply(event);
  }

  async #subscribeList(hello: GatewayHello): Promise<void> {
    const { rpc } = this.#options;
    const answer = await rpc.request('sessions.subscribe', LIST_PARAMS);
    if (rpc.hello !== hello) return;
    const list = answer.ok ? fieldsOf(answer.value)?.['list'] : undefined;
    if (list === undefined) this.#refreshListSoon();
    else this.#setList(list);
  }

  #refreshListSoon(): void {
    if (this.#listTimer.value) return;
    this.#listTimer.set(
      this.#options.clock.setTimer(LIST_REFRESH_MS, () => {
        this.#listTimer.set(null);
        if (this.#options.rpc.hello) void this.listSessions();
      }),
    );
  }

  #setList(value: unknown): void {
    const list = readSessions(value);
    if (!list || JSON.stringify(list) === JSON.stringify(this.#list)) return;
    this.#list = list;
    this.#listChanges.emit(list);
  }

  #isOf(sessionKey: string, messageId: string): boolean {
    return this.#options.messages.get(messageId)?.sessionKey === sessionKey;
  }
}

function isSessionKey(key: string): boolean {
  return key.trim() !== '' && key.length <= MAX_SESSION_KEY_CHARS;
}

/** The official coordinator wants a client that throws. */
function requestClient(rpc: GatewayRpc): GatewaySessionMessageRequestClient {
  return {
    async request<T>(method: string, params: Record<string, unknown>): Promise<T> {
      const answer = await rpc.request(method, params);
      if (!answer.ok) throw new Error(`${method}: ${answer.error.type}`);
      return answer.value as T;
    },
  };
}
