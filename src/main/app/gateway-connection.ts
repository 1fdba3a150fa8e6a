import {
  noticeKey,
  type AppNotice,
  type GatewaySnapshot,
  type StoredSecrets,
} from '../../shared/app-snapshot.ts';
import type { FailureCode } from '../../shared/connection-failure.ts';
import type { ConnectionState, PromptAnswer } from '../../shared/connection-state.ts';
import type { GatewayMode, GatewayProfile } from '../../shared/gateway-profile.ts';
import { isSameGateway, isSameTarget } from '../core/connection/connection-target.ts';
import type { RouteDriver, RouteEvent, SessionDriver, SessionEvent } from '../core/connection/ports.ts';
import { ConnectionSupervisor } from '../core/connection/supervisor.ts';
import { Emitter } from '../core/emitter.ts';
import type { LadderSource } from '../core/health/ladder-monitor.ts';
import { type Closable, type Disposable, DisposableStore } from '../core/lifecycle.ts';
import type { Clock, Connectivity, Logger, PowerEvents, Random, SecretStore } from '../core/ports.ts';
import { secretNames } from '../core/secret-names.ts';
import type { PortMove } from '../core/tunnel/tunnel-protocol.ts';

export interface GatewayConnectionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connectivity: Connectivity;
  readonly power: PowerEvents;
  readonly logger: Logger;
  readonly secrets: SecretStore;
  readonly sshSecrets: SshSecrets;
  /** Writes a profile to the settings. */
  readonly saveProfile: (profile: GatewayProfile) => void;
  readonly createRoute: (profile: GatewayProfile) => RouteDriver;
  readonly session: ConnectionSession;
  readonly services: ConnectionServices;
}

/** What the keychain keeps of the answers to SSH's questions. Forgetting rejects when the keychain does not let go. */
export interface SshSecrets {
  readonly isKept: boolean;
  onChange(listener: () => void): Disposable;
  forgetAll(): Promise<void>;
  forgetPasswords(): Promise<void>;
}

/** A session that keeps a device token for its gateway between connections. */
export interface ConnectionSession extends SessionDriver {
  /** Rejects when the keychain does not let go of it. */
  forgetDeviceToken(): Promise<void>;
}

/** What chat and health contribute; made from the session, ended with the connection. */
export interface ConnectionServices extends Disposable {
  snapshot(): Pick<
    GatewaySnapshot,
    'ladder' | 'health' | 'mainSessionKey' | 'sessions' | 'inbox' | 'inboxFacts'
  >;
  onChange(listener: () => void): Disposable;
  /** Joins the services to the connection, once. */
  start(source: LadderSource): void;
  /** The connection now goes by this profile. */
  setProfile(profile: GatewayProfile): void;
  refreshHealth(): void;
}

/** Everything that belongs to one saved gateway while the app runs. */
export class GatewayConnection implements Closable {
  readonly id: string;
  readonly #ports: GatewayConnectionPorts;
  readonly #store = new DisposableStore();
  readonly #changes: Emitter<null>;
  readonly #supervisor: ConnectionSupervisor;
  #saved: GatewayProfile;
  /** What the live connection was made from. */
  #applied: GatewayProfile;
  #secretsChanged = false;
  #route: RouteDriver | null = null;
  #portMoved: PortMove | null = null;
  #closing: Promise<void> | null = null;

  constructor(profile: GatewayProfile, ports: GatewayConnectionPorts) {
    this.id = profile.id;
    this.#ports = ports;
    this.#saved = profile;
    this.#applied = profile;
    this.#changes = this.#store.add(
      new Emitter<null>((error) =>
        ports.logger.log('error', 'gateway.listener-failed', { kind: String(error) }),
      ),
    );
    this.#supervisor = new ConnectionSupervisor(profile, {
      ...ports,
      createDrivers: (current) => {
        this.#route = ports.createRoute(current);
        return { route: this.#route, session: lasting(ports.session) };
      },
    });
    this.#store.add(
      this.#supervisor.onChange((state) => {
        if (isAtRest(state)) this.#route?.rest();
        this.#changes.emit(null);
      }),
    );
    this.#store.add(this.#supervisor.onDriverEvent((event) => this.#noteCredential(event)));
    this.#store.add(ports.sshSecrets.onChange(() => this.#changes.emit(null)));
    this.#store.add(ports.services.onChange(() => this.#changes.emit(null)));
    ports.services.start(this.#supervisor);
  }

  get profile(): GatewayProfile {
    return this.#saved;
  }

  /** Anything of the snapshot changed. */
  onChange(listener: () => void): Disposable {
    return this.#changes.on(() => listener());
  }

  snapshot(): GatewaySnapshot {
    const { secrets, services } = this.#ports;
    const stored = (mode: GatewayMode): StoredSecrets => ({
      token: secrets.has(secretNames.token(this.id, mode)),
      password: secrets.has(secretNames.password(this.id, mode)),
    });
    return {
      profile: this.#saved,
      connection: this.#supervisor.state,
      ...services.snapshot(),
      secrets: { local: stored('local'), ssh: stored('ssh'), direct: stored('direct') },
      hasSshSecrets: this.#ports.sshSecrets.isKept,
      restartNeeded: this.#differs(),
    };
  }

  /** What the person should know of this gateway, beside its state, until it is dismissed. */
  get notices(): readonly AppNotice[] {
    const move = this.#portMoved;
    return move === null ? [] : [{ type: 'port-moved', gatewayId: this.id, ...move }];
  }

  /** `key` as `noticeKey` gives it; another one is none of this gateway's. */
  dismissNotice(key: string): void {
    if (!this.notices.some((notice) => noticeKey(notice) === key)) return;
    this.#portMoved = null;
    this.#changes.emit(null);
  }

  /** The tunnel listens elsewhere: that is remembered, and the live connection, which uses it already, goes on. */
  portMoved(move: PortMove): void {
    // Of a tunnel that was replaced meanwhile.
    if (move.from !== this.#applied.ssh.localPort) return;
    const isAsSaved = this.#saved.ssh.localPort === this.#applied.ssh.localPort;
    this.#portMoved = move;
    this.#applied = withLocalPort(this.#applied, move.to);
    // What was typed meanwhile is for the next connection.
    if (isAsSaved) {
      this.#saved = withLocalPort(this.#saved, move.to);
      this.#ports.saveProfile(this.#saved);
    }
    this.#changes.emit(null);
  }

  /** Takes what was saved. A live connection goes on with the old values until it is asked to connect anew. */
  setProfile(profile: GatewayProfile, secretsChanged: boolean): void {
    this.#saved = profile;
    this.#secretsChanged ||= secretsChanged;
    if (this.#supervisor.intent !== 'connected') this.#apply();
    this.#changes.emit(null);
  }

  /** `attended` false where no person asks for it, as when the app starts. */
  connect(attended = true): void {
    this.#apply();
    this.#supervisor.connect(attended);
  }

  /** A person is there for the question that waits, whatever was saved meanwhile. */
  attend(): void {
    this.#apply();
    this.#supervisor.attend();
  }

  /** The keychain opened late: what was refused for want of a secret may have it now. Every other refusal stands. */
  secretsCame(): void {
    const { state } = this.#supervisor;
    if (state.status === 'blocked' && WANTS_SECRETS.has(state.failure.code)) this.connect(false);
  }

  reconnectNow(): void {
    this.#apply();
    this.#supervisor.reconnectNow();
  }

  disconnect(): void {
    this.#supervisor.disconnect();
    this.#apply();
  }

  pause(): void {
    this.#supervisor.pause();
    this.#apply();
  }

  resume(): void {
    this.#apply();
    // Not only from a pause: whoever asks for it wants the connection.
    this.#supervisor.connect();
  }

  answerPrompt(promptId: string, answer: PromptAnswer): void {
    this.#supervisor.answerPrompt(promptId, answer);
  }

  refreshHealth(): void {
    this.#ports.services.refreshHealth();
  }

  /** Deletes the gateway's device token; the next connection shows the token or password. Rejects as the keychain does. */
  forgetDeviceToken(): Promise<void> {
    return this.#ports.session.forgetDeviceToken();
  }

  /** Forgets the passphrases and passwords that SSH was answered with. Rejects as the keychain does. */
  forgetSshSecrets(): Promise<void> {
    return this.#ports.sshSecrets.forgetAll();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#ports.services.dispose();
    await this.#supervisor.dispose();
    await this.#ports.session.dispose();
    this.#store.dispose();
  }

  #differs(): boolean {
    return this.#secretsChanged || !isSameTarget(this.#saved, this.#applied);
  }

  /** Makes the connection use what is saved, anew where that is another way. */
  #apply(): void {
    const before = this.#applied;
    const isAnew = this.#differs();
    this.#applied = this.#saved;
    if (!isAnew) return;
    this.#secretsChanged = false;
    this.#ports.services.setProfile(this.#saved);
    this.#supervisor.profileChanged(this.#saved);
    // One gateway's device token is nothing for another to see. After the old session ended, which could store it again.
    if (!isSameGateway(before, this.#saved)) void this.#drop('device-token', () => this.forgetDeviceToken());
    if (before.ssh.target !== this.#saved.ssh.target)
      void this.#drop('ssh-passwords', () => this.#ports.sshSecrets.forgetPasswords());
  }

  /** The key that the server accepted is offered first the next time, so that a bunch of others does not use up its tries. */
  #noteCredential(event: RouteEvent | SessionEvent): void {
    if (event.type !== 'route-up') return;
    const { credentialFingerprint } = event.facts;
    const { ssh } = this.#saved;
    if (credentialFingerprint === null || credentialFingerprint === ssh.lastCredential) return;
    // Of the server that was reached, not of one that was typed meanwhile.
    if (ssh.target !== this.#applied.ssh.target) return;
    this.#saved = { ...this.#saved, ssh: { ...ssh, lastCredential: credentialFingerprint } };
    this.#ports.saveProfile(this.#saved);
    this.#changes.emit(null);
  }

  async #drop(what: string, drop: () => Promise<void>): Promise<void> {
    try {
      await drop();
    } catch {
      this.#ports.logger.log('error', 'gateway.secret-kept', { gatewayId: this.id, what });
    }
  }
}

/** A person, or the settings, want no connection now: unlike offline or asleep, which end by themselves. */
function isAtRest(state: ConnectionState): boolean {
  return state.status === 'disconnected' || (state.status === 'paused' && state.reason === 'user');
}

function withLocalPort(profile: GatewayProfile, localPort: number): GatewayProfile {
  return { ...profile, ssh: { ...profile.ssh, localPort } };
}

const WANTS_SECRETS: ReadonlySet<FailureCode> = new Set([
  'token-missing',
  'password-missing',
  'secrets-unavailable',
]);

/**
 * The session outlives its profile: chat and health hold on to it, and what it needs (secrets by the gateway's id, an
 * endpoint a connection) is asked for anew each time. So the supervisor's replacing of drivers only closes it.
 */
function lasting(session: SessionDriver): SessionDriver {
  return {
    open: (attempt, endpoint) => session.open(attempt, endpoint),
    close: () => session.close(),
    probe: (limitMs) => session.probe(limitMs),
    onEvent: (listener) => session.onEvent(listener),
    dispose: () => session.close(),
  };
}
