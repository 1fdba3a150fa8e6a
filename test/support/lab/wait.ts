/** Waiting for states: tests never sleep and hope, they wait for what they need with a generous bound. */

export interface WaitOptions {
  /** What is waited for, in words, for the message when it does not come. */
  readonly what: string;
  /** Default 20 s. */
  readonly timeoutMs?: number;
  /** Pause between two looks, default 25 ms. */
  readonly intervalMs?: number;
  /** What to add to the failure, for example the end of a log. */
  readonly detail?: () => string;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Calls `probe` until it gives something truthy, and resolves with that. An exception of the probe counts as "not yet".
 * Rejects after `timeoutMs` with what was waited for and what was seen last.
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: WaitOptions,
): Promise<Exclude<T, undefined | null | false | '' | 0>> {
  const timeoutMs = options.timeoutMs ?? 20_000;
  const startedAtMs = performance.now();
  let last: unknown;
  for (;;) {
    try {
      const seen = await probe();
      if (seen) return seen as Exclude<T, undefined | null | false | '' | 0>;
      last = seen;
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() - startedAtMs > timeoutMs) {
      const detail = options.detail?.() ?? '';
      throw new Error(
        `Waited ${timeoutMs} ms for ${options.what}; last seen: ${String(last)}${detail === '' ? '' : `\n${detail}`}`,
      );
    }
    await delay(options.intervalMs ?? 25);
  }
}

/** Rejects when `promise` takes longer than `timeoutMs`; the promise itself is not stopped. */
export async function within<T>(
  promise: Promise<T>,
  timeoutMs: number,
  what: string,
  detail?: () => string,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const more = detail?.() ?? '';
      reject(new Error(`Waited ${timeoutMs} ms for ${what}${more === '' ? '' : `\n${more}`}`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

/** A promise that is resolved from elsewhere; only the first time counts. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
