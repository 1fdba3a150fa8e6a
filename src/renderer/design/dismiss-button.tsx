import type { ReactElement } from 'react';
import { Button } from './button.tsx';
import { Glyph } from './icons.tsx';

export interface Dismiss {
  /** Name of the button. */
  readonly label: string;
  readonly onDismiss: () => void;
}

/** Takes away what the person has read. */
export function DismissButton({ label, onDismiss }: Dismiss): ReactElement {
  return (
    <Button look="quiet" tone="neutral" size="small" aria-label={label} title={label} onClick={onDismiss}>
      <Glyph name="close" size={12} />
    </Button>
  );
}
