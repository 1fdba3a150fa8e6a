import type { TrayAction, TrayModel } from '../app/tray-model.ts';
import { DisposableStore, MutableDisposable, type Disposable } from '../core/lifecycle.ts';
import type { Clock, Logger } from '../core/ports.ts';
import { TrayController } from './tray-controller.ts';
import { hasTray } from './tray-support.ts';

export interface TrayPresenceOptions {
  readonly assetsDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** What the tray shows at this moment. */
  readonly model: () => TrayModel;
  readonly onAction: (action: TrayAction) => void;
  /** The system has no place for it yet: something else must lead to the app. */
  readonly onAbsent: () => void;
  /** There is one after all. */
  readonly onFound: () => void;
}

/** When to look again for a tray that was not there at the start; together about four minutes. */
const TRAY_RETRIES_MS: readonly number[] = [3_000, 7_000, 20_000, 60_000, 150_000];

/** The tray icon, as far as the system has a place for it, also where that comes after the app. */
export class TrayPresence implements Disposable {
  readonly #options: TrayPresenceOptions;
  readonly #store = new DisposableStore();
  readonly #timer = this.#store.add(new MutableDisposable<Disposable>());
  #tray: TrayController | null = null;

  constructor(options: TrayPresenceOptions) {
    this.#options = options;
  }

  async start(isLikely: boolean): Promise<void> {
    const { assetsDir, logger, model, onAction, onAbsent } = this.#options;
    if (isLikely) this.#tray = TrayController.create(model(), assetsDir, logger, onAction);
    logger.log('info', 'app.ready', {
      tray: this.#tray !== null,
      sinceStartMs: Math.round(performance.now()),
    });
    if (this.#tray !== null) {
      this.#store.add(this.#tray);
      this.refresh();
      return;
    }
    onAbsent();
    await this.#wait();
  }

  /** Shows how things stand, and again when a countdown in the words goes on. */
  refresh(): void {
    if (this.#tray === null) return;
    const model = this.#options.model();
    this.#tray.show(model);
    const again = (): void => this.refresh();
    this.#timer.set(
      model.refreshInMs === null ? null : this.#options.clock.setTimer(model.refreshInMs, again),
    );
  }

  dispose(): void {
    this.#store.dispose();
  }

  /** A panel that starts after the app, as at log-in, is found within the first minutes. */
  async #wait(): Promise<void> {
    const { clock, onFound } = this.#options;
    for (const delayMs of TRAY_RETRIES_MS) {
      await new Promise<void>((resolve) => this.#store.add(clock.setTimer(delayMs, resolve)));
      if (!(await hasTray())) continue;
      onFound();
      await this.start(true);
      return;
    }
  }
}
