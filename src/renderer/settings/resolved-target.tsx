import { useState, type ReactElement, type ReactNode } from 'react';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import { describeFailure } from '../../shared/failure-remedies.ts';
import { failureTarget } from '../../shared/gateway-label.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { GatewayDraft } from '../../shared/ipc-contract.ts';
import { profileOfDraft } from '../../shared/profile-of-draft.ts';
import type { SshPlace, SshResolution, TransportReason } from '../../shared/ssh-resolution.ts';
import { StateIcon } from '../design/icons.tsx';
import { useShown, useTranslate } from '../gangway-context.ts';
import { useResolvedTarget } from './use-resolved-target.ts';

/** One line that says where the target leads; unfolded, everything that decides it. */
export function ResolvedTarget({
  draft,
  saves,
}: {
  readonly draft: GatewayDraft;
  /** How often the form was saved: then it is read anew. */
  readonly saves: number;
}): ReactElement {
  const t = useTranslate();
  const state = useResolvedTarget(draft, saves);
  const [isOpen, setIsOpen] = useState(false);
  switch (state.type) {
    case 'none':
      return <Closed>{t('settings.resolved.none')}</Closed>;
    case 'reading':
      // What was unfolded stays so, dimmed, until the answer is there: nothing jumps while a name is typed.
      return state.last === null || !isOpen ? (
        <Closed>{t('settings.resolved.reading')}</Closed>
      ) : (
        <Fold isOpen onToggle={setIsOpen} isBusy line={t('settings.resolved.reading')}>
          <Facts resolution={state.last} />
        </Fold>
      );
    case 'failed':
      return <Failed failure={state.failure} draft={draft} isOpen={isOpen} onToggle={setIsOpen} />;
    case 'resolved':
      return (
        <Fold isOpen={isOpen} onToggle={setIsOpen} line={<Line resolution={state.resolution} />}>
          <Facts resolution={state.resolution} />
        </Fold>
      );
  }
}

function Closed({ children }: { readonly children: ReactNode }): ReactElement {
  const t = useTranslate();
  return (
    <p className="resolved resolved--none resolved__line muted">
      <span className="resolved__label">{t('settings.resolved.label')}</span>
      <span className="resolved__text">{children}</span>
    </p>
  );
}

interface FoldProps {
  readonly isOpen: boolean;
  readonly onToggle: (isOpen: boolean) => void;
  readonly isBusy?: boolean;
  readonly line: ReactNode;
  readonly children: ReactNode;
}

function Fold({ isOpen, onToggle, isBusy = false, line, children }: FoldProps): ReactElement {
  const t = useTranslate();
  return (
    <details
      className="resolved"
      open={isOpen}
      aria-busy={isBusy}
      onToggle={(event) => onToggle(event.currentTarget.open)}
    >
      <summary className="resolved__line">
        <span className="resolved__label">{t('settings.resolved.label')}</span>
        <span className="resolved__text">{line}</span>
      </summary>
      <div className="resolved__body">{children}</div>
    </details>
  );
}

function Failed({
  failure,
  draft,
  isOpen,
  onToggle,
}: {
  readonly failure: ConnectionFailure;
  readonly draft: GatewayDraft;
  readonly isOpen: boolean;
  readonly onToggle: (isOpen: boolean) => void;
}): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const target = failureTarget(profileOfDraft(gateway.profile, draft), t);
  const { title, body } = describeFailure(failure, target, t, { isFinal: true });
  return (
    <Fold
      isOpen={isOpen}
      onToggle={onToggle}
      line={
        <>
          <StateIcon state="attention" />
          {title}
        </>
      }
    >
      <p className="selectable">{body}</p>
    </Fold>
  );
}

/** What counts at a glance: the place, the way there, and what will not be as the configuration says. */
function Line({ resolution }: { readonly resolution: SshResolution }): ReactElement {
  const t = useTranslate();
  const { jumps, proxyCommand, transport, notHonoured } = resolution;
  const asides = [
    jumps.length > 0 ? t('settings.resolved.through', { hops: namesOf(jumps) }) : null,
    jumps.length === 0 && proxyCommand !== null ? t('settings.resolved.throughCommand') : null,
    transport === 'openssh' ? t('settings.resolved.byOpenssh') : null,
  ].filter((aside) => aside !== null);
  return (
    <>
      <span className="mono">{placeText(resolution)}</span>
      {asides.map((aside) => (
        <span key={aside} className="resolved__aside">
          {aside}
        </span>
      ))}
      {notHonoured.length === 0 ? null : (
        <span className="resolved__aside resolved__ignored">
          <StateIcon state="degraded" />
          {t('settings.resolved.ignored', { count: notHonoured.length })}
        </span>
      )}
    </>
  );
}

function Facts({ resolution }: { readonly resolution: SshResolution }): ReactElement {
  const t = useTranslate();
  const { identityFiles, agent, jumps, proxyCommand, hostKeyAlias, notHonoured } = resolution;
  return (
    <>
      {resolution.source === 'library' ? (
        <p className="field__hint">{t('settings.resolved.byLibrary')}</p>
      ) : null}
      <dl className="facts">
        <Fact term={t('settings.resolved.host')}>{resolution.host}</Fact>
        <Fact term={t('settings.resolved.port')}>{resolution.port}</Fact>
        <Fact term={t('settings.resolved.user')}>{resolution.user}</Fact>
        {hostKeyAlias === null ? null : (
          <Fact term={t('settings.resolved.hostKeyAlias')}>{hostKeyAlias}</Fact>
        )}
        <Fact term={t('settings.resolved.keys')} isPlain={identityFiles.length === 0}>
          {identityFiles.length === 0
            ? t('settings.resolved.noKeys')
            : identityFiles.map(({ path, exists }) => (
                <span
                  key={path}
                  className={exists ? 'resolved__item' : 'resolved__item resolved__item--missing'}
                >
                  {path}
                  {exists ? null : <span className="resolved__note"> {t('settings.resolved.missing')}</span>}
                </span>
              ))}
        </Fact>
        <Fact term={t('settings.resolved.agent')} isPlain={agent === null}>
          {agent ?? t('settings.resolved.noAgent')}
        </Fact>
        {jumps.length === 0 ? null : (
          <Fact term={t('settings.resolved.jumps')}>
            {jumps.map((jump, index) => (
              <span key={index} className="resolved__item">
                {hopText(jump)}
              </span>
            ))}
          </Fact>
        )}
        {proxyCommand === null ? null : (
          <Fact term={t('settings.resolved.proxyCommand')}>{proxyCommand}</Fact>
        )}
        <Fact term={t('settings.resolved.transport')} isPlain>
          <span className="resolved__item">{t(`settings.transports.${resolution.transport}`)}</span>
          {resolution.reasons.map((reason) => (
            <span key={`${reason.code} ${reason.detail}`} className="resolved__item resolved__note">
              {reasonText(reason, t)}
            </span>
          ))}
        </Fact>
        {notHonoured.length === 0 ? null : (
          <Fact term={t('settings.resolved.notHonoured')}>
            {notHonoured.map(({ directive, value }, index) => (
              <span key={index} className="resolved__item">
                {directive} {value}
              </span>
            ))}
          </Fact>
        )}
      </dl>
    </>
  );
}

function Fact({
  term,
  isPlain = false,
  children,
}: {
  readonly term: string;
  /** In words, not in what is compared letter by letter. */
  readonly isPlain?: boolean;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <>
      <dt>{term}</dt>
      <dd className={isPlain ? undefined : 'mono'}>{children}</dd>
    </>
  );
}

function reasonText({ code, detail }: TransportReason, t: Translate): string {
  return t(`transportReasons.${code}`, { detail });
}

function namesOf(jumps: readonly SshPlace[]): string {
  return jumps.map((jump) => jump.name).join(', ');
}

function hopText(hop: SshPlace): string {
  const place = placeText(hop);
  return hop.name === hop.host ? place : `${hop.name} (${place})`;
}

/** As ssh takes it: the port only where it is not 22, brackets around an IPv6 address that a port follows. */
function placeText({ user, host, port }: Pick<SshPlace, 'user' | 'host' | 'port'>): string {
  if (port === 22) return `${user}@${host}`;
  return host.includes(':') ? `${user}@[${host}]:${port}` : `${user}@${host}:${port}`;
}
