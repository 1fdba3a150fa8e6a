import { failureKind, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectionState, ConnectStage } from '../../../shared/connection-state.ts';
import type { Effect, Machine, Moment, TimerName, Transition } from './machine.ts';
import { afterHolding, FRESH_RETRY, HINT_SPACING_MS, nextRetry } from './retry-policy.ts';

/** Limit of a route's opening, without the time that a person takes: a driver that hangs must not hang the app. */
export const ROUTE_GUARD_MS = 20_000;
/**
 * While signing in, a person may have to touch a security key or to confirm in the agent; sshd itself waits this long
 * (LoginGraceTime of sshd_config). The route's own, shorter limits judge the server.
 */
export const SIGN_IN_GUARD_MS = 120_000;
/** Limit from a live route to the gateway's hello-ok. */
export const HANDSHAKE_GUARD_MS = 15_000;
/** Limit of the question "are you still there?" after a wake, a network change or a clock jump. */
export const PROBE_LIMIT_MS = 2_000;
/** A machine whose timers still run this long after it announced its sleep does not sleep. */
export const AWAKE_CHECK_MS = 15_000;

type Leaving = Extract<ConnectionState, { status: 'disconnecting' }>['then'];

/**
 * One transition in the making: a private copy of the machine that the steps below change, and the effects so far.
 * From outside, `transition` stays a pure function.
 */
export class Work {
  machine: Machine;
  readonly effects: Effect[] = [];
  readonly #at: Moment;

  constructor(machine: Machine, at: Moment) {
    this.machine = machine;
    this.#at = at;
  }

  result(): Transition {
    return { machine: this.machine, effects: this.effects };
  }

  set(change: Partial<Machine>): void {
    this.machine = { ...this.machine, ...change };
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  // Timers

  startTimer(name: TimerName, delayMs: number): void {
    const others = this.machine.timers.filter((timer) => timer !== name);
    this.set({ timers: [...others, name], ...(name === 'attempt' && { guardMs: delayMs }) });
    this.emit({ type: 'start-timer', name, delayMs });
  }

  cancelTimers(...names: readonly TimerName[]): void {
    for (const name of names) {
      if (!this.machine.timers.includes(name)) continue;
      this.forgetTimer(name);
      this.emit({ type: 'cancel-timer', name });
    }
  }

  forgetTimer(name: TimerName): void {
    this.set({ timers: this.machine.timers.filter((timer) => timer !== name) });
  }

  // Closing

  get isOpen(): boolean {
    return this.machine.route !== 'down' || this.machine.session !== 'down';
  }

  closeSession(): void {
    const { session, connectedSinceMs, retry } = this.machine;
    if (session === 'down') return;
    this.set({ session: 'down', probing: false, connectedSinceMs: null });
    if (connectedSinceMs !== null)
      this.set({ retry: afterHolding(retry, this.#at.monotonicMs - connectedSinceMs) });
    this.emit({ type: 'close-session' });
  }

  /** A session cannot outlive its route: both end, the session first. */
  closeAll(): void {
    this.closeSession();
    if (this.machine.route === 'down') return;
    this.set({ route: 'down', endpoint: null });
    this.emit({ type: 'close-route' });
  }

  reportClosed(): void {
    const closeId = this.machine.closeId + 1;
    this.set({ closeId });
    this.emit({ type: 'report-closed', closeId });
  }

  /** Ends what is open and goes where intent, power and network lead once it is closed. */
  leave(then: Leaving): void {
    this.cancelTimers('retry', 'attempt');
    if (!this.isOpen) {
      this.settle();
      return;
    }
    this.closeAll();
    this.reportClosed();
    this.set({ state: { status: 'disconnecting', then } });
  }

  /** The state that follows from the inputs alone while nothing is open; starts an attempt where one is wanted. */
  settle(): void {
    const { ended, target, intent } = this.machine;
    if (!target.configured) this.set({ state: { status: 'unconfigured' } });
    else if (ended || intent === 'off') this.set({ state: { status: 'disconnected' } });
    else if (intent === 'paused') this.set({ state: { status: 'paused', reason: 'user' } });
    else if (this.#mustWait()) this.#pause();
    else this.begin();
  }

  // Attempts

  /** Starts an attempt at once with what still lives: on a live route only the session is opened. */
  begin(): void {
    const { machine } = this;
    const attempt = machine.attempt + 1;
    this.cancelTimers('retry', 'attempt');
    this.set({ attempt, attemptStartedMs: this.#at.monotonicMs });
    if (machine.route === 'up' && machine.endpoint) {
      this.openSession(attempt);
      return;
    }
    const stage: ConnectStage = machine.route === 'standing' ? 'opening-forward' : this.#firstStage();
    this.set({ route: 'opening', routeAttempt: attempt, endpoint: null });
    this.emit({ type: 'open-route', attempt });
    this.startTimer('attempt', ROUTE_GUARD_MS);
    this.showStage(stage);
  }

  beginFresh(): void {
    this.closeAll();
    this.begin();
  }

  openSession(attempt: number): void {
    const { endpoint } = this.machine;
    if (!endpoint) return;
    this.set({ session: 'opening', sessionAttempt: attempt });
    this.emit({ type: 'open-session', attempt, endpoint });
    this.startTimer('attempt', HANDSHAKE_GUARD_MS);
    this.showStage('gateway-handshake');
  }

  /** A person is there: questions of what is under way may be shown. What is up already was asked everything. */
  attendAttempt(): void {
    if (this.machine.state.status !== 'connected') this.set({ attended: true });
  }

  /** Nobody is there: the question is kept to be shown, and no server is kept waiting. `attend` asks it anew. */
  putAside(state: Extract<ConnectionState, { status: 'waiting-for-user' }>): void {
    this.closeAll();
    this.set({ attended: false, state: { ...state, attended: false } });
  }

  /** After an answer, or a question that went by itself. */
  goOn(stage: ConnectStage): void {
    this.startTimer('attempt', stage === 'authenticating' ? SIGN_IN_GUARD_MS : ROUTE_GUARD_MS);
    this.showStage(stage);
  }

  showStage(stage: ConnectStage): void {
    const { attempt, wasConnected, lastFailure } = this.machine;
    this.set({ state: { status: 'connecting', attempt, stage, reconnecting: wasConnected, lastFailure } });
  }

  sessionUp(): void {
    const { endpoint } = this.machine;
    if (!endpoint) return;
    const generation = this.machine.generation + 1;
    this.cancelTimers('attempt', 'retry');
    this.set({
      session: 'up',
      generation,
      attended: false,
      wasConnected: true,
      lastFailure: null,
      retryBeforeSessionLost: null,
      connectedSinceMs: this.#at.monotonicMs,
      state: { status: 'connected', generation, endpoint, sinceAtMs: this.#at.nowMs },
    });
  }

  // Failures

  /** The only place where a retry is decided. What failed is closed already; `atOnce` is for links found dead by a probe. */
  fail(failure: ConnectionFailure, atOnce = false): void {
    this.cancelTimers('retry', 'attempt');
    this.set({ lastFailure: failure, retryBeforeSessionLost: null });
    if (failureKind(failure.code) === 'blocked') {
      this.closeSession();
      this.set({ state: { status: 'blocked', failure } });
      return;
    }
    if (this.#mustWait()) {
      this.#pause();
      return;
    }
    const { retry, wasConnected, target } = this.machine;
    const decision = nextRetry({
      failure,
      memory: retry,
      reconnecting: wasConnected,
      isLocal: target.mode === 'local',
      random: this.#at.random,
    });
    this.set({ retry: decision.memory });
    if (atOnce || decision.delayMs === 0) this.begin();
    else this.backOff(failure, decision.delayMs);
  }

  backOff(lastFailure: ConnectionFailure, delayMs: number): void {
    const { attempt, wasConnected } = this.machine;
    this.startTimer('retry', delayMs);
    this.set({
      retryDueMs: this.#at.uptimeMs + delayMs,
      state: {
        status: 'backing-off',
        attempt,
        reconnecting: wasConnected,
        retryAtMs: this.#at.nowMs + delayMs,
        lastFailure,
      },
    });
  }

  /** A hint of the system cuts the wait short; a storm of hints does not become a storm of attempts. */
  retryOnHint(): void {
    const { state, attemptStartedMs, lastFailure, retryDueMs } = this.machine;
    if (state.status !== 'backing-off' && state.status !== 'paused') return;
    // A gateway that said when to come back is not asked sooner: that would lengthen its lockout.
    const lockedMs = retryDueMs - this.#at.uptimeMs;
    if (lastFailure?.code === 'rate-limited' && lockedMs > 0) {
      this.backOff(lastFailure, lockedMs);
      return;
    }
    this.lowerLadder();
    const sinceMs = attemptStartedMs === null ? HINT_SPACING_MS : this.#at.monotonicMs - attemptStartedMs;
    if (lastFailure && sinceMs < HINT_SPACING_MS) this.backOff(lastFailure, HINT_SPACING_MS - sinceMs);
    else this.begin();
  }

  /** The world has changed: earlier failures say little, but the next one waits a second all the same. */
  lowerLadder(): void {
    const { failures, crashes } = this.machine.retry;
    // The world says nothing of why a process crashes.
    this.set({
      retry: { ...FRESH_RETRY, crashes, failures: Math.min(failures, 1) },
      retryBeforeSessionLost: null,
    });
  }

  /** A person at the keyboard, or a running timer, says more than an announced sleep. */
  beAwake(): void {
    this.cancelTimers('awake-check');
    this.set({ power: 'awake' });
  }

  /** The session often hears of a lost route first: then the ladder has climbed for this fault already. */
  countOnce(): void {
    const { retryBeforeSessionLost: retry, route } = this.machine;
    if (retry !== null && route === 'up') this.set({ retry });
    this.set({ retryBeforeSessionLost: null });
  }

  forgiveFailures(): void {
    this.set({ retry: FRESH_RETRY, retryBeforeSessionLost: null });
  }

  /** Asks both ends for a sign of life; only what does not answer is replaced. */
  probe(): void {
    if (this.machine.session !== 'up' || this.machine.probing) return;
    const probeId = this.machine.probeId + 1;
    this.set({ probeId, probing: true });
    this.emit({ type: 'probe-all', probeId, limitMs: PROBE_LIMIT_MS });
  }

  /** Nothing may be tried now: the computer sleeps, or the way needs a network and there is none. */
  #mustWait(): boolean {
    const { power, route } = this.machine;
    // A live route is better evidence than the system's "offline".
    return power === 'asleep' || (this.isOffline && route !== 'up' && route !== 'standing');
  }

  get isOffline(): boolean {
    return this.machine.network === 'offline' && this.machine.target.needsNetwork;
  }

  #pause(): void {
    this.closeAll();
    const reason = this.machine.power === 'asleep' ? 'asleep' : 'offline';
    this.set({ state: { status: 'paused', reason } });
  }

  #firstStage(): ConnectStage {
    return this.machine.target.mode === 'ssh' ? 'opening-listener' : 'gateway-handshake';
  }
}
