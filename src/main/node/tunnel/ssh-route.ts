import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever, type Result } from '../../../shared/result.ts';
import type { PromptAnswer, UserPrompt } from '../../../shared/connection-state.ts';
import type { ProbeResult, RouteDriver, RouteEvent } from '../../core/connection/ports.ts';
import { Emitter } from '../../core/emitter.ts';
import { DisposableStore, MutableDisposable, type Disposable } from '../../core/lifecycle.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import type {
  PortMove,
  TunnelAnswer,
  TunnelChannel,
  TunnelConfig,
  TunnelReport,
} from '../../core/tunnel/tunnel-protocol.ts';

/** Passphrases and passwords, kept for this run, and in the keychain where the person said so. */
export interface PromptMemory {
  /** An attempt begins, by this way. What was given in earlier ones is not proved by it. */
  begin(config: TunnelConfig): void;
  /** The answer of before; null where there is none, or where it proved wrong. Never rejects, as the others. */
  recall(prompt: UserPrompt): Promise<PromptAnswer | null>;
  /** Given in this attempt; it is kept when `proveRight` says that the attempt got through. */
  offer(prompt: UserPrompt, answer: PromptAnswer): void;
  proveRight(): Promise<void>;
  /** The attempt ended so: an answer that the server refused is forgotten. */
  fail(reason: ConnectionFailure): Promise<void>;
}

export interface SshRouteDeps {
  /** Read anew for every attempt: the user's ssh configuration and agent may have changed. */
  readonly resolveConfig: () => Promise<Result<TunnelConfig, ConnectionFailure>>;
  /** Answers that the person gave before and that may be given again. */
  readonly memory: PromptMemory;
  /** Starts a tunnel process. */
  readonly createChannel: () => TunnelChannel;
  /** Another program holds the local port; from now on the route listens on the new one. */
  readonly onPortMoved: (move: PortMove) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A process that does not confirm the end of a session within this time is taken for stuck and is killed. Shorter than the
 * app takes to quit (1.5 s): else a stuck process would outlive it.
 */
const CLOSE_LIMIT_MS = 1_000;
const SHUTDOWN_LIMIT_MS = 1_500;
/** How long the end of a killed process is waited for: until then it holds the local port. */
const KILL_LIMIT_MS = 2_000;
/** On top of a probe's own limit, for the messages to travel. */
const PROBE_MARGIN_MS = 250;
/** A link that answers is told of every 3 s (LinkWatchdog): a process quiet for longer is asked. Asking costs one ping. */
const QUIET_LIMIT_MS = 5_000;
/** Twice, because in a main process that stood still itself the limit passes before the answer is read. */
const QUESTIONS = 2;
/** The process is asked, not the link: it answers after this time at the latest, also where the link is silent. */
const QUESTION_MS = 100;
const ANSWER_LIMIT_MS = 1_000;

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
  /** The end of a process that is not needed any more; until then it may hold the local port. */
  #ending: Promise<void> = Promise.resolve();
  /** Where another program held the configured port. */
  #movedTo: number | null = null;
  #attempt: number | null = null;
  #lastAttempt = 0;
  /** The question that waits: for memory at first, then for the person. */
  #question: UserPrompt | null = null;
  #probeCount = 0;
  #isDisposed = false;

  constructor(deps: SshRouteDeps) {
    this.#deps = deps;
  }

  open(attempt: number): void {
    if (this.#isDisposed) return;
    this.#attempt = attempt;
    this.#lastAttempt = attempt;
    this.#question = null;
    void this.#open(attempt);
  }

  answer(attempt: number, promptId: string, answer: PromptAnswer): void {
    const question = this.#question;
    if (attempt !== this.#attempt || question?.id !== promptId) return;
    this.#question = null;
    this.#deps.memory.offer(question, answer);
    this.#pass(attempt, promptId, answer);
  }

  async #open(attempt: number): Promise<void> {
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
    await this.#ending;
    if (this.#attempt !== attempt) return;
    const localPort = this.#movedTo ?? config.value.localPort;
    this.#deps.memory.begin(config.value);
    this.#life ??= this.#start();
    this.#life.channel.post({ type: 'open', attempt, config: { ...config.value, localPort } });
  }

  /** What was answered before is not asked again, unless it proved wrong. */
  async #ask(attempt: number, prompt: UserPrompt): Promise<void> {
    this.#question = prompt;
    const known = await this.#deps.memory.recall(prompt);
    // Over meanwhile, or another one took its place.
    if (attempt !== this.#attempt || this.#question !== prompt) return;
    if (known !== null) {
      this.answer(attempt, prompt.id, known);
      return;
    }
    this.#events.emit({ type: 'route-needs-user', attempt, prompt });
  }

  #pass(attempt: number, promptId: string, answer: PromptAnswer): void {
    const bare = tunnelAnswer(answer);
    if (bare !== null) this.#life?.channel.post({ type: 'answer', attempt, promptId, answer: bare });
  }

  async close(): Promise<void> {
    const attempt = this.#lastAttempt;
    this.#attempt = null;
    this.#question = null;
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

  /** Ends the process: what is not wanted holds neither the local port nor memory. */
  rest(): void {
    if (this.#attempt === null) void this.#endLife();
  }

  async probe(limitMs: number): Promise<ProbeResult> {
    const life = this.#life;
    return (life === null ? null : await this.#probe(life, limitMs)) ?? NOT_ALIVE;
  }

  onEvent(listener: (event: RouteEvent) => void): Disposable {
    return this.#events.on(listener);
  }

  async dispose(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#attempt = null;
    this.#quiet.dispose();
    await this.#endLife();
    this.#events.dispose();
  }

  /** In order, or by force; resolves when nothing of it is left. */
  #endLife(): Promise<void> {
    const life = this.#life;
    if (life !== null) {
      this.#forget(life);
      this.#ending = this.#ending.then(() => this.#shutDown(life));
      life.channel.post({ type: 'shutdown' });
    }
    return this.#ending;
  }

  async #shutDown(life: Life): Promise<void> {
    if (await this.#within(life.ended, SHUTDOWN_LIMIT_MS)) return;
    life.channel.kill();
    await this.#within(life.ended, SHUTDOWN_LIMIT_MS);
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
    this.#question = null;
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
  #probe(life: Life, limitMs: number, marginMs = PROBE_MARGIN_MS): Promise<ProbeResult | null> {
    this.#probeCount += 1;
    const probeId = this.#probeCount;
    return new Promise((resolve) => {
      const settle = (answer: ProbeResult | null): void => {
        timer.dispose();
        this.#probes.delete(probeId);
        resolve(answer);
      };
      const timer = this.#deps.clock.setTimer(limitMs + marginMs, () => settle(null));
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
      const answer = await this.#probe(life, QUESTION_MS, ANSWER_LIMIT_MS);
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
        return;
      case 'listening':
        if (report.moved === null) return;
        this.#movedTo = report.port;
        this.#deps.onPortMoved(report.moved);
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
      case 'needs-user':
        if (report.attempt !== this.#attempt) return;
        this.#quiet.set(null);
        void this.#ask(report.attempt, report.prompt);
        return;
      case 'stage':
      case 'question-over':
      case 'up':
      case 'down':
      case 'forward-failed':
      case 'alive':
        if (report.attempt !== this.#attempt) return;
        if (report.type === 'up' || report.type === 'alive') this.#expectReport(life);
        else if (report.type === 'down') this.#quiet.set(null);
        this.#noteOutcome(report);
        this.#events.emit(toRouteEvent(report));
        return;
      default:
        assertNever(report);
    }
  }

  #noteOutcome(report: AttemptReport): void {
    const { memory } = this.#deps;
    if (report.type === 'up') void memory.proveRight();
    else if (report.type === 'down') {
      this.#question = null;
      void memory.fail(report.failure);
    } else if (report.type === 'question-over' && this.#question?.id === report.promptId)
      this.#question = null;
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

function tunnelAnswer(answer: PromptAnswer): TunnelAnswer | null {
  switch (answer.type) {
    case 'passphrase':
      return { type: 'passphrase', passphrase: answer.passphrase };
    case 'password':
      return { type: 'password', password: answer.password };
    case 'responses':
      return { type: 'responses', responses: [...answer.responses] };
    case 'trust-host-key':
    case 'confirm':
      return answer;
    case 'cancel':
      return null;
    default:
      return assertNever(answer);
  }
}

function toRouteEvent(
  report: Exclude<AttemptReport, { readonly type: 'closed' | 'needs-user' }>,
): RouteEvent {
  const { attempt } = report;
  switch (report.type) {
    case 'stage':
      return { type: 'route-stage', attempt, stage: report.stage, limitMs: report.limitMs };
    case 'question-over':
      return { type: 'route-question-over', attempt, promptId: report.promptId };
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
