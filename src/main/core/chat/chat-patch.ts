import type { ChatMeta, ChatRow } from '../../../shared/chat.ts';

/** What a patch carries beside its addresses. */
export interface ConversationChange {
  readonly upserts: readonly ChatRow[];
  readonly order: readonly string[] | null;
}

/** What turns one list of rows into the other; null when nothing does. */
export function changeBetween(
  before: { readonly rows: readonly ChatRow[]; readonly meta: ChatMeta },
  after: { readonly rows: readonly ChatRow[]; readonly meta: ChatMeta },
): ConversationChange | null {
  const old = new Map(before.rows.map((row) => [row.id, row]));
  const upserts = after.rows.filter((row) => !isSame(old.get(row.id), row));
  const isSameOrder =
    before.rows.length === after.rows.length &&
    after.rows.every((row, index) => row.id === before.rows[index]?.id);
  const order = isSameOrder ? null : after.rows.map((row) => row.id);
  if (upserts.length === 0 && order === null && JSON.stringify(before.meta) === JSON.stringify(after.meta))
    return null;
  return { upserts, order };
}

function isSame(left: ChatRow | undefined, right: ChatRow): boolean {
  if (!left) return false;
  // Stored rows keep the identity of their parts: a long conversation costs no long comparison.
  if (left.parts !== right.parts && JSON.stringify(left.parts) !== JSON.stringify(right.parts)) return false;
  return (
    left.role === right.role &&
    left.createdAtMs === right.createdAtMs &&
    left.delivery === right.delivery &&
    left.streaming === right.streaming &&
    left.stopped === right.stopped &&
    (left.failure === right.failure || JSON.stringify(left.failure) === JSON.stringify(right.failure))
  );
}
