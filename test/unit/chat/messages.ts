import type { OutgoingMessage, OutgoingState } from '../../../src/main/core/chat/outgoing-messages.ts';
import type { ChatRow } from '../../../src/shared/chat.ts';

/** Messages and events as the Gateway 2026.9.6 sends them, cut down to what is read. */

export function userMessage(seq: number, text: string, sendId = `send-${seq}`): Record<string, unknown> {
  const idempotencyKey = `${sendId}:user`;
  return {
    role: 'user',
    content: text,
    timestamp: 1_000 + seq,
    idempotencyKey,
    __openclaw: { id: `u${seq}`, seq, idempotencyKey },
  };
}

export function assistantMessage(seq: number, text: string, runId?: string): Record<string, unknown> {
  return {
    role: 'assistant',
    content: [{ type: 'text', text }],
    stopReason: 'stop',
    timestamp: 1_000 + seq,
    __openclaw: { id: `a${seq}`, seq, ...(runId === undefined ? {} : { runId }) },
  };
}

export function toolCallMessage(seq: number, callId: string, runId: string): Record<string, unknown> {
  return {
    role: 'assistant',
    content: [{ type: 'toolCall', id: callId, name: 'exec', arguments: { command: 'echo hello' } }],
    stopReason: 'toolUse',
    timestamp: 1_000 + seq,
    __openclaw: { id: `a${seq}`, seq, runId },
  };
}

export function commentaryMessage(
  seq: number,
  itemId: string,
  text: string,
  runId: string,
): Record<string, unknown> {
  return {
    role: 'assistant',
    content: [{ type: 'text', text }],
    timestamp: 1_000 + seq,
    openclawStreamFallback: { replacementText: text, source: 'segment', itemId },
    // The record of the tool call that follows it.
    __openclaw: { id: `a${seq}`, seq, runId },
  };
}

export function toolResultMessage(
  seq: number,
  callId: string,
  output: string,
  isError = false,
): Record<string, unknown> {
  return {
    role: 'toolResult',
    toolCallId: callId,
    toolName: 'exec',
    content: [{ type: 'text', text: output }],
    isError,
    timestamp: 1_000 + seq,
    __openclaw: { id: `t${seq}`, seq },
  };
}

export function history(
  messages: readonly unknown[],
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    sessionKey: 'agent:main:main',
    sessionId: 'session-1',
    messages,
    hasMore: false,
    sessionInfo: { hasActiveRun: false, activeRunIds: [] },
    ...more,
  };
}

export function stored(message: Record<string, unknown>): Record<string, unknown> {
  const meta = message['__openclaw'] as { readonly id: string; readonly seq: number };
  return { sessionKey: 'agent:main:main', message, messageId: meta.id, messageSeq: meta.seq };
}

export function delta(runId: string, seq: number, text: string): Record<string, unknown> {
  const message = { role: 'assistant', content: [{ type: 'text', text }] };
  return { runId, sessionKey: 'agent:main:main', seq, state: 'delta', deltaText: text, message };
}

export function end(
  runId: string,
  seq: number,
  state: 'final' | 'aborted' | 'error',
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return { runId, sessionKey: 'agent:main:main', seq, state, ...more };
}

export function finalText(text: string): Record<string, unknown> {
  return { stopReason: 'stop', message: { role: 'assistant', content: [{ type: 'text', text }] } };
}

export function agentEvent(
  runId: string,
  seq: number,
  stream: string,
  data: Record<string, unknown>,
): Record<string, unknown> {
  return { runId, sessionKey: 'agent:main:main', seq, stream, data, ts: 5_000 + seq };
}

export function outgoing(
  messageId: string,
  state: OutgoingState = { type: 'queued', first: null },
): OutgoingMessage {
  return {
    messageId,
    sessionKey: 'agent:main:main',
    text: `text of ${messageId}`,
    createdAtMs: 9_000,
    state,
  };
}

/** A row in one line: who, what, and how it stands. */
export function brief(row: ChatRow): string {
  const parts = row.parts.map((part) => {
    switch (part.type) {
      case 'text':
        return part.text;
      case 'thinking':
        return `(${part.text})`;
      case 'tool':
        return `[${part.name} ${part.status} ${part.output}]`;
      case 'image':
        return `[image ${part.alt}]`;
      case 'other':
        return `[${part.kind}]`;
    }
  });
  const failure = row.failure ? `!${row.failure.type}` : '';
  const stopped = row.stopped ? 'stopped' : '';
  return [row.role, parts.join(' + '), row.delivery ?? '', row.streaming ? '…' : '', stopped, failure]
    .filter((part) => part !== '')
    .join(' | ');
}
