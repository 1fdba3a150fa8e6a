import type { ReactElement } from 'react';
import { Button } from '../design/button.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { InboxList } from './inbox-list.tsx';

/** What the agent of this conversation waits for, where the person reads; the rest is a click away. */
export function SessionInbox({ sessionKey }: { readonly sessionKey: string }): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  const { inbox, inboxFacts, profile } = gateway;
  const ours = inbox.filter((item) => item.sessionKey === sessionKey);
  const elsewhere = inboxFacts.total - ours.length;
  return (
    <div className="session-inbox">
      <InboxList items={ours} />
      {elsewhere === 0 ? null : (
        <Button
          look="quiet"
          size="small"
          onClick={() => run(api.app.openWindow({ window: 'inbox', gatewayId: profile.id }))}
        >
          {t('inbox.elsewhere', { count: elsewhere })}
        </Button>
      )}
    </div>
  );
}
