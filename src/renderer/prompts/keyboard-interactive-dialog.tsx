import { useState, type KeyboardEvent, type ReactElement } from 'react';
import { canRemember, type PromptAnswer } from '../../shared/connection-state.ts';
import { Button } from '../design/button.tsx';
import { Dialog } from '../design/dialog.tsx';
import { StateIcon } from '../design/icons.tsx';
import { SecretField } from '../design/secret-field.tsx';
import { TextField } from '../design/text-field.tsx';
import { useTranslate } from '../gangway-context.ts';
import { AskingJump } from './asking-jump.tsx';
import { useAskingPlace } from './asking-place.ts';
import { usePromptAnswer, type PromptProps } from './prompt-answer.ts';
import { RememberChoice } from './remember-choice.tsx';
import { ServerWords, useServerSays } from './server-words.tsx';

/**
 * What the server asks in its own words, one box a question (RFC 4256). An empty answer is an answer: some servers ask for
 * Enter only. Enter in a box before the last goes to the next one, as at a terminal.
 */
export function KeyboardInteractiveDialog({
  prompt,
  isInterrupting,
}: PromptProps<'keyboard-interactive'>): ReactElement {
  const t = useTranslate();
  const { hasAnswered, wasRemembered, answer } = usePromptAnswer(prompt);
  const [responses, setResponses] = useState<readonly string[]>(() => prompt.prompts.map(() => ''));
  const [remember, setRemember] = useState(wasRemembered);
  const serverSays = useServerSays(prompt.host);
  const place = useAskingPlace(prompt);
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
        {t('prompts.keyboardInteractive.intro', { account: place(`${prompt.user}@${prompt.host}`) })}
      </p>
      <AskingJump jump={prompt.jump} />
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
            ...(index < prompt.prompts.length - 1 ? { onKeyDown: goToNextBox } : {}),
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

/** Half of the answers must not be sent. Enter also ends what an input method composes: that one is left to it. */
function goToNextBox(event: KeyboardEvent<HTMLInputElement>): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
  event.preventDefault();
  const box = event.currentTarget;
  const boxes = [...(box.closest('.answers')?.querySelectorAll('input') ?? [])];
  boxes[boxes.indexOf(box) + 1]?.focus();
}
