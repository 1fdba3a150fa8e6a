import type { ReactElement } from 'react';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import { Button } from '../design/button.tsx';
import { StateIcon } from '../design/icons.tsx';
import { useTranslate } from '../gangway-context.ts';
import { FailureCard } from '../shell/failure-card.tsx';

interface LoadFailureProps {
  /** Text: in words already; null: nobody said why. */
  readonly why: ConnectionFailure | string | null;
  readonly onRetry: () => void;
}

/** Why the conversation is not there, and the way to ask again. */
export function LoadFailure({ why, onRetry }: LoadFailureProps): ReactElement {
  const t = useTranslate();
  if (why !== null && typeof why !== 'string') return <FailureCard failure={why} onRetry={onRetry} />;
  return (
    <section className="card card--bad" role="group" aria-label={t('chat.failedTitle')}>
      <span className="card__icon">
        <StateIcon state="attention" />
      </span>
      <div className="card__content">
        <h2 className="card__title">{t('chat.failedTitle')}</h2>
        {why === null ? null : <p className="card__body selectable">{why}</p>}
        <div className="card__actions">
          <Button onClick={onRetry}>{t('chat.retryLoad')}</Button>
        </div>
      </div>
    </section>
  );
}
