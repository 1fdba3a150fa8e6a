import type { ReactElement, ReactNode } from 'react';
import { Glyph, type GlyphName } from './icons.tsx';

interface EmptyStateProps {
  readonly icon: GlyphName;
  readonly title: string;
  readonly text: string;
  readonly actions?: ReactNode;
}

/** What a screen says while it has nothing to show: what belongs here, and how it comes. */
export function EmptyState({ icon, title, text, actions }: EmptyStateProps): ReactElement {
  return (
    <div className="empty">
      <div className="empty__icon">
        <Glyph name={icon} size={32} />
      </div>
      <h2 className="empty__title">{title}</h2>
      <p className="empty__text">{text}</p>
      {actions === undefined ? null : <div className="empty__actions">{actions}</div>}
    </div>
  );
}
