import { useCallback, useSyncExternalStore } from 'react';

/** Shared tickers by period: they run only while someone looks, so that an idle or hidden window does nothing. */
interface Ticker {
  readonly subscribe: (listener: () => void) => () => void;
  readonly nowMs: () => number;
}

const tickers = new Map<number, Ticker>();

function createTicker(periodMs: number): Ticker {
  const listeners = new Set<() => void>();
  let currentMs = Date.now();
  let timer: ReturnType<typeof setInterval> | null = null;

  const tick = (): void => {
    currentMs = Date.now();
    for (const listener of listeners) listener();
  };
  const adjust = (): void => {
    const shouldRun = listeners.size > 0 && document.visibilityState !== 'hidden';
    if (shouldRun && timer === null) {
      timer = setInterval(tick, periodMs);
      tick();
    } else if (!shouldRun && timer !== null) {
      clearInterval(timer);
      timer = null;
    }
  };
  return {
    subscribe(listener) {
      if (listeners.size === 0) document.addEventListener('visibilitychange', adjust);
      listeners.add(listener);
      adjust();
      return () => {
        listeners.delete(listener);
        adjust();
        if (listeners.size === 0) document.removeEventListener('visibilitychange', adjust);
      };
    },
    nowMs: () => currentMs,
  };
}

/** The time in epoch milliseconds, renewed every `periodMs` while the window is visible; null stands still. */
export function useNow(periodMs: number | null): number {
  const ticker = tickerOf(periodMs ?? 1000);
  const subscribe = useCallback(
    (listener: () => void) => (periodMs === null ? () => undefined : ticker.subscribe(listener)),
    [periodMs, ticker],
  );
  return useSyncExternalStore(subscribe, ticker.nowMs);
}

function tickerOf(periodMs: number): Ticker {
  const existing = tickers.get(periodMs);
  if (existing !== undefined) return existing;
  const created = createTicker(periodMs);
  tickers.set(periodMs, created);
  return created;
}
