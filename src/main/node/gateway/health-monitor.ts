import type { GatewayHealth } from '../../../shared/health.ts';
import type { GatewayEvent, GatewayHello, GatewayRpc } from '../../core/chat/gateway-rpc.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock, Logger } from '../../core/ports.ts';
import { readGatewayHealth } from './gateway-health.ts';
import { PendingRequests } from './pending-requests.ts';

/** Longest time without an answer of the gateway's own while it is connected. */
const EVERY_MS = 60_000;
/** Events come in bursts; one question answers them all. */
const AFTER_EVENT_MS = 500;
/** Of questions that events caused: a gateway that reports its health every second is asked no more often. */
const LEAST_GAP_MS = 5000;
const LIMIT_MS = 10_000;

export interface HealthMonitorOptions {
  readonly rpc: GatewayRpc;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What the gateway says about its own health: asked on connect, on its events, on demand, and at least every 60 s. */
export class HealthMonitor implements Disposable {
  /** What waits for an answer of the person's, fetched anew with every connection. */
  readonly pending: PendingRequests;
  readonly #options: HealthMonitorOptions;
  readonly #store = new DisposableStore();
  readonly #changes = this.#store.add(new Emitter<GatewayHealth>());
  readonly #timer = this.#store.add(new MutableDisposable<Disposable>());
  #health: GatewayHealth | null = null;
  #asking: Promise<boolean> | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #dueAtMs = Number.POSITIVE_INFINITY;

  constructor(options: HealthMonitorOptions) {
    this.#options = options;
    const { rpc } = options;
    this.pending = this.#store.add(new PendingRequests(options));
    this.#store.add(this.pending.onChange(() => this.#counted()));
    this.#store.add(rpc.onHello((hello) => this.#connected(hello)));
    this.#store.add(rpc.onDown(() => this.#disarm()));
    this.#store.add(rpc.onGatewayEvent((event) => this.#event(event)));
    this.#store.add(rpc.onGap(() => this.#askIn(AFTER_EVENT_MS)));
    if (rpc.hello) this.#connected(rpc.hello);
  }

  /** The last answer, with its age in it; it stays when the connection goes. */
  get health(): GatewayHealth | null {
    return this.#health;
  }

  onChange(listener: (health: GatewayHealth) => void): Disposable {
    return this.#changes.on(listener);
  }

  /** Asks now; true when the gateway answered. Calls at the same time share one question. */
  refresh(): Promise<boolean> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  dispose(): void {
    this.#store.dispose();
  }

  #connected(hello: GatewayHello): void {
    // hello-ok carries a snapshot: something true to show before the first answer.
    this.#take(hello, hello.health, null);
    void this.refresh();
  }

  #event({ event, payload }: GatewayEvent): void {
    const { hello } = this.#options.rpc;
    if (!hello) return;
    if (event === 'health') this.#take(hello, payload, this.#health?.activeRuns ?? null);
    else if (event === 'presence' || event === 'tick') this.#askIn(LEAST_GAP_MS);
  }

  async #ask(): Promise<boolean> {
    const { rpc, clock, logger } = this.#options;
    const { hello } = rpc;
    if (!hello) return false;
    this.#askedAtMs = clock.monotonicMs();
    this.#disarm();
    // What expired without an event goes with the next question.
    this.pending.refresh();
    const [health, sessions] = await Promise.all([
      rpc.request('health', {}, { timeoutMs: LIMIT_MS }),
      rpc.request('sessions.list', { limit: 100, activeMinutes: 60 }, { timeoutMs: LIMIT_MS }),
    ]);
    if (!this.#isCurrent(hello)) return false;
    this.#arm(EVERY_MS);
    if (!health.ok) {
      logger.log('warn', 'health.no-answer', { reason: health.error.type });
      return false;
    }
    this.#take(hello, health.value, sessions.ok ? activeRunsOf(sessions.value) : null);
    return true;
  }

  #take(hello: GatewayHello, value: unknown, activeRuns: number | null): void {
    const { clock } = this.#options;
    const { gatewayVersion } = hello;
    const health = readGatewayHealth(value, {
      observedAtMs: clock.nowMs(),
      gatewayVersion,
      ...this.pending.counts(),
      activeRuns,
    });
    if (!health) return;
    this.#health = health;
    this.#changes.emit(health);
  }

  #counted(): void {
    if (!this.#health) return;
    this.#health = { ...this.#health, ...this.pending.counts() };
    this.#changes.emit(this.#health);
  }

  #isCurrent(hello: GatewayHello): boolean {
    return this.#options.rpc.hello === hello;
  }

  /** An earlier appointment stands; a later one gives way. */
  #askIn(delayMs: number): void {
    const sinceAskedMs = this.#options.clock.monotonicMs() - this.#askedAtMs;
    this.#arm(Math.max(delayMs, LEAST_GAP_MS - sinceAskedMs));
  }

  #arm(delayMs: number): void {
    const { clock } = this.#options;
    const dueAtMs = clock.monotonicMs() + delayMs;
    if (this.#timer.value && dueAtMs >= this.#dueAtMs) return;
    this.#dueAtMs = dueAtMs;
    this.#timer.set(
      clock.setTimer(delayMs, () => {
        this.#disarm();
        void this.refresh();
      }),
    );
  }

  #disarm(): void {
    this.#timer.set(null);
    this.#dueAtMs = Number.POSITIVE_INFINITY;
  }
}

function activeRunsOf(value: unknown): number | null {
  const { sessions } = (value ?? {}) as { readonly sessions?: unknown };
  if (!Array.isArray(sessions)) return null;
  return sessions.filter((row) => (row as { readonly hasActiveRun?: unknown } | null)?.hasActiveRun === true)
    .length;
}
