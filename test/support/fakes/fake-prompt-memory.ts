import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import type { PromptAnswer, UserPrompt } from '../../../src/shared/connection-state.ts';
import type { PromptMemory } from '../../../src/main/node/tunnel/ssh-route.ts';

/** A memory that knows what the test tells it, and writes down what it is told. */
export class FakePromptMemory implements PromptMemory {
  readonly calls: string[] = [];
  readonly known = new Map<string, PromptAnswer>();
  /** Set to hold `recall` back until `finish` is called. */
  isSlow = false;
  #waiting: (() => void)[] = [];

  begin(): void {
    this.calls.push('begin');
  }
  async recall(prompt: UserPrompt): Promise<PromptAnswer | null> {
    this.calls.push(`recall ${prompt.id}`);
    if (this.isSlow) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.known.get(prompt.type) ?? null;
  }
  finish(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
  offer(prompt: UserPrompt): void {
    this.calls.push(`offer ${prompt.id}`);
  }
  proveRight(): Promise<void> {
    this.calls.push('right');
    return Promise.resolve();
  }
  fail(reason: ConnectionFailure): Promise<void> {
    this.calls.push(`fail ${reason.code}`);
    return Promise.resolve();
  }
}
