import { shell } from 'electron';
import { err, ok, type Result } from '../../shared/result.ts';
import { acceptExternalUrl } from '../app/external-url.ts';
import type { Clock, Logger } from '../core/ports.ts';

/** Opening several pages at once is nothing that a person does. */
const WINDOW_MS = 10_000;
const MAX_IN_WINDOW = 4;
/** A link opens on a click or a key; what comes later than this after one was not asked for. */
const MAX_AFTER_INPUT_MS = 5_000;

/** Hands links to the system's browser: parsed, https or mailto only, after input of the person's, and not in floods. */
export class ExternalLinks {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #openedAtMs: number[] = [];
  readonly #inputAtMs = new Map<number, number>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A click or a key press in a window. */
  noteInput(windowId: number): void {
    this.#inputAtMs.set(windowId, this.#clock.monotonicMs());
  }

  forget(windowId: number): void {
    this.#inputAtMs.delete(windowId);
  }

  async open(text: string, windowId: number): Promise<Result<null, 'refused'>> {
    const url = acceptExternalUrl(text);
    const nowMs = this.#clock.monotonicMs();
    while (this.#openedAtMs[0] !== undefined && nowMs - this.#openedAtMs[0] > WINDOW_MS)
      this.#openedAtMs.shift();
    const askedFor = nowMs - (this.#inputAtMs.get(windowId) ?? -Infinity) <= MAX_AFTER_INPUT_MS;
    if (url === null || !askedFor || this.#openedAtMs.length >= MAX_IN_WINDOW) {
      const reason = url === null ? 'address' : askedFor ? 'rate' : 'no-input';
      this.#logger.log('warn', 'security.external-link-refused', { reason });
      return err('refused');
    }
    this.#openedAtMs.push(nowMs);
    try {
      await shell.openExternal(url);
      return ok(null);
    } catch {
      this.#logger.log('warn', 'external-link.failed');
      return err('refused');
    }
  }
}
