import type { WindowFactory } from './window-factory.ts';

/**
 * Where the desktop has no tray, a window stands in for it: the last one is minimised instead of closed, so that the
 * app never runs unseen. It ends by Quit in its menu.
 */
export class StandInWindow {
  readonly #windows: WindowFactory;

  constructor(windows: WindowFactory) {
    this.#windows = windows;
  }

  enable(): void {
    this.#windows.guardClosing((window) => {
      if (this.#windows.openCount > 1) return true;
      window.minimize();
      return false;
    });
  }

  disable(): void {
    this.#windows.guardClosing(() => true);
  }
}
