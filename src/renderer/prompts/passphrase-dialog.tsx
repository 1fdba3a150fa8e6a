import type { ReactElement } from 'react';
import { useTranslate } from '../gangway-context.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';
import { SecretDialog } from './secret-dialog.tsx';

/** The passphrase of an encrypted key. */
export function PassphraseDialog({ prompt, isInterrupting }: PromptProps<'passphrase'>): ReactElement {
  const t = useTranslate();
  const answering = usePromptAnswer(prompt);
  return (
    <SecretDialog
      title={t('prompts.passphrase.title')}
      intro={t('prompts.passphrase.intro', { path: prompt.keyPath })}
      label={t('prompts.passphrase.label')}
      submit={t('prompts.passphrase.unlock')}
      wrong={prompt.wasWrong ? t('prompts.passphrase.wrong') : null}
      required={t('prompts.passphrase.required')}
      isInterrupting={isInterrupting}
      answering={answering}
      answerWith={(passphrase, remember) => ({ type: 'passphrase', passphrase, remember })}
    />
  );
}
