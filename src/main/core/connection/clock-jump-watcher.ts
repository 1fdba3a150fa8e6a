import { type Disposable, MutableDisposable, toDisposable } from '../lifecycle.ts';
import type { Clock } from '../ports.ts';

const TICK_MS = 2_000;
/** Below this a late tick is a busy machine or a small correction by NTP; above it the computer slept. */
export const JUMP_GAP_MS = 10_000;

/**
 * Finds sleep where no power event tells of it: after a sleep the wall clock has moved on while the monotonic clock
 * stood still (Linux, macOS), or both have while the tick did not come (Windows).
 */
export function watchClockJumps(clock: Clock, onJump: () => void): Disposable {
  const timer = new MutableDisposable<Disposable>();
  let wallMs = clock.nowMs();
  let monotonicMs = clock.monotonicMs();

  const tick = (): void => {
    const wallStepMs = clock.nowMs() - wallMs;
    const monotonicStepMs = clock.monotonicMs() - monotonicMs;
    wallMs += wallStepMs;
    monotonicMs += monotonicStepMs;
    schedule();
    const isDrift = Math.abs(wallStepMs - monotonicStepMs) > JUMP_GAP_MS;
    if (isDrift || monotonicStepMs - TICK_MS > JUMP_GAP_MS) onJump();
  };
  const schedule = (): void => timer.set(clock.setTimer(TICK_MS, tick));
  schedule();
  return toDisposable(() => timer.dispose());
}
