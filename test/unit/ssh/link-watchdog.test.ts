import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/main/core/ports.ts';
import { LinkWatchdog, WATCHDOG_TIMING, watchdogTiming } from '../../../src/main/node/ssh/link-watchdog.ts';

/** Time by hand. `stall` lets time pass without letting anything run, as a stopped process or a blocked loop does. */
class HandClock implements Clock {
  #monotonicMs = 1_000;
  #wallOffsetMs = 1_700_000_000_000;
  #sleptMs = 0;
  #timers: { atMs: number; run: () => void }[] = [];

  nowMs(): number {
    return this.#monotonicMs + this.#wallOffsetMs;
  }

  uptimeMs(): number {
    return this.#monotonicMs + this.#sleptMs;
  }
  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, run: () => void): { dispose(): void } {
    const timer = { atMs: this.#monotonicMs + delayMs, run };
    this.#timers.push(timer);
    return {
      dispose: () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
      },
    };
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    const untilMs = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#monotonicMs = Math.max(this.#monotonicMs, next.atMs);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      next.run();
    }
    this.#monotonicMs = untilMs;
  }

  stall(ms: number): void {
    this.#monotonicMs += ms;
  }

  /** On a system whose monotonic clock stops meanwhile. */
  sleep(ms: number): void {
    this.#wallOffsetMs += ms;
    this.#sleptMs += ms;
  }

  /** The wall clock alone: somebody set it. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms;
  }
}

let clock: HandClock;
let bytes: number;
let answers: boolean;
let replyAfterMs: number;
let pings: number;
let alive: (number | null)[];
let deadAfterMs: number[];
let watchdog: LinkWatchdog;

beforeEach(() => {
  clock = new HandClock();
  bytes = 100;
  answers = true;
  replyAfterMs = 20;
  pings = 0;
  alive = [];
  deadAfterMs = [];
  watchdog = new LinkWatchdog(
    {
      bytesRead: () => bytes,
      ping: (onReply) => {
        pings += 1;
        clock.setTimer(replyAfterMs, () => {
          if (!answers) return;
          bytes += 36;
          onReply();
        });
      },
    },
    clock,
    {
      onAlive: (latencyMs) => alive.push(latencyMs),
      onDead: (silentMs) => deadAfterMs.push(silentMs),
    },
  );
});

describe('the link watchdog', () => {
  it('pings a healthy link every three seconds and tells its round trip', () => {
    clock.advance(30_000);
    expect(pings).toBeGreaterThanOrEqual(9);
    expect(pings).toBeLessThanOrEqual(11);
    expect(alive.every((latencyMs) => latencyMs === 20)).toBe(true);
    expect(deadAfterMs).toEqual([]);
  });

  it('calls a link dead after 9 s of silence, at most a tick later, and only once', () => {
    clock.advance(3_500);
    answers = false;
    const startedAtMs = clock.monotonicMs();
    while (deadAfterMs.length === 0) clock.advance(50);
    expect(clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(9_300);
    expect(deadAfterMs[0]).toBeGreaterThanOrEqual(9_000);
    clock.advance(60_000);
    expect(deadAfterMs).toHaveLength(1);
    expect(clock.timerCount).toBe(0);
  });

  it('calls a link dead on which the far end still speaks now and then but does not hear us', () => {
    clock.advance(3_500);
    answers = false;
    const startedAtMs = clock.monotonicMs();
    clock.advance(2_000);
    bytes += 200;
    while (deadAfterMs.length === 0) clock.advance(50);
    expect(clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(9_300);
  });

  it('calls it dead as soon where what the far end says is long, but no stream', () => {
    clock.advance(3_500);
    answers = false;
    const startedAtMs = clock.monotonicMs();
    clock.advance(2_000);
    bytes += 20_000;
    clock.advance(2_500);
    bytes += 20_000;
    while (deadAfterMs.length === 0) clock.advance(50);
    expect(clock.monotonicMs() - startedAtMs).toBeLessThanOrEqual(9_300);
  });

  it('keeps a busy link through a hole of four seconds, although no reply came for long', () => {
    replyAfterMs = 40_000;
    for (let elapsedMs = 0; elapsedMs < 20_000; elapsedMs += 500) {
      bytes += 60_000;
      clock.advance(500);
    }
    clock.advance(4_000);
    bytes += 60_000;
    clock.advance(1_000);
    expect(deadAfterMs).toEqual([]);
  });

  it('says nothing about a silence of 8 s that ends', () => {
    answers = false;
    clock.advance(8_000);
    bytes += 1;
    answers = true;
    clock.advance(2_000);
    expect(deadAfterMs).toEqual([]);
  });

  it('never takes a busy link for dead, however late the reply to its ping', () => {
    replyAfterMs = 40_000;
    for (let elapsedMs = 0; elapsedMs < 35_000; elapsedMs += 500) {
      bytes += 60_000;
      clock.advance(500);
    }
    expect(deadAfterMs).toEqual([]);
    expect(alive.length).toBeGreaterThanOrEqual(9);
    expect(alive.every((latencyMs) => latencyMs === null)).toBe(true);
  });

  it('does not call its own standstill silence: the link is asked afresh and lives on', () => {
    clock.advance(5_000);
    const before = pings;
    clock.stall(120_000);
    clock.advance(10_000);
    expect(pings).toBeGreaterThan(before);
    expect(deadAfterMs).toEqual([]);
  });

  it('gives a link that is dead after a standstill three seconds, not nine', () => {
    clock.advance(5_000);
    answers = false;
    clock.stall(120_000);
    clock.advance(2_500);
    expect(deadAfterMs).toEqual([]);
    clock.advance(1_000);
    expect(deadAfterMs).toHaveLength(1);
  });

  it('notices a sleep in which the monotonic clock stopped, and asks afresh', () => {
    clock.advance(3_100);
    answers = false;
    clock.sleep(8 * 3_600_000);
    clock.advance(3_600);
    expect(deadAfterMs).toHaveLength(1);
  });

  it('keeps a link that answers when the wall clock jumps a day either way', () => {
    for (const jumpMs of [86_400_000, -86_400_000]) {
      clock.advance(4_000);
      clock.jumpWall(jumpMs);
      clock.advance(20_000);
    }
    expect(deadAfterMs).toEqual([]);
  });

  it('takes a clock that was set for no sleep: a silent link is given up no sooner and no later', () => {
    clock.advance(3_100);
    answers = false;
    clock.jumpWall(86_400_000);
    clock.advance(5_500);
    expect(deadAfterMs).toEqual([]);
    clock.advance(4_000);
    expect(deadAfterMs).toHaveLength(1);
  });

  it('stops when disposed, also for a reply that is on its way', () => {
    replyAfterMs = 1_000;
    clock.advance(500);
    watchdog.dispose();
    clock.advance(60_000);
    expect(alive).toEqual([]);
    expect(deadAfterMs).toEqual([]);
  });
});

describe('ServerAliveInterval and ServerAliveCountMax', () => {
  const hop = (intervalS: number | null, serverAliveCountMax: number) => ({
    serverAliveIntervalMs: intervalS === null ? null : intervalS * 1_000,
    serverAliveCountMax,
  });

  it('change nothing with their defaults, nor with the default count: our pings keep a NAT awake', () => {
    expect(watchdogTiming([hop(null, 3)])).toEqual(WATCHDOG_TIMING);
    expect(watchdogTiming([hop(60, 3)])).toEqual(WATCHDOG_TIMING);
    expect(watchdogTiming([hop(null, 100)])).toEqual(WATCHDOG_TIMING);
  });

  it('never make a link more impatient, also where OpenSSH would be', () => {
    expect(watchdogTiming([hop(1, 1)])).toEqual(WATCHDOG_TIMING);
    expect(watchdogTiming([hop(1, 5)])).toEqual(WATCHDOG_TIMING);
    expect(watchdogTiming([hop(5, 0)])).toEqual(WATCHDOG_TIMING);
  });

  it('give a flaky link the silence that a count above the default asks for, up to half an hour', () => {
    const patient = watchdogTiming([hop(60, 10)]);
    expect(patient.deadAfterMs).toBe(600_000);
    expect(patient.graceMs).toBe(200_000);
    // Pings and signs of life go on as ever.
    expect(patient.pingEveryMs).toBe(WATCHDOG_TIMING.pingEveryMs);
    expect(watchdogTiming([hop(86_400, 1_000)]).deadAfterMs).toBe(1_800_000);
  });

  it('hold for all that lies behind the most patient hop', () => {
    expect(watchdogTiming([hop(60, 10), hop(null, 3)]).deadAfterMs).toBe(600_000);
    expect(watchdogTiming([hop(null, 3), hop(10, 6)]).deadAfterMs).toBe(60_000);
  });

  it('keep a silent link that heals in time, and end one that does not', () => {
    const waiting = new HandClock();
    const died: number[] = [];
    let received = 0;
    const link = { bytesRead: () => received, ping: () => undefined };
    const told = { onAlive: () => undefined, onDead: (ms: number) => died.push(ms) };
    const patient = new LinkWatchdog(link, waiting, told, watchdogTiming([hop(10, 6)]));
    waiting.advance(59_000);
    received += 1;
    waiting.advance(59_000);
    expect(died).toEqual([]);
    waiting.advance(2_000);
    expect(died).toHaveLength(1);
    patient.dispose();
  });
});
