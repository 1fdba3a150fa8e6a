import { randomUUID } from 'node:crypto';
import { MemoryOutgoingMessages } from '../../../src/main/core/chat/outgoing-messages.ts';
import type { SessionEvent } from '../../../src/main/core/connection/ports.ts';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { ChatService } from '../../../src/main/node/gateway/chat-service.ts';
import { DeviceIdentityStore } from '../../../src/main/node/gateway/device-identity.ts';
import { GatewaySession } from '../../../src/main/node/gateway/gateway-session.ts';
import { HealthMonitor } from '../../../src/main/node/gateway/health-monitor.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import type { ChatPatch, ChatRow, ChatSnapshot } from '../../../src/shared/chat.ts';
import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';
import { waitFor } from '../../support/lab/wait.ts';

export const GATEWAY_ID = 'gateway-under-test';

export interface Credentials {
  readonly token?: string | null;
  readonly password?: string | null;
}

/** The real session, chat and health of one gateway, wired as in the app, with their events recorded. */
export class Subject {
  readonly secrets: MemorySecrets;
  readonly logger = new MemoryLogger();
  readonly session: GatewaySession;
  readonly chat: ChatService;
  readonly health: HealthMonitor;
  readonly events: SessionEvent[] = [];
  readonly patches: ChatPatch[] = [];
  /** What a window would show: snapshots with the patches applied, by session key. */
  readonly #views = new Map<string, ChatSnapshot>();
  #attempt = 0;

  constructor({ token, password }: Credentials, secrets = new MemorySecrets()) {
    this.secrets = secrets;
    if (token != null) secrets.values.set(secretNames.token(GATEWAY_ID, 'ssh'), token);
    if (password != null) secrets.values.set(secretNames.password(GATEWAY_ID, 'ssh'), password);
    const { logger } = this;
    const shared = { clock: systemClock, logger };
    this.session = new GatewaySession({
      mode: () => 'ssh',
      ...shared,
      gatewayId: GATEWAY_ID,
      secrets,
      identity: new DeviceIdentityStore(secrets, logger),
      clientVersion: '0.1.0',
      platform: process.platform,
      redact: (text) => text,
    });
    this.session.onEvent((event) => this.events.push(event));
    const rpc = this.session;
    this.chat = new ChatService({
      ...shared,
      gatewayId: GATEWAY_ID,
      rpc,
      messages: new MemoryOutgoingMessages(),
    });
    this.chat.onPatch((patch) => this.#apply(patch));
    this.health = new HealthMonitor({ ...shared, rpc });
  }

  /** Opens a session and resolves with what became of it. */
  async open(url: string, timeoutMs = 30_000): Promise<SessionEvent> {
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.session.open(attempt, { url, localPort: null });
    return await waitFor(
      () => this.events.find((event) => event.attempt === attempt && event.type !== 'session-alive'),
      {
        what: `session ${attempt} to be up or down`,
        timeoutMs,
      },
    );
  }

  async openUp(url: string): Promise<void> {
    const event = await this.open(url);
    if (event.type !== 'session-up') throw new Error(`Not up: ${JSON.stringify(event)}`);
  }

  /** The failure of the current session, once it is down. */
  async down(timeoutMs = 30_000): Promise<ConnectionFailure> {
    const attempt = this.#attempt;
    const event = await waitFor(
      () =>
        this.events.find((candidate) => candidate.type === 'session-down' && candidate.attempt === attempt),
      { what: `session ${attempt} to end`, timeoutMs },
    );
    if (event.type !== 'session-down') throw new Error('not down');
    return event.failure;
  }

  downsOfCurrent(): number {
    return this.events.filter((event) => event.type === 'session-down' && event.attempt === this.#attempt)
      .length;
  }

  /** Opens a conversation and waits until its history is there. */
  async show(sessionKey: string): Promise<void> {
    const opened = await this.chat.open(sessionKey);
    if (!opened.ok) throw new Error(`Not opened: ${JSON.stringify(opened.error)}`);
    this.#views.set(sessionKey, opened.value);
    await this.until(sessionKey, 'its history', ({ meta }) => meta.load === 'loaded');
  }

  async write(sessionKey: string, text: string): Promise<string> {
    const messageId = randomUUID();
    const accepted = await this.chat.send(sessionKey, messageId, text);
    if (!accepted.ok) throw new Error(`Not accepted: ${JSON.stringify(accepted.error)}`);
    return messageId;
  }

  view(sessionKey: string): ChatSnapshot {
    const view = this.#views.get(sessionKey);
    if (!view) throw new Error(`${sessionKey} is not shown`);
    return view;
  }

  async until(
    sessionKey: string,
    what: string,
    holds: (view: ChatSnapshot) => boolean,
    timeoutMs = 40_000,
  ): Promise<ChatSnapshot> {
    await waitFor(() => holds(this.view(sessionKey)), {
      what,
      timeoutMs,
      detail: () => this.texts(sessionKey).join('\n') + JSON.stringify(this.view(sessionKey).meta),
    });
    return this.view(sessionKey);
  }

  /** Idle, and the last row is a finished reply. */
  async untilAnswered(sessionKey: string, rows: number, timeoutMs = 60_000): Promise<ChatSnapshot> {
    return await this.until(
      sessionKey,
      `${rows} rows, the last an answer`,
      (view) =>
        view.rows.length >= rows &&
        view.meta.activeRun === null &&
        view.rows.at(-1)?.role === 'assistant' &&
        view.rows.at(-1)?.streaming === false,
      timeoutMs,
    );
  }

  texts(sessionKey: string): readonly string[] {
    return this.view(sessionKey).rows.map((row) => `${row.role}: ${textOf(row)}`);
  }

  async close(): Promise<void> {
    this.chat.dispose();
    this.health.dispose();
    await this.session.dispose();
  }

  /** As a window does: a patch on another revision is a bug, since nothing is lost in one process. */
  #apply(patch: ChatPatch): void {
    this.patches.push(patch);
    const view = this.#views.get(patch.sessionKey);
    if (!view) return;
    if (view.revision !== patch.baseRevision) throw new Error('A patch on another revision');
    const rows = new Map(view.rows.map((row) => [row.id, row]));
    for (const row of patch.upserts) rows.set(row.id, row);
    const order = patch.order ?? view.rows.map((row) => row.id);
    this.#views.set(patch.sessionKey, {
      ...view,
      revision: patch.revision,
      meta: patch.meta,
      rows: order.map((id) => {
        const row = rows.get(id);
        if (!row) throw new Error('A patch names a row that nobody sent');
        return row;
      }),
    });
  }
}

export function textOf(row: ChatRow): string {
  return row.parts.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('');
}
