import { net } from 'electron';
import { Emitter } from '../core/emitter.ts';
import { toDisposable, type Disposable } from '../core/lifecycle.ts';
import type { Clock, Connectivity } from '../core/ports.ts';
import { ownAddresses } from '../node/own-addresses.ts';

/** How soon a network that came back, or another one, is noticed; asking costs two function calls. */
const OFFLINE_POLL_MS = 1_000;
const ONLINE_POLL_MS = 2_000;

/**
 * Whether the system has any network, asked of Chromium's network service while somebody wants to know. Other addresses of
 * our own are a change as well: a VPN, or another Wi-Fi, never makes the system offline.
 */
export class SystemConnectivity implements Connectivity, Disposable {
  readonly #clock: Clock;
  readonly #changes = new Emitter<boolean>();
  #isOnline = net.isOnline();
  #addresses = ownAddresses();
  #timer: Disposable | null = null;
  #listeners = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isOnline(): boolean {
    this.#look();
    return this.#isOnline;
  }

  onChange(listener: (isOnline: boolean) => void): Disposable {
    const subscription = this.#changes.on(listener);
    this.#listeners += 1;
    if (this.#timer === null) this.#schedule();
    return toDisposable(() => {
      subscription.dispose();
      this.#listeners -= 1;
      if (this.#listeners === 0) this.#stop();
    });
  }

  dispose(): void {
    this.#stop();
    this.#changes.dispose();
  }

  #look(): void {
    const isOnline = net.isOnline();
    const addresses = ownAddresses();
    if (isOnline === this.#isOnline && addresses === this.#addresses) return;
    this.#isOnline = isOnline;
    this.#addresses = addresses;
    this.#changes.emit(isOnline);
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#isOnline ? ONLINE_POLL_MS : OFFLINE_POLL_MS, () => {
      this.#look();
      if (this.#listeners > 0) this.#schedule();
    });
  }

  #stop(): void {
    this.#timer?.dispose();
    this.#timer = null;
  }
}
