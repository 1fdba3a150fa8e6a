import type { ChatPatch, ChatSession, ChatSnapshot } from '../../shared/chat.ts';
import type { CommandError } from '../../shared/ipc-contract.ts';
import type { SlashCommand } from '../../shared/slash-commands.ts';
import type { Result } from '../../shared/result.ts';
import type { Disposable } from '../core/lifecycle.ts';

type Answer<T> = Promise<Result<T, CommandError>>;

/** One gateway's conversations, as the commands of the contract use them. */
export interface ChatPort {
  open(sessionKey: string): Answer<ChatSnapshot>;
  close(sessionKey: string): void;
  listSessions(): Answer<readonly ChatSession[]>;
  listCommands(sessionKey: string): Answer<readonly SlashCommand[]>;
  readDraft(sessionKey: string): Answer<{ readonly text: string }>;
  writeDraft(sessionKey: string, text: string): Answer<null>;
  send(sessionKey: string, messageId: string, text: string): Answer<null>;
  stop(sessionKey: string): Answer<null>;
  retry(sessionKey: string, messageId: string): Answer<null>;
  discard(sessionKey: string, messageId: string): Answer<null>;
  loadOlder(sessionKey: string): Answer<null>;
  onPatch(listener: (patch: ChatPatch) => void): Disposable;
}
