import type { AppSnapshot } from '../../shared/app-snapshot.ts';
import type { ConnectionState } from '../../shared/connection-state.ts';
import type { WindowAddress } from '../../shared/window-address.ts';
import type { WindowFactory } from './window-factory.ts';

type Windows = Pick<WindowFactory, 'open' | 'close' | 'isOpen' | 'isInSight'>;

/**
 * Opens a small window for a question that nobody would see otherwise, and closes it when the question is answered. A
 * question that came while nobody was there opens nothing: the tray and the windows say that it waits.
 */
export class PromptWindows {
  readonly #windows: Windows;
  /** Questions that a window was opened for already; one that the person closed does not come back. */
  readonly #shown = new Set<string>();
  /** Gateways whose question the person asked for. */
  readonly #wanted = new Set<string>();

  constructor(windows: Windows) {
    this.#windows = windows;
  }

  /** The gateway's question, or the next one, gets a window in any case, also once more. */
  want(gatewayId: string): void {
    this.#wanted.add(gatewayId);
  }

  show(snapshot: AppSnapshot): void {
    for (const { profile, connection } of snapshot.gateways) {
      const address: WindowAddress = { window: 'prompt', gatewayId: profile.id };
      if (!mayAskYet(connection)) this.#wanted.delete(profile.id);
      if (connection.status !== 'waiting-for-user' || !connection.attended) {
        if (this.#windows.isOpen(address)) this.#windows.close(address);
        continue;
      }
      const key = `${profile.id} ${connection.prompt.id}`;
      const isWanted = this.#wanted.delete(profile.id);
      if (this.#shown.has(key) && !isWanted) continue;
      this.#shown.add(key);
      if (isWanted || !this.#windows.isInSight(profile.id)) this.#windows.open(address);
    }
  }
}

/** Whether what is under way can still come to a question. */
function mayAskYet({ status }: ConnectionState): boolean {
  return (
    status === 'connecting' ||
    status === 'waiting-for-user' ||
    status === 'backing-off' ||
    status === 'disconnecting'
  );
}
