import {
  useEffect,
  useMemo,
  useRef,
  useSyncExternalStore,
  type KeyboardEvent,
  type ReactElement,
} from 'react';
import { MAX_MESSAGE_CHARS, type ChatMeta } from '../../shared/chat.ts';
import { type ConnectionState, personNeededFor } from '../../shared/connection-state.ts';
import type { Translate } from '../../shared/i18n/index.ts';
import type { CommandError, ForSession } from '../../shared/ipc-contract.ts';
import { Button } from '../design/button.tsx';
import { Glyph, StateIcon, type StateShape } from '../design/icons.tsx';
import { Notice } from '../design/notice.tsx';
import { useCommands, useRunCommand, useShown, useTranslate } from '../gangway-context.ts';
import { commandErrorText } from '../shell/command-error-text.ts';
import { FailureCard } from '../shell/failure-card.tsx';
import { useCommandMenu } from './command-menu.tsx';
import { useInputHistory } from './use-input-history.ts';
import { useSlashCommands } from './use-slash-commands.ts';
import { createDraft, type DraftState } from './drafts.ts';

interface ComposerProps {
  /** Null while no session is known: then nothing can be sent, and the box says why. */
  readonly session: ForSession | null;
  readonly activeRun: ChatMeta['activeRun'];
  readonly onSent: () => void;
  /** What the person wrote in this session, oldest first. */
  readonly written?: readonly string[];
}

const NOTHING: readonly string[] = [];
const EMPTY: DraftState = { text: '', refusal: null };
const nothingWritten = (): DraftState => EMPTY;
const neverChanges = (): (() => void) => () => undefined;

/** Where a message is written. It says what will happen to it: sent now, or kept until there is a connection. */
export function Composer({ session, activeRun, onSent, written = NOTHING }: ComposerProps): ReactElement {
  const t = useTranslate();
  const { api } = useCommands();
  const { gateway } = useShown();
  const run = useRunCommand();
  const draft = useMemo(() => (session === null ? null : createDraft(api.chat, session)), [api, session]);
  useEffect(() => draft?.start(), [draft]);
  const { text, refusal } = useSyncExternalStore(
    draft?.subscribe ?? neverChanges,
    draft?.getState ?? nothingWritten,
  );

  const box = useRef<HTMLTextAreaElement>(null);
  const canWrite = session !== null;
  useEffect(() => {
    // The window opens ready to be typed into, unless the person is somewhere else already.
    if (canWrite && document.activeElement === document.body) box.current?.focus({ preventScroll: true });
  }, [canWrite]);

  const stop = (running: ForSession): void => {
    run(api.chat.stop(running));
    // The button goes with the run; the next words belong in the box.
    box.current?.focus({ preventScroll: true });
  };

  const excess = text.length - MAX_MESSAGE_CHARS;
  const canSend = text.trim() !== '' && excess <= 0;

  const send = (): void => {
    if (!canSend) return;
    draft?.send();
    onSent();
  };

  const write = (next: string): void => draft?.write(next);
  const menu = useCommandMenu(useSlashCommands(api.chat, session, text), text, write);
  const history = useInputHistory(written, text, write);

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    // While an input method composes (Korean, Japanese, Chinese), the keys belong to it.
    if (event.nativeEvent.isComposing) return;
    if (menu.onKeyDown(event) || history.onKeyDown(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === 'Escape' && session !== null && activeRun?.phase === 'running') {
      event.preventDefault();
      stop(session);
      return;
    }
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    event.preventDefault();
    send();
  };

  const hint = composerHint(gateway.connection, session, t);
  const isStopping = activeRun?.phase === 'stopping';
  return (
    <>
      {refusal === null ? null : <NotAccepted error={refusal} onDismiss={() => draft?.dismissRefusal()} />}
      <form
        className="composer"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className="composer__box">
          {menu.list}
          <textarea
            ref={box}
            className="composer__text"
            aria-label={t('chat.message')}
            aria-describedby="composer-hint"
            placeholder={t('chat.placeholder')}
            rows={1}
            value={text}
            disabled={session === null}
            {...menu.boxProps}
            onChange={(event) => write(event.target.value)}
            onBlur={draft?.flush}
            onKeyDown={onKeyDown}
          />
          <div className="composer__buttons">
            {activeRun === null || session === null ? null : (
              <Button disabled={isStopping} aria-keyshortcuts="Escape" onClick={() => stop(session)}>
                <Glyph name="stop" size={14} />
                {t(isStopping ? 'chat.stopping' : 'chat.stop')}
              </Button>
            )}
            <Button look="primary" type="submit" disabled={!canSend}>
              <Glyph name="send" size={14} />
              {t('chat.send')}
            </Button>
          </div>
        </div>
        <p className="composer__hint" id="composer-hint" data-honest={hint.shape === null ? undefined : ''}>
          {excess > 0 ? (
            <>
              <StateIcon state="attention" />
              {t('chat.composer.tooLong', { count: excess, limit: MAX_MESSAGE_CHARS })}
            </>
          ) : (
            <>
              {hint.shape === null ? null : <StateIcon state={hint.shape} />}
              {hint.text}
            </>
          )}
        </p>
      </form>
    </>
  );
}

/** Why what was to be sent is in the box again. */
function NotAccepted({
  error,
  onDismiss,
}: {
  readonly error: CommandError;
  readonly onDismiss: () => void;
}): ReactElement {
  const t = useTranslate();
  const dismiss = { label: t('notices.dismiss'), onDismiss };
  return (
    <div className="chat__blocked">
      {error.type === 'failure' ? (
        <div role="alert">
          <FailureCard failure={error.failure} dismiss={dismiss} />
        </div>
      ) : (
        <Notice tone="bad" dismiss={dismiss}>
          {commandErrorText(error, t)}
        </Notice>
      )}
    </div>
  );
}

function composerHint(
  connection: ConnectionState,
  session: ForSession | null,
  t: Translate,
): { readonly shape: StateShape | null; readonly text: string } {
  if (session === null) return { shape: 'offline', text: t('chat.composer.unavailable') };
  if (personNeededFor(connection) !== null) return { shape: 'attention', text: t('chat.composer.blocked') };
  switch (connection.status) {
    case 'connected':
      return { shape: null, text: t('chat.composer.enter') };
    case 'paused':
      return connection.reason === 'user'
        ? { shape: 'paused', text: t('chat.composer.paused') }
        : { shape: 'offline', text: t('chat.composer.offline') };
    case 'waiting-for-user':
      return { shape: 'waiting', text: t('chat.composer.waiting') };
    case 'connecting':
    case 'backing-off':
      return { shape: 'connecting', text: t('chat.composer.offline') };
    case 'unconfigured':
    case 'disconnected':
    case 'disconnecting':
    case 'blocked':
      return { shape: 'offline', text: t('chat.composer.offline') };
  }
}
