import { randomUUID } from 'node:crypto';
import { MemoryMessages } from '../../support/fakes/memory-messages.ts';
import type { SessionEvent } from '../../../src/main/core/connection/ports.ts';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import { ChatService } from '../../../src/main/node/gateway/chat-service.ts';
import { DeviceIdentityStore } from '../../../src/main/node/gateway/device-identity.ts';
import { GatewaySession } from '../../../src/main/node/gateway/gateway-session.ts';
import { HealthMonitor } from '../../../src/main/node/gateway/health-monitor.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import type { ChatPatch, ChatSnapshot } from '../../../src/shared/chat.ts';
import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import { ChatViews } from '../../support/core/chat-views.ts';
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
  readonly views = new ChatViews();
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
      messages: new MemoryMessages(),
    });
    this.chat.onPatch((patch) => this.views.apply(patch));
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
    this.views.start(opened.value);
    await this.until(sessionKey, 'its history', ({ meta }) => meta.load === 'loaded');
  }

  async write(sessionKey: string, text: string): Promise<string> {
    const messageId = randomUUID();
    const accepted = await this.chat.send(sessionKey, messageId, text);
    if (!accepted.ok) throw new Error(`Not accepted: ${JSON.stringify(accepted.error)}`);
    return messageId;
  }

  get patches(): readonly ChatPatch[] {
    return this.views.patches;
  }

  view(sessionKey: string): ChatSnapshot {
    return this.views.view(sessionKey);
  }

  until(
    sessionKey: string,
    what: string,
    holds: (view: ChatSnapshot) => boolean,
    timeoutMs?: number,
  ): Promise<ChatSnapshot> {
    return this.views.until(sessionKey, what, holds, timeoutMs);
  }

  untilAnswered(sessionKey: string, rows: number, timeoutMs?: number): Promise<ChatSnapshot> {
    return this.views.untilAnswered(sessionKey, rows, timeoutMs);
  }

  texts(sessionKey: string): readonly string[] {
    return this.views.texts(sessionKey);
  }

  async close(): Promise<void> {
    this.chat.dispose();
    this.health.dispose();
    await this.session.dispose();
  }
}
