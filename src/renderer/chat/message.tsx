import { memo, type ReactElement } from 'react';
import { useTranslation } from 'react-i18next';
import type { ChatFailure, ChatRow, Delivery } from '../../shared/chat.ts';
import type { ForSession } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { StateIcon, type StateShape } from '../design/icons.tsx';
import { formatClock } from '../format.ts';
import { useCommands, useRunCommand, useTranslate } from '../gangway-context.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import { chatFailureText } from './chat-failure-text.ts';
import { MessagePart } from './message-parts.tsx';

interface MessageProps {
  readonly row: ChatRow;
  readonly session: ForSession;
}

/** One message. Rows keep their identity while nothing in them changes, so only what changed is painted again. */
export const Message = memo(function Message({ row, session }: MessageProps): ReactElement {
  const t = useTranslate();
  const { i18n } = useTranslation();
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
      {row.failure === null ? null : <MessageFailure failure={row.failure} />}
      {row.delivery === null ? null : <DeliveryState row={row} delivery={row.delivery} session={session} />}
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

function MessageFailure({ failure }: { readonly failure: ChatFailure }): ReactElement {
  const t = useTranslate();
  if (failure.type === 'connection') return <FailureCard failure={failure.failure} isCompact />;
  return <p className="message__failure selectable">{chatFailureText(failure, t)}</p>;
}

interface DeliveryStateProps extends MessageProps {
  readonly delivery: Delivery;
}

/** Where a message of ours stands, and what can be done where it stands still. */
function DeliveryState({ row, delivery, session }: DeliveryStateProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const run = useRunCommand();
  const target = { ...session, messageId: row.id };
  const canRetry = delivery === 'failed' || delivery === 'unconfirmed';
  const canDiscard = canRetry || delivery === 'queued';
  return (
    <footer className="delivery" data-delivery={delivery}>
      <span className="delivery__state">
        <StateIcon state={deliveryShape(delivery)} />
        {t(`chat.delivery.${delivery}`)}
      </span>
      {canRetry ? (
        <Button look="quiet" size="small" onClick={() => run(api.chat.retry(target))}>
          {t('chat.retry')}
        </Button>
      ) : null}
      {canDiscard ? (
        <Button look="quiet" tone="neutral" size="small" onClick={() => run(api.chat.discard(target))}>
          {t('chat.discard')}
        </Button>
      ) : null}
    </footer>
  );
}

function deliveryShape(delivery: Delivery): StateShape {
  switch (delivery) {
    case 'queued':
      return 'paused';
    case 'sending':
      return 'connecting';
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
