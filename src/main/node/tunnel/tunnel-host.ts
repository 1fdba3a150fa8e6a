import { isDeepStrictEqual } from 'node:util';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
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
import { KeyRing } from '../ssh/ssh-keys.ts';
import { NO_SSH_FACTS } from './no-ssh-facts.ts';
import { SshSession, type SshSessionEnd, type SshTiming } from '../ssh/ssh-session.ts';

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
  isUp: boolean;
}

interface Session {
  readonly ssh: SshSession;
  readonly config: TunnelConfig;
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
  #attempt: Attempt | null = null;
  #newestAttempt = -1;
  #session: Session | null = null;
  #listener: LocalForward | null = null;
  /** Openings and closings of the listener, one after the other. */
  #listening: Promise<void> = Promise.resolve();
  #promptCount = 0;
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
    this.#attempt = null;
    this.#endSession();
    await this.#listening;
    await this.#listener?.close();
    this.#listener = null;
  }

  async #open(command: OpenCommand): Promise<void> {
    if (this.#isShutDown || command.attempt < this.#newestAttempt) return;
    this.#newestAttempt = command.attempt;
    const attempt: Attempt = { number: command.attempt, config: command.config, isUp: false };
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
    this.#startSession(attempt, command);
  }

  #startSession(attempt: Attempt, command: OpenCommand): void {
    const { trustedFingerprint, passphrase } = command;
    const session: Session = {
      config: command.config,
      facts: null,
      ssh: new SshSession(
        command.config,
        { trustedFingerprint, passphrase },
        {
          onStage: (stage) => {
            const current = this.#attempt;
            if (this.#session === session && current !== null) this.#stage(current, stage);
          },
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
          clock: this.#deps.clock,
          keyRing: this.#keyRing,
          nextPromptId: () => {
            this.#promptCount += 1;
            return `${attempt.number}.${this.#promptCount}`;
          },
          ...(this.#deps.timing === undefined ? {} : { timing: this.#deps.timing }),
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

  #onSessionEnd(session: Session, end: SshSessionEnd): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#listener?.detach();
    const attempt = this.#attempt;
    if (attempt === null) return;
    attempt.isUp = false;
    switch (end.type) {
      case 'failed':
        this.#down(attempt, end.failure);
        return;
      case 'needs-user':
        this.#deps.post({ type: 'needs-user', attempt: attempt.number, prompt: end.prompt });
        return;
      case 'closed':
        return;
      default:
        assertNever(end);
    }
  }

  #close(attempt: number): void {
    if (attempt < this.#newestAttempt) return;
    this.#newestAttempt = attempt;
    this.#attempt = null;
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

  /** Null when the listener stands on this port. Serialised: two quick changes of port end with the last one. */
  #ensureListener(port: number): Promise<ConnectionFailure | null> {
    const result = this.#listening.then(async () => {
      if (this.#isShutDown || this.#listener?.port === port) return null;
      await this.#listener?.close();
      this.#listener = null;
      const listener = await LocalForward.listen(port, this.#deps.clock, (why) => this.#onForwardFailed(why));
      if (!listener.ok) return listener.error;
      this.#listener = listener.value;
      this.#deps.post({ type: 'listening', port });
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

  #stage(attempt: Attempt, stage: Extract<TunnelReport, { type: 'stage' }>['stage']): void {
    this.#deps.post({ type: 'stage', attempt: attempt.number, stage });
  }

  #down(attempt: Attempt, why: ConnectionFailure): void {
    this.#deps.post({ type: 'down', attempt: attempt.number, failure: why });
  }

  #isCurrent(attempt: Attempt): boolean {
    return this.#attempt === attempt;
  }
}

/** A session that stands, with the same way to the same place, needs no new login. */
function canReuse(session: Session, command: OpenCommand): boolean {
  const { localPort } = command.config;
  return session.ssh.isReady && isDeepStrictEqual({ ...session.config, localPort }, command.config);
}
