import type { Disposable } from '../../../src/main/core/lifecycle.ts';
import type { Clock } from '../../../src/main/core/ports.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';

/** The system's clocks with their hands moved on: what this process sees of a sleep, among servers that do not sleep. */
export class MovableClock implements Clock {
  #wallMs = 0;
  #sleptMs = 0;

  nowMs(): number {
    return systemClock.nowMs() + this.#wallMs;
  }
  monotonicMs(): number {
    return systemClock.monotonicMs();
  }
  uptimeMs(): number {
    return systemClock.uptimeMs() + this.#sleptMs;
  }
  setTimer(delayMs: number, run: () => void): Disposable {
    return systemClock.setTimer(delayMs, run);
  }

  /** The computer slept: wall clock and uptime went on, the monotonic clock and the timers stood still. */
  sleep(forMs: number): void {
    this.#wallMs += forMs;
    this.#sleptMs += forMs;
  }

  /** The wall clock alone was set. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs;
  }
}
