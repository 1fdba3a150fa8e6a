import type { ReactElement } from 'react';
import type { GatewaySnapshot } from '../../shared/app-snapshot.ts';
import type { ChannelHealth, GatewayHealth } from '../../shared/health.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import { StateIcon, type StateShape } from '../design/icons.tsx';
import { Skeleton } from '../design/skeleton.tsx';
import { formatDuration } from '../format.ts';
import { useTranslate } from '../gangway-context.ts';
import { useNow } from '../state/use-now.ts';
import { Age } from './health-ladder.tsx';

/** What the gateway said of itself, with the age of the answer; the last one stays in view while offline. */
export function GatewayPanel({ gateway }: { readonly gateway: GatewaySnapshot }): ReactElement {
  const t = useTranslate();
  const { health, connection } = gateway;
  if (health === null) {
    return connection.status === 'connected' ? (
      <div className="panel panel--padded">
        <Skeleton label={t('health.loading')} rows={3} />
      </div>
    ) : (
      <p className="health__none muted">
        {t('health.noneYet')} {t('health.noneYetText')}
      </p>
    );
  }
  return (
    <div className="health__columns" data-stale={connection.status === 'connected' ? undefined : ''}>
      <section aria-labelledby="channels-title">
        <div className="group__head">
          <h2 className="group__title" id="channels-title">
            {t('health.channels')}
          </h2>
          <ObservedAt health={health} />
        </div>
        <div className="panel">
          {health.channels.length === 0 ? (
            <p className="panel__empty muted">{t('health.noChannels')}</p>
          ) : (
            <ul className="channels">
              {health.channels.map((channel) => (
                <Channel key={channel.id} channel={channel} />
              ))}
            </ul>
          )}
        </div>
      </section>
      <section aria-labelledby="gateway-title">
        <h2 className="group__title" id="gateway-title">
          {t('health.gateway')}
        </h2>
        <dl className="panel panel--padded facts">
          {gatewayFacts(gateway, health, t).map(([term, value]) => (
            <Fact key={term} term={term} value={value} />
          ))}
          {connection.status === 'connected' ? (
            <Fact term={t('health.connectedSince')} value={<Since atMs={connection.sinceAtMs} />} />
          ) : null}
        </dl>
      </section>
    </div>
  );
}

function gatewayFacts(
  { connection }: GatewaySnapshot,
  health: GatewayHealth,
  t: Translate,
): (readonly [string, string])[] {
  const facts: (readonly [string, string])[] = [
    [t('health.version'), health.gatewayVersion ?? t('health.unknownValue')],
    [t('health.agents'), health.agents.map((agent) => agent.name).join(', ') || t('health.noAgents')],
  ];
  const counted: readonly (readonly [string, number | null])[] = [
    [t('health.sessions'), health.sessionCount],
    [t('health.activeRuns'), health.activeRuns],
    [t('health.approvals'), health.pendingApprovals],
    [t('health.questions'), health.pendingQuestions],
  ];
  for (const [term, count] of counted) if (count !== null) facts.push([term, String(count)]);
  if (connection.status === 'connected') facts.push([t('health.endpoint'), connection.endpoint.url]);
  return facts;
}

function Fact({
  term,
  value,
}: {
  readonly term: string;
  readonly value: string | ReactElement;
}): ReactElement {
  return (
    <>
      <dt>{term}</dt>
      <dd className="number">{value}</dd>
    </>
  );
}

function ObservedAt({ health }: { readonly health: GatewayHealth }): ReactElement {
  return (
    <span className="group__aside muted number">
      <Age atMs={health.observedAtMs} />
    </span>
  );
}

/** Uptime in minutes and more needs no tick a second. */
function Since({ atMs }: { readonly atMs: number }): ReactElement {
  const t = useTranslate();
  const nowMs = useNow(10_000);
  return <>{formatDuration(nowMs - atMs, t)}</>;
}

function Channel({ channel }: { readonly channel: ChannelHealth }): ReactElement {
  const t = useTranslate();
  return (
    <li className="channel">
      <StateIcon state={shapeOf(channel.state)} />
      <span className="channel__name">{channel.label}</span>
      <span className="channel__state">{t(`health.channelStates.${channel.state}`)}</span>
      {channel.lastError === null ? null : <p className="channel__error selectable">{channel.lastError}</p>}
    </li>
  );
}

function shapeOf(state: ChannelHealth['state']): StateShape {
  switch (state) {
    case 'ready':
      return 'ok';
    case 'degraded':
      return 'degraded';
    case 'down':
      return 'attention';
    case 'not-configured':
      return 'offline';
    case 'unknown':
      return 'unknown';
  }
}
