import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever, type Result } from '../../../shared/result.ts';
import type { ProbeResult, RouteAnswers, RouteDriver, RouteEvent } from '../../core/connection/ports.ts';
import { Emitter } from '../../core/emitter.ts';
import { DisposableStore, MutableDisposable, type Disposable } from '../../core/lifecycle.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import type { TunnelChannel, TunnelConfig, TunnelReport } from '../../core/tunnel/tunnel-protocol.ts';

export interface SshRouteDeps {
  /** Read anew for every attempt: the user's ssh configuration and agent may have changed. */
  readonly resolveConfig: () => Promise<Result<TunnelConfig, ConnectionFailure>>;
  /** Starts a tunnel process. */
  readonly createChannel: () => TunnelChannel;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A process that does not confirm the end of a session within this time is taken for stuck and is killed. */
const CLOSE_LIMIT_MS = 1_500;
const SHUTDOWN_LIMIT_MS = 1_500;
/** How long the end of a killed process is waited for: until then it holds the local port. */
const KILL_LIMIT_MS = 2_000;
/** On top of a probe's own limit, for the messages to travel. */
const PROBE_MARGIN_MS = 250;
/** A link that stands is told of every 3 s and ends after 9 s of silence (LinkWatchdog): a process quiet for longer is asked. */
const QUIET_LIMIT_MS = 12_000;
/** Twice, because in a main process that stood still itself the limit passes before the answer is read. */
const QUESTIONS = 2;
const QUESTION_LIMIT_MS = 1_000;

interface Life extends Disposable {
  readonly channel: TunnelChannel;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
}

/** Remote over SSH: one tunnel process for one gateway, started when first needed and again after a crash. */
export class SshRoute implements RouteDriver {
  readonly #deps: SshRouteDeps;
  readonly #events = new Emitter<RouteEvent>();
  /** By probe id; null where no answer came. */
  readonly #probes = new Map<number, (answer: ProbeResult | null) => void>();
  readonly #closings = new Set<{ readonly attempt: number; readonly done: () => void }>();
  readonly #quiet = new MutableDisposable<Disposable>();
  #life: Life | null = null;
  #attempt: number | null = null;
  #lastAttempt = 0;
  #probeCount = 0;
  #isDisposed = false;

  constructor(deps: SshRouteDeps) {
    this.#deps = deps;
  }

  open(attempt: number, answers: RouteAnswers): void {
    if (this.#isDisposed) return;
    this.#attempt = attempt;
    this.#lastAttempt = attempt;
    void this.#open(attempt, answers);
  }

  async #open(attempt: number, answers: RouteAnswers): Promise<void> {
    const config = await this.#deps
      .resolveConfig()
      .catch((error: unknown): Result<TunnelConfig, ConnectionFailure> => ({
        ok: false,
        error: failure('bug', { detail: error instanceof Error ? error.message : String(error) }),
      }));
    if (this.#attempt !== attempt) return;
    if (!config.ok) {
      this.#attempt = null;
      this.#events.emit({ type: 'route-down', attempt, failure: config.error });
      return;
    }
    this.#life ??= this.#start();
    const { trustedFingerprint, passphrase } = answers;
    this.#life.channel.post({ type: 'open', attempt, config: config.value, trustedFingerprint, passphrase });
  }

  async close(): Promise<void> {
    const attempt = this.#lastAttempt;
    this.#attempt = null;
    this.#quiet.set(null);
    const life = this.#life;
    if (life === null) return;
    let done = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      done = resolve;
    });
    const closing = { attempt, done };
    this.#closings.add(closing);
    life.channel.post({ type: 'close', attempt });
    if (!(await this.#within(Promise.race([closed, life.ended]), CLOSE_LIMIT_MS))) {
      await this.#kill(life);
      this.#forget(life);
    }
    this.#closings.delete(closing);
  }

  async probe(limitMs: number): Promise<ProbeResult> {
    const life = this.#life;
    return (life === null ? null : await this.#ask(life, limitMs)) ?? NOT_ALIVE;
  }

  onEvent(listener: (event: RouteEvent) => void): Disposable {
    return this.#events.on(listener);
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#attempt = null;
    this.#quiet.dispose();
    const life = this.#life;
    if (life !== null) {
      life.channel.post({ type: 'shutdown' });
      if (!(await this.#within(life.ended, SHUTDOWN_LIMIT_MS))) {
        life.channel.kill();
        await this.#within(life.ended, SHUTDOWN_LIMIT_MS);
      }
      this.#forget(life);
    }
    this.#events.dispose();
  }

  #start(): Life {
    const store = new DisposableStore();
    const channel = this.#deps.createChannel();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const life: Life = { channel, ended, dispose: () => store.dispose() };
    store.add(channel.onReport((report) => this.#onReport(life, report)));
    // Kept after a kill as well: somebody may wait for the end.
    channel.onExit((code) => {
      end();
      this.#onGone(life, code);
    });
    return life;
  }

  #onGone(life: Life, exitCode: number | null): void {
    if (this.#life !== life) return;
    this.#forget(life);
    const attempt = this.#attempt;
    if (attempt === null) return;
    this.#attempt = null;
    const why = failure('tunnel-process-crashed', { exitCode });
    this.#events.emit({ type: 'route-down', attempt, failure: why });
  }

  #forget(life: Life): void {
    life.dispose();
    this.#quiet.set(null);
    if (this.#life === life) this.#life = null;
    for (const settle of [...this.#probes.values()]) settle(null);
  }

  /** The process's answer to a probe, or null when it gave none. */
  #ask(life: Life, limitMs: number): Promise<ProbeResult | null> {
    this.#probeCount += 1;
    const probeId = this.#probeCount;
    return new Promise((resolve) => {
      const settle = (answer: ProbeResult | null): void => {
        timer.dispose();
        this.#probes.delete(probeId);
        resolve(answer);
      };
      const timer = this.#deps.clock.setTimer(limitMs + PROBE_MARGIN_MS, () => settle(null));
      this.#probes.set(probeId, settle);
      life.channel.post({ type: 'probe', probeId, limitMs });
    });
  }

  /** The SSH link is the process's to watch; the process itself (hung, stopped) is ours. */
  #expectReport(life: Life): void {
    this.#quiet.set(this.#deps.clock.setTimer(QUIET_LIMIT_MS, () => void this.#checkOn(life)));
  }

  async #checkOn(life: Life): Promise<void> {
    const attempt = this.#attempt;
    for (let question = 0; question < QUESTIONS; question += 1) {
      const answer = await this.#ask(life, QUESTION_LIMIT_MS);
      if (this.#life !== life || this.#attempt !== attempt) return;
      if (answer !== null) {
        this.#expectReport(life);
        return;
      }
    }
    await this.#kill(life);
    this.#onGone(life, null);
  }

  async #kill(life: Life): Promise<void> {
    this.#deps.logger.log('warn', 'tunnel.stuck', {});
    life.channel.kill();
    await this.#within(life.ended, KILL_LIMIT_MS);
  }

  #onReport(life: Life, report: TunnelReport): void {
    switch (report.type) {
      case 'ready':
      case 'listening':
        return;
      case 'log':
        this.#deps.logger.log(report.level, report.event, report.fields);
        return;
      case 'probed':
        this.#probes.get(report.probeId)?.({ alive: report.alive, latencyMs: report.latencyMs });
        return;
      case 'closed':
        for (const closing of this.#closings) if (closing.attempt === report.attempt) closing.done();
        return;
      case 'stage':
      case 'needs-user':
      case 'up':
      case 'down':
      case 'forward-failed':
      case 'alive':
        if (report.attempt !== this.#attempt) return;
        if (report.type === 'up' || report.type === 'alive') this.#expectReport(life);
        else if (report.type === 'down' || report.type === 'needs-user') this.#quiet.set(null);
        this.#events.emit(toRouteEvent(report));
        return;
      default:
        assertNever(report);
    }
  }

  /** False when time ran out first. */
  #within(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#deps.clock.setTimer(limitMs, () => resolve(false));
      void promise.then(() => {
        timer.dispose();
        resolve(true);
      });
    });
  }
}

const NOT_ALIVE: ProbeResult = { alive: false, latencyMs: null };

type AttemptReport = Extract<TunnelReport, { readonly attempt: number }>;

function toRouteEvent(report: Exclude<AttemptReport, { readonly type: 'closed' }>): RouteEvent {
  const { attempt } = report;
  switch (report.type) {
    case 'stage':
      return { type: 'route-stage', attempt, stage: report.stage };
    case 'needs-user':
      return { type: 'route-needs-user', attempt, prompt: report.prompt };
    case 'up': {
      const { localPort, facts } = report;
      const endpoint = { url: `ws://127.0.0.1:${localPort}`, localPort };
      return { type: 'route-up', attempt, endpoint, facts };
    }
    case 'down':
      return { type: 'route-down', attempt, failure: report.failure };
    case 'forward-failed':
      return { type: 'forward-failed', attempt, failure: report.failure };
    case 'alive': {
      const { latencyMs, bytesReceived, bytesSent } = report;
      return { type: 'route-alive', attempt, latencyMs, bytesReceived, bytesSent };
    }
  }
}
