import type { ReactElement } from 'react';
import { noticeKey, type AppNotice, type AppSnapshot } from '../../shared/app-snapshot.ts';
import { gatewayLabel } from '../../shared/gateway-label.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { CommandError } from '../../shared/ipc-contract.ts';
import { Notice } from '../design/notice.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { commandErrorText } from './command-error-text.ts';
import { FailureCard } from './failure-card.tsx';

interface NoticesProps {
  readonly commandError: CommandError | null;
  readonly onDismissError: () => void;
}

/** What the person must know beyond the connection, and a command that was not carried out. */
export function Notices({ commandError, onDismissError }: NoticesProps): ReactElement | null {
  const t = useTranslate();
  const { api } = useCommands();
  const { snapshot } = useShown();
  const run = useRunCommand();
  if (snapshot.notices.length === 0 && commandError === null) return null;
  return (
    <section className="notices" aria-label={t('notices.title')}>
      {commandError === null ? null : commandError.type === 'failure' ? (
        <FailureCard
          failure={commandError.failure}
          dismiss={{ label: t('notices.dismiss'), onDismiss: onDismissError }}
        />
      ) : (
        <Notice tone="bad" dismiss={{ label: t('notices.dismiss'), onDismiss: onDismissError }}>
          {commandErrorText(commandError, t)}
        </Notice>
      )}
      {snapshot.notices.map((notice) => (
        <Notice
          key={noticeKey(notice)}
          tone="warning"
          dismiss={{
            label: t('notices.dismiss'),
            onDismiss: () => run(api.app.dismissNotice({ key: noticeKey(notice) })),
          }}
        >
          {noticeText(notice, snapshot, t)}
        </Notice>
      ))}
    </section>
  );
}

function noticeText(notice: AppNotice, snapshot: AppSnapshot, t: Translate): string {
  switch (notice.type) {
    case 'secrets-in-memory':
      return t('notices.secretsInMemory', { backend: notice.backend });
    case 'secrets-quarantined':
      return t('notices.secretsQuarantined', { path: notice.path });
    case 'secrets-unreadable':
      return t('notices.secretsUnreadable', { path: notice.path, detail: notice.detail });
    case 'device-identity-replaced':
      return t('notices.deviceIdentityReplaced');
    case 'settings-quarantined':
      return t('notices.settingsQuarantined', { path: notice.path, detail: notice.detail });
    case 'settings-newer':
      return t('notices.settingsNewer', { path: notice.path, version: notice.version });
    case 'settings-unwritable':
      return t('notices.settingsUnwritable', { path: notice.path, detail: notice.detail });
    case 'messages-quarantined':
      return t('notices.messagesQuarantined', {
        path: notice.path,
        detail: notice.detail,
        count: notice.salvaged,
      });
    case 'messages-newer':
      return t('notices.messagesNewer', { path: notice.path, version: notice.version });
    case 'messages-unwritable':
      return t('notices.messagesUnwritable', { path: notice.path, detail: notice.detail });
    case 'port-moved': {
      const { from, to, owner } = notice;
      const words =
        owner === null
          ? t('notices.portMoved', { from, to })
          : t('notices.portMovedOwner', { from, to, owner });
      // Only where there are several does it matter whose port it is.
      const moved = snapshot.gateways.find(({ profile }) => profile.id === notice.gatewayId);
      if (snapshot.gateways.length < 2 || moved === undefined) return words;
      return t('notices.ofGateway', { gateway: gatewayLabel(moved.profile, t), words });
    }
  }
}
