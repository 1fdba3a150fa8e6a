import { describe, expect, it } from 'vitest';
import { changeBetween } from '../../../src/main/core/chat/chat-patch.ts';
import { plainRow } from '../../../src/main/core/chat/chat-rows.ts';
import { readSessions } from '../../../src/main/core/chat/session-list.ts';
import type { ChatMeta, ChatRow } from '../../../src/shared/chat.ts';

const META: ChatMeta = { load: 'loaded', loadFailure: null, activeRun: null, hasMore: false };
function row(id: string, text: string): ChatRow {
  const parts = [{ type: 'text', text }] as const;
  return plainRow(id, 'user', parts);
}
const state = (...rows: readonly ChatRow[]) => ({ rows, meta: META });

describe('patches', () => {
  it('say nothing when nothing changed', () => {
    expect(changeBetween(state(row('a', 'x')), state(row('a', 'x')))).toBeNull();
  });
  it('carry only the rows that changed, and no order while it is the same', () => {
    const change = changeBetween(state(row('a', 'x'), row('b', 'y')), state(row('a', 'x'), row('b', 'z')));
    expect(change).toEqual({ upserts: [row('b', 'z')], order: null });
  });
  it('carry a row of which nothing changed but that it was stopped', () => {
    const stopped = { ...row('a', 'x'), stopped: true };
    expect(changeBetween(state(row('a', 'x')), state(stopped))?.upserts).toEqual([stopped]);
  });
  it('carry the order when rows come, go or move', () => {
    const before = state(row('a', 'x'), row('b', 'y'));
    expect(changeBetween(before, state(row('b', 'y'), row('a', 'x')))).toEqual({
      upserts: [],
      order: ['b', 'a'],
    });
    expect(changeBetween(before, state(row('a', 'x')))).toEqual({ upserts: [], order: ['a'] });
    expect(changeBetween(before, state(row('a', 'x'), row('c', 'z'), row('b', 'y')))?.order).toEqual([
      'a',
      'c',
      'b',
    ]);
  });
  it('are made for a change of the meta alone', () => {
    const after = { ...state(row('a', 'x')), meta: { ...META, hasMore: true } };
    expect(changeBetween(state(row('a', 'x')), after)).toEqual({ upserts: [], order: null });
  });
});

describe('session lists', () => {
  it('take the best title there is', () => {
    const sessions = [
      { key: 'a', label: 'Label', displayName: 'Name', updatedAt: 5, hasActiveRun: true },
      { key: 'b', derivedTitle: ' Derived ' },
      { key: 'c', label: '  ' },
      { key: 'c', label: 'twice' },
      { key: 'd', archived: true },
      { nokey: true },
      null,
    ];
    expect(readSessions({ sessions })).toEqual([
      { key: 'a', title: 'Label', updatedAtMs: 5, active: true },
      { key: 'b', title: 'Derived', updatedAtMs: null, active: false },
      { key: 'c', title: 'c', updatedAtMs: null, active: false },
    ]);
  });
  it.each([null, 5, {}, { sessions: 'x' }])('are none in %j', (value) => {
    expect(readSessions(value)).toBeNull();
  });
});
