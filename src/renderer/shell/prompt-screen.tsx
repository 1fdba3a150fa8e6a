import type { ReactElement } from 'react';
import { EmptyState } from '../design/empty-state.tsx';
import { useShown, useTranslate } from '../gangway-context.ts';

/** What the small window for questions shows behind the question, and once it was answered. */
export function PromptScreen(): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  return (
    <>
      <h1 className="visually-hidden">{t('common.connection')}</h1>
      {gateway.connection.status === 'waiting-for-user' ? null : (
        <EmptyState icon="plug" title={t('common.connection')} text={t('prompts.answered')} />
      )}
    </>
  );
}
