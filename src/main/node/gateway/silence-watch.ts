import { type Disposable, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock } from '../../core/ports.ts';

/** An idle gateway says nothing for 30 s (its tick): after this silence it is asked. */
const SILENCE_BEFORE_PROBE_MS = 9_000;
const BETWEEN_PROBES_MS = 2500;
const PROBES_BEFORE_END = 2;
/** Longest silence of a connection that still counts as one. */
export const SILENCE_LIMIT_MS = SILENCE_BEFORE_PROBE_MS + BETWEEN_PROBES_MS * PROBES_BEFORE_END;

export interface SilenceWatchOptions {
  readonly clock: Clock;
  /** Bytes received so far, where the connection tells: a large frame that is still arriving is no silence. */
  readonly bytesReceived: () => number | null;
  /** Asks for a sign of life; an answer comes back as `heard`. */
  readonly probe: () => void;
  readonly onSilent: () => void;
}

/**
 * Notices a connection that died without a word. The client's own watchdog needs 60 s; here who says nothing for 9 s is
 * asked, once more 2.5 s later, and given up 14 s after the last sign of life. After a sleep, in which time passes and
 * nobody is asked, the questions come first.
 */
export class SilenceWatch implements Disposable {
  readonly #options: SilenceWatchOptions;
  readonly #timer = new MutableDisposable<Disposable>();
  #lastHeardMs: number;
  #bytesReceived: number | null;
  #probes = 0;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#lastHeardMs = options.clock.monotonicMs();
    this.#bytesReceived = options.bytesReceived();
    this.#look();
  }

  heard(): void {
    this.#lastHeardMs = this.#options.clock.monotonicMs();
    // This frame's bytes are no news at the next look, which would take them for a sign of life of that moment.
    this.#bytesReceived = this.#options.bytesReceived();
    this.#probes = 0;
  }

  dispose(): void {
    this.#timer.dispose();
  }

  #look(): void {
    const { clock, bytesReceived, probe, onSilent } = this.#options;
    if (bytesReceived() !== this.#bytesReceived) this.heard();
    const silentMs = clock.monotonicMs() - this.#lastHeardMs;
    if (silentMs < SILENCE_BEFORE_PROBE_MS) this.#lookIn(SILENCE_BEFORE_PROBE_MS - silentMs);
    else if (this.#probes >= PROBES_BEFORE_END) onSilent();
    else {
      this.#probes += 1;
      probe();
      this.#lookIn(BETWEEN_PROBES_MS);
    }
  }

  #lookIn(delayMs: number): void {
    this.#timer.set(this.#options.clock.setTimer(delayMs, () => this.#look()));
  }
}
