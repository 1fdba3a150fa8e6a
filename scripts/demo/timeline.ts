/** What happened when, printed while it happens. */
export interface Timeline {
  /** Prints one line with the seconds since the start, and since the line before. */
  mark(what: string): void;
  readonly elapsedMs: number;
}

export function startTimeline(print: (line: string) => void): Timeline {
  const startedAtMs = performance.now();
  let lastAtMs = startedAtMs;
  return {
    mark(what) {
      const nowMs = performance.now();
      const total = `${((nowMs - startedAtMs) / 1000).toFixed(2)} s`.padStart(9);
      const step = `+${((nowMs - lastAtMs) / 1000).toFixed(2)}`.padStart(7);
      lastAtMs = nowMs;
      print(`${total} ${step}  ${what}`);
    },
    get elapsedMs() {
      return performance.now() - startedAtMs;
    },
  };
}
