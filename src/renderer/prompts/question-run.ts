import { createContext, useContext } from 'react';
import {
  canRemember,
  type PromptAnswer,
  type PromptType,
  type UserPrompt,
} from '../../shared/connection-state.ts';
import { focusRestingPlace, isFocusAtRest } from './resting-place.ts';

/**
 * What the questions of one window have in common: what has the focus after them, and what the next needs to know of the one
 * before. Main may withdraw a question at any moment, also between two letters of a password; then the rest of it must
 * not land in another field, nor Enter press a button.
 */
export class QuestionRun {
  readonly #isTyping: () => boolean;
  #shown: { readonly id: string; readonly type: PromptType } | null = null;
  #lastType: PromptType | null = null;
  #answeredId: string | null = null;
  #returnTo: HTMLElement | null = null;
  readonly #remembered = new Map<string, boolean>();

  constructor(isTyping: () => boolean) {
    this.#isTyping = isTyping;
  }

  /** Whether the person may still be typing for something else: no field of the next question may take those letters. */
  isInterrupting(): boolean {
    const shown = this.#shown;
    const isWithdrawn = shown !== null && shown.type !== 'notice' && shown.id !== this.#answeredId;
    return isWithdrawn || this.#isTyping();
  }

  /** Whether the question takes the place of one of its kind. */
  isFollowUp(prompt: UserPrompt): boolean {
    return prompt.type === this.#lastType;
  }

  opened({ id, type }: UserPrompt): void {
    this.#shown = { id, type };
    this.#lastType = type;
  }

  /** The dialog is gone; `before` had the focus when it came. */
  closed(prompt: UserPrompt, before: Element | null): void {
    this.#shown = null;
    if (this.#answeredId !== prompt.id || this.#isTyping()) this.#returnTo = null;
    else if (before instanceof HTMLElement && before.tabIndex >= 0) this.#returnTo = before;
    focusRestingPlace();
  }

  /** No further question follows: what was done before them goes on, unless the person went elsewhere or types. */
  ended(): void {
    const to = this.#returnTo;
    this.#returnTo = null;
    this.#lastType = null;
    if (to?.isConnected === true && isFocusAtRest() && !this.#isTyping()) to.focus({ preventScroll: true });
  }

  answered(prompt: UserPrompt, answer: PromptAnswer): void {
    this.#answeredId = prompt.id;
    if ('remember' in answer && canRemember(prompt)) this.#remembered.set(accountOf(prompt), answer.remember);
  }

  /** The answer did not get to main. */
  notAnswered({ id }: UserPrompt): void {
    if (this.#answeredId === id) this.#answeredId = null;
  }

  /** What the person chose for the keychain when the same was asked before. */
  isRemembered(prompt: UserPrompt): boolean {
    return canRemember(prompt) && this.#remembered.get(accountOf(prompt)) === true;
  }
}

/** The key or the account that a question is about. */
function accountOf(prompt: UserPrompt): string {
  switch (prompt.type) {
    case 'passphrase':
      return JSON.stringify([prompt.type, prompt.keyPath]);
    case 'password':
    case 'keyboard-interactive':
      return JSON.stringify([prompt.type, prompt.user, prompt.host]);
    case 'host-key':
    case 'confirm':
    case 'notice':
      return JSON.stringify([prompt.type, prompt.host]);
  }
}

export const QuestionRunContext = createContext<QuestionRun | null>(null);

export function useQuestionRun(): QuestionRun {
  const run = useContext(QuestionRunContext);
  if (run === null) throw new Error('useQuestionRun outside of its provider');
  return run;
}
