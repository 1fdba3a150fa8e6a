import { useEffect, useState, type ReactElement } from 'react';
import { Button } from '../design/button.tsx';
import { useCommands, useTranslate } from '../gangway-context.ts';
import { settle } from '../settle.ts';

const SAID_FOR_MS = 2000;

interface CopyButtonProps {
  readonly text: string;
  readonly label?: string;
  readonly size?: 'normal' | 'small';
}

/** Puts a text on the clipboard and says for a moment that it did. */
export function CopyButton({ text, label, size = 'small' }: CopyButtonProps): ReactElement {
  const t = useTranslate();
  const { api, reportCommandError } = useCommands();
  const [hasCopied, setHasCopied] = useState(false);
  useEffect(() => {
    if (!hasCopied) return undefined;
    const timer = setTimeout(() => setHasCopied(false), SAID_FOR_MS);
    return () => clearTimeout(timer);
  }, [hasCopied]);
  return (
    <Button
      size={size}
      onClick={() => {
        void settle(api.app.copyText({ text })).then((copied) => {
          if (copied.ok) setHasCopied(true);
          else reportCommandError(copied.error);
        });
      }}
    >
      <span aria-live="polite">{hasCopied ? t('common.copied') : (label ?? t('common.copy'))}</span>
    </Button>
  );
}
