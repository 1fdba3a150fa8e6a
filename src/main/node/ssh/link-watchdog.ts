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
  /** Time without a reply that means death where hardly anything else comes. */
  readonly unheardAfterMs: number;
  /** A tick this late means that this process, not the link, stood still. */
  readonly stalledAfterMs: number;
  /** What a link gets to answer in after this process stood still or slept. */
  readonly graceMs: number;
}

export const WATCHDOG_TIMING: WatchdogTiming = {
  tickMs: 250,
  pingEveryMs: 3_000,
  deadAfterMs: 9_000,
  unheardAfterMs: 9_000,
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
  // As with OpenSSH any byte counts for whoever asks for patience.
  const unheardAfterMs = patience > 1 ? Number.POSITIVE_INFINITY : WATCHDOG_TIMING.unheardAfterMs;
  return { ...WATCHDOG_TIMING, deadAfterMs, unheardAfterMs, graceMs: WATCHDOG_TIMING.graceMs * patience };
}

/** Where the monotonic clock stops in sleep the uptime runs ahead of it by more than its resolution (up to 1 s). */
const SLEPT_AFTER_MS = 10_000;

/**
 * Ticks that bring so many bytes, one soon after the other, are those of a busy link, where a reply waits its turn. What
 * trickles in below that, or comes at once and is over, holds up no reply for long, and may come from a far end that does
 * not hear us any more.
 */
const BUSY_BYTES = 1024;
const BUSY_WITHIN_MS = 1_000;

export interface WatchdogEvents {
  /** Once in `pingEveryMs` while the link lives: the round trip, or null while a reply is outstanding behind other data. */
  onAlive(latencyMs: number | null): void;
  /** Once. `silentMs` is how long nothing was heard. */
  onDead(silentMs: number): void;
}

/**
 * Decides from silence on the socket whether a link is dead. ssh2's own verdict counts replies, not bytes, and so kills
 * links that are merely busy; here a missing reply counts only where hardly anything else came. Time in which this process did not run (a blocked event loop, SIGSTOP, sleep) is not silence:
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
  /** When a reply last proved both ways, or could not be asked for because the link was busy. */
  #provenAtMs: number;
  /** When a tick last brought much. */
  #muchAtMs = Number.NEGATIVE_INFINITY;
  #tickedAtMs: number;
  #tickedAtUptimeMs: number;
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
    this.#provenAtMs = nowMs;
    this.#tickedAtMs = nowMs;
    this.#tickedAtUptimeMs = clock.uptimeMs();
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
    const uptimeMs = this.#clock.uptimeMs();
    const sleptMs = uptimeMs - this.#tickedAtUptimeMs - sinceTickMs;
    this.#tickedAtMs = nowMs;
    this.#tickedAtUptimeMs = uptimeMs;

    const bytes = this.#link.bytesRead();
    if (bytes - this.#lastBytes >= BUSY_BYTES) {
      if (nowMs - this.#muchAtMs <= BUSY_WITHIN_MS) this.#provenAtMs = nowMs;
      this.#muchAtMs = nowMs;
    }
    if (bytes !== this.#lastBytes) {
      this.#lastBytes = bytes;
      this.#heardAtMs = nowMs;
    }
    if (sinceTickMs > this.#timing.stalledAfterMs || sleptMs > SLEPT_AFTER_MS) {
      // What arrived meanwhile is not read yet: this turn of the event loop began with the overdue timer.
      this.#heardAtMs = nowMs - this.#timing.deadAfterMs + this.#timing.graceMs;
      this.#provenAtMs = this.#heardAtMs;
      this.#ping(nowMs);
    }
    const quietMs = nowMs - this.#heardAtMs;
    // What came just now may be the beginning of a healing, with the reply behind it.
    const isUnheard = this.#pingPending && quietMs >= this.#timing.graceMs;
    const unheardMs = isUnheard ? nowMs - this.#provenAtMs : 0;
    if (quietMs >= this.#timing.deadAfterMs || unheardMs >= this.#timing.unheardAfterMs) {
      this.dispose();
      this.#events.onDead(Math.round(Math.max(quietMs, unheardMs)));
      return;
    }
    if (nowMs >= this.#nextPingAtMs) {
      if (!this.#pingPending) this.#ping(nowMs);
      else if (quietMs < this.#timing.pingEveryMs) {
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
      this.#provenAtMs = repliedAtMs;
      this.#events.onAlive(repliedAtMs - nowMs);
    });
  }
}
