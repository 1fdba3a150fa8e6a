import { memo, useId, type ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChatFailure, ChatRow, Delivery } from '../../shared/chat.ts';
import type { ConnectionState } from '../../shared/connection-state.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { ForSession } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { Glyph, StateIcon, type StateShape } from '../design/icons.tsx';
import { formatClock } from '../format.ts';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import { chatFailureText } from './chat-failure-text.ts';
import { MessagePart } from './message-parts.tsx';

interface MessageProps {
  readonly row: ChatRow;
  readonly session: ForSession;
  /** An earlier message of ours is unconfirmed: this one waits until the person has decided about it. */
  readonly isBehindUnconfirmed: boolean;
}

/** One message. Rows keep their identity while nothing in them changes, so only what changed is painted again. */
export const Message = memo(function Message({
  row,
  session,
  isBehindUnconfirmed,
}: MessageProps): ReactElement {
  const t = useTranslate();
  const { i18n } = useTranslation();
  const failureId = useId();
  const name = t(
    row.role === 'user' ? 'chat.you' : row.role === 'assistant' ? 'chat.assistant' : 'chat.system',
  );
  return (
    <article
      className="message"
      data-role={row.role}
      aria-label={name}
      aria-busy={row.streaming ? true : undefined}
    >
      <header className="message__head">
        <span className="message__name" aria-hidden="true">
          {name}
        </span>
        {row.createdAtMs === null ? null : (
          <time className="message__time number" dateTime={new Date(row.createdAtMs).toISOString()}>
            {formatClock(row.createdAtMs, i18n.language)}
          </time>
        )}
      </header>
      <div className="message__body">
        {row.parts.map((part, index) => (
          <MessagePart
            key={part.type === 'tool' ? part.callId : index}
            part={part}
            isOwn={row.role === 'user'}
          />
        ))}
        {row.streaming && row.parts.length === 0 ? <Working /> : null}
      </div>
      {row.stopped ? (
        <p className="message__stopped muted">
          <Glyph name="stop" size={12} />
          {t('chat.stopped')}
        </p>
      ) : null}
      {row.failure === null ? null : <MessageFailure failure={row.failure} id={failureId} />}
      {row.delivery === null ? null : (
        <DeliveryState
          row={row}
          delivery={row.delivery}
          session={session}
          isBehindUnconfirmed={isBehindUnconfirmed}
          failureId={row.failure === null ? null : failureId}
        />
      )}
    </article>
  );
});

function Working(): ReactElement {
  const t = useTranslate();
  return (
    <p className="working muted">
      <StateIcon state="connecting" />
      {t('chat.working')}
    </p>
  );
}

function MessageFailure({
  failure,
  id,
}: {
  readonly failure: ChatFailure;
  readonly id: string;
}): ReactElement {
  const t = useTranslate();
  if (failure.type === 'connection') {
    return (
      <div id={id}>
        <FailureCard failure={failure.failure} isCompact />
      </div>
    );
  }
  return (
    <p className="message__failure selectable" id={id}>
      {chatFailureText(failure, t)}
    </p>
  );
}

interface DeliveryStateProps extends MessageProps {
  readonly delivery: Delivery;
  /** Of the element that says why it failed. */
  readonly failureId: string | null;
}

/** Where a message of ours stands, why it waits, and what can be done where it stands still. */
function DeliveryState({
  row,
  delivery,
  session,
  isBehindUnconfirmed,
  failureId,
}: DeliveryStateProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { connection } = useShown().gateway;
  const run = useRunCommand();
  const target = { ...session, messageId: row.id };
  const canRetry = delivery === 'failed' || delivery === 'unconfirmed';
  const canDiscard = canRetry || delivery === 'queued';
  const why = whyItWaits(delivery, isBehindUnconfirmed, connection, t);
  const describedBy = failureId === null ? {} : { 'aria-describedby': failureId };
  return (
    <footer className="delivery" role="group" aria-label={t('chat.delivery.label')} data-delivery={delivery}>
      <span className="delivery__state">
        <StateIcon state={deliveryShape(delivery)} />
        {t(`chat.delivery.${delivery}`)}
      </span>
      {why === null ? null : <span className="delivery__why">{why}</span>}
      {canRetry ? (
        <Button look="quiet" size="small" {...describedBy} onClick={() => run(api.chat.retry(target))}>
          {t('chat.retry')}
        </Button>
      ) : null}
      {canDiscard ? (
        <Button
          look="quiet"
          tone="neutral"
          size="small"
          {...describedBy}
          onClick={() => run(api.chat.discard(target))}
        >
          {t('chat.discard')}
        </Button>
      ) : null}
    </footer>
  );
}

/** Null where it goes on by itself in a moment. */
function whyItWaits(
  delivery: Delivery,
  isBehindUnconfirmed: boolean,
  connection: ConnectionState,
  t: Translate,
): string | null {
  const isConnected = connection.status === 'connected';
  if (delivery === 'queued' && isBehindUnconfirmed) return t('chat.delivery.behindUnconfirmed');
  if (delivery === 'queued' && !isConnected) return t('chat.delivery.untilConnected');
  if (delivery === 'sending' && !isConnected) return t('chat.delivery.lostOnTheWay');
  return null;
}

function deliveryShape(delivery: Delivery): StateShape {
  switch (delivery) {
    case 'queued':
      return 'paused';
    case 'sending':
      return 'waiting';
    case 'sent':
      return 'ok';
    case 'running':
      return 'connecting';
    case 'failed':
      return 'attention';
    case 'unconfirmed':
      return 'degraded';
  }
}
