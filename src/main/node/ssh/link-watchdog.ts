import { toDisposable, type Disposable } from '../../core/lifecycle.ts';
import type { Clock } from '../../core/ports.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';

/** What the watchdog needs of a link. */
export interface WatchedLink {
  /** Bytes received since the link began; any growth is a sign of life. */
  bytesRead(): number;
  /** Asks the far end for a reply of any kind; `onReply` may never be called. */
  ping(onReply: () => void): void;
}

export interface WatchdogTiming {
  readonly tickMs: number;
  /** Between the pings of a healthy link. */
  readonly pingEveryMs: number;
  /** Silence that means death. */
  readonly deadAfterMs: number;
  /** A tick this late means that this process, not the link, stood still. */
  readonly stalledAfterMs: number;
  /** What a link gets to answer in after this process stood still or slept. */
  readonly graceMs: number;
}

export const WATCHDOG_TIMING: WatchdogTiming = {
  tickMs: 250,
  pingEveryMs: 3_000,
  deadAfterMs: 9_000,
  stalledAfterMs: 2_000,
  graceMs: 3_000,
};

/** ServerAliveCountMax of OpenSSH (ssh_config(5)). */
const DEFAULT_COUNT_MAX = 3;
const MAX_SILENCE_MS = 30 * 60_000;

/**
 * How long a link over these hops may be silent. ServerAliveInterval with the default count is what people set to keep a NAT awake:
 * our pings do that and find dead links sooner. A higher count than the default asks for patience with a flaky link,
 * and gets the silence that it would get from OpenSSH, up to half an hour. The most patient hop decides: a link is
 * silent when any link below it is.
 */
export function watchdogTiming(
  hops: readonly Pick<SshHop, 'serverAliveIntervalMs' | 'serverAliveCountMax'>[],
): WatchdogTiming {
  const asked = hops.map(({ serverAliveIntervalMs, serverAliveCountMax }) =>
    serverAliveIntervalMs !== null && serverAliveCountMax > DEFAULT_COUNT_MAX
      ? Math.min(serverAliveIntervalMs * serverAliveCountMax, MAX_SILENCE_MS)
      : 0,
  );
  const deadAfterMs = Math.max(WATCHDOG_TIMING.deadAfterMs, ...asked);
  const patience = deadAfterMs / WATCHDOG_TIMING.deadAfterMs;
  return { ...WATCHDOG_TIMING, deadAfterMs, graceMs: WATCHDOG_TIMING.graceMs * patience };
}

/** Where the monotonic clock stops in sleep the wall clock runs ahead of it; smaller steps are clock corrections. */
const SLEPT_AFTER_MS = 10_000;

export interface WatchdogEvents {
  /** Once in `pingEveryMs` while the link lives: the round trip, or null while a reply is outstanding behind other data. */
  onAlive(latencyMs: number | null): void;
  /** Once. `silentMs` is how long nothing was heard. */
  onDead(silentMs: number): void;
}

/**
 * Decides from silence on the socket whether a link is dead. ssh2's own verdict counts replies, not bytes, and so kills
 * links that are merely busy. Time in which this process did not run (a blocked event loop, SIGSTOP, sleep) is not silence:
 * after such a gap the link is asked afresh.
 */
export class LinkWatchdog implements Disposable {
  readonly #link: WatchedLink;
  readonly #clock: Clock;
  readonly #timing: WatchdogTiming;
  readonly #events: WatchdogEvents;
  #timer: Disposable;
  #lastBytes: number;
  #heardAtMs: number;
  #tickedAtMs: number;
  #tickedAtWallMs: number;
  #nextPingAtMs: number;
  #pingPending = false;
  /** A late reply to a ping of before a gap must not be taken for the answer to a newer one. */
  #pingId = 0;

  constructor(link: WatchedLink, clock: Clock, events: WatchdogEvents, timing = WATCHDOG_TIMING) {
    this.#link = link;
    this.#clock = clock;
    this.#events = events;
    this.#timing = timing;
    const nowMs = clock.monotonicMs();
    this.#lastBytes = link.bytesRead();
    this.#heardAtMs = nowMs;
    this.#tickedAtMs = nowMs;
    this.#tickedAtWallMs = clock.nowMs();
    this.#nextPingAtMs = nowMs;
    this.#timer = toDisposable(() => undefined);
    this.#schedule();
  }

  dispose(): void {
    this.#pingId = -1;
    this.#timer.dispose();
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#timing.tickMs, () => this.#tick());
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs();
    const sinceTickMs = nowMs - this.#tickedAtMs;
    const wallMs = this.#clock.nowMs();
    const sleptMs = wallMs - this.#tickedAtWallMs - sinceTickMs;
    this.#tickedAtMs = nowMs;
    this.#tickedAtWallMs = wallMs;

    const bytes = this.#link.bytesRead();
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes;
      this.#heardAtMs = nowMs;
    }
    if (sinceTickMs > this.#timing.stalledAfterMs || sleptMs > SLEPT_AFTER_MS) {
      // What arrived meanwhile is not read yet: this turn of the event loop began with the overdue timer.
      this.#heardAtMs = nowMs - this.#timing.deadAfterMs + this.#timing.graceMs;
      this.#ping(nowMs);
    }
    const silentMs = nowMs - this.#heardAtMs;
    if (silentMs >= this.#timing.deadAfterMs) {
      this.dispose();
      this.#events.onDead(Math.round(silentMs));
      return;
    }
    if (nowMs >= this.#nextPingAtMs) {
      if (!this.#pingPending) this.#ping(nowMs);
      else if (silentMs < this.#timing.pingEveryMs) {
        // Busy: bytes come, the reply waits its turn behind them.
        this.#nextPingAtMs = nowMs + this.#timing.pingEveryMs;
        this.#events.onAlive(null);
      }
    }
    if (this.#pingId !== -1) this.#schedule();
  }

  #ping(nowMs: number): void {
    this.#pingId += 1;
    const id = this.#pingId;
    this.#pingPending = true;
    this.#nextPingAtMs = nowMs + this.#timing.pingEveryMs;
    this.#link.ping(() => {
      if (id !== this.#pingId) return;
      this.#pingPending = false;
      const repliedAtMs = this.#clock.monotonicMs();
      this.#heardAtMs = repliedAtMs;
      this.#events.onAlive(repliedAtMs - nowMs);
    });
  }
}
