import type { ReactElement } from 'react';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { useTranslate } from '../gangway-context.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';
import { ServerWords } from './server-words.tsx';

/** A yes-or-no question of the system's ssh, in its words. No is where the focus is: ssh asks before what is risky. */
export function ConfirmDialog({ prompt, isInterrupting }: PromptProps<'confirm'>): ReactElement {
  const t = useTranslate();
  const { hasAnswered, answer } = usePromptAnswer(prompt);
  const refuse = (): void => answer({ type: 'cancel' });
  return (
    <Dialog
      role="alertdialog"
      title={t('prompts.confirm.title', { host: prompt.host })}
      isInterrupting={isInterrupting}
      onCancel={refuse}
      actions={
        <>
          <Button data-autofocus="" disabled={hasAnswered} onClick={refuse}>
            {t('prompts.confirm.no')}
          </Button>
          <Button look="primary" disabled={hasAnswered} onClick={() => answer({ type: 'confirm' })}>
            {t('prompts.confirm.yes')}
          </Button>
        </>
      }
    >
      <ServerWords speaker={t('prompts.sshAsks')} text={prompt.text} />
    </Dialog>
  );
}
