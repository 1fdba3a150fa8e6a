import { failure } from '../../../shared/connection-failure.ts';
import {
  connectionFailureOf,
  type ConnectionState,
  type PromptAnswer,
} from '../../../shared/connection-state.ts';
import type { GatewayProfile } from '../../../shared/gateway-profile.ts';
import { assertNever } from '../../../shared/result.ts';
import { Emitter } from '../emitter.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../lifecycle.ts';
import type { Clock, Connectivity, Logger, PowerEvents, Random } from '../ports.ts';
import { watchClockJumps } from './clock-jump-watcher.ts';
import { connectionTarget } from './connection-target.ts';
import { EffectQueue } from './effect-queue.ts';
import {
  type Effect,
  initialMachine,
  type Intent,
  type Machine,
  type MachineEvent,
  type TimerEvent,
  type TimerName,
} from './machine.ts';
import type { ProbeResult, RouteDriver, RouteEvent, SessionDriver, SessionEvent } from './ports.ts';
import { isStale, transition } from './transition.ts';

/** A driver that does not end within this time is left behind, with a line in the log, rather than waited for. */
export const CLOSE_LIMIT_MS = 5_000;
/** Drivers keep the limits of probes themselves; this covers one that does not. */
const PROBE_SLACK_MS = 500;

/** One gateway's drivers for one saved configuration. */
export interface ConnectionDrivers {
  readonly route: RouteDriver;
  readonly session: SessionDriver;
}

export interface SupervisorPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connectivity: Connectivity;
  readonly power: PowerEvents;
  readonly logger: Logger;
  /** Makes the drivers of a profile: once at the start, and anew whenever the profile changes. */
  readonly createDrivers: (profile: GatewayProfile) => ConnectionDrivers;
}

/**
 * The one owner of a gateway's connection and of its retries. It feeds events to `transition`, one at a time, and runs
 * the effects through the drivers; it decides nothing itself.
 */
export class ConnectionSupervisor {
  readonly #ports: SupervisorPorts;
  readonly #store = new DisposableStore();
  readonly #changes: Emitter<ConnectionState>;
  readonly #driverEvents: Emitter<RouteEvent | SessionEvent>;
  readonly #timers = new Map<TimerName, Disposable>();
  readonly #jumpWatcher = new MutableDisposable<Disposable>();
  readonly #queue: EffectQueue;
  readonly #events: MachineEvent[] = [];
  #dispatching = false;
  #profile: GatewayProfile;
  #drivers: ConnectionDrivers;
  #driverListeners = new DisposableStore();
  #machine: Machine;
  #disposal: Promise<void> | null = null;
  #onEnded: (() => void) | null = null;

  constructor(profile: GatewayProfile, ports: SupervisorPorts) {
    this.#ports = ports;
    this.#profile = profile;
    const onListenerError = (error: unknown): void => this.#logError('connection.listener-failed', error);
    this.#changes = new Emitter(onListenerError);
    this.#driverEvents = new Emitter(onListenerError);
    this.#queue = new EffectQueue((error) => this.#logError('connection.effect-failed', error));
    this.#machine = initialMachine(connectionTarget(profile), ports.connectivity.isOnline);
    this.#drivers = this.#makeDrivers(profile);
    this.#store.add(this.#jumpWatcher);
    this.#store.add(
      ports.connectivity.onChange((online) => this.#dispatch({ type: 'network-changed', online })),
    );
    this.#store.add(ports.power.onSuspend(() => this.#dispatch({ type: 'suspend' })));
    this.#store.add(ports.power.onResume(() => this.#dispatch({ type: 'resume-from-sleep' })));
  }

  get state(): ConnectionState {
    return this.#machine.state;
  }

  /** What the person last asked for, to be remembered across restarts. */
  get intent(): Intent {
    return this.#machine.intent;
  }

  onChange(listener: (state: ConnectionState) => void): Disposable {
    return this.#changes.on(listener);
  }

  /** What the drivers report of the current attempt, for health and statistics; late events are left out. */
  onDriverEvent(listener: (event: RouteEvent | SessionEvent) => void): Disposable {
    return this.#driverEvents.on(listener);
  }

  /** `attended` false where no person asks for it: then a question waits until somebody attends to it. */
  connect(attended = true): void {
    this.#dispatch({ type: 'connect', attended });
  }
  attend(): void {
    this.#dispatch({ type: 'attend' });
  }
  disconnect(): void {
    this.#dispatch({ type: 'disconnect' });
  }
  pause(): void {
    this.#dispatch({ type: 'pause' });
  }
  resume(): void {
    this.#dispatch({ type: 'resume' });
  }
  reconnectNow(): void {
    this.#dispatch({ type: 'reconnect-now' });
  }
  answerPrompt(promptId: string, answer: PromptAnswer): void {
    this.#dispatch({ type: 'answer-prompt', promptId, answer });
  }

  /**
   * Ends what runs and starts anew with the profile where a connection is wanted. Also for changed secrets of the same
   * profile; not for a new name (see `isSameTarget`).
   */
  profileChanged(profile: GatewayProfile): void {
    this.#profile = profile;
    this.#dispatch({ type: 'profile-changed', target: connectionTarget(profile) });
  }

  /** Closes everything for good. Resolves when it is closed; never rejects. */
  dispose(): Promise<void> {
    this.#disposal ??= this.#end();
    return this.#disposal;
  }

  async #end(): Promise<void> {
    const ended = new Promise<void>((resolve) => (this.#onEnded = resolve));
    this.#dispatch({ type: 'quit' });
    await ended;
    await this.#disposeDrivers();
    for (const timer of this.#timers.values()) timer.dispose();
    this.#timers.clear();
    this.#store.dispose();
    this.#changes.dispose();
    this.#driverEvents.dispose();
  }

  // Events: one at a time, also when running an effect causes the next one.

  #dispatch(event: MachineEvent): void {
    this.#events.push(event);
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#step(next);
    } finally {
      this.#dispatching = false;
    }
  }

  #step(event: MachineEvent): void {
    const { clock, random } = this.#ports;
    const before = this.#machine;
    if (isStale(before, event)) {
      this.#ports.logger.log('debug', 'connection.event-dropped', { type: event.type });
      return;
    }
    const at = {
      nowMs: clock.nowMs(),
      monotonicMs: clock.monotonicMs(),
      uptimeMs: clock.uptimeMs(),
      random: random(),
    };
    const { machine, effects } = transition(before, event, at);
    this.#machine = machine;
    this.#logTransition(before, machine, event);
    for (const effect of effects) this.#run(effect);
    this.#watchClock();
    if (isDriverEvent(event)) this.#driverEvents.emit(event);
    if (machine.state !== before.state) this.#changes.emit(machine.state);
    if (event.type === 'closed' && machine.ended) this.#onEnded?.();
  }

  #watchClock(): void {
    const isWanted = this.#machine.intent === 'connected';
    if (isWanted === (this.#jumpWatcher.value !== null)) return;
    const onJump = (slept: boolean): void => this.#dispatch({ type: 'clock-jumped', slept });
    this.#jumpWatcher.set(isWanted ? watchClockJumps(this.#ports.clock, onJump) : null);
  }

  // Effects

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'open-route':
        this.#queue.push(() => {
          const { attempt } = effect;
          if (!this.#isCurrent(this.#machine.route, this.#machine.routeAttempt, attempt)) return undefined;
          this.#open(() => this.#drivers.route.open(attempt), 'route-down', attempt);
          return undefined;
        });
        return;
      case 'answer-route':
        this.#queue.push(() => {
          this.#drivers.route.answer(effect.attempt, effect.promptId, effect.answer);
          return undefined;
        });
        return;
      case 'open-session':
        this.#queue.push(() => {
          const { attempt, endpoint } = effect;
          if (!this.#isCurrent(this.#machine.session, this.#machine.sessionAttempt, attempt))
            return undefined;
          this.#open(() => this.#drivers.session.open(attempt, endpoint), 'session-down', attempt);
          return undefined;
        });
        return;
      case 'close-route':
        this.#queue.push(() => this.#within('route.close', this.#drivers.route.close()));
        return;
      case 'close-session':
        this.#queue.push(() => this.#within('session.close', this.#drivers.session.close()));
        return;
      case 'replace-drivers':
        this.#queue.push(() => this.#replaceDrivers());
        return;
      case 'report-closed':
        this.#queue.push(() => {
          this.#dispatch({ type: 'closed', closeId: effect.closeId });
          return undefined;
        });
        return;
      case 'probe-all':
        void this.#probeAll(effect.probeId, effect.limitMs);
        return;
      case 'start-timer':
        this.#startTimer(effect.name, effect.delayMs);
        return;
      case 'cancel-timer':
        this.#timers.get(effect.name)?.dispose();
        this.#timers.delete(effect.name);
        return;
      default:
        assertNever(effect);
    }
  }

  /** False for an open that waited for a close and was overtaken meanwhile: what it would open nobody would close. */
  #isCurrent(phase: string, current: number, attempt: number): boolean {
    return phase === 'opening' && current === attempt;
  }

  #open(open: () => void, type: 'route-down' | 'session-down', attempt: number): void {
    try {
      open();
    } catch (error) {
      this.#dispatch({ type, attempt, failure: failure('bug', { detail: describe(error) }) });
    }
  }

  #startTimer(name: TimerName, delayMs: number): void {
    this.#timers.get(name)?.dispose();
    const timer = this.#ports.clock.setTimer(delayMs, () => {
      this.#timers.delete(name);
      this.#dispatch({ type: TIMER_EVENTS[name] });
    });
    this.#timers.set(name, timer);
  }

  async #probeAll(probeId: number, limitMs: number): Promise<void> {
    const { route, session } = this.#drivers;
    const [routeAlive, sessionAlive] = await Promise.all([
      this.#isAlive(() => route.probe(limitMs), limitMs),
      this.#isAlive(() => session.probe(limitMs), limitMs),
    ]);
    this.#ports.logger.log('info', 'connection.probed', { routeAlive, sessionAlive, limitMs });
    this.#dispatch({ type: 'probed', probeId, limitMs, routeAlive, sessionAlive });
  }

  async #isAlive(probe: () => Promise<ProbeResult>, limitMs: number): Promise<boolean> {
    try {
      const result = await this.#limit(probe(), limitMs + PROBE_SLACK_MS);
      return result?.alive ?? false;
    } catch (error) {
      this.#logError('connection.probe-failed', error);
      return false;
    }
  }

  // Drivers

  #makeDrivers(profile: GatewayProfile): ConnectionDrivers {
    const drivers = this.#ports.createDrivers(profile);
    this.#driverListeners = new DisposableStore();
    this.#driverListeners.add(drivers.route.onEvent((event) => this.#dispatch(event)));
    this.#driverListeners.add(drivers.session.onEvent((event) => this.#dispatch(event)));
    return drivers;
  }

  async #replaceDrivers(): Promise<void> {
    await this.#disposeDrivers();
    this.#drivers = this.#makeDrivers(this.#profile);
  }

  async #disposeDrivers(): Promise<void> {
    this.#driverListeners.dispose();
    const { route, session } = this.#drivers;
    await this.#within('session.dispose', session.dispose());
    await this.#within('route.dispose', route.dispose());
  }

  /** Waits for the end of something, but not for ever; never rejects. */
  async #within(what: string, ending: Promise<void>): Promise<void> {
    try {
      const ended = await this.#limit(
        ending.then(() => true),
        CLOSE_LIMIT_MS,
      );
      if (ended === null) this.#ports.logger.log('error', 'connection.close-hung', { what });
    } catch (error) {
      this.#logError('connection.close-failed', error);
    }
  }

  async #limit<T>(promise: Promise<T>, limitMs: number): Promise<T | null> {
    const timer = new MutableDisposable<Disposable>();
    const late = new Promise<null>((resolve) =>
      timer.set(this.#ports.clock.setTimer(limitMs, () => resolve(null))),
    );
    try {
      return await Promise.race([promise, late]);
    } finally {
      timer.dispose();
    }
  }

  // Logging: states, codes and numbers; never an event's payload, which may hold a passphrase.

  #logTransition(before: Machine, after: Machine, event: MachineEvent): void {
    const from = before.state;
    const to = after.state;
    if (from === to) return;
    const isStageOnly =
      to.status === 'connecting' && from.status === 'connecting' && to.attempt === from.attempt;
    if (isStageOnly) {
      this.#ports.logger.log('debug', 'connection.stage', { attempt: to.attempt, stage: to.stage });
      return;
    }
    this.#ports.logger.log('info', 'connection.transition', {
      from: from.status,
      to: to.status,
      on: event.type,
      attempt: after.attempt,
      code: connectionFailureOf(to)?.code ?? null,
      retryInMs: to.status === 'backing-off' ? to.retryAtMs - this.#ports.clock.nowMs() : null,
    });
  }

  #logError(event: string, error: unknown): void {
    this.#ports.logger.log('error', event, { detail: describe(error) });
  }
}

const TIMER_EVENTS: { readonly [N in TimerName]: TimerEvent['type'] } = {
  retry: 'retry-due',
  attempt: 'attempt-timeout',
  'awake-check': 'awake-check',
};

function isDriverEvent(event: MachineEvent): event is RouteEvent | SessionEvent {
  return 'attempt' in event;
}

/** Kept short: an error's text may quote what it choked on. */
function describe(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 300);
}
