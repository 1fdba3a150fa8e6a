import { useEffect, useState, type ReactElement } from 'react';
import type { ConnectionState, PromptType, UserPrompt } from '../../shared/connection-state.ts';
import { DialogMannerContext, type DialogManner } from '../design/dialog-manner.ts';
import { useShown } from '../gangway-context.ts';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { HostKeyDialog } from './host-key-dialog.tsx';
import { KeyboardInteractiveDialog } from './keyboard-interactive-dialog.tsx';
import { NoticeDialog } from './notice-dialog.tsx';
import { PassphraseDialog } from './passphrase-dialog.tsx';
import { PasswordDialog } from './password-dialog.tsx';
import type { PromptProps } from './prompt-answer.ts';
import { QuestionRun, QuestionRunContext, useQuestionRun } from './question-run.ts';
import { useIsTyping } from './typing.ts';

/**
 * Asks what only the person can answer, in whichever window is open. A question that nobody asked for shows as a card
 * instead (shell/waiting-card.tsx).
 */
export function Prompts(): ReactElement | null {
  const { connection } = useShown().gateway;
  const isTyping = useIsTyping();
  const [run] = useState(() => new QuestionRun(isTyping));
  const mayGoOn = mayAskMore(connection);
  useEffect(() => {
    if (!mayGoOn) run.ended();
  }, [run, mayGoOn]);
  if (connection.status !== 'waiting-for-user' || !connection.attended) return null;
  return (
    <QuestionRunContext value={run}>
      {/* A question of its own has state of its own: nothing that was typed for one is in the next. */}
      <Prompt key={connection.prompt.id} prompt={connection.prompt} />
    </QuestionRunContext>
  );
}

/** While an attempt goes on, a further question may come at any moment. */
function mayAskMore(connection: ConnectionState): boolean {
  switch (connection.status) {
    case 'connecting':
    case 'disconnecting':
      return true;
    case 'waiting-for-user':
      return connection.attended;
    case 'unconfigured':
    case 'disconnected':
    case 'paused':
    case 'connected':
    case 'backing-off':
    case 'blocked':
      return false;
  }
}

function Prompt({ prompt }: { readonly prompt: UserPrompt }): ReactElement {
  const run = useQuestionRun();
  // What counts is the moment at which the question came.
  const [isInterrupting] = useState(() => run.isInterrupting());
  const [manner] = useState<DialogManner>(() => ({
    comesAtOnce: run.isFollowUp(prompt),
    giveFocusBack: (before) => run.closed(prompt, before),
  }));
  useEffect(() => run.opened(prompt), [run, prompt]);
  return (
    <DialogMannerContext value={manner}>
      <Question prompt={prompt} isInterrupting={isInterrupting} />
    </DialogMannerContext>
  );
}

function Question({ prompt, isInterrupting }: PromptProps<PromptType>): ReactElement {
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
