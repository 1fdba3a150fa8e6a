import { useEffect, useMemo, useState, useSyncExternalStore, type ReactElement } from 'react';
import type { GatewaySnapshot } from '../../shared/app-snapshot.ts';
import type { ChatRow, ChatSession } from '../../shared/chat.ts';
import { personNeededFor } from '../../shared/connection-state.ts';
import { failureTarget } from '../../shared/gateway-label.ts';
import { isConfigured } from '../../shared/gateway-profile.ts';
import type { CommandError, ForSession } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { EmptyState } from '../design/empty-state.tsx';
import { Skeleton } from '../design/skeleton.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { commandErrorText } from '../shell/command-error-text.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import { createChatStore } from '../state/chat-store.ts';
import { SessionInbox } from '../inbox/session-inbox.tsx';
import { Composer } from './composer.tsx';
import { Conversation } from './conversation.tsx';
import { LoadFailure } from './load-failure.tsx';

/** WebChat: one session's conversation and the box to write into. */
export function ChatScreen(): ReactElement {
  const t = useTranslate();
  return (
    <>
      <h1 className="visually-hidden">{t('chat.title')}</h1>
      <Chat />
    </>
  );
}

function Chat(): ReactElement {
  const t = useTranslate();
  const { gateway } = useShown();
  const [picked, setPicked] = useState<string | null>(null);
  const sessionKey = picked ?? firstSessionKey(gateway);

  if (!isConfigured(gateway.profile)) return <SetUpFirst gatewayId={gateway.profile.id} />;
  if (sessionKey === null) {
    return (
      <div className="chat">
        <div className="log log--empty" role="log" aria-label={t('chat.conversation')} tabIndex={0}>
          <EmptyState
            icon="chat"
            title={t('chat.noSessionTitle')}
            text={t('chat.noSessionText', { host: failureTarget(gateway.profile, t).label })}
          />
        </div>
        <div className="chat__foot">
          <BlockedCard />
          <Composer session={null} activeRun={null} onSent={() => undefined} />
        </div>
      </div>
    );
  }
  return (
    <div className="chat">
      {gateway.sessions.length > 1 ? (
        <SessionPicker sessions={gateway.sessions} sessionKey={sessionKey} onPick={setPicked} />
      ) : null}
      <OpenSession key={sessionKey} gatewayId={gateway.profile.id} sessionKey={sessionKey} />
    </div>
  );
}

function firstSessionKey(gateway: GatewaySnapshot): string | null {
  return gateway.mainSessionKey ?? gateway.sessions[0]?.key ?? null;
}

function OpenSession({ gatewayId, sessionKey }: ForSession): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const session = useMemo<ForSession>(() => ({ gatewayId, sessionKey }), [gatewayId, sessionKey]);
  const store = useMemo(() => createChatStore(api.chat, session), [api, session]);
  useEffect(() => store.start(), [store]);
  const [sentCount, setSentCount] = useState(0);
  const { conversation, openError } = useSyncExternalStore(store.subscribe, store.getState);

  const rows = conversation?.rows;
  const written = useMemo(() => (rows ?? []).flatMap(writtenText), [rows]);

  return (
    <div className="chat__conversation">
      {conversation === null ? (
        <NotOpenYet error={openError} onRetry={store.reopen} />
      ) : (
        <Conversation
          conversation={conversation}
          session={session}
          hostLabel={failureTarget(gateway.profile, t).label}
          onReload={store.reopen}
          sentCount={sentCount}
        />
      )}
      <div className="chat__foot">
        <BlockedCard />
        <SessionInbox sessionKey={sessionKey} />
        <Composer
          session={session}
          activeRun={conversation?.meta.activeRun ?? null}
          written={written}
          onSent={() => setSentCount(sentCount + 1)}
        />
      </div>
    </div>
  );
}

function writtenText({ role, parts }: ChatRow): readonly string[] {
  if (role !== 'user') return [];
  const text = parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
  return text === '' ? [] : [text];
}

/** Where nothing goes on without the person, the way on stands beside the box that it holds up. */
function BlockedCard(): ReactElement | null {
  const { connection } = useShown().gateway;
  const failure = personNeededFor(connection);
  if (failure === null) return null;
  return (
    <div className="chat__blocked">
      <FailureCard failure={failure} />
    </div>
  );
}

function NotOpenYet({
  error,
  onRetry,
}: {
  readonly error: CommandError | null;
  readonly onRetry: () => void;
}): ReactElement {
  const t = useTranslate();
  return (
    <div
      className="log"
      role="log"
      aria-label={t('chat.conversation')}
      aria-busy={error === null}
      tabIndex={0}
    >
      <div className="log__rows">
        {error === null ? (
          <Skeleton label={t('chat.loading')} rows={5} />
        ) : (
          <LoadFailure
            why={error.type === 'failure' ? error.failure : commandErrorText(error, t)}
            onRetry={onRetry}
          />
        )}
      </div>
    </div>
  );
}

function SetUpFirst({ gatewayId }: { readonly gatewayId: string }): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const run = useRunCommand();
  return (
    <EmptyState
      icon="chat"
      title={t('chat.setUpTitle')}
      text={t('chat.setUpText')}
      actions={
        <Button look="primary" onClick={() => run(api.app.openWindow({ window: 'settings', gatewayId }))}>
          {t('chat.setUp')}
        </Button>
      }
    />
  );
}

interface SessionPickerProps {
  readonly sessions: readonly ChatSession[];
  readonly sessionKey: string;
  readonly onPick: (key: string) => void;
}

function SessionPicker({ sessions, sessionKey, onPick }: SessionPickerProps): ReactElement {
  const t = useTranslate();
  const isListed = sessions.some((session) => session.key === sessionKey);
  return (
    <div className="chat__sessions">
      <label htmlFor="session">{t('chat.session')}</label>
      <select
        id="session"
        className="select"
        value={sessionKey}
        onChange={(event) => onPick(event.target.value)}
      >
        {isListed ? null : <option value={sessionKey}>{sessionKey}</option>}
        {sessions.map((session) => (
          <option key={session.key} value={session.key}>
            {session.active ? t('chat.sessionActive', { title: session.title }) : session.title}
          </option>
        ))}
      </select>
    </div>
  );
}
