import type { ReactElement } from 'react';
import { presentConnection, type ConnectionCommand } from '../../shared/connection-presentation.ts';
import { personNeededFor } from '../../shared/connection-state.ts';
import { describeFailure } from '../../shared/failure-remedies.ts';
import { failureTarget } from '../../shared/gateway-label.ts';
import type { Ladder, LadderLayer } from '../../shared/health.ts';
import type { WindowKind } from '../../shared/ipc-contract.ts';
import type { PageKind } from '../../shared/window-address.ts';
import { Button } from '../design/button.tsx';
import { Glyph, StateIcon } from '../design/icons.tsx';
import { roundLatency } from '../format.ts';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { useNow } from '../state/use-now.ts';

/**
 * The connection at the top of every window: word, host, number, and what can be done about it. The region is live for
 * screen readers; what counts is hidden from it, so that only a change of state is spoken.
 */
export function ConnectionHeader({ page }: { readonly page: PageKind }): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const { connection, profile, ladder } = gateway;
  const isCounting = connection.status === 'backing-off' && personNeededFor(connection) === null;
  const nowMs = useNow(isCounting ? 1000 : null);
  const target = failureTarget(profile, t);
  const { statusWord, line, trayIcon, allowed } = presentConnection(connection, target, nowMs, t);
  const word = t(`status.${statusWord}`);
  const rest = line.startsWith(word) ? line.slice(word.length) : ` ${line}`;
  const latencyMs = connection.status === 'connected' ? newestLatencyMs(ladder) : null;
  return (
    <header className="connection">
      <div
        className="connection__status"
        role="status"
        aria-label={t('common.connection')}
        aria-atomic="true"
      >
        <StateIcon state={trayIcon} />
        <p className="connection__line" title={line}>
          <span className="connection__word">{word}</span>
          <span className="connection__rest number" aria-hidden={isCounting}>
            {rest}
          </span>
          {isCounting ? (
            <span className="visually-hidden">
              {' '}
              {target.label}. {describeFailure(connection.lastFailure, target, t).title}
            </span>
          ) : null}
          {latencyMs === null ? null : (
            <span className="connection__number number" aria-hidden="true">
              {' · '}
              {t('common.ms', { count: roundLatency(latencyMs) })}
            </span>
          )}
        </p>
      </div>
      <div className="connection__commands">
        <ConnectionCommands allowed={allowed} />
      </div>
      {page === 'prompt' ? null : <WindowLinks page={page} />}
    </header>
  );
}

/** The gateway's own round trip says most; the SSH one where the gateway's is not known yet. */
function newestLatencyMs(ladder: Ladder): number | null {
  const of = (layer: LadderLayer): number | null =>
    ladder.find((rung) => rung.layer === layer)?.latencyMs ?? null;
  return of('gateway') ?? of('ssh');
}

const COMMANDS = ['connect', 'resume', 'reconnectNow', 'pause'] as const;

function ConnectionCommands({ allowed }: { readonly allowed: readonly ConnectionCommand[] }): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  // Resuming connects at once; a second button for the same would only ask to choose.
  const shown = COMMANDS.filter(
    (command) => allowed.includes(command) && !(command === 'reconnectNow' && allowed.includes('resume')),
  );
  return (
    <>
      {shown.map((command) => (
        <Button
          key={command}
          size="small"
          onClick={() => run(api.connection[command]({ gatewayId: gateway.profile.id }))}
        >
          {t(`common.${command}`)}
        </Button>
      ))}
    </>
  );
}

const LINKS: readonly {
  readonly window: WindowKind;
  readonly icon: 'chat' | 'inbox' | 'health' | 'settings';
  readonly key: string;
}[] = [
  { window: 'chat', icon: 'chat', key: 'common.openChat' },
  { window: 'inbox', icon: 'inbox', key: 'common.openInbox' },
  { window: 'health', icon: 'health', key: 'common.openHealth' },
  { window: 'settings', icon: 'settings', key: 'common.openSettings' },
];

/** The way to this gateway's other windows. */
function WindowLinks({ page }: { readonly page: PageKind }): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  return (
    <nav className="connection__windows" aria-label={t('common.windows')}>
      {LINKS.filter((link) => link.window !== page).map((link) => {
        const count = link.window === 'inbox' ? gateway.inboxFacts.total : 0;
        const name = count === 0 ? t(link.key) : `${t(link.key)}: ${t('inbox.waiting', { count })}`;
        return (
          <Button
            key={link.window}
            look="quiet"
            tone="neutral"
            size="icon"
            title={name}
            aria-label={name}
            onClick={() => run(api.app.openWindow({ window: link.window, gatewayId: gateway.profile.id }))}
          >
            <Glyph name={link.icon} />
            {count === 0 ? null : (
              <span className="connection__count number" aria-hidden="true">
                {count}
              </span>
            )}
          </Button>
        );
      })}
    </nav>
  );
}
