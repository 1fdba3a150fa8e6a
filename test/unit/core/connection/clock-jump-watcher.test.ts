import { describe, expect, it } from 'vitest';
import { JUMP_GAP_MS, watchClockJumps } from '../../../../src/main/core/connection/clock-jump-watcher.ts';
import type { Clock } from '../../../../src/main/core/ports.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

const HOUR_MS = 3_600_000;

function watched(): { clock: FakeClock; jumps: boolean[]; end: () => void } {
  const clock = new FakeClock();
  const jumps: boolean[] = [];
  const watch = watchClockJumps(clock, (slept) => jumps.push(slept));
  return { clock, jumps, end: () => watch.dispose() };
}

describe('the watch on the clocks', () => {
  it('is silent while all clocks go together', async () => {
    const { clock, jumps } = watched();
    await clock.advance(8 * HOUR_MS);
    expect(jumps).toEqual([]);
  });

  it('finds a sleep within one tick, once', async () => {
    const { clock, jumps } = watched();
    clock.sleep(8 * HOUR_MS);
    await clock.advance(2_000);
    expect(jumps).toEqual([true]);
    await clock.advance(60_000);
    expect(jumps).toEqual([true]);
  });

  it('finds a sleep in which the wall clock was set back by as much', async () => {
    const { clock, jumps } = watched();
    clock.sleep(HOUR_MS);
    clock.jumpWall(-HOUR_MS);
    await clock.advance(2_000);
    expect(jumps).toEqual([true]);
  });

  it('finds a sleep through which the monotonic clock went on, by the tick that came too late', () => {
    const late = new LateClock();
    const jumps: boolean[] = [];
    watchClockJumps(late, (slept) => jumps.push(slept));
    late.tickAfter(2_000 + JUMP_GAP_MS);
    expect(jumps).toEqual([]);
    late.tickAfter(2_000 + JUMP_GAP_MS + 1);
    expect(jumps).toEqual([true]);
  });

  it('does not take a clock that was set, either way, for a sleep', async () => {
    const { clock, jumps } = watched();
    for (const byMs of [24 * HOUR_MS, -24 * HOUR_MS]) {
      clock.jumpWall(byMs);
      await clock.advance(2_000);
    }
    expect(jumps).toEqual([false, false]);
  });

  it('lets corrections and naps up to 10 s pass', async () => {
    const { clock, jumps } = watched();
    clock.jumpWall(-JUMP_GAP_MS);
    await clock.advance(2_000);
    clock.sleep(JUMP_GAP_MS);
    await clock.advance(2_000);
    expect(jumps).toEqual([]);
  });

  it('ends with its disposal', async () => {
    const { clock, jumps, end } = watched();
    end();
    expect(clock.pendingTimers).toBe(0);
    clock.sleep(HOUR_MS);
    await clock.advance(10_000);
    expect(jumps).toEqual([]);
  });
});

/** All clocks go on together, and the timer fires when the test says so: a process that was stopped. */
class LateClock implements Clock {
  #ms = 0;
  #run: () => void = () => undefined;

  nowMs = (): number => this.#ms;
  monotonicMs = (): number => this.#ms;
  uptimeMs = (): number => this.#ms;
  setTimer(_delayMs: number, run: () => void): { dispose(): void } {
    this.#run = run;
    return { dispose: () => undefined };
  }
  tickAfter(ms: number): void {
    this.#ms += ms;
    this.#run();
  }
}
