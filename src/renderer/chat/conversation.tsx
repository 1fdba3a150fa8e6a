import { useRef, type ReactElement } from 'react';
import type { ChatFailure, ChatSnapshot } from '../../shared/chat.ts';
import type { ConnectionFailure } from '../../shared/connection-failure.ts';
import type { ConnectionState } from '../../shared/connection-state.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { ForSession } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { EmptyState } from '../design/empty-state.tsx';
import { Glyph, StateIcon } from '../design/icons.tsx';
import { Skeleton } from '../design/skeleton.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { chatFailureText } from './chat-failure-text.ts';
import { LoadFailure } from './load-failure.tsx';
import { Message } from './message.tsx';
import { useLasting } from './use-lasting.ts';
import { useReadingPlace } from './use-reading-place.ts';

/** A drop that is over sooner is nobody's business here: the header says it, and nothing needs to move. */
const OLD_AFTER_MS = 5000;

interface ConversationProps {
  readonly conversation: ChatSnapshot;
  readonly session: ForSession;
  readonly hostLabel: string;
  readonly onReload: () => void;
  /** Rises when the person sent something: then the end comes into view. */
  readonly sentCount: number;
}

/** The messages of one session, oldest first, and the place of the reader in them. */
export function Conversation({
  conversation,
  session,
  hostLabel,
  onReload,
  sentCount,
}: ConversationProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  const { rows, meta } = conversation;
  const firstRowId = rows[0]?.id ?? null;
  /** First row at the last request, so that one stretch of history is asked for once. */
  const askedAbove = useRef<string | null>(null);
  const loadOlder = (): void => {
    if (!meta.hasMore || firstRowId === null || askedAbove.current === firstRowId) return;
    askedAbove.current = firstRowId;
    run(api.chat.loadOlder(session));
  };
  const { ref, isAtEnd, onScroll, jumpToEnd } = useReadingPlace({
    content: conversation,
    firstRowId,
    sentCount,
    onNearTop: loadOlder,
  });
  const isEmpty = rows.length === 0;
  const firstUnconfirmed = rows.findIndex(({ delivery }) => delivery === 'unconfirmed');
  const isOld = useLasting(
    (meta.load === 'cached' || meta.load === 'loaded') && gateway.connection.status !== 'connected',
    OLD_AFTER_MS,
  );
  const isWaitingForReply = meta.activeRun !== null && !rows.some((row) => row.streaming);

  return (
    <>
      <div
        className="log"
        role="log"
        aria-label={t('chat.conversation')}
        aria-busy={meta.load === 'loading' ? true : undefined}
        tabIndex={0}
        ref={ref}
        onScroll={onScroll}
      >
        <div className="log__rows">
          {meta.load === 'failed' ? (
            <LoadFailure why={whyNot(meta.loadFailure, t)} onRetry={onReload} />
          ) : null}
          {meta.load !== 'loading' ? null : isComing(gateway.connection) ? (
            isEmpty ? (
              <Skeleton label={t('chat.loading')} rows={5} />
            ) : null
          ) : isEmpty ? (
            <EmptyState
              icon="chat"
              title={t('chat.notLoadedTitle')}
              text={t('chat.notLoadedText', { host: hostLabel })}
            />
          ) : (
            <p className="log__start muted">{t('chat.notLoadedAbove', { host: hostLabel })}</p>
          )}
          {meta.hasMore ? (
            <Button look="quiet" size="small" onClick={loadOlder}>
              {t('chat.loadOlder')}
            </Button>
          ) : isEmpty || meta.load !== 'loaded' ? null : (
            <p className="log__start muted">{t('chat.start')}</p>
          )}
          {isEmpty && (meta.load === 'loaded' || meta.load === 'cached') ? (
            <EmptyState
              icon="chat"
              title={t('chat.emptyTitle')}
              text={t('chat.emptyText', { host: hostLabel })}
            />
          ) : null}
          {rows.map((row, index) => (
            <Message
              key={row.id}
              row={row}
              session={session}
              isBehindUnconfirmed={firstUnconfirmed >= 0 && index > firstUnconfirmed}
            />
          ))}
          {isWaitingForReply ? (
            <p className="working muted">
              <StateIcon state="connecting" />
              {t('chat.working')}
            </p>
          ) : null}
        </div>
      </div>
      {isOld && !isEmpty ? <p className="chat__old muted">{t('chat.cached')}</p> : null}
      {isAtEnd ? null : (
        <div className="chat__latest">
          <Button size="small" onClick={jumpToEnd}>
            <Glyph name="down" size={12} />
            {t('chat.latest')}
          </Button>
        </div>
      )}
    </>
  );
}

/** Whether what is not loaded yet may be there in a moment; while retries go on it may not. */
function isComing(connection: ConnectionState): boolean {
  return (
    connection.status === 'connected' ||
    (connection.status === 'connecting' && connection.lastFailure === null)
  );
}

function whyNot(failure: ChatFailure | null, t: Translate): ConnectionFailure | string | null {
  if (failure === null) return null;
  return failure.type === 'connection' ? failure.failure : chatFailureText(failure, t);
}
