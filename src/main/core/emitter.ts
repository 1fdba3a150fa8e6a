import { type Disposable, toDisposable } from './lifecycle.ts';

/** A typed source of events. A listener that throws does not keep the others from hearing. */
export class Emitter<T> implements Disposable {
  readonly #listeners = new Set<(event: T) => void>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(
    onListenerError: (error: unknown) => void = (error) => {
      throw error;
    },
  ) {
    this.#onListenerError = onListenerError;
  }

  on(listener: (event: T) => void): Disposable {
    // A wrapper of its own, so that one function subscribed twice is two subscriptions.
    const own = (event: T): void => listener(event);
    this.#listeners.add(own);
    return toDisposable(() => this.#listeners.delete(own));
  }

  emit(event: T): void {
    for (const listener of [...this.#listeners]) {
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }

  dispose(): void {
    this.#listeners.clear();
  }
}
