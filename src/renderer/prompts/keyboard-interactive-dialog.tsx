import { useState, type ReactElement } from 'react';
import { canRemember, type PromptAnswer } from '../../shared/connection-state.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { StateIcon } from '../design/icons.tsx';
import { SecretField } from '../design/secret-field.tsx';
import { TextField } from '../design/text-field.tsx';
import { useTranslate } from '../gangway-context.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';
import { RememberChoice } from './remember-choice.tsx';
import { ServerWords, useServerSays } from './server-words.tsx';

/**
 * What the server asks in its own words, one box a question (RFC 4256). An empty answer is an answer: some servers ask for
 * Enter only.
 */
export function KeyboardInteractiveDialog({
  prompt,
  isInterrupting,
}: PromptProps<'keyboard-interactive'>): ReactElement {
  const t = useTranslate();
  const { hasAnswered, answer } = usePromptAnswer(prompt);
  const [responses, setResponses] = useState<readonly string[]>(() => prompt.prompts.map(() => ''));
  const [remember, setRemember] = useState(false);
  const serverSays = useServerSays(prompt.host);
  const words = [prompt.name, prompt.instructions].filter((text) => text.trim() !== '').join('\n\n');
  const isUntouched = responses.every((response) => response === '');
  const send = (value: PromptAnswer): void => {
    setResponses(prompt.prompts.map(() => ''));
    answer(value);
  };
  return (
    <Dialog
      title={t('prompts.signInTo', { host: prompt.host })}
      isInterrupting={isInterrupting}
      onCancel={() => send({ type: 'cancel' })}
      onSubmit={() => {
        if (!hasAnswered) send({ type: 'responses', responses, remember });
      }}
      actions={
        <>
          <Button disabled={hasAnswered} onClick={() => send({ type: 'cancel' })}>
            {t('common.cancel')}
          </Button>
          <Button look="primary" type="submit" disabled={hasAnswered}>
            {t('prompts.signIn')}
          </Button>
        </>
      }
    >
      <p className="dialog__text selectable">
        {t('prompts.keyboardInteractive.intro', { account: `${prompt.user}@${prompt.host}` })}
      </p>
      {prompt.wasWrong && isUntouched && !hasAnswered ? (
        <p className="field__error" role="alert">
          <StateIcon state="attention" />
          {t('prompts.keyboardInteractive.wrong', { host: prompt.host })}
        </p>
      ) : null}
      {words === '' ? null : <ServerWords speaker={serverSays} text={words} />}
      <div className="answers">
        {prompt.prompts.map(({ text, echo }, index) => {
          const field = {
            label: text.trim() === '' ? t('prompts.keyboardInteractive.unnamed') : text.trim(),
            value: responses[index] ?? '',
            onChange: (value: string): void => setResponses(responses.with(index, value)),
            ...(index === 0 ? { 'data-autofocus': '' } : {}),
          };
          return echo ? (
            <TextField key={index} {...field} mono />
          ) : (
            <SecretField
              key={index}
              {...field}
              placeholder=" "
              showText={t('common.show')}
              hideText={t('common.hide')}
            />
          );
        })}
      </div>
      {canRemember(prompt) ? <RememberChoice isChecked={remember} onChange={setRemember} /> : null}
    </Dialog>
  );
}
