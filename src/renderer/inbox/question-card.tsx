import { useState, type ReactElement } from 'react';
import type { AgentQuestion, SecretStoreBinding } from '../../shared/inbox.ts';
import { visibleText } from '../../shared/visible-text.ts';
import { Button } from '../design/button.tsx';
import { Notice } from '../design/notice.tsx';
import { useCommands, useShown, useTranslate } from '../gangway-context.ts';
import { InboxCard } from './inbox-card.tsx';
import { useDecision, type Deciding } from './use-decision.ts';

interface QuestionCardProps {
  readonly item: AgentQuestion;
  readonly deciding: Deciding;
}

/** What was chosen and typed for one question. */
interface Given {
  readonly chosen: readonly string[];
  readonly other: string;
}

const NOTHING: Given = { chosen: [], other: '' };

/** One to three questions of an agent; they are answered together, or not at all. */
export function QuestionCard({ item, deciding }: QuestionCardProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const decision = useDecision(deciding);
  const [given, setGiven] = useState<ReadonlyMap<string, Given>>(new Map());
  const { questions, id } = item;
  const answered = questions.map(({ questionId }) => [questionId, answerOf(given.get(questionId))] as const);
  const isComplete = answered.every(([, answer]) => answer.length > 0);
  const forItem = { gatewayId: gateway.profile.id, id };
  const [first] = questions;
  const isAlone = questions.length === 1;
  const send = (): void => {
    if (!isComplete) return;
    const answers = Object.fromEntries(answered);
    decision.decide(() => api.inbox.answer({ ...forItem, answers }), t('inbox.said.answer'));
  };
  const decline = (): void => decision.decide(() => api.inbox.dismiss(forItem), t('inbox.said.dismiss'));
  return (
    <InboxCard
      item={item}
      title={isAlone && first !== undefined ? first.text : t('inbox.questionTitle')}
      facts={[]}
      decision={decision}
    >
      <form
        className="inbox-card__form"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {first !== undefined ? null : <p className="card__body">{t('inbox.questionUnreadable')}</p>}
        {questions.map((question) => (
          <QuestionFields
            key={question.questionId}
            question={question}
            isAlone={isAlone}
            given={given.get(question.questionId) ?? NOTHING}
            onGive={(next) => setGiven(new Map([...given, [question.questionId, next]]))}
          />
        ))}
        <div className="card__actions">
          {first === undefined ? null : (
            <Button look="primary" type="submit" aria-disabled={!decision.isReady || !isComplete}>
              {t('inbox.sendAnswer')}
            </Button>
          )}
          <Button aria-disabled={!decision.isReady} onClick={decision.ifMeant(decline)}>
            {t('inbox.noAnswer')}
          </Button>
        </div>
      </form>
    </InboxCard>
  );
}

interface QuestionFieldsProps {
  readonly question: AgentQuestion['questions'][number];
  readonly isAlone: boolean;
  readonly given: Given;
  readonly onGive: (given: Given) => void;
}

function QuestionFields({ question, isAlone, given, onGive }: QuestionFieldsProps): ReactElement {
  const t = useTranslate();
  const { questionId, header, text, options, isMultiSelect, takesOther, isSecret, secretStore } = question;
  const ownWords = options.length === 0 ? t('inbox.yourAnswer') : t('inbox.otherAnswer');
  const choose = (label: string, isChosen: boolean): void => {
    // One answer alone: a choice takes the place of what was typed.
    if (!isMultiSelect) onGive({ chosen: [label], other: '' });
    else {
      const others = given.chosen.filter((known) => known !== label);
      onGive({ ...given, chosen: isChosen ? [...others, label] : others });
    }
  };
  return (
    <fieldset className="inbox-card__question">
      <legend className={isAlone && header === '' ? 'visually-hidden' : undefined}>
        {visibleText(isAlone ? header || text : text)}
      </legend>
      {secretStore === null ? null : <SecretPlace binding={secretStore} />}
      {options.map(({ label, description }) => (
        <label key={label} className="inbox-card__option">
          <input
            type={isMultiSelect ? 'checkbox' : 'radio'}
            name={questionId}
            checked={given.chosen.includes(label)}
            onChange={(event) => choose(label, event.target.checked)}
          />
          <span>
            {visibleText(label)}
            {description === '' ? null : (
              <span className="inbox-card__hint"> {visibleText(description)}</span>
            )}
          </span>
        </label>
      ))}
      {takesOther ? (
        <input
          className="input"
          type={isSecret ? 'password' : 'text'}
          autoComplete="off"
          aria-label={ownWords}
          placeholder={ownWords}
          maxLength={16_384}
          value={given.other}
          onChange={(event) =>
            onGive({ chosen: isMultiSelect ? given.chosen : [], other: event.target.value })
          }
        />
      ) : null}
    </fieldset>
  );
}

/** Where the answer goes is the gateway's word; what the question says of it is the agent's. */
function SecretPlace({ binding }: { readonly binding: SecretStoreBinding }): ReactElement {
  const t = useTranslate();
  const { name, kind, allowedHosts, reason, replaces } = binding;
  const hosts = allowedHosts.length === 0 ? t('inbox.secret.noHosts') : allowedHosts.join(', ');
  return (
    <Notice tone="warning">
      <p>{visibleText(t(`inbox.secret.${kind}`, { name, hosts }))}</p>
      {replaces ? <p>{t('inbox.secret.replaces')}</p> : null}
      {reason === '' ? null : <p>{visibleText(t('inbox.secret.reason', { reason }))}</p>}
    </Notice>
  );
}

function answerOf({ chosen, other }: Given = NOTHING): readonly string[] {
  return other.trim() === '' ? chosen : [...chosen, other];
}
