import type { ReactElement } from 'react';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { StateIcon } from '../design/icons.tsx';
import { useTranslate } from '../gangway-context.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';
import { ServerWords } from './server-words.tsx';

/** Something to do elsewhere, such as touching a security key. It goes by itself once that is done. */
export function NoticeDialog({ prompt, isInterrupting }: PromptProps<'notice'>): ReactElement {
  const t = useTranslate();
  const { hasAnswered, answer } = usePromptAnswer(prompt);
  const cancel = (): void => answer({ type: 'cancel' });
  return (
    <Dialog
      title={t('prompts.notice.title', { host: prompt.host })}
      isInterrupting={isInterrupting}
      onCancel={cancel}
      actions={
        <Button data-autofocus="" disabled={hasAnswered} onClick={cancel}>
          {t('common.cancel')}
        </Button>
      }
    >
      <p className="dialog__text wait-line">
        <StateIcon state="waiting" />
        {t('prompts.notice.intro')}
      </p>
      <ServerWords speaker={t('prompts.sshSays')} text={prompt.text} />
    </Dialog>
  );
}
