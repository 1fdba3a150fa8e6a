import type { ChatPart } from '../../../shared/chat.ts';

/** A message of the gateway's is model output: hostile. Everything shown of it is bounded here. */
export const MAX_ROW_TEXT_CHARS = 2 * 1024 * 1024;
export const MAX_TOOL_TEXT_CHARS = 64 * 1024;
const MAX_PARTS = 200;
const MAX_NAME_CHARS = 200;
const MAX_DETAIL_CHARS = 2000;
const CUT_MARK = ' …';

export type Fields = Readonly<Record<string, unknown>>;

export function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** A short text such as an error message, for showing beside a row. */
export function detailOf(value: unknown): string {
  return cut(stringOf(value) ?? '', MAX_DETAIL_CHARS);
}

export function cut(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : text.slice(0, maxChars - CUT_MARK.length) + CUT_MARK;
}

/** The visible text of a message: its text blocks, joined. */
export function messageText(message: unknown): string {
  const content = fieldsOf(message)?.['content'];
  if (typeof content === 'string') return cut(content, MAX_ROW_TEXT_CHARS);
  if (!Array.isArray(content)) return cut(stringOf(fieldsOf(message)?.['text']) ?? '', MAX_ROW_TEXT_CHARS);
  const texts = content.slice(0, MAX_PARTS).map((block) => blockText(block));
  return cut(texts.join(''), MAX_ROW_TEXT_CHARS);
}

function blockText(block: unknown): string {
  if (typeof block === 'string') return block;
  const fields = fieldsOf(block);
  return fields?.['type'] === 'text' ? (stringOf(fields['text']) ?? '') : '';
}

/** A tool's output, or its arguments, as text: text blocks as they are, everything else as JSON. */
export function toolText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return cut(value, MAX_TOOL_TEXT_CHARS);
  const content = Array.isArray(value) ? value : fieldsOf(value)?.['content'];
  if (Array.isArray(content)) {
    const texts = content.slice(0, MAX_PARTS).map((block) => blockText(block));
    if (texts.some((text) => text !== '')) return cut(texts.join('\n'), MAX_TOOL_TEXT_CHARS);
  }
  try {
    return cut(JSON.stringify(value, null, 2), MAX_TOOL_TEXT_CHARS);
  } catch {
    return '';
  }
}

/** What a stored message shows, in order. Tool calls come as `running`; their results are other messages. */
export function messageParts(message: unknown): readonly ChatPart[] {
  const content = fieldsOf(message)?.['content'];
  const blocks: readonly unknown[] = Array.isArray(content)
    ? content
    : [content ?? fieldsOf(message)?.['text']];
  const parts: ChatPart[] = [];
  let left = MAX_ROW_TEXT_CHARS;
  for (const block of blocks.slice(0, MAX_PARTS)) {
    const part = partOf(block, left);
    if (!part) continue;
    if (part.type === 'text' || part.type === 'thinking') left -= part.text.length;
    parts.push(part);
    if (left <= 0) break;
  }
  return parts;
}

function partOf(block: unknown, maxChars: number): ChatPart | null {
  if (typeof block === 'string') return textPart('text', block, maxChars);
  const fields = fieldsOf(block);
  const type = stringOf(fields?.['type']);
  if (!fields || type === null) return null;
  switch (type) {
    case 'text':
      return textPart('text', stringOf(fields['text']) ?? '', maxChars);
    case 'thinking':
    case 'reasoning':
      return textPart('thinking', stringOf(fields['thinking']) ?? stringOf(fields['text']) ?? '', maxChars);
    case 'toolCall':
    case 'tool_use':
    case 'toolUse': {
      const callId = stringOf(fields['id']) ?? stringOf(fields['toolCallId']) ?? '';
      const input = toolText(fields['arguments'] ?? fields['input']);
      return {
        type: 'tool',
        callId: name(callId),
        name: name(fields['name']),
        status: 'running',
        input,
        output: '',
      };
    }
    case 'image':
      return {
        type: 'image',
        mimeType: name(fields['mimeType']),
        alt: name(fields['alt']),
        artifactId: stringOf(fields['artifactId'])?.slice(0, MAX_NAME_CHARS) ?? null,
      };
    default:
      return { type: 'other', kind: name(type) };
  }
}

function textPart(type: 'text' | 'thinking', text: string, maxChars: number): ChatPart | null {
  return text.trim() === '' ? null : { type, text: cut(text, Math.max(maxChars, CUT_MARK.length)) };
}

export function name(value: unknown): string {
  return cut(stringOf(value) ?? '', MAX_NAME_CHARS);
}
