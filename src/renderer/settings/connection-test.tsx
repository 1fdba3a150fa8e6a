import { useEffect, useRef, type ReactElement } from 'react';
import type { PromptType } from '../../shared/connection-state.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import type { TestProgress } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { StateIcon, type StateShape } from '../design/icons.tsx';
import { formatMeasured } from '../format.ts';
import { useTranslate } from '../gangway-context.ts';
import { FailureCard } from '../shell/failure-card.tsx';

type Step = TestProgress['steps'][number];

interface ConnectionTestPanelProps {
  readonly progress: TestProgress;
  /** What is tried: the form, saved or not. */
  readonly profile: GatewayProfile;
  readonly onStop: () => void;
  readonly onRetry: () => void;
  readonly onUsePort: (port: number) => void;
}

/** The stages of "Test connection" with their times, and what came out. */
export function ConnectionTestPanel({
  progress,
  profile,
  onStop,
  onRetry,
  onUsePort,
}: ConnectionTestPanelProps): ReactElement {
  const t = useTranslate();
  const isRunning = progress.outcome.type === 'running';
  const ref = useRef<HTMLElement>(null);
  // The list grows below the fold: what was asked for comes into view, and so does its outcome.
  useEffect(() => ref.current?.scrollIntoView({ block: 'nearest' }), [isRunning]);
  return (
    <section ref={ref} className="group test" aria-labelledby="test-title">
      <div className="test__head">
        <h2 className="group__title" id="test-title">
          {t('settings.testTitle')}
        </h2>
        {isRunning ? (
          <Button size="small" onClick={onStop}>
            {t('settings.stopTest')}
          </Button>
        ) : null}
      </div>
      <ol className="panel steps">
        {progress.steps.map((step) => (
          <li key={step.step} className="steps__item" data-status={step.status}>
            <StateIcon state={shapeOf(step.status)} />
            <span className="steps__name">{t(`settings.steps.${step.step}`)}</span>
            <span className="steps__state number">{stateText(step, isRunning, t)}</span>
          </li>
        ))}
      </ol>
      <div aria-live="polite">
        <Outcome progress={progress} profile={profile} onRetry={onRetry} onUsePort={onUsePort} />
      </div>
    </section>
  );
}

function Outcome({
  progress,
  profile,
  onRetry,
  onUsePort,
}: Omit<ConnectionTestPanelProps, 'onStop'>): ReactElement | null {
  const t = useTranslate();
  const { outcome } = progress;
  switch (outcome.type) {
    case 'running':
      return null;
    case 'passed':
      return (
        <p className="test__outcome" data-tone="good">
          <StateIcon state="ok" />
          {t('settings.testPassed', { duration: formatMeasured(totalMs(progress), t) })}
        </p>
      );
    case 'failed':
      return (
        <FailureCard
          failure={outcome.failure}
          profile={profile}
          isFinal
          onRetry={onRetry}
          onUsePort={onUsePort}
        />
      );
    case 'needs-user':
      return (
        <div className="test__outcome" data-tone="waiting">
          <StateIcon state="waiting" />
          <div>
            <p className="selectable">{t(needsUserKey(outcome.reason), { detail: outcome.detail })}</p>
            <p className="muted">{t('settings.testNeedsUserNext')}</p>
          </div>
        </div>
      );
    case 'cancelled':
      return (
        <p className="test__outcome">
          <StateIcon state="offline" />
          {t('settings.testCancelled')}
        </p>
      );
  }
}

function needsUserKey(reason: PromptType): string {
  switch (reason) {
    case 'host-key':
      return 'settings.testNeedsHostKey';
    case 'passphrase':
      return 'settings.testNeedsPassphrase';
    case 'password':
    case 'keyboard-interactive':
      return 'settings.testNeedsSignIn';
    case 'confirm':
    case 'notice':
      return 'settings.testNeedsConfirm';
  }
}

function totalMs(progress: TestProgress): number {
  return progress.steps.reduce((sum, step) => sum + (step.durationMs ?? 0), 0);
}

function stateText(step: Step, isRunning: boolean, t: Translate): string {
  if (step.status === 'pending' && !isRunning) return t('settings.stepStates.notReached');
  if (step.status === 'passed' && step.durationMs !== null) return formatMeasured(step.durationMs, t);
  return t(`settings.stepStates.${step.status}`);
}

function shapeOf(status: Step['status']): StateShape {
  switch (status) {
    case 'pending':
      return 'unknown';
    case 'running':
      return 'connecting';
    case 'passed':
      return 'ok';
    case 'failed':
      return 'attention';
    case 'skipped':
      return 'unknown';
    case 'needs-user':
      return 'waiting';
  }
}
