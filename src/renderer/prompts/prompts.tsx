import { useState, type ReactElement } from 'react';
import type { UserPrompt } from '../../shared/connection-state.ts';
import { useShown } from '../gangway-context.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { HostKeyDialog } from './host-key-dialog.tsx';
import { KeyboardInteractiveDialog } from './keyboard-interactive-dialog.tsx';
import { NoticeDialog } from './notice-dialog.tsx';
import { PassphraseDialog } from './passphrase-dialog.tsx';
import { PasswordDialog } from './password-dialog.tsx';
import { useIsTyping } from './typing.ts';

/**
 * Asks what only the person can answer, in whichever window is open. A question that nobody asked for shows as a card
 * instead (shell/waiting-card.tsx).
 */
export function Prompts(): ReactElement | null {
  const { connection } = useShown().gateway;
  const isTyping = useIsTyping();
  if (connection.status !== 'waiting-for-user' || !connection.attended) return null;
  // A question of its own has state of its own: nothing that was typed for one is in the next.
  return <Prompt key={connection.prompt.id} prompt={connection.prompt} isTyping={isTyping} />;
}

function Prompt({
  prompt,
  isTyping,
}: {
  readonly prompt: UserPrompt;
  readonly isTyping: () => boolean;
}): ReactElement {
  // What counts is the moment at which the question came.
  const [isInterrupting] = useState(isTyping);
  switch (prompt.type) {
    case 'host-key':
      return <HostKeyDialog prompt={prompt} isInterrupting={isInterrupting} />;
    case 'passphrase':
      return <PassphraseDialog prompt={prompt} isInterrupting={isInterrupting} />;
    case 'password':
      return <PasswordDialog prompt={prompt} isInterrupting={isInterrupting} />;
    case 'keyboard-interactive':
      return <KeyboardInteractiveDialog prompt={prompt} isInterrupting={isInterrupting} />;
    case 'confirm':
      return <ConfirmDialog prompt={prompt} isInterrupting={isInterrupting} />;
    case 'notice':
      return <NoticeDialog prompt={prompt} isInterrupting={isInterrupting} />;
  }
}
