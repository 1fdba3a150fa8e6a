import { type Disposable, toDisposable } from '../../../src/main/core/lifecycle.ts';
import type { Clock } from '../../../src/main/core/ports.ts';

interface Timer {
  readonly dueMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that moves only when told to. The wall clock can jump on its own, as it does over a sleep. */
export class FakeClock implements Clock {
  #monotonicMs = 1_000;
  #sleptMs = 0;
  #wallMs = Date.UTC(2026, 10, 23, 9, 0, 0);
  #order = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#wallMs;
  }
  monotonicMs(): number {
    return this.#monotonicMs;
  }
  uptimeMs(): number {
    return 500_000 + this.#monotonicMs + this.#sleptMs;
  }

  setTimer(delayMs: number, run: () => void): Disposable {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.add(timer);
    return toDisposable(() => this.#timers.delete(timer));
  }

  /** Timers that are set and not yet due: none may be left once everything is disposed. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets time pass, timer by timer, and lets what promises wait for happen in between. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    await settle();
    for (let next = this.#nextUntil(endMs); next; next = this.#nextUntil(endMs)) {
      this.#moveTo(Math.max(next.dueMs, this.#monotonicMs));
      this.#timers.delete(next);
      next.run();
      await settle();
    }
    this.#moveTo(endMs);
    await settle();
  }

  /** The computer sleeps: the wall clock and the uptime go on, the monotonic clock and timers stand still. */
  sleep(forMs: number): void {
    this.#wallMs += forMs;
    this.#sleptMs += forMs;
  }

  /** The wall clock moves alone: a correction, a person. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  #nextUntil(endMs: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
        next = timer;
      }
    }
    return next;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Lets every promise that is ready run, however long the chain. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => setImmediate(resolve));
}
