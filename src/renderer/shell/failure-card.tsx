import { useId, useState, type ReactElement } from 'react';
import { failureKind, type ConnectionFailure } from '../../shared/connection-failure.ts';
import { describeFailure, type FailureAction } from '../../shared/failure-remedies.ts';
import { failureTarget } from '../../shared/gateway-label.ts';
import type { GatewayProfile } from '../../shared/gateway-profile.ts';
import { Button } from '../design/button.tsx';
import { DismissButton, type Dismiss } from '../design/dismiss-button.tsx';
import { StateIcon } from '../design/icons.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { CopyButton } from './copy-button.tsx';
import { focusField } from './focus-field.ts';
import { HostKeyComparison } from './host-key-comparison.tsx';
import { RemoveHostKeysDialog } from './remove-host-keys-dialog.tsx';

interface FailureCardProps {
  readonly failure: ConnectionFailure;
  /** Whose failure it is, where that is not what is saved, e.g. a form that is tried before it is saved. */
  readonly profile?: GatewayProfile;
  /** Without buttons and technical detail, for places that name the failure in passing. */
  readonly isCompact?: boolean;
  /** Nothing is tried again by itself, whatever the code says of connections. */
  readonly isFinal?: boolean;
  /** Where "try again" means something else than the connection, e.g. a test of the form. */
  readonly onRetry?: () => void;
  /** Where a free port belongs into a form that is not saved yet. */
  readonly onUsePort?: (port: number) => void;
  /** For a failure that belongs to one command, not to a state: nothing else would take it away. */
  readonly dismiss?: Dismiss;
}

type CopyAction = Extract<FailureAction, { readonly type: 'copy-command' }>;
type ButtonAction = Exclude<FailureAction, CopyAction>;

/** What failed, why, and the next step, in that order, with buttons that do it. */
export function FailureCard({
  failure,
  profile,
  isCompact = false,
  isFinal = false,
  onRetry,
  onUsePort,
  dismiss,
}: FailureCardProps): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const [isRemoving, setIsRemoving] = useState(false);
  const run = useFailureAction({ onRetry, onUsePort, onRemoveHostKeys: () => setIsRemoving(true) });
  const titleId = useId();
  const { title, body, actions } = describeFailure(failure, failureTarget(profile ?? gateway.profile, t), t, {
    isFinal,
    isBesideKeys: failure.code === 'host-key-changed' && !isCompact,
  });
  const detail = JSON.stringify({ code: failure.code, ...failure.facts }, null, 2);
  const isTransient = !isFinal && failureKind(failure.code) === 'transient';
  const commands = actions.filter((action): action is CopyAction => action.type === 'copy-command');
  const buttons = actions.filter((action): action is ButtonAction => action.type !== 'copy-command');
  return (
    <section
      className={`card ${isTransient ? 'card--warning' : 'card--bad'}`}
      role="group"
      aria-labelledby={titleId}
    >
      <span className="card__icon">
        <StateIcon state={isTransient ? 'degraded' : 'attention'} />
      </span>
      <div className="card__content">
        <h2 className="card__title selectable" id={titleId}>
          {title}
        </h2>
        <p className="card__body selectable">{body}</p>
        {isCompact ? null : (
          <>
            {failure.code === 'host-key-changed' ? <HostKeyComparison facts={failure.facts} /> : null}
            {commands.map((command) => (
              <CommandLine key={command.text} command={command} />
            ))}
            {buttons.length === 0 ? null : (
              <div className="card__actions">
                {buttons.map((action, index) => (
                  <Button
                    key={action.label}
                    look={index === 0 ? 'normal' : 'quiet'}
                    onClick={() => run(action)}
                  >
                    {action.label}
                  </Button>
                ))}
              </div>
            )}
            <details className="details">
              <summary>{t('common.details')}</summary>
              <div className="details__body">
                <pre tabIndex={0}>{detail}</pre>
                <CopyButton text={`${title}\n${body}\n\n${detail}`} label={t('common.copyDetails')} />
              </div>
            </details>
          </>
        )}
      </div>
      {dismiss === undefined ? null : <DismissButton {...dismiss} />}
      {isRemoving && failure.code === 'host-key-changed' ? (
        <RemoveHostKeysDialog facts={failure.facts} onClose={() => setIsRemoving(false)} />
      ) : null}
    </section>
  );
}

/** A command that the person runs, and where. */
function CommandLine({ command }: { readonly command: CopyAction }): ReactElement {
  const t = useTranslate();
  return (
    <div className="command">
      <p className="field__hint">
        {t(command.runsOn === 'gateway-host' ? 'common.onGatewayHost' : 'common.onThisComputer')}
      </p>
      <div className="copy-line">
        <code className="code-line">{command.text}</code>
        <CopyButton text={command.text} label={command.label} size="normal" />
      </div>
    </div>
  );
}

function useFailureAction({
  onRetry,
  onUsePort,
  onRemoveHostKeys,
}: {
  readonly onRetry: (() => void) | undefined;
  readonly onUsePort: ((port: number) => void) | undefined;
  readonly onRemoveHostKeys: () => void;
}): (action: ButtonAction) => void {
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  const target = { gatewayId: gateway.profile.id };
  return (action) => {
    switch (action.type) {
      case 'retry':
        if (onRetry === undefined) run(api.connection.reconnectNow(target));
        else onRetry();
        break;
      case 'review':
        run(api.connection.reconnectNow(target));
        break;
      case 'open-settings':
        if (action.field === null || !focusField(action.field)) {
          run(api.app.openWindow({ window: 'settings', gatewayId: target.gatewayId }));
        }
        break;
      case 'remove-host-keys':
        onRemoveHostKeys();
        break;
      case 'use-port':
        if (onUsePort === undefined) run(api.connection.usePort({ ...target, port: action.port }));
        else onUsePort(action.port);
        break;
      case 'forget-device-token':
        run(api.connection.forgetDeviceToken(target));
        break;
      case 'show-log':
        run(api.app.showLog(null));
        break;
      case 'open-help':
        run(api.app.openExternal({ url: action.url }));
        break;
    }
  };
}
