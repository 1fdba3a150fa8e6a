import type { FaultProxy } from '../../test/support/lab/fault-proxy.ts';
import { waitFor } from '../../test/support/lab/wait.ts';

/** One way to a gateway that heals itself, over a fault proxy of its own to the sshd that all share. */
export interface Side {
  readonly name: string;
  readonly proxy: FaultProxy;
  /** Local end of the forward. */
  readonly localPort: number;
  /** When its user could see that the connection is gone, and when hello and history were there again. */
  readonly history: LinkHistory;
  /** The computer wakes: what the system tells of it, where anybody listens. */
  wake(): void;
  close(): Promise<void>;
}

/** Losses and recoveries of a side, in milliseconds of `performance.now()`. */
export class LinkHistory {
  readonly #lostAtMs: number[] = [];
  readonly #usableAtMs: number[] = [];
  #isUsable = false;

  get isUsable(): boolean {
    return this.#isUsable;
  }

  get losses(): number {
    return this.#lostAtMs.length;
  }

  lost(): void {
    if (!this.#isUsable) return;
    this.#isUsable = false;
    this.#lostAtMs.push(performance.now());
  }

  usable(): void {
    if (this.#isUsable) return;
    this.#isUsable = true;
    this.#usableAtMs.push(performance.now());
  }

  /** When a loss after `sinceMs` was noticed; rejects when none is within `timeoutMs`. */
  async lostAfter(sinceMs: number, who: string, timeoutMs: number): Promise<number> {
    return await waitFor(() => this.#lostAtMs.find((atMs) => atMs >= sinceMs), {
      what: `${who} to notice the loss`,
      timeoutMs,
      intervalMs: 5,
    });
  }

  /** When it was usable again after `sinceMs`. */
  async usableAfter(sinceMs: number, who: string, timeoutMs: number): Promise<number> {
    return await waitFor(() => (this.#isUsable ? this.#usableAtMs.find((atMs) => atMs >= sinceMs) : null), {
      what: `${who} to be usable again`,
      timeoutMs,
      intervalMs: 5,
    });
  }

  async untilUsable(who: string, timeoutMs = 120_000): Promise<void> {
    await waitFor(() => this.#isUsable, { what: `${who} to be usable`, timeoutMs, intervalMs: 5 });
  }
}
