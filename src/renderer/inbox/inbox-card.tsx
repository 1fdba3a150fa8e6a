import { useId, type ReactElement, type ReactNode } from 'react';
import type { InboxItem } from '../../shared/inbox.ts';
import type { CommandError } from '../../shared/ipc-contract.ts';
import { visibleText } from '../../shared/visible-text.ts';
import { StateIcon } from '../design/icons.tsx';
import { Notice } from '../design/notice.tsx';
import { formatClock } from '../format.ts';
import { useShown, useTranslate } from '../gangway-context.ts';
import { commandErrorText } from '../shell/command-error-text.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import type { Decision } from './use-decision.ts';

interface InboxCardProps {
  readonly item: InboxItem;
  readonly title: string;
  /** What it is about: above the facts, which are above whatever decides, so that nobody decides before having read. */
  readonly about?: ReactNode;
  /** Facts of this kind, before those that every item has. */
  readonly facts: readonly Fact[];
  readonly isUrgent?: boolean;
  readonly decision: Decision;
  readonly children: ReactNode;
}

export interface Fact {
  readonly name: string;
  readonly value: string;
}

/** What every item has: what it is about, who asks, from which conversation, until when. */
export function InboxCard({
  item,
  title,
  about,
  facts,
  isUrgent = false,
  decision,
  children,
}: InboxCardProps): ReactElement {
  const t = useTranslate();
  const { snapshot, gateway } = useShown();
  const titleId = useId();
  const session = gateway.sessions.find(({ key }) => key === item.sessionKey);
  const all: readonly Fact[] = [
    ...facts,
    ...fact(t('inbox.agent'), item.agentId),
    ...fact(t('inbox.session'), session?.title ?? item.sessionKey),
    ...fact(
      t('inbox.expires'),
      item.expiresAtMs === null ? null : formatClock(item.expiresAtMs, snapshot.language),
    ),
  ];
  return (
    <article className={`card ${isUrgent ? 'card--bad' : 'card--waiting'}`} aria-labelledby={titleId}>
      <span className="card__icon">
        <StateIcon state={isUrgent ? 'attention' : 'waiting'} />
      </span>
      <div className="card__content inbox-card">
        <h2 className="card__title selectable" id={titleId} tabIndex={-1}>
          {visibleText(title)}
        </h2>
        {about}
        <dl className="inbox-card__facts selectable">
          {all.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{visibleText(value)}</dd>
            </div>
          ))}
        </dl>
        {children}
        {decision.error === null ? null : (
          <NotTaken error={decision.error} onDismiss={decision.dismissError} />
        )}
      </div>
    </article>
  );
}

export function fact(name: string, value: string | null): readonly Fact[] {
  return value === null || value === '' ? [] : [{ name, value }];
}

function NotTaken({
  error,
  onDismiss,
}: {
  readonly error: CommandError;
  readonly onDismiss: () => void;
}): ReactElement {
  const t = useTranslate();
  const dismiss = { label: t('notices.dismiss'), onDismiss };
  return error.type === 'failure' ? (
    <div role="alert">
      <FailureCard failure={error.failure} dismiss={dismiss} isFinal />
    </div>
  ) : (
    <Notice tone="bad" dismiss={dismiss}>
      {commandErrorText(error, t)}
    </Notice>
  );
}
