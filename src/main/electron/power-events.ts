import { powerMonitor } from 'electron';
import { Emitter } from '../core/emitter.ts';
import { DisposableStore, type Disposable } from '../core/lifecycle.ts';
import type { PowerEvents } from '../core/ports.ts';

/** Sleep and wake as the system announces them. Where it does not, the supervisor's watch on the clocks finds out. */
export class SystemPowerEvents implements PowerEvents, Disposable {
  readonly #store = new DisposableStore();
  readonly #suspends = this.#store.add(new Emitter<null>());
  readonly #resumes = this.#store.add(new Emitter<null>());

  constructor() {
    const suspended = (): void => this.#suspends.emit(null);
    const resumed = (): void => this.#resumes.emit(null);
    powerMonitor.on('suspend', suspended);
    this.#store.defer(() => powerMonitor.removeListener('suspend', suspended));
    powerMonitor.on('resume', resumed);
    this.#store.defer(() => powerMonitor.removeListener('resume', resumed));
  }

  onSuspend(listener: () => void): Disposable {
    return this.#suspends.on(() => listener());
  }

  onResume(listener: () => void): Disposable {
    return this.#resumes.on(() => listener());
  }

  dispose(): void {
    this.#store.dispose();
  }
}
