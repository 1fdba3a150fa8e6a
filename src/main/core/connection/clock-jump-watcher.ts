import { type Disposable, MutableDisposable, toDisposable } from '../lifecycle.ts';
import type { Clock } from '../ports.ts';

const TICK_MS = 2_000;
/** Below this a late tick is a busy machine or a small correction by NTP; above it the computer slept. */
export const JUMP_GAP_MS = 10_000;

/**
 * Finds sleep where no power event tells of it. `slept` true: time went by in which this process did not run. The uptime
 * moved on while the monotonic clock stood still (Linux, macOS), or the tick came far too late (Windows, SIGSTOP).
 * `slept` false: only the wall clock jumped. Mostly somebody set it; a virtual machine that was held looks the same.
 */
export function watchClockJumps(clock: Clock, onJump: (slept: boolean) => void): Disposable {
  const timer = new MutableDisposable<Disposable>();
  let wallMs = clock.nowMs();
  let monotonicMs = clock.monotonicMs();
  let uptimeMs = clock.uptimeMs();

  const tick = (): void => {
    const wallStepMs = clock.nowMs() - wallMs;
    const monotonicStepMs = clock.monotonicMs() - monotonicMs;
    const uptimeStepMs = clock.uptimeMs() - uptimeMs;
    wallMs += wallStepMs;
    monotonicMs += monotonicStepMs;
    uptimeMs += uptimeStepMs;
    schedule();
    const isLate = monotonicStepMs - TICK_MS > JUMP_GAP_MS;
    if (isLate || uptimeStepMs - monotonicStepMs > JUMP_GAP_MS) onJump(true);
    else if (Math.abs(wallStepMs - monotonicStepMs) > JUMP_GAP_MS) onJump(false);
  };
  const schedule = (): void => timer.set(clock.setTimer(TICK_MS, tick));
  schedule();
  return toDisposable(() => timer.dispose());
}
