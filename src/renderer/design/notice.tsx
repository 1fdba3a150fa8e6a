import type { ReactElement, ReactNode } from 'react';
import { Button } from './button.tsx';
import { Glyph, StateIcon } from './icons.tsx';

interface NoticeProps {
  readonly tone: 'info' | 'warning' | 'bad';
  readonly children: ReactNode;
  /** Name of the close button; without it the notice stays. */
  readonly dismiss?: { readonly label: string; readonly onDismiss: () => void };
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
      {dismiss === undefined ? null : (
        <Button
          look="quiet"
          tone="neutral"
          size="small"
          aria-label={dismiss.label}
          title={dismiss.label}
          onClick={dismiss.onDismiss}
        >
          <Glyph name="close" size={12} />
        </Button>
      )}
    </div>
  );
}
