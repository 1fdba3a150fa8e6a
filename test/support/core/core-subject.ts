import { randomUUID } from 'node:crypto';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { GatewayFactory } from '../../../src/main/app/gateway-factory.ts';
import type { LiveGateway } from '../../../src/main/app/gateway-registry.ts';
import type { Clock } from '../../../src/main/core/ports.ts';
import { secretNames } from '../../../src/main/core/secret-names.ts';
import type { TunnelChannel } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { MessageStore } from '../../../src/main/node/storage/message-store.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import { inProcessChannel } from '../../../src/main/node/tunnel/in-process-channel.ts';
import type { AppNotice } from '../../../src/shared/app-snapshot.ts';
import type { ChatSnapshot } from '../../../src/shared/chat.ts';
import type { ConnectionState, ConnectionStatus } from '../../../src/shared/connection-state.ts';
import { emptyProfile, type GatewayProfile, type SshSettings } from '../../../src/shared/gateway-profile.ts';
import { FakeConnectivity, FakePower, MemoryLogger } from '../fakes/fake-system.ts';
import { MemoryMessages } from '../fakes/memory-messages.ts';
import { MemorySecrets } from '../fakes/memory-secrets.ts';
import { waitFor } from '../lab/wait.ts';
import { ChatViews } from './chat-views.ts';

export interface CoreOptions {
  /** `user@host:port` and what else of the SSH settings differs from the defaults. */
  readonly ssh: Partial<SshSettings> & Pick<SshSettings, 'target' | 'gatewayPort' | 'localPort'>;
  readonly token: string;
  /** `$HOME` of the user whose `.ssh` is read. */
  readonly home: string;
  /** How the tunnel runs; by default in this process. */
  readonly createChannel?: () => TunnelChannel;
  readonly clock?: Clock;
  readonly secrets?: MemorySecrets;
  readonly id?: string;
  /** Keeps messages there as the app does, for a subject after this one; without it they last as long as this one. */
  readonly dataDir?: string;
}

export interface SeenState {
  /** Of `performance.now()`. */
  readonly atMs: number;
  readonly state: ConnectionState;
}

/**
 * Everything of one gateway as the app has it — supervisor, tunnel, session, chat, health — under plain Node: what is missing
 * is Electron alone. Records every state with its time.
 */
export class CoreSubject {
  readonly logger = new MemoryLogger();
  readonly connectivity = new FakeConnectivity();
  readonly power = new FakePower();
  readonly secrets: MemorySecrets;
  readonly gateway: LiveGateway;
  readonly views = new ChatViews();
  readonly states: SeenState[] = [];
  /** Where messages are kept; null without a `dataDir`. */
  readonly messages: MessageStore | null;
  profile: GatewayProfile;

  constructor(options: CoreOptions) {
    const { ssh, token, home, createChannel = () => inProcessChannel(), clock = systemClock } = options;
    this.secrets = options.secrets ?? new MemorySecrets();
    const base = emptyProfile(options.id ?? 'core');
    this.profile = { ...base, ssh: { ...base.ssh, ...ssh }, wanted: 'connected' };
    this.secrets.values.set(secretNames.token(base.id, 'ssh'), token);
    const { dataDir } = options;
    this.messages =
      dataDir === undefined
        ? null
        : new MessageStore({ path: join(dataDir, 'messages.db'), clock, logger: this.logger });
    const inMemory = new MemoryMessages();
    const factory = new GatewayFactory({
      clock,
      random: Math.random,
      logger: this.logger,
      secrets: this.secrets,
      connectivity: this.connectivity,
      power: this.power,
      ssh: {
        home,
        passwdHome: homedir(),
        user: userInfo().username,
        agentSocket: null,
        platform: process.platform,
        sshCommand: 'ssh',
      },
      clientVersion: '0.1.0',
      redact: (text) => text,
      noteSecret: () => undefined,
      saveProfile: (profile) => {
        this.profile = profile;
      },
      startTunnelProcess: () => createChannel(),
      messages: this.messages ?? { forGateway: () => inMemory, forget: () => undefined },
    });
    this.gateway = factory.create(this.profile);
    this.gateway.chat.onPatch((patch) => this.views.apply(patch));
    this.gateway.connection.onChange(() => this.#note());
    this.#note();
  }

  get state(): ConnectionState {
    return this.gateway.connection.snapshot().connection;
  }

  /** Connects as a person does; resolves once the gateway said hello. */
  async connectUp(timeoutMs?: number): Promise<void> {
    this.gateway.connection.connect();
    await this.until('connected', timeoutMs);
  }

  async until(status: ConnectionStatus, timeoutMs = 30_000): Promise<ConnectionState> {
    return await this.untilState(status, (state) => state.status === status, timeoutMs);
  }

  async untilState(
    what: string,
    holds: (state: ConnectionState) => boolean,
    timeoutMs = 30_000,
  ): Promise<ConnectionState> {
    await waitFor(() => holds(this.state), {
      what: `the connection to be ${what}`,
      timeoutMs,
      intervalMs: 5,
      detail: () => JSON.stringify(this.state),
    });
    return this.state;
  }

  /** States from `sinceMs` (of `performance.now()`) on. */
  statesSince(sinceMs: number): readonly SeenState[] {
    return this.states.filter(({ atMs }) => atMs >= sinceMs);
  }

  /** Opens a conversation as a window does, and waits until its history is there. */
  async show(sessionKey: string): Promise<void> {
    const opened = await this.gateway.chat.open(sessionKey);
    if (!opened.ok) throw new Error(`Not opened: ${JSON.stringify(opened.error)}`);
    this.views.start(opened.value);
    await this.views.until(sessionKey, 'its history', ({ meta }: ChatSnapshot) => meta.load === 'loaded');
  }

  /** Resolves with the message's id once it was accepted. */
  async write(sessionKey: string, text: string): Promise<string> {
    const messageId = randomUUID();
    const accepted = await this.gateway.chat.send(sessionKey, messageId, text);
    if (!accepted.ok) throw new Error(`Not accepted: ${JSON.stringify(accepted.error)}`);
    return messageId;
  }

  /** What the person must know of this gateway beside its state. */
  get notices(): readonly AppNotice[] {
    return this.gateway.connection.notices;
  }

  async close(): Promise<void> {
    await this.gateway.connection.close();
    this.messages?.dispose();
  }

  #note(): void {
    const { state } = this;
    const last = this.states.at(-1)?.state;
    if (last !== undefined && JSON.stringify(last) === JSON.stringify(state)) return;
    this.states.push({ atMs: performance.now(), state });
  }
}
