import type { ReactElement } from 'react';
import type { ChatPart } from '../../shared/chat.ts';
import { Glyph, StateIcon } from '../design/icons.tsx';
import { useTranslate } from '../gangway-context.ts';
import { MessageMarkdown } from './message-markdown.tsx';

/** One part of a message. What a person typed is shown as typed; markdown is for what the agent writes. */
export function MessagePart({
  part,
  isOwn,
}: {
  readonly part: ChatPart;
  readonly isOwn: boolean;
}): ReactElement {
  const t = useTranslate();
  switch (part.type) {
    case 'text':
      return isOwn ? <p className="plain selectable">{part.text}</p> : <MessageMarkdown text={part.text} />;
    case 'thinking':
      return (
        <details className="fold">
          <summary>{t('chat.thinking')}</summary>
          <div className="fold__body selectable">{part.text}</div>
        </details>
      );
    case 'tool':
      return <ToolCard part={part} />;
    case 'image':
      return <p className="part-note">{part.alt === '' ? t('chat.imagePart') : part.alt}</p>;
    case 'other':
      return <p className="part-note">{t('chat.otherPart', { kind: part.kind })}</p>;
  }
}

/** A tool call, folded: its name, a glimpse of what it was given, how it ended. */
function ToolCard({ part }: { readonly part: Extract<ChatPart, { readonly type: 'tool' }> }): ReactElement {
  const t = useTranslate();
  return (
    <details className="fold tool" data-status={part.status}>
      <summary>
        <Glyph name="tool" size={14} />
        <span className="tool__name mono">{part.name}</span>
        <span className="tool__glimpse mono muted">{firstLine(part.input)}</span>
        <span className="tool__status">
          {part.status === 'done' ? null : (
            <StateIcon state={part.status === 'running' ? 'connecting' : 'attention'} />
          )}
          {t(`chat.tool.${part.status}`)}
        </span>
      </summary>
      <dl className="fold__body tool__body">
        <dt>{t('chat.tool.input')}</dt>
        <dd>
          <pre className="selectable" tabIndex={0}>
            {part.input}
          </pre>
        </dd>
        {part.status === 'running' && part.output === '' ? null : (
          <>
            <dt>{t('chat.tool.output')}</dt>
            <dd>
              {part.output === '' ? (
                <span className="muted">{t('chat.tool.noOutput')}</span>
              ) : (
                <pre className="selectable" tabIndex={0}>
                  {part.output}
                </pre>
              )}
            </dd>
          </>
        )}
      </dl>
    </details>
  );
}

function firstLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 120);
}
