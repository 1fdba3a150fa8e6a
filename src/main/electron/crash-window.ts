import { type Disposable, MutableDisposable } from '../core/lifecycle.ts';
import type { Clock } from '../core/ports.ts';

const WINDOW_MS = 60_000;
const MAX_IN_WINDOW = 3;
const FIRST_DELAY_MS = 200;

/**
 * Decides what follows a page's crash: reload, a little later each time, and after more than three in a minute no
 * further reload but a page that cannot crash.
 */
export class CrashWindow implements Disposable {
  readonly #clock: Clock;
  readonly #actions: { readonly reload: () => void; readonly giveUp: () => void };
  readonly #timer = new MutableDisposable();
  #crashesAtMs: number[] = [];

  constructor(clock: Clock, actions: { readonly reload: () => void; readonly giveUp: () => void }) {
    this.#clock = clock;
    this.#actions = actions;
  }

  note(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#crashesAtMs = [...this.#crashesAtMs.filter((atMs) => nowMs - atMs < WINDOW_MS), nowMs];
    const count = this.#crashesAtMs.length;
    const run = count > MAX_IN_WINDOW ? this.#actions.giveUp : this.#actions.reload;
    this.#timer.set(this.#clock.setTimer(FIRST_DELAY_MS * 2 ** Math.min(count - 1, MAX_IN_WINDOW), run));
  }

  dispose(): void {
    this.#timer.dispose();
  }
}
