import type { ReactElement } from 'react';
import type { Ladder, LadderRung, RungVerdict } from '../../shared/health.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import { StateIcon, type StateShape } from '../design/icons.tsx';
import { formatAge, roundLatency } from '../format.ts';
import { useTranslate } from '../gangway-context.ts';
import { useNow } from '../state/use-now.ts';

/** The five layers from the near end to the far end, each with its verdict, its number and the age of both. */
export function HealthLadder({ ladder }: { readonly ladder: Ladder }): ReactElement {
  const t = useTranslate();
  return (
    <section aria-labelledby="ladder-title">
      <h2 className="group__title" id="ladder-title">
        {t('health.ladder')}
      </h2>
      <ol className="panel ladder">
        {ladder.map((rung) => (
          <Rung key={rung.layer} rung={rung} />
        ))}
      </ol>
    </section>
  );
}

function Rung({ rung }: { readonly rung: LadderRung }): ReactElement {
  const t = useTranslate();
  return (
    <li className="rung" data-verdict={rung.verdict}>
      <StateIcon state={shapeOf(rung.verdict)} />
      <div className="rung__what">
        <span className="rung__layer">{t(`health.layers.${rung.layer}`)}</span>
        <span className="rung__note muted">{notesOf(rung, t).join(' · ') || t(hintOf(rung))}</span>
      </div>
      <span className="rung__verdict">{t(`health.verdicts.${rung.verdict}`)}</span>
      <span className="rung__latency number">
        {rung.latencyMs === null ? null : t('common.ms', { count: roundLatency(rung.latencyMs) })}
      </span>
      <span className="rung__age number muted">
        {rung.verdict === 'not-applicable' ? null : <Age atMs={rung.observedAtMs} />}
      </span>
    </li>
  );
}

/** What is known of the layer: the far end's own name, then how the session with it stands. */
function notesOf({ note, route }: LadderRung, t: Translate): readonly string[] {
  const { via = [], transport = null, signedInWith = null } = route ?? {};
  return [
    note,
    transport === 'openssh' ? t('health.route.byOpenssh') : null,
    via.length === 0 ? null : t('health.route.via', { hops: via.join(', ') }),
    signedInWith === null ? null : t('health.route.signedIn', { credential: signedInWith }),
  ].filter((part) => part !== null);
}

/** "3 s ago", ticking while the window is visible. */
export function Age({ atMs }: { readonly atMs: number | null }): ReactElement {
  const t = useTranslate();
  const nowMs = useNow(atMs === null ? null : 1000);
  return <>{atMs === null ? t('health.never') : formatAge(atMs, nowMs, t)}</>;
}

/** What is said of a layer that has no note of its own: only a layer that was found good is called so. */
function hintOf({ layer, verdict }: LadderRung): string {
  switch (verdict) {
    case 'ok':
    case 'degraded':
      return `health.layerHints.${layer}`;
    case 'not-applicable':
      return `health.layerUnused.${layer}`;
    case 'failed':
    case 'checking':
    case 'unknown':
      return `health.layerSubjects.${layer}`;
  }
}

function shapeOf(verdict: RungVerdict): StateShape {
  switch (verdict) {
    case 'ok':
      return 'ok';
    case 'degraded':
      return 'degraded';
    case 'failed':
      return 'attention';
    case 'checking':
      return 'connecting';
    case 'unknown':
      return 'unknown';
    case 'not-applicable':
      return 'offline';
  }
}
