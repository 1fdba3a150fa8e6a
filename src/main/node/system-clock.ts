import { uptime } from 'node:os';
import { type Disposable, toDisposable } from '../core/lifecycle.ts';
import type { Clock } from '../core/ports.ts';

/** The system's clocks. Timers run on the event loop's monotonic clock, so a wall-clock jump moves none. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  // CLOCK_BOOTTIME, GetTickCount64 and their like: performance.now() stands still in a sleep on Linux and macOS.
  uptimeMs: () => uptime() * 1000,
  setTimer(delayMs: number, run: () => void): Disposable {
    const timer = setTimeout(run, delayMs);
    return toDisposable(() => clearTimeout(timer));
  },
};
