/** A value that React follows with useSyncExternalStore. */
export interface Store<T> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly getState: () => T;
}

export interface WritableStore<T> extends Store<T> {
  readonly set: (next: T) => void;
}

export function createStore<T>(initial: T): WritableStore<T> {
  const listeners = new Set<() => void>();
  let state = initial;
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    getState: () => state,
    set(next) {
      state = next;
      for (const listener of listeners) listener();
    },
  };
}
