import { isDeepStrictEqual } from 'node:util';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage } from '../../../shared/connection-state.ts';
import { assertNever } from '../../../shared/result.ts';
import type { RouteFacts } from '../../core/connection/ports.ts';
import type { Clock } from '../../core/ports.ts';
import {
  tunnelCommandSchema,
  type TunnelCommand,
  type TunnelConfig,
  type TunnelReport,
} from '../../core/tunnel/tunnel-protocol.ts';
import { LocalForward } from '../ssh/local-forward.ts';
import { LoginMemory } from '../ssh/login-history.ts';
import { KeyRing } from '../ssh/ssh-keys.ts';
import { NO_SSH_FACTS } from './no-ssh-facts.ts';
import type { SshTiming } from '../ssh/ssh-timing.ts';
import { createTunnelSession } from './create-session.ts';
import { OpenQuestions } from './open-questions.ts';
import type { HostKeyQuestion, TrustedKey, TunnelSession, TunnelSessionEnd } from './tunnel-session.ts';

export interface TunnelHostDeps {
  readonly clock: Clock;
  readonly post: (report: TunnelReport) => void;
  /** After `shutdown` has ended everything. */
  readonly onShutdown?: () => void;
  readonly timing?: SshTiming;
}

type OpenCommand = Extract<TunnelCommand, { type: 'open' }>;

/** One attempt of the supervisor's; a session may outlive the attempt that made it. */
interface Attempt {
  readonly number: number;
  readonly config: TunnelConfig;
  readonly questions: OpenQuestions;
  isUp: boolean;
}

interface Session {
  readonly ssh: TunnelSession;
  readonly config: TunnelConfig;
  readonly trusted: readonly TrustedKey[];
  readonly isHandedOver: boolean;
  facts: RouteFacts | null;
}

const REPORT_FORWARD_EVERY_MS = 1_000;

/**
 * Everything that one tunnel process holds: one listener and at most one SSH session. Commands are data from another
 * process and are checked; a command of an older attempt than the current one is dropped.
 */
export class TunnelHost {
  readonly #deps: TunnelHostDeps;
  readonly #keyRing = new KeyRing();
  readonly #loginMemory = new LoginMemory();
  #attempt: Attempt | null = null;
  #newestAttempt = -1;
  #session: Session | null = null;
  #listener: LocalForward | null = null;
  /** What the listener was asked for; it may have had to take another one. */
  #askedPort: number | null = null;
  /** Openings and closings of the listener, one after the other. */
  #listening: Promise<void> = Promise.resolve();
  /** Targets (`host:port`) with which the built-in SSH shares no algorithm: the next attempt begins with OpenSSH. */
  readonly #needOpenssh = new Set<string>();
  #forwardReportedAtMs = -Infinity;
  #isShutDown = false;

  constructor(deps: TunnelHostDeps) {
    this.#deps = deps;
    deps.post({ type: 'ready' });
  }

  /** Takes one command, of any shape. */
  receive(message: unknown): void {
    const parsed = tunnelCommandSchema.safeParse(message);
    if (!parsed.success) {
      // Names of fields only: the values may hold a passphrase.
      const fields = parsed.error.issues.map((issue) => issue.path.join('.')).join(' ');
      this.#deps.post({ type: 'log', level: 'error', event: 'tunnel.bad-command', fields: { fields } });
      return;
    }
    const command = parsed.data;
    switch (command.type) {
      case 'open':
        void this.#open(command);
        return;
      case 'answer':
        if (this.#attempt?.number === command.attempt) {
          this.#attempt.questions.answer(command.promptId, command.answer);
        }
        return;
      case 'close':
        this.#close(command.attempt);
        return;
      case 'probe':
        void this.#probe(command.probeId, command.limitMs);
        return;
      case 'shutdown':
        void this.shutdown().then(() => this.#deps.onShutdown?.());
        return;
      default:
        assertNever(command);
    }
  }

  /** Ends the session and the listener; resolves when the port is free. */
  async shutdown(): Promise<void> {
    this.#isShutDown = true;
    this.#leaveAttempt();
    this.#endSession();
    await this.#listening;
    await this.#listener?.close();
    this.#listener = null;
  }

  async #open(command: OpenCommand): Promise<void> {
    if (this.#isShutDown || command.attempt < this.#newestAttempt) return;
    this.#newestAttempt = command.attempt;
    this.#leaveAttempt();
    const attempt: Attempt = {
      number: command.attempt,
      config: command.config,
      questions: new OpenQuestions(command.attempt, this.#deps.post),
      isUp: false,
    };
    this.#attempt = attempt;
    // Replaced at once, so that two sessions of one gateway never live side by side.
    if (this.#session !== null && !canReuse(this.#session, command)) this.#endSession();

    this.#stage(attempt, 'opening-listener');
    const problem = await this.#ensureListener(command.config.localPort);
    if (!this.#isCurrent(attempt)) return;
    if (problem !== null) {
      this.#endSession();
      this.#down(attempt, problem);
      return;
    }
    if (this.#session !== null) {
      if (this.#session.ssh.isReady) void this.#openForward(attempt, this.#session);
      return;
    }
    this.#startSession(attempt, []);
  }

  #startSession(attempt: Attempt, trusted: readonly TrustedKey[]): void {
    const { config } = attempt;
    const { clock, timing } = this.#deps;
    const isHandedOver = mayHandOver(config) && this.#needOpenssh.has(placeOf(config));
    const session: Session = {
      config,
      trusted,
      isHandedOver,
      facts: null,
      ssh: createTunnelSession(
        isHandedOver ? { ...config, transport: 'openssh' } : config,
        {
          onStage: (stage, limitMs) => {
            const current = this.#attempt;
            if (this.#session === session && current !== null) this.#stage(current, stage, limitMs);
          },
          ask: async (question, withdraw) =>
            this.#session === session
              ? ((await this.#attempt?.questions.ask(question, withdraw)) ?? null)
              : null,
          onReady: (facts) => {
            session.facts = facts;
            const current = this.#attempt;
            if (this.#session === session && current !== null) void this.#openForward(current, session);
          },
          onAlive: (latencyMs) => this.#alive(session, latencyMs),
          onEnd: (end) => this.#onSessionEnd(session, end),
          log: (level, event, fields) => this.#deps.post({ type: 'log', level, event, fields }),
        },
        {
          clock,
          keyRing: this.#keyRing,
          loginMemory: this.#loginMemory,
          trusted,
          ...(timing === undefined ? {} : { timing }),
        },
      ),
    };
    this.#session = session;
  }

  /** "Up" is said only of a forward that a channel went through. */
  async #openForward(attempt: Attempt, session: Session): Promise<void> {
    this.#stage(attempt, 'opening-forward');
    const opened = await session.ssh.openForward(0);
    if (opened.ok) {
      opened.value.on('error', () => undefined);
      opened.value.destroy();
      opened.value.resume();
    }
    const listener = this.#listener;
    if (!this.#isCurrent(attempt) || this.#session !== session || listener === null) return;
    if (!opened.ok) {
      // A session that ended reports itself.
      if (session.ssh.isReady) {
        this.#deps.post({ type: 'forward-failed', attempt: attempt.number, failure: opened.error });
      }
      return;
    }
    attempt.isUp = true;
    listener.attach(session.ssh);
    const facts = session.facts ?? NO_SSH_FACTS;
    this.#deps.post({ type: 'up', attempt: attempt.number, localPort: listener.port, facts });
    this.#alive(session, null);
  }

  #onSessionEnd(session: Session, end: TunnelSessionEnd): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#listener?.detach();
    const attempt = this.#attempt;
    if (attempt === null) return;
    attempt.isUp = false;
    switch (end.type) {
      case 'failed':
        if (!this.#handOver(attempt, session, end.failure)) this.#down(attempt, end.failure);
        return;
      case 'untrusted':
        void this.#askForTrust(attempt, session, end.question);
        return;
      case 'closed':
        return;
      default:
        assertNever(end);
    }
  }

  /** What the terminal's `ssh` reaches is reached: with a server of other algorithms the attempt goes on by OpenSSH. */
  #handOver(attempt: Attempt, session: Session, why: ConnectionFailure): boolean {
    const { config } = attempt;
    if (why.code !== 'ssh-no-common-algorithm' || session.isHandedOver || !mayHandOver(config)) return false;
    this.#needOpenssh.add(placeOf(config));
    this.#deps.post({
      type: 'log',
      level: 'info',
      event: 'ssh.handed-over',
      fields: { host: why.facts.host, kind: why.facts.kind },
    });
    this.#startSession(attempt, session.trusted);
    return true;
  }

  /** No server waits while a person makes up their mind: the connection is closed, and made anew with the trusted key. */
  async #askForTrust(attempt: Attempt, before: Session, question: HostKeyQuestion): Promise<void> {
    const answer = await attempt.questions.ask(question);
    if (!this.#isCurrent(attempt) || answer?.type !== 'trust-host-key') return;
    const { host, port } = question;
    const key: TrustedKey = { host, port, fingerprint: answer.fingerprint };
    this.#startSession(attempt, [...before.trusted, key]);
  }

  #leaveAttempt(): void {
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.questions.dispose();
  }

  #close(attempt: number): void {
    if (attempt < this.#newestAttempt) return;
    this.#newestAttempt = attempt;
    this.#leaveAttempt();
    this.#endSession();
    this.#deps.post({ type: 'closed', attempt });
  }

  async #probe(probeId: number, limitMs: number): Promise<void> {
    const result = (await this.#session?.ssh.probe(limitMs)) ?? { alive: false, latencyMs: null };
    this.#deps.post({ type: 'probed', probeId, ...result });
  }

  #endSession(): void {
    const session = this.#session;
    this.#session = null;
    this.#listener?.detach();
    session?.ssh.close();
  }

  /** Null when the listener stands, on this port or the next free one. Serialised: two quick changes of port end with the last one. */
  #ensureListener(port: number): Promise<ConnectionFailure | null> {
    const result = this.#listening.then(async () => {
      const standing = this.#listener;
      if (this.#isShutDown) return null;
      if (standing !== null && (standing.port === port || this.#askedPort === port)) {
        this.#askedPort = port;
        return null;
      }
      await standing?.close();
      this.#listener = null;
      const listening = await LocalForward.listenNear(port, this.#deps.clock, (why) =>
        this.#onForwardFailed(why),
      );
      if (!listening.ok) return listening.error;
      const { forward, moved } = listening.value;
      this.#listener = forward;
      this.#askedPort = port;
      this.#deps.post({ type: 'listening', port: forward.port, moved });
      return null;
    });
    this.#listening = result.then(
      () => undefined,
      () => undefined,
    );
    return result.catch((error: unknown) => failure('bug', { detail: (error as Error).message }));
  }

  /** Of a client's connection, while the tunnel is up. A client that keeps trying is told of once a second. */
  #onForwardFailed(why: ConnectionFailure): void {
    const nowMs = this.#deps.clock.monotonicMs();
    const attempt = this.#attempt;
    if (attempt === null || nowMs - this.#forwardReportedAtMs < REPORT_FORWARD_EVERY_MS) return;
    this.#forwardReportedAtMs = nowMs;
    this.#deps.post({ type: 'forward-failed', attempt: attempt.number, failure: why });
  }

  #alive(session: Session, latencyMs: number | null): void {
    const attempt = this.#attempt;
    if (attempt === null || this.#session !== session) return;
    this.#deps.post({ type: 'alive', attempt: attempt.number, latencyMs, ...session.ssh.traffic });
  }

  #stage(attempt: Attempt, stage: ConnectStage, limitMs: number | null = null): void {
    this.#deps.post({ type: 'stage', attempt: attempt.number, stage, limitMs });
  }

  /** The attempt is over: whatever of it is still under way starts nothing more. */
  #down(attempt: Attempt, why: ConnectionFailure): void {
    if (this.#isCurrent(attempt)) this.#leaveAttempt();
    this.#deps.post({ type: 'down', attempt: attempt.number, failure: why });
  }

  #isCurrent(attempt: Attempt): boolean {
    return this.#attempt === attempt;
  }
}

function mayHandOver(config: TunnelConfig): boolean {
  return config.handOver && config.transport === 'ssh2' && config.openssh !== null;
}

function placeOf({ target }: TunnelConfig): string {
  return `${target.host}:${target.port}`;
}

/** A session that stands, with the same way to the same place, needs no new login. Which key is tried first is no way. */
function canReuse(session: Session, command: OpenCommand): boolean {
  const { localPort, lastCredential } = command.config;
  const config = { ...session.config, localPort, lastCredential };
  return session.ssh.isReady && isDeepStrictEqual(config, command.config);
}
