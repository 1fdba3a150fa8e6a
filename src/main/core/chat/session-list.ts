import type { ChatSession } from '../../../shared/chat.ts';
import { cut, fieldsOf, numberOf, stringOf } from './message-content.ts';

const MAX_SESSIONS = 200;
const MAX_TITLE_CHARS = 200;

/** The sessions of a `sessions.list` answer, newest activity first; null when it is none. */
export function readSessions(value: unknown): readonly ChatSession[] | null {
  const rows = fieldsOf(value)?.['sessions'];
  if (!Array.isArray(rows)) return null;
  const sessions: ChatSession[] = [];
  for (const row of rows.slice(0, MAX_SESSIONS)) {
    const fields = fieldsOf(row);
    const key = stringOf(fields?.['key']);
    if (!fields || !key || fields['archived'] === true || sessions.some((known) => known.key === key))
      continue;
    const title = [fields['label'], fields['displayName'], fields['derivedTitle']]
      .map(stringOf)
      .find((text) => text?.trim());
    sessions.push({
      key,
      title: cut(title?.trim() ?? key, MAX_TITLE_CHARS),
      updatedAtMs: numberOf(fields['updatedAt']),
      active: fields['hasActiveRun'] === true,
    });
  }
  return sessions;
}
