import { useState, type ReactElement, type ReactNode } from 'react';
import type { JumpName, PromptAnswer } from '../../shared/connection-state.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { SecretField } from '../design/secret-field.tsx';
import { useTranslate } from '../gangway-context.ts';
import { AskingJump } from './asking-jump.tsx';
import type { PromptAnswering } from './prompt-answer.ts';
import { RememberChoice } from './remember-choice.tsx';

interface SecretDialogProps {
  readonly title: string;
  readonly intro: ReactNode;
  readonly jump?: JumpName;
  /** Name of the one box. */
  readonly label: string;
  readonly submit: string;
  /** Said of the answer before, while nothing new is typed; null where none was wrong. */
  readonly wrong: string | null;
  readonly required: string;
  readonly isInterrupting: boolean;
  readonly answering: PromptAnswering;
  readonly answerWith: (secret: string, remember: boolean) => PromptAnswer;
}

/** Asks for one secret. What was typed leaves the window's memory as soon as it is sent. */
export function SecretDialog({
  title,
  intro,
  jump = null,
  label,
  submit,
  wrong,
  required,
  isInterrupting,
  answering,
  answerWith,
}: SecretDialogProps): ReactElement {
  const t = useTranslate();
  const { hasAnswered, wasRemembered, answer } = answering;
  const [secret, setSecret] = useState('');
  const [remember, setRemember] = useState(wasRemembered);
  const [isEmptyRefused, setIsEmptyRefused] = useState(false);
  const error = isEmptyRefused ? required : secret === '' && !hasAnswered ? wrong : null;
  const send = (value: PromptAnswer): void => {
    setSecret('');
    answer(value);
  };
  return (
    <Dialog
      title={title}
      isInterrupting={isInterrupting}
      onCancel={() => send({ type: 'cancel' })}
      onSubmit={() => {
        if (hasAnswered) return;
        if (secret === '') setIsEmptyRefused(true);
        else send(answerWith(secret, remember));
      }}
      actions={
        <>
          <Button disabled={hasAnswered} onClick={() => send({ type: 'cancel' })}>
            {t('common.cancel')}
          </Button>
          <Button look="primary" type="submit" disabled={hasAnswered}>
            {submit}
          </Button>
        </>
      }
    >
      <p className="dialog__text selectable">{intro}</p>
      <AskingJump jump={jump} />
      <SecretField
        data-autofocus=""
        label={label}
        placeholder=" "
        value={secret}
        onChange={(value) => {
          setSecret(value);
          setIsEmptyRefused(false);
        }}
        error={error}
        showText={t('common.show')}
        hideText={t('common.hide')}
      />
      <RememberChoice isChecked={remember} onChange={setRemember} />
    </Dialog>
  );
}
