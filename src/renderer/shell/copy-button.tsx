import { useEffect, useState, type ReactElement } from 'react';
import { Button } from '../design/button.tsx';
import { useCommands, useRunCommand, useTranslate } from '../gangway-context.ts';

const SAID_FOR_MS = 2000;

interface CopyButtonProps {
  readonly text: string;
  readonly label?: string;
  readonly size?: 'normal' | 'small';
}

/** Puts a text on the clipboard and says for a moment that it did. */
export function CopyButton({ text, label, size = 'small' }: CopyButtonProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const run = useRunCommand();
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
        run(api.app.copyText({ text }));
        setHasCopied(true);
      }}
    >
      <span aria-live="polite">{hasCopied ? t('common.copied') : (label ?? t('common.copy'))}</span>
    </Button>
  );
}
