import type { ConnectionState } from '../../../shared/connection-state.ts';
import type { GatewayHealth, Ladder } from '../../../shared/health.ts';
import { assertNever } from '../../../shared/result.ts';
import type { RouteEvent, SessionEvent } from '../connection/ports.ts';
import { Emitter } from '../emitter.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../lifecycle.ts';
import type { Clock, Connectivity } from '../ports.ts';
import {
  emptyLadderMemory,
  type HealthObservation,
  type LadderMemory,
  type LadderTarget,
  observe,
} from './ladder-memory.ts';
import { ladderAt } from './ladder.ts';

/** How often ages are looked at: a verdict goes stale by itself. */
const TICK_MS = 1_000;
/** New ages alone are passed on this often at most; a new verdict is passed on at once. */
const REFRESH_MS = 2_000;
/** Below this it is the same age: an uptime may be read with a resolution of 1 s. */
const SAME_AGE_MS = 1_500;

/** What the ladder listens to of the connection; the supervisor fits. */
export interface LadderSource {
  readonly state: ConnectionState;
  onChange(listener: (state: ConnectionState) => void): Disposable;
  onDriverEvent(listener: (event: RouteEvent | SessionEvent) => void): Disposable;
}

type Seen = HealthObservation extends infer O
  ? O extends { type: string }
    ? Omit<O, 'atMs'>
    : never
  : never;

/** One gateway's ladder over time: folds what drivers, supervisor and system report, and lets it age. */
export class LadderMonitor implements Disposable {
  readonly #clock: Clock;
  readonly #store = new DisposableStore();
  readonly #changes = this.#store.add(new Emitter<Ladder>());
  readonly #timer = this.#store.add(new MutableDisposable<Disposable>());
  #memory: LadderMemory;
  #shown: Ladder;
  #shownMs: number;

  constructor(target: LadderTarget, ports: { readonly clock: Clock; readonly connectivity: Connectivity }) {
    this.#clock = ports.clock;
    this.#memory = emptyLadderMemory(target);
    this.#note({ type: 'connectivity', isOnline: ports.connectivity.isOnline });
    this.#shown = this.ladder;
    this.#shownMs = this.#clock.monotonicMs();
    this.#store.add(
      ports.connectivity.onChange((isOnline) => {
        this.#note({ type: 'connectivity', isOnline });
        this.#show();
      }),
    );
  }

  /** The ladder as it is now, not as it was last announced. */
  get ladder(): Ladder {
    const uptimeMs = this.#clock.uptimeMs();
    const bootedAtMs = this.#clock.nowMs() - uptimeMs;
    return ladderAt(this.#memory, uptimeMs).map((rung) => {
      const { observedAtMs } = rung;
      return { ...rung, observedAtMs: observedAtMs === null ? null : Math.round(bootedAtMs + observedAtMs) };
    });
  }

  onChange(listener: (ladder: Ladder) => void): Disposable {
    return this.#changes.on(listener);
  }

  /** Joins the ladder to its connection, once. */
  start(source: LadderSource): void {
    this.#state(source.state);
    this.#store.add(source.onChange((state) => this.#state(state)));
    this.#store.add(source.onDriverEvent((event) => this.#driverEvent(event)));
  }

  /** The profile changed: what was known belongs to another way. */
  setTarget(target: LadderTarget): void {
    const { target: old } = this.#memory;
    if (old.mode === target.mode && old.needsNetwork === target.needsNetwork) return;
    this.#note({ type: 'target', target });
    this.#show();
  }

  takeHealth(health: GatewayHealth): void {
    this.#note({ type: 'health', health });
    this.#show();
  }

  dispose(): void {
    this.#store.dispose();
  }

  #state(state: ConnectionState): void {
    this.#note({ type: 'connection', state });
    this.#show();
    const ages = state.status !== 'disconnected' && state.status !== 'unconfigured';
    if (!ages) this.#timer.set(null);
    else if (this.#timer.value === null) this.#tick();
  }

  #tick(): void {
    this.#timer.set(
      this.#clock.setTimer(TICK_MS, () => {
        this.#show();
        this.#tick();
      }),
    );
  }

  #driverEvent(event: RouteEvent | SessionEvent): void {
    const seen = toObservation(event);
    if (!seen) return;
    this.#note(seen);
    this.#show();
  }

  #note(seen: Seen): void {
    this.#memory = observe(this.#memory, { ...seen, atMs: this.#clock.uptimeMs() });
  }

  #show(): void {
    const { ladder } = this;
    const isNews = ladder.some((rung, index) => {
      const shown = this.#shown[index];
      return (
        rung.verdict !== shown?.verdict ||
        rung.failure !== shown.failure ||
        rung.note !== shown.note ||
        rung.route !== shown.route
      );
    });
    const isNewer = ladder.some((rung, index) =>
      isOtherMoment(rung.observedAtMs, this.#shown[index]?.observedAtMs ?? null),
    );
    const sinceMs = this.#clock.monotonicMs() - this.#shownMs;
    if (!isNews && !(isNewer && sinceMs >= REFRESH_MS)) return;
    this.#shown = ladder;
    this.#shownMs = this.#clock.monotonicMs();
    this.#changes.emit(ladder);
  }
}

function isOtherMoment(aMs: number | null, bMs: number | null): boolean {
  return aMs === null || bMs === null ? aMs !== bMs : Math.abs(aMs - bMs) > SAME_AGE_MS;
}

function toObservation(event: RouteEvent | SessionEvent): Seen | null {
  switch (event.type) {
    case 'route-up': {
      const { server, transport, via, authenticatedWith } = event.facts;
      const route = { transport, via, signedInWith: authenticatedWith };
      return { type: 'route-up', server, localPort: event.endpoint.localPort, route };
    }
    case 'route-alive':
      return { type: 'route-alive', latencyMs: event.latencyMs };
    case 'forward-failed':
      return { type: 'forward-failed', failure: event.failure };
    case 'session-up':
      return { type: 'session-up', gatewayVersion: event.facts.gatewayVersion };
    case 'session-alive':
      return { type: 'session-alive', latencyMs: event.latencyMs };
    // Their meaning comes with the connection's state.
    case 'route-stage':
    case 'route-needs-user':
    case 'route-question-over':
    case 'route-down':
    case 'session-down':
      return null;
    default:
      return assertNever(event);
  }
}
