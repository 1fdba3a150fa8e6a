import type { ReactElement } from 'react';
import { useTranslate } from '../gangway-context.ts';
import { useAskingPlace } from './asking-place.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';
import { SecretDialog } from './secret-dialog.tsx';

/** The password of an account on the SSH server. */
export function PasswordDialog({ prompt, isInterrupting }: PromptProps<'password'>): ReactElement {
  const t = useTranslate();
  const answering = usePromptAnswer(prompt);
  const place = useAskingPlace(prompt);
  return (
    <SecretDialog
      title={t('prompts.password.title')}
      intro={t('prompts.password.intro', { account: place(`${prompt.user}@${prompt.host}`) })}
      jump={prompt.jump}
      label={t('prompts.password.label')}
      submit={t('prompts.signIn')}
      wrong={prompt.wasWrong ? t('prompts.password.wrong', { host: prompt.host }) : null}
      required={t('prompts.password.required')}
      isInterrupting={isInterrupting}
      answering={answering}
      answerWith={(password, remember) => ({ type: 'password', password, remember })}
    />
  );
}
