import { DisposableStore, type Disposable } from '../core/lifecycle.ts';
import type { ChatPort } from './chat-port.ts';
import type { WindowEvents } from './ports.ts';

/**
 * Which window shows which conversation. A patch goes to the windows that opened its session and to no other; a
 * conversation that no window shows any more is closed.
 */
export class ChatSubscriptions implements Disposable {
  readonly #windows: WindowEvents;
  readonly #store = new DisposableStore();
  /** Windows by `gatewayId sessionKey`; ids of gateways hold no space. */
  readonly #viewers = new Map<string, Set<number>>();
  readonly #closers = new Map<string, () => void>();

  constructor(windows: WindowEvents) {
    this.#windows = windows;
    this.#store.add(windows.onPageGone((windowId) => this.#forgetWindow(windowId)));
  }

  /** Carries a gateway's patches to whoever looks at their session. */
  connect(chat: ChatPort): void {
    this.#store.add(
      chat.onPatch((patch) => {
        const viewers = this.#viewers.get(keyOf(patch.gatewayId, patch.sessionKey));
        for (const windowId of viewers ?? []) this.#windows.toWindow(windowId, 'chat.patch', patch);
      }),
    );
  }

  add(windowId: number, gatewayId: string, sessionKey: string, chat: ChatPort): void {
    const key = keyOf(gatewayId, sessionKey);
    const viewers = this.#viewers.get(key) ?? new Set();
    viewers.add(windowId);
    this.#viewers.set(key, viewers);
    this.#closers.set(key, () => chat.close(sessionKey));
  }

  remove(windowId: number, gatewayId: string, sessionKey: string): void {
    this.#remove(windowId, keyOf(gatewayId, sessionKey));
  }

  dispose(): void {
    this.#store.dispose();
    this.#viewers.clear();
    this.#closers.clear();
  }

  #forgetWindow(windowId: number): void {
    for (const key of [...this.#viewers.keys()]) this.#remove(windowId, key);
  }

  #remove(windowId: number, key: string): void {
    const viewers = this.#viewers.get(key);
    if (!viewers?.delete(windowId) || viewers.size > 0) return;
    this.#viewers.delete(key);
    this.#closers.get(key)?.();
    this.#closers.delete(key);
  }
}

function keyOf(gatewayId: string, sessionKey: string): string {
  return `${gatewayId} ${sessionKey}`;
}
