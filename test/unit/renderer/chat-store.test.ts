import { describe, expect, test } from 'vitest';
import { applyPatch, createChatStore, type ChatStore } from '../../../src/renderer/state/chat-store.ts';
import type { ChatSnapshot } from '../../../src/shared/chat.ts';
import { err, ok } from '../../../src/shared/result.ts';
import {
  GATEWAY_ID,
  SESSION_KEY,
  aConversation,
  aPatch,
  aRow,
  aSnapshot,
  createFakeGangway,
  type FakeGangway,
} from './fake-gangway.ts';

const session = { gatewayId: GATEWAY_ID, sessionKey: SESSION_KEY };

describe('applying a patch', () => {
  const held = aConversation({ revision: 4, rows: [aRow('a', 'one'), aRow('b', 'two')] });

  test('replaces rows in place, appends new ones and keeps the identity of the others', () => {
    const next = applyPatch(
      held,
      aPatch({ baseRevision: 4, revision: 5, upserts: [aRow('b', 'TWO'), aRow('c', 'three')] }),
    );
    expect(next?.revision).toBe(5);
    expect(next?.rows.map((row) => row.id)).toEqual(['a', 'b', 'c']);
    expect(next?.rows[0]).toBe(held.rows[0]);
    expect(next?.rows[1]).toEqual(aRow('b', 'TWO'));
  });

  test('takes order and membership from the patch when it says so', () => {
    const next = applyPatch(
      held,
      aPatch({ baseRevision: 4, revision: 5, upserts: [aRow('z', 'older')], order: ['z', 'b'] }),
    );
    expect(next?.rows.map((row) => row.id)).toEqual(['z', 'b']);
  });

  test('ignores a patch that is older than what is held', () => {
    expect(applyPatch(held, aPatch({ baseRevision: 2, revision: 3 }))).toBe(held);
  });

  test('refuses a patch that builds on a revision that is not held', () => {
    expect(applyPatch(held, aPatch({ baseRevision: 5, revision: 6 }))).toBeNull();
  });
});

describe('an open conversation', () => {
  async function opened(fake: FakeGangway, conversation: ChatSnapshot): Promise<ChatStore> {
    fake.answer('chat.open', () => ok(conversation));
    const store = createChatStore(fake.api.chat, session);
    store.start();
    await expect.poll(() => store.getState().conversation).not.toBeNull();
    return store;
  }

  test('is opened anew after a gap, and keeps its rows in view meanwhile', async () => {
    const fake = createFakeGangway(aSnapshot());
    const store = await opened(fake, aConversation({ revision: 1, rows: [aRow('a', 'one')] }));
    fake.answer('chat.open', () =>
      ok(aConversation({ revision: 9, rows: [aRow('a', 'one'), aRow('b', 'two')] })),
    );
    fake.push('chat.patch', aPatch({ baseRevision: 8, revision: 9 }));
    expect(store.getState().conversation?.rows).toHaveLength(1);
    await expect.poll(() => store.getState().conversation?.revision).toBe(9);
    expect(fake.callsOf('chat.open')).toHaveLength(2);
  });

  test('applies patches that arrived while it was opening', async () => {
    const fake = createFakeGangway(aSnapshot());
    let answerOpen: (() => void) | undefined;
    fake.answer(
      'chat.open',
      () =>
        new Promise((done) => {
          answerOpen = () => done(ok(aConversation({ revision: 2, rows: [aRow('a', 'one')] })));
        }),
    );
    const store = createChatStore(fake.api.chat, session);
    store.start();
    await expect.poll(() => answerOpen).toBeDefined();
    fake.push('chat.patch', aPatch({ baseRevision: 1, revision: 2 }));
    fake.push('chat.patch', aPatch({ baseRevision: 2, revision: 3, upserts: [aRow('b', 'two')] }));
    answerOpen?.();
    await expect.poll(() => store.getState().conversation?.rows.length).toBe(2);
    expect(store.getState().conversation?.revision).toBe(3);
    expect(fake.callsOf('chat.open')).toHaveLength(1);
  });

  test('takes no patch of another session or gateway', async () => {
    const fake = createFakeGangway(aSnapshot());
    const store = await opened(fake, aConversation({ revision: 1 }));
    fake.push('chat.patch', aPatch({ sessionKey: 'other', upserts: [aRow('x', 'x')] }));
    fake.push('chat.patch', aPatch({ gatewayId: 'other', upserts: [aRow('x', 'x')] }));
    expect(store.getState().conversation?.rows).toEqual([]);
  });

  test('says why it could not be opened, and opens when asked again', async () => {
    const fake = createFakeGangway(aSnapshot());
    fake.answer('chat.open', () => err({ type: 'refused', reason: 'unknown-session' }));
    const store = createChatStore(fake.api.chat, session);
    store.start();
    await expect.poll(() => store.getState().openError).toMatchObject({ reason: 'unknown-session' });
    fake.answer('chat.open', () => ok(aConversation()));
    store.reopen();
    await expect
      .poll(() => store.getState())
      .toMatchObject({ openError: null, conversation: { revision: 1 } });
  });

  test('is closed with its window, and its late answer is dropped', async () => {
    const fake = createFakeGangway(aSnapshot());
    const store = createChatStore(fake.api.chat, session);
    const stop = store.start();
    stop();
    await new Promise(setImmediate);
    expect(store.getState().conversation).toBeNull();
    expect(fake.callsOf('chat.close')).toEqual([session]);
    expect(fake.listenerCount('chat.patch')).toBe(0);
  });
});
