import type { ReactElement } from 'react';
import type { Approval, ApprovalDecision, ApprovalScope } from '../../shared/inbox.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import { visibleText } from '../../shared/visible-text.ts';
import { Button } from '../design/button.tsx';
import { Notice } from '../design/notice.tsx';
import { useCommands, useShown, useTranslate } from '../gangway-context.ts';
import { fact, InboxCard, type Fact } from './inbox-card.tsx';
import { useDecision, type Deciding } from './use-decision.ts';

interface ApprovalCardProps {
  readonly approval: Approval;
  readonly deciding: Deciding;
}

/** A command or a plugin's action that waits for a word; no button is the default of any key. */
export function ApprovalCard({ approval, deciding }: ApprovalCardProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const decision = useDecision(deciding);
  const { id, type, decisions } = approval;
  const isUrgent = type === 'plugin-approval' && approval.severity === 'critical';
  const decide = (choice: ApprovalDecision): void =>
    decision.decide(
      () => api.inbox.decide({ gatewayId: gateway.profile.id, type, id, decision: choice }),
      t(`inbox.said.${choice}`),
    );
  return (
    <InboxCard
      item={approval}
      title={type === 'exec-approval' ? t('inbox.execTitle') : approval.title}
      facts={factsOf(approval, t)}
      about={<What approval={approval} />}
      isUrgent={isUrgent}
      decision={decision}
    >
      <div className="card__actions" role="group" aria-label={t('inbox.decide')}>
        {decisions.map((choice) => (
          <Button
            key={choice}
            look={choice === 'allow-once' && !isUrgent ? 'primary' : 'normal'}
            aria-disabled={!decision.isReady}
            onClick={decision.ifMeant(() => decide(choice))}
          >
            {t(`inbox.decisions.${choice}`)}
          </Button>
        ))}
      </div>
      {decisions.includes('allow-always') ? (
        <p className="inbox-card__hint">{t(`inbox.alwaysHint.${type}`)}</p>
      ) : null}
      {decisions.length === 1 ? <p className="inbox-card__hint">{t('inbox.onlyDeny')}</p> : null}
    </InboxCard>
  );
}

function What({ approval }: { readonly approval: Approval }): ReactElement {
  const t = useTranslate();
  if (approval.type === 'exec-approval') {
    return (
      <>
        <pre className="inbox-card__command selectable" role="group" aria-label={t('inbox.command')}>
          <bdo dir="ltr">{visibleText(approval.command)}</bdo>
        </pre>
        {approval.warnings.map((warning) => (
          <Notice key={warning} tone="warning">
            {visibleText(warning)}
          </Notice>
        ))}
      </>
    );
  }
  return (
    <>
      <p className="card__body selectable">{visibleText(approval.description)}</p>
      {approval.detail === '' ? null : (
        <pre className="inbox-card__command selectable" role="group" aria-label={t('inbox.detail')}>
          {visibleText(approval.detail)}
        </pre>
      )}
    </>
  );
}

function factsOf(approval: Approval, t: Translate): readonly Fact[] {
  const { scope } = approval;
  const about = scope === null ? [] : fact(t('inbox.scope'), scopeText(scope, t));
  if (approval.type === 'plugin-approval') {
    const tool = [approval.pluginId, approval.toolName].filter((name) => name !== null).join(' · ');
    return [...about, ...fact(t('inbox.tool'), tool)];
  }
  const { cwd, host, nodeId, program, environment } = approval;
  const where =
    host !== null && ['gateway', 'sandbox', 'node'].includes(host) ? t(`inbox.hosts.${host}`) : host;
  return [
    ...about,
    ...fact(t('inbox.folder'), cwd),
    ...fact(t('inbox.program'), program),
    ...fact(t('inbox.environment'), environment.join(', ')),
    ...fact(t('inbox.where'), [where, nodeId].filter((part) => part !== null).join(' · ')),
  ];
}

function scopeText(scope: ApprovalScope, t: Translate): string {
  switch (scope.kind) {
    case 'message-send':
      return t(scope.isExternal ? 'inbox.scopes.messageOut' : 'inbox.scopes.message', {
        target: [...new Set([scope.target, ...scope.recipients])].join(', '),
        count: scope.recipientCount,
      });
    case 'payment':
      return t('inbox.scopes.payment', {
        amount: scope.amount,
        currency: scope.currency,
        target: scope.target,
      });
    case 'external-post':
      return t(scope.isPublic ? 'inbox.scopes.postPublic' : 'inbox.scopes.post', { target: scope.target });
    case 'standing-grant':
      return scope.expiresInDays === null
        ? t('inbox.scopes.grant', { automation: scope.automation, command: scope.command })
        : t('inbox.scopes.grantDays', {
            automation: scope.automation,
            command: scope.command,
            count: scope.expiresInDays,
          });
    case 'unknown':
      return t('inbox.scopes.unknown');
  }
}
