import { useState } from 'react';
import type { PromptAnswer, PromptType, UserPrompt } from '../../shared/connection-state.ts';
import { settle } from '../settle.ts';
import { useCommands, useShown } from '../gangway-context.ts';
import { useQuestionRun } from './question-run.ts';

export interface PromptProps<Type extends PromptType> {
  readonly prompt: Extract<UserPrompt, { readonly type: Type }>;
  /** The question came while the person typed elsewhere: no field of it may take the next letters. */
  readonly isInterrupting: boolean;
}

export interface PromptAnswering {
  readonly hasAnswered: boolean;
  /** What the person chose for the keychain when the same was asked before, in this window. */
  readonly wasRemembered: boolean;
  readonly answer: (answer: PromptAnswer) => void;
}

/**
 * Sends one answer to one question. Main drops an answer that comes too late; where the answer did not get to main at
 * all, the question can be answered again.
 */
export function usePromptAnswer(prompt: UserPrompt): PromptAnswering {
  const { api, reportCommandError } = useCommands();
  const { gateway } = useShown();
  const run = useQuestionRun();
  const [hasAnswered, setHasAnswered] = useState(false);
  const [wasRemembered] = useState(() => run.isRemembered(prompt));
  return {
    hasAnswered,
    wasRemembered,
    answer(answer) {
      if (hasAnswered) return;
      setHasAnswered(true);
      run.answered(prompt, answer);
      const input = { gatewayId: gateway.profile.id, promptId: prompt.id, answer };
      void settle(api.connection.answerPrompt(input)).then((result) => {
        if (result.ok) return;
        setHasAnswered(false);
        run.notAnswered(prompt);
        reportCommandError(result.error);
      });
    },
  };
}
