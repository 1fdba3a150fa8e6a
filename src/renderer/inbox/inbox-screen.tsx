import type { ReactElement } from 'react';
import { EmptyState } from '../design/empty-state.tsx';
import { Notice } from '../design/notice.tsx';
import { Skeleton } from '../design/skeleton.tsx';
import { useShown, useTranslate } from '../gangway-context.ts';
import { InboxList } from './inbox-list.tsx';

/** Everything that waits for the person at this gateway, whichever conversation it came from. */
export function InboxScreen(): ReactElement {
  const t = useTranslate();
  const { inbox, inboxFacts, connection } = useShown().gateway;
  const { total, isKnown, missingScopes } = inboxFacts;
  const isConnected = connection.status === 'connected';
  return (
    <div className="inbox">
      <h1 className="visually-hidden">{t('inbox.title')}</h1>
      {missingScopes.length === 0 ? null : (
        <Notice tone="info">{t('inbox.noScope', { scopes: missingScopes.join(', ') })}</Notice>
      )}
      <InboxList items={inbox} />
      {total > inbox.length ? (
        <p className="inbox-card__hint">{t('inbox.more', { count: total - inbox.length })}</p>
      ) : null}
      {inbox.length > 0 ? null : isKnown ? (
        <EmptyState icon="inbox" title={t('inbox.emptyTitle')} text={t('inbox.emptyText')} />
      ) : isConnected ? (
        <Skeleton label={t('common.loading')} rows={3} />
      ) : (
        <EmptyState icon="inbox" title={t('inbox.unknownTitle')} text={t('inbox.unknownText')} />
      )}
    </div>
  );
}
