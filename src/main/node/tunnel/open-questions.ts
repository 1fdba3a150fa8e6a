import type { Disposable } from '../../core/lifecycle.ts';
import type { TunnelAnswer, TunnelReport } from '../../core/tunnel/tunnel-protocol.ts';
import type { UserPrompt } from '../../../shared/connection-state.ts';
import { boundedQuestion } from './bounded-question.ts';
import type { Question } from './tunnel-session.ts';

/** The questions of one attempt that wait for their answer. Ids are never used twice, so that a late answer hits nothing. */
export class OpenQuestions implements Disposable {
  readonly #attempt: number;
  readonly #post: (report: TunnelReport) => void;
  readonly #waiting = new Map<string, (answer: TunnelAnswer | null) => void>();
  #count = 0;
  #isOver = false;

  constructor(attempt: number, post: (report: TunnelReport) => void) {
    this.#attempt = attempt;
    this.#post = post;
  }

  /** Null when it was withdrawn, or when the attempt ended first. */
  ask(question: Question, withdraw?: AbortSignal): Promise<TunnelAnswer | null> {
    const bounded = boundedQuestion(question);
    if (this.#isOver || withdraw?.aborted === true || bounded === null) return Promise.resolve(null);
    this.#count += 1;
    const promptId = `${this.#attempt}.${this.#count}`;
    return new Promise((resolve) => {
      const settle = (answer: TunnelAnswer | null): void => {
        this.#waiting.delete(promptId);
        withdraw?.removeEventListener('abort', onWithdraw);
        resolve(answer);
      };
      const onWithdraw = (): void => {
        settle(null);
        this.#post({ type: 'question-over', attempt: this.#attempt, promptId });
      };
      this.#waiting.set(promptId, settle);
      withdraw?.addEventListener('abort', onWithdraw, { once: true });
      const prompt = { ...bounded, id: promptId } as UserPrompt;
      this.#post({ type: 'needs-user', attempt: this.#attempt, prompt });
    });
  }

  answer(promptId: string, answer: TunnelAnswer): void {
    this.#waiting.get(promptId)?.(answer);
  }

  dispose(): void {
    this.#isOver = true;
    for (const settle of [...this.#waiting.values()]) settle(null);
  }
}
