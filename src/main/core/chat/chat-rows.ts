import {
  readAssistantStreamSegmentIdentity,
  type SessionProjectionEntry,
} from '@openclaw/gateway-client/browser';
import type { ChatFailure, ChatPart, ChatRow } from '../../../shared/chat.ts';
import type { LiveRun } from './live-run.ts';
import { detailOf, type Fields, fieldsOf, messageParts, name } from './message-content.ts';
import { deliveryOf, type OutgoingMessage } from './outgoing-messages.ts';

/** Rows in order, each id once: a second record under one id gets its own, the same one again is dropped. */
export class RowList {
  readonly list: ChatRow[] = [];
  readonly #seen = new Map<string, string[]>();

  add(row: ChatRow): void {
    const content = JSON.stringify(row.parts).slice(0, 4096);
    const seen = this.#seen.get(row.id);
    if (!seen) {
      this.#seen.set(row.id, [content]);
      this.list.push(row);
    } else if (!seen.includes(content)) {
      seen.push(content);
      this.list.push({ ...row, id: `${row.id}#${seen.length}` });
    }
  }
}

/** Our messages keep their id when they are stored; commentary has the id under which it was heard live. */
export function rowId(entry: SessionProjectionEntry): string | null {
  const { identity, message } = entry;
  if (identity?.role === 'user' && identity.sendId) return identity.sendId;
  const segment = readAssistantStreamSegmentIdentity(message);
  return segment ? `item:${segment.itemId}` : (identity?.id ?? null);
}

export function contentKey(entry: SessionProjectionEntry): string {
  return `${entry.identity?.id ?? ''}/${entry.identity?.sequence ?? ''}/${JSON.stringify(messageParts(entry.message)).slice(0, 512)}`;
}

export function plainRow(id: string, role: ChatRow['role'], parts: readonly ChatPart[]): ChatRow {
  return {
    id,
    role,
    parts,
    createdAtMs: null,
    delivery: null,
    failure: null,
    streaming: false,
    stopped: false,
  };
}

export function outgoingRow(message: OutgoingMessage, run: LiveRun | null): ChatRow {
  const { delivery, failure } = deliveryOf(message.state);
  const row = plainRow(message.messageId, 'user', [{ type: 'text', text: message.text }]);
  // A run that ended without an answer may only have put the message into the session's queue: the history says when it is done.
  const isAnswered = run !== null && run.status !== 'running' && run.text !== '';
  const shown =
    delivery !== 'sent' || run === null
      ? delivery
      : run.status === 'running'
        ? 'running'
        : isAnswered
          ? null
          : 'sent';
  return { ...row, createdAtMs: message.createdAtMs, delivery: shown, failure };
}

export function storedFailure(message: Fields | null): ChatFailure | null {
  if (message?.['stopReason'] !== 'error') return null;
  return {
    type: 'agent',
    kind: name(message['errorKind']) || 'unknown',
    detail: detailOf(message['errorMessage']),
  };
}

/** The gateway marks the part of a stopped reply that it stores. */
export function isStoppedReply(message: Fields): boolean {
  return fieldsOf(message['openclawAbort'])?.['aborted'] === true;
}

export function isToolResult(message: Fields): boolean {
  const role = message['role'];
  return role === 'toolResult' || role === 'tool_result' || role === 'tool';
}
