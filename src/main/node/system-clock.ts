import { type Disposable, toDisposable } from '../core/lifecycle.ts';
import type { Clock } from '../core/ports.ts';

/** The system's clocks. Timers run on the event loop's monotonic clock, so a wall-clock jump moves none. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer(delayMs: number, run: () => void): Disposable {
    const timer = setTimeout(run, delayMs);
    return toDisposable(() => clearTimeout(timer));
  },
};
