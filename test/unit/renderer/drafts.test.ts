// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createDraft, type Draft } from '../../../src/renderer/chat/drafts.ts';
import type { CommandError } from '../../../src/shared/ipc-contract.ts';
import { err, ok, type Result } from '../../../src/shared/result.ts';
import { GATEWAY_ID, SESSION_KEY, aSnapshot, createFakeGangway, type FakeGangway } from './fake-gangway.ts';

const session = { gatewayId: GATEWAY_ID, sessionKey: SESSION_KEY };

let fake: FakeGangway;
let draft: Draft;

beforeEach(() => {
  vi.useFakeTimers();
  fake = createFakeGangway(aSnapshot());
  draft = createDraft(fake.api.chat, session);
});

afterEach(() => {
  vi.useRealTimers();
});

const settled = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const written = (): string[] => fake.callsOf('chat.writeDraft').map(({ text }) => text);

/** Lets main answer a command when the test says so. */
function held<T>(): { readonly answer: Promise<T>; readonly give: (value: T) => void } {
  let give: (value: T) => void = () => undefined;
  const answer = new Promise<T>((resolve) => (give = resolve));
  return { answer, give };
}

describe('a draft', () => {
  test('begins with what main kept', async () => {
    fake.answer('chat.readDraft', () => ok({ text: 'from yesterday' }));
    draft.start();
    await settled();
    expect(draft.getState().text).toBe('from yesterday');
    expect(written()).toEqual([]);
  });

  test('loses nothing of what is typed while it is read', async () => {
    const reading = held<Result<{ readonly text: string }, CommandError>>();
    fake.answer('chat.readDraft', () => reading.answer);
    draft.start();
    draft.write('typed');
    await vi.advanceTimersByTimeAsync(1000);
    expect(written(), 'before it is known what would be overwritten').toEqual([]);
    reading.give(ok({ text: 'kept' }));
    await settled();
    expect(draft.getState().text).toBe('kept\ntyped');
    expect(written()).toEqual(['kept\ntyped']);
  });

  test('is read once, also where a page starts it twice', async () => {
    fake.answer('chat.readDraft', () => ok({ text: 'kept' }));
    draft.start()();
    draft.start();
    await settled();
    expect(draft.getState().text).toBe('kept');
    expect(fake.callsOf('chat.readDraft')).toHaveLength(1);
  });

  test('is with main 300 ms after a change, also while somebody types on and on', async () => {
    draft.start();
    await settled();
    for (let count = 1; count <= 10; count += 1) {
      draft.write('x'.repeat(count));
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(written().map((text) => text.length)).toEqual([3, 6, 9]);
    await vi.advanceTimersByTimeAsync(300);
    expect(written().at(-1)).toBe('x'.repeat(10));
  });

  test.each([
    ['the page is hidden', () => document.dispatchEvent(new Event('visibilitychange'))],
    ['the page goes', () => window.dispatchEvent(new Event('pagehide'))],
    ['the box is left', () => draft.flush()],
  ])('is written at once when %s', async (_when, act) => {
    draft.start();
    await settled();
    draft.write('begun');
    act();
    expect(written()).toEqual(['begun']);
    act();
    expect(written(), 'and not again').toHaveLength(1);
  });

  test('is written when another session is shown', async () => {
    const stop = draft.start();
    await settled();
    draft.write('begun');
    stop();
    expect(written()).toEqual(['begun']);
  });

  test('stays the draft until main has accepted the message', async () => {
    const sending = held<Result<null, CommandError>>();
    fake.answer('chat.send', () => sending.answer);
    draft.start();
    await settled();
    draft.write('first');
    draft.send();
    expect(draft.getState().text).toBe('');
    expect(written(), 'before the message goes out').toEqual(['first']);
    draft.write('second');
    draft.flush();
    expect(written().at(-1), 'a crash now would lose neither').toBe('first\nsecond');
    sending.give(ok(null));
    await settled();
    expect(draft.getState()).toEqual({ text: 'second', refusal: null });
    expect(written().at(-1)).toBe('second');
  });

  test('comes back with the reason when main does not accept, before what was typed meanwhile', async () => {
    const sending = held<Result<null, CommandError>>();
    const refusal: CommandError = {
      type: 'failure',
      failure: { code: 'message-not-kept', facts: { reason: 'unwritable', detail: 'disk full' } },
    };
    fake.answer('chat.send', () => sending.answer);
    draft.start();
    await settled();
    draft.write('first');
    draft.send();
    draft.write('second');
    sending.give(err(refusal));
    await settled();
    expect(draft.getState()).toEqual({ text: 'first\nsecond', refusal });
    expect(written().at(-1)).toBe('first\nsecond');
    fake.answer('chat.send', () => ok(null));
    draft.send();
    expect(draft.getState().refusal, 'the next try takes the reason away').toBeNull();
  });
});
