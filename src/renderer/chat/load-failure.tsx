import type { ReactElement } from 'react';
import type { ChatFailure } from '../../shared/chat.ts';
import { Button } from '../design/button.tsx';
import { StateIcon } from '../design/icons.tsx';
import { useTranslate } from '../gangway-context.ts';
import { FailureCard } from '../shell/failure-card.tsx';

interface LoadFailureProps {
  readonly failure: ChatFailure | null;
  readonly onRetry: () => void;
}

/** Why the conversation is not there, and the way to ask again. */
export function LoadFailure({ failure, onRetry }: LoadFailureProps): ReactElement {
  const t = useTranslate();
  if (failure?.type === 'connection') return <FailureCard failure={failure.failure} />;
  return (
    <section className="card card--bad" role="group" aria-label={t('chat.failedTitle')}>
      <span className="card__icon">
        <StateIcon state="attention" />
      </span>
      <div className="card__content">
        <h2 className="card__title">{t('chat.failedTitle')}</h2>
        {failure === null ? null : <p className="card__body selectable">{failure.detail}</p>}
        <div className="card__actions">
          <Button onClick={onRetry}>{t('chat.retryLoad')}</Button>
        </div>
      </div>
    </section>
  );
}
