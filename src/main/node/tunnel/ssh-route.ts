import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever, type Result } from '../../../shared/result.ts';
import type { ProbeResult, RouteAnswers, RouteDriver, RouteEvent } from '../../core/connection/ports.ts';
import { Emitter } from '../../core/emitter.ts';
import { DisposableStore, type Disposable } from '../../core/lifecycle.ts';
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
/** On top of a probe's own limit, for the messages to travel. */
const PROBE_MARGIN_MS = 250;

interface Life extends Disposable {
  readonly channel: TunnelChannel;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
}

/** Remote over SSH: one tunnel process for one gateway, started when first needed and again after a crash. */
export class SshRoute implements RouteDriver {
  readonly #deps: SshRouteDeps;
  readonly #events = new Emitter<RouteEvent>();
  readonly #probes = new Map<number, (result: ProbeResult) => void>();
  readonly #closings = new Set<{ readonly attempt: number; readonly done: () => void }>();
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
      this.#deps.logger.log('warn', 'tunnel.stuck', {});
      life.channel.kill();
      this.#forget(life);
    }
    this.#closings.delete(closing);
  }

  probe(limitMs: number): Promise<ProbeResult> {
    const life = this.#life;
    if (life === null) return Promise.resolve(NOT_ALIVE);
    this.#probeCount += 1;
    const probeId = this.#probeCount;
    return new Promise((resolve) => {
      const settle = (result: ProbeResult): void => {
        timer.dispose();
        this.#probes.delete(probeId);
        resolve(result);
      };
      const timer = this.#deps.clock.setTimer(limitMs + PROBE_MARGIN_MS, () => settle(NOT_ALIVE));
      this.#probes.set(probeId, settle);
      life.channel.post({ type: 'probe', probeId, limitMs });
    });
  }

  onEvent(listener: (event: RouteEvent) => void): Disposable {
    return this.#events.on(listener);
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#attempt = null;
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
    store.add(channel.onReport((report) => this.#onReport(report)));
    // Kept after a kill as well: somebody may wait for the end.
    channel.onExit((code) => {
      end();
      if (this.#life !== life) return;
      this.#forget(life);
      const attempt = this.#attempt;
      if (attempt === null) return;
      this.#attempt = null;
      const why = failure('tunnel-process-crashed', { exitCode: code });
      this.#events.emit({ type: 'route-down', attempt, failure: why });
    });
    return life;
  }

  #forget(life: Life): void {
    life.dispose();
    if (this.#life === life) this.#life = null;
    for (const settle of [...this.#probes.values()]) settle(NOT_ALIVE);
  }

  #onReport(report: TunnelReport): void {
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
        if (report.attempt === this.#attempt) this.#events.emit(toRouteEvent(report));
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
