import { useEffect, useState, type ReactElement } from 'react';
import { isConfigured } from '../../shared/gateway-profile.ts';
import type { LadderRung } from '../../shared/health.ts';
import { Button } from '../design/button.tsx';
import { EmptyState } from '../design/empty-state.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { connectionFailureOf } from '../../shared/connection-state.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import { GatewayPanel } from './gateway-panel.tsx';
import { HealthLadder } from './health-ladder.tsx';

/** How long "Checking…" stays when nothing newer comes: the gateway's answer has a limit of its own in main. */
const CHECK_SHOWN_MS = 6000;

/** One truthful ladder from this computer to the channels, then what the gateway says of itself. */
export function HealthScreen(): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  const newest = newestObservation(gateway.ladder);
  const [checkedAt, setCheckedAt] = useState<number | null>(null);
  const isChecking = checkedAt !== null && newest <= checkedAt;
  useEffect(() => {
    if (checkedAt === null) return undefined;
    const timer = setTimeout(() => setCheckedAt(null), CHECK_SHOWN_MS);
    return () => clearTimeout(timer);
  }, [checkedAt]);

  if (!isConfigured(gateway.profile)) {
    return (
      <>
        <h1 className="visually-hidden">{t('health.title')}</h1>
        <EmptyState
          icon="health"
          title={t('health.setUpTitle')}
          text={t('health.setUpText')}
          actions={
            <Button
              look="primary"
              onClick={() => run(api.app.openWindow({ window: 'settings', gatewayId: gateway.profile.id }))}
            >
              {t('chat.setUp')}
            </Button>
          }
        />
      </>
    );
  }

  const failure = firstFailure(gateway.ladder) ?? connectionFailureOf(gateway.connection);
  return (
    <div className="health">
      <header className="health__head">
        <h1 className="screen-title">{t('health.title')}</h1>
        <Button
          aria-busy={isChecking}
          disabled={isChecking}
          onClick={() => {
            setCheckedAt(newest);
            run(api.connection.refreshHealth({ gatewayId: gateway.profile.id }));
          }}
        >
          {isChecking ? t('health.checking') : t('health.check')}
        </Button>
      </header>
      <HealthLadder ladder={gateway.ladder} />
      {failure === null ? null : <FailureCard failure={failure} />}
      <GatewayPanel gateway={gateway} />
    </div>
  );
}

function newestObservation(ladder: readonly LadderRung[]): number {
  return Math.max(0, ...ladder.map((rung) => rung.observedAtMs ?? 0));
}

function firstFailure(ladder: readonly LadderRung[]): LadderRung['failure'] {
  return ladder.find((rung) => rung.verdict === 'failed' && rung.failure !== null)?.failure ?? null;
}
