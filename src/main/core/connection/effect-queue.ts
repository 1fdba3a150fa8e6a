/**
 * Runs steps one after the other; a step that returns a promise holds the later ones back until it settles. Steps run
 * at once while nothing is waited for, so that a quiet queue adds no delay.
 */
export class EffectQueue {
  readonly #steps: (() => Promise<void> | undefined)[] = [];
  readonly #onError: (error: unknown) => void;
  #busy = false;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  push(step: () => Promise<void> | undefined): void {
    this.#steps.push(step);
    this.#run();
  }

  #run(): void {
    if (this.#busy) return;
    this.#busy = true;
    for (let step = this.#steps.shift(); step; step = this.#steps.shift()) {
      const running = this.#start(step);
      if (!running) continue;
      const goOn = (): void => {
        this.#busy = false;
        this.#run();
      };
      running.catch(this.#onError).then(goOn, goOn);
      return;
    }
    this.#busy = false;
  }

  #start(step: () => Promise<void> | undefined): Promise<void> | undefined {
    try {
      return step();
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}
