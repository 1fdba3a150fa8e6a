import type { ReactElement, ReactNode } from 'react';
import { DismissButton, type Dismiss } from './dismiss-button.tsx';
import { Glyph, StateIcon } from './icons.tsx';

interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'bad';
  readonly children: ReactNode;
  /** Without it the notice stays. */
  readonly dismiss?: Dismiss;
}

/** A line that the person should know, above what they came for. */
export function Notice({ tone, children, dismiss }: NoticeProps): ReactElement {
  return (
    <div className={`notice notice--${tone}`} role={tone === 'bad' ? 'alert' : undefined}>
      <span className="card__icon">
        {tone === 'info' ? (
          <Glyph name="info" />
        ) : (
          <StateIcon state={tone === 'bad' ? 'attention' : 'degraded'} />
        )}
      </span>
      <div className="notice__text selectable">{children}</div>
      {dismiss === undefined ? null : <DismissButton {...dismiss} />}
    </div>
  );
}
