/** Something that holds a resource until it is told to let go. `dispose` is idempotent and never throws. */
export interface Disposable {
  dispose(): void;
}

/** Like Disposable, for what needs time to end. `close` is idempotent; its promise never rejects. */
export interface Closable {
  close(): Promise<void>;
}

export function toDisposable(dispose: () => void): Disposable {
  let done = false;
  return {
    dispose() {
      if (done) return;
      done = true;
      dispose();
    },
  };
}

/**
 * Owns disposables and lets go of them last in, first out. Adding to a disposed store disposes at once, so that
 * a race between opening and closing cannot leak; one failing member does not keep the others.
 */
export class DisposableStore implements Disposable {
  readonly #members: Disposable[] = [];
  #disposed = false;

  get isDisposed(): boolean {
    return this.#disposed;
  }

  add<T extends Disposable>(member: T): T {
    if (this.#disposed) member.dispose();
    else this.#members.push(member);
    return member;
  }

  /** Shorthand for a function that ends something. */
  defer(dispose: () => void): void {
    this.add(toDisposable(dispose));
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    const errors: unknown[] = [];
    for (let member = this.#members.pop(); member; member = this.#members.pop()) {
      try {
        member.dispose();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Disposing failed');
  }
}

/** Holds the current one of something that is replaced over time; setting a new value disposes the old. */
export class MutableDisposable<T extends Disposable> implements Disposable {
  #value: T | null = null;
  #disposed = false;

  get value(): T | null {
    return this.#value;
  }

  set(value: T | null): void {
    if (this.#disposed) {
      value?.dispose();
      return;
    }
    const old = this.#value;
    this.#value = value;
    if (old !== value) old?.dispose();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.set(null);
    this.#disposed = true;
  }
}
