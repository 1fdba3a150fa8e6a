import type { ChatFailure, ChatPart } from '../../../shared/chat.ts';
import {
  cut,
  type Fields,
  MAX_ROW_TEXT_CHARS,
  messageText,
  name,
  stringOf,
  toolText,
} from './message-content.ts';

const MAX_TOOLS = 200;
const MAX_COMMENTARY = 50;

export type ToolPart = Extract<ChatPart, { readonly type: 'tool' }>;

/** A run as its events tell it; what of it is stored already comes from the history. */
export interface LiveRun {
  readonly runId: string;
  /** Order in which runs were first heard of. */
  readonly heardAt: number;
  status: 'running' | 'finished' | 'aborted' | 'failed';
  stopping: boolean;
  /** The gateway's snapshot of the reply, as far as it went. */
  text: string;
  thinking: string;
  /** Highest sequence number of its agent events. */
  agentSeq: number;
  chatSeq: number;
  readonly commentary: Map<string, string>;
  readonly tools: Map<string, ToolPart>;
  failure: ChatFailure | null;
  /** Sequence of the last stored message when it ended: its place in the conversation. */
  placedAfter: number;
  startedAtMs: number | null;
}

export function newLiveRun(runId: string, heardAt: number): LiveRun {
  return {
    runId,
    heardAt,
    status: 'running',
    stopping: false,
    text: '',
    thinking: '',
    agentSeq: -1,
    chatSeq: 0,
    commentary: new Map(),
    tools: new Map(),
    failure: null,
    placedAfter: Number.POSITIVE_INFINITY,
    startedAtMs: null,
  };
}

export function textAfterDelta(before: string, payload: Fields): string {
  const snapshot = messageText(payload['message']);
  if (snapshot !== '') return snapshot;
  const delta = stringOf(payload['deltaText']) ?? '';
  return cut(payload['replace'] === true ? delta : before + delta, MAX_ROW_TEXT_CHARS);
}

export function applyTool(run: LiveRun, data: Fields): void {
  const callId = name(data['toolCallId']);
  if (callId === '') return;
  const before = run.tools.get(callId);
  if (!before && run.tools.size >= MAX_TOOLS) return;
  const tool: ToolPart = before ?? {
    type: 'tool',
    callId,
    name: name(data['name']),
    status: 'running',
    input: '',
    output: '',
  };
  switch (data['phase']) {
    case 'start':
      run.tools.set(callId, { ...tool, input: toolText(data['args']) });
      break;
    case 'update':
      run.tools.set(callId, { ...tool, output: toolText(data['partialResult']) });
      break;
    case 'result':
      run.tools.set(callId, {
        ...tool,
        output: toolText(data['result']),
        status: data['isError'] === true ? 'failed' : 'done',
      });
      break;
    default:
      break;
  }
}

export function applyThinking(run: LiveRun, data: Fields): void {
  const text = stringOf(data['text']);
  run.thinking = cut(text ?? run.thinking + (stringOf(data['delta']) ?? ''), MAX_ROW_TEXT_CHARS);
}

export function applyCommentary(run: LiveRun, data: Fields): void {
  const itemId = name(data['itemId']);
  const text = stringOf(data['progressText']);
  if (
    itemId === '' ||
    text === null ||
    (!run.commentary.has(itemId) && run.commentary.size >= MAX_COMMENTARY)
  )
    return;
  if (text.trim() === '') run.commentary.delete(itemId);
  else run.commentary.set(itemId, cut(text, MAX_ROW_TEXT_CHARS));
}

export function startsAlike(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}
