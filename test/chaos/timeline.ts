import type { Span } from './checker.ts';

export interface TimelineEntry {
  /** Since the run began. */
  readonly atMs: number;
  readonly what: 'fault' | 'heal' | 'state' | 'message' | 'person' | 'log' | 'run';
  readonly text: string;
}

/** Everything that happened in a run, in order, to be read when it failed. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  readonly #startedAtMs = performance.now();

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#startedAtMs;
  }

  note(what: TimelineEntry['what'], text: string): void {
    this.entries.push({ atMs: this.now(), what, text });
  }

  text(kinds?: readonly TimelineEntry['what'][]): string {
    return this.entries
      .filter(({ what }) => kinds === undefined || kinds.includes(what))
      .map(({ atMs, what, text }) => `${(atMs / 1_000).toFixed(3).padStart(9)} ${what.padEnd(7)} ${text}`)
      .join('\n');
  }
}

export interface ConnectionMoment {
  readonly atMs: number;
  readonly isConnected: boolean;
}

/**
 * How long each loss of the connection lasted, in milliseconds, from the moment at which nothing stood in its way any more: the
 * end of the last fault that lay in it, or the loss itself.
 */
export function recoveries(moments: readonly ConnectionMoment[], faults: readonly Span[]): readonly number[] {
  const found: number[] = [];
  let lostAtMs: number | null = null;
  let wasConnected = false;
  for (const { atMs, isConnected } of moments) {
    if (isConnected && lostAtMs !== null) {
      const lost = lostAtMs;
      const ends = faults.map(({ toMs }) => toMs).filter((toMs) => toMs >= lost && toMs <= atMs);
      found.push(atMs - Math.max(lost, ...ends));
      lostAtMs = null;
    } else if (!isConnected && wasConnected) lostAtMs ??= atMs;
    wasConnected = isConnected;
  }
  return found;
}

/** The value below which so large a part (0 to 1) of them lies; null of none. */
export function quantile(values: readonly number[], part: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? null;
}
