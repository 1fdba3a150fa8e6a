import type { AppSnapshot } from '../../shared/app-snapshot.ts';
import type { WindowAddress } from '../../shared/window-address.ts';
import type { WindowFactory } from './window-factory.ts';

type Windows = Pick<WindowFactory, 'open' | 'close' | 'isOpen' | 'isInSight'>;

/** Opens a small window for a question that nobody would see otherwise, and closes it when the question is answered. */
export class PromptWindows {
  readonly #windows: Windows;
  /** Questions that a window was opened for already; one that the person closed does not come back. */
  readonly #shown = new Set<string>();

  constructor(windows: Windows) {
    this.#windows = windows;
  }

  show(snapshot: AppSnapshot): void {
    for (const { profile, connection } of snapshot.gateways) {
      const address: WindowAddress = { window: 'prompt', gatewayId: profile.id };
      if (connection.status !== 'waiting-for-user') {
        if (this.#windows.isOpen(address)) this.#windows.close(address);
        continue;
      }
      const key = `${profile.id} ${connection.prompt.id}`;
      if (this.#shown.has(key)) continue;
      this.#shown.add(key);
      if (!this.#windows.isInSight(profile.id)) this.#windows.open(address);
    }
  }
}
