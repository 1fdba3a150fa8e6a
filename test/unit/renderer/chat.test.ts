// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test, vi } from 'vitest';
import type { ChatRow } from '../../../src/shared/chat.ts';
import { err, ok } from '../../../src/shared/result.ts';
import {
  GATEWAY_ID,
  LOADED,
  SESSION_KEY,
  aConversation,
  aPatch,
  aRow,
  type FakeGangway,
} from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const session = { gatewayId: GATEWAY_ID, sessionKey: SESSION_KEY };
const box = (): HTMLTextAreaElement => screen.getByRole('textbox', { name: 'Message' });
const holding =
  (rows: readonly ChatRow[], meta = LOADED) =>
  (fake: FakeGangway): void =>
    fake.answer('chat.open', () => ok(aConversation({ rows, meta })));
const reply = (text: string, changes: Partial<ChatRow> = {}): ChatRow =>
  aRow('a1', text, { role: 'assistant', ...changes });

describe('the conversation', () => {
  test('has the names that people and tests find things by', async () => {
    await renderApp('chat', {}, {}, holding([aRow('u1', 'Hello'), reply('Hi, **Ada**')]));
    const log = screen.getByRole('log', { name: 'Conversation' });
    const you = await within(log).findByRole('article', { name: 'You' });
    expect(you.textContent).toContain('Hello');
    expect(within(log).getByRole('article', { name: 'Assistant' }).querySelector('strong')?.textContent).toBe(
      'Ada',
    );
    expect(box()).toBeTruthy();
    expect(screen.getByRole('button', { name: 'Send' })).toBeTruthy();
  });

  test('paints a streaming reply as it grows', async () => {
    const { fake } = await renderApp('chat', {}, {}, holding([aRow('u1', 'Hello')]));
    await screen.findByRole('article', { name: 'You' });
    const grow = (revision: number, text: string, streaming: boolean): void =>
      act(() =>
        fake.push(
          'chat.patch',
          aPatch({
            baseRevision: revision - 1,
            revision,
            upserts: [reply(text, { streaming })],
            meta: { ...LOADED, activeRun: streaming ? { runId: 'r', phase: 'running' } : null },
          }),
        ),
      );
    grow(2, 'The ans', true);
    const article = screen.getByRole('article', { name: 'Assistant' });
    expect(article.getAttribute('aria-busy')).toBe('true');
    grow(3, 'The answer is 42.', true);
    expect(article.textContent).toContain('The answer is 42.');
    fireEvent.click(screen.getByRole('button', { name: 'Stop' }));
    expect(fake.callsOf('chat.stop')).toEqual([session]);
    grow(4, 'The answer is 42.', false);
    expect(article.getAttribute('aria-busy')).toBeNull();
    expect(screen.queryByRole('button', { name: 'Stop' })).toBeNull();
  });

  test('says that a reply was stopped, and of no other that it was', async () => {
    const rows = [reply('Done.'), aRow('a2', 'One, two', { role: 'assistant', stopped: true })];
    await renderApp('chat', {}, {}, holding(rows));
    const [done, stopped] = await screen.findAllByRole('article', { name: 'Assistant' });
    expect(stopped?.textContent).toContain('One, twoStopped before it was finished');
    expect(done?.textContent).not.toContain('Stopped');
  });

  test('says where a message of ours stands, and offers the way out', async () => {
    const rows = [
      aRow('q', 'one', { delivery: 'queued' }),
      aRow('f', 'two', {
        delivery: 'failed',
        failure: { type: 'gateway', code: 'UNAVAILABLE', detail: 'busy' },
      }),
      aRow('u', 'three', {
        delivery: 'unconfirmed',
        failure: { type: 'gateway', code: 'UNCONFIRMED', detail: '' },
      }),
    ];
    const { fake } = await renderApp('chat', {}, {}, holding(rows));
    const [queued, failed, unconfirmed] = await screen.findAllByRole('article', { name: 'You' });
    expect(queued?.textContent).toContain('Queued');
    expect(failed?.textContent).toContain('The Gateway refused it: busy (UNAVAILABLE)');
    expect(unconfirmed?.textContent).toContain('Delivery unconfirmed');
    expect(unconfirmed?.textContent).toContain('it may have been executed');
    expect(unconfirmed?.textContent).not.toContain('UNCONFIRMED');
    if (queued === undefined || unconfirmed === undefined) throw new Error('rows are missing');
    expect(within(unconfirmed).getByRole('group', { name: 'Delivery' })).toBeTruthy();
    const retry = within(unconfirmed).getByRole('button', { name: 'Retry' });
    const why = document.getElementById(retry.getAttribute('aria-describedby') ?? '');
    expect(why?.textContent).toContain('Retry may execute it twice');
    fireEvent.click(retry);
    fireEvent.click(within(queued).getByRole('button', { name: 'Discard' }));
    expect(fake.callsOf('chat.retry')).toEqual([{ ...session, messageId: 'u' }]);
    expect(fake.callsOf('chat.discard')).toEqual([{ ...session, messageId: 'q' }]);
  });

  test('says why a message of ours waits', async () => {
    const rows = [
      aRow('q1', 'before', { delivery: 'queued' }),
      aRow('u', 'doubtful', {
        delivery: 'unconfirmed',
        failure: { type: 'gateway', code: 'UNCONFIRMED', detail: '' },
      }),
      aRow('q2', 'after', { delivery: 'queued' }),
      aRow('s', 'on its way', { delivery: 'sending' }),
    ];
    const { push } = await renderApp('chat', {}, {}, holding(rows));
    await screen.findAllByRole('article', { name: 'You' });
    const said = (): (string | null)[] =>
      screen.getAllByRole('group', { name: 'Delivery' }).map((footer) => footer.textContent);
    expect(said()[0]).toBe('QueuedDiscard');
    expect(said()[2]).toContain('Waits until you decide about the unconfirmed message above');
    expect(said()[3]).toBe('Sending');
    push({ connection: { status: 'paused', reason: 'offline' } });
    expect(said()[0]).toContain('goes out when connected');
    expect(said()[2]).toContain('Waits until you decide');
    expect(said()[3]).toContain('asks the Gateway what became of the message');
  });

  test('says after a while that it is old, and nothing of a short drop', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    try {
      const { push } = await renderApp('chat', {}, {}, holding([aRow('u1', 'Hello')]));
      await screen.findByRole('article', { name: 'You' });
      const old = (): HTMLElement | null => screen.queryByText(/Shown from the last time/);
      for (const [dropMs, isSaid] of [
        [4000, false],
        [4000, false],
        [6000, true],
      ] as const) {
        push({ connection: { status: 'paused', reason: 'offline' } });
        act(() => {
          vi.advanceTimersByTime(dropMs);
        });
        expect(old() !== null).toBe(isSaid);
        // What is read does not move: the words stand outside of it.
        expect(old()?.closest('[role="log"]') ?? null).toBeNull();
        push({});
        expect(old()).toBeNull();
      }
    } finally {
      vi.useRealTimers();
    }
  });

  test('does not pretend to load what cannot come', async () => {
    const meta = { ...LOADED, load: 'loading' as const };
    const offline = { connection: { status: 'paused', reason: 'offline' } as const };
    const { push } = await renderApp('chat', offline, {}, holding([], meta));
    await screen.findByText('Not loaded yet');
    expect(screen.queryByText('The conversation is loading')).toBeNull();
    expect(box().disabled).toBe(false);
    push({});
    expect(screen.queryByText('Not loaded yet')).toBeNull();
    expect(screen.getByText('The conversation is loading')).toBeTruthy();
  });

  test('shows what waits here before the rest is loaded', async () => {
    const rows = [aRow('q', 'kept through the night', { delivery: 'queued' })];
    const meta = { ...LOADED, load: 'loading' as const };
    await renderApp(
      'chat',
      { connection: { status: 'paused', reason: 'offline' }, sessions: [] },
      {},
      holding(rows, meta),
    );
    const you = await screen.findByRole('article', { name: 'You' });
    expect(you.textContent).toContain('kept through the night');
    expect(screen.getByText(/Earlier messages appear once Gangway is connected to/)).toBeTruthy();
  });

  test.each([
    ['TOO_LARGE', '30 > 20', 'too large for the Gateway (30 > 20 bytes)'],
    ['CANCELLED', '', 'It was not executed'],
    ['UNAVAILABLE', '', 'The Gateway refused it (UNAVAILABLE).'],
  ])('has words for the code %s', async (code, detail, words) => {
    const row = aRow('f', 'one', { delivery: 'failed', failure: { type: 'gateway', code, detail } });
    await renderApp('chat', {}, {}, holding([row]));
    expect((await screen.findByRole('article', { name: 'You' })).textContent).toContain(words);
  });

  test('says the day of a message that is not of today', async () => {
    const atMs = new Date(2020, 4, 17, 9, 30).getTime();
    await renderApp('chat', {}, {}, holding([aRow('u1', 'Hello', { createdAtMs: atMs })]));
    const you = await screen.findByRole('article', { name: 'You' });
    expect(you.querySelector('time')?.textContent).toMatch(/May 17/);
  });

  test('shows tool calls and thinking folded', async () => {
    const parts: ChatRow['parts'] = [
      { type: 'thinking', text: 'hmm' },
      { type: 'tool', callId: 't', name: 'exec', status: 'failed', input: 'ls /', output: 'denied' },
    ];
    await renderApp('chat', {}, {}, holding([reply('', { parts })]));
    const article = await screen.findByRole('article', { name: 'Assistant' });
    const folds = [...article.querySelectorAll('details')];
    expect(folds.map((fold) => fold.open)).toEqual([false, false]);
    expect(folds[1]?.querySelector('summary')?.textContent).toContain('exec');
    expect(folds[1]?.textContent).toContain('denied');
  });

  test('asks for earlier messages once a stretch', async () => {
    const { fake } = await renderApp(
      'chat',
      {},
      {},
      holding([aRow('u1', 'x')], { ...LOADED, hasMore: true }),
    );
    const more = await screen.findByRole('button', { name: 'Earlier messages' });
    fireEvent.click(more);
    fireEvent.click(more);
    expect(fake.callsOf('chat.loadOlder')).toEqual([session]);
  });

  test('says so when it could not be loaded, and loads when asked', async () => {
    const { fake } = await renderApp('chat', {}, {}, (main) =>
      main.answer('chat.open', () => err({ type: 'bug', detail: 'no store' })),
    );
    const card = await screen.findByRole('group', { name: 'The conversation could not be loaded' });
    // What failed is here, so the gateway is not blamed for it.
    expect(card.textContent).toContain('Something in Gangway did not work: no store');
    holding([aRow('u1', 'Hello')])(fake);
    fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await screen.findByRole('article', { name: 'You' });
  });
});

describe('the composer', () => {
  test('sends with Enter, starts a new line with Shift+Enter, and empties itself', async () => {
    const { fake } = await renderApp('chat', {}, {}, holding([]));
    fireEvent.change(box(), { target: { value: 'Hello' } });
    fireEvent.keyDown(box(), { key: 'Enter', shiftKey: true });
    expect(fake.callsOf('chat.send')).toEqual([]);
    fireEvent.keyDown(box(), { key: 'Enter' });
    expect(box().value).toBe('');
    expect(fake.callsOf('chat.send')).toMatchObject([{ ...session, text: 'Hello' }]);
    await screen.findByText(/Nothing said yet/);
  });

  test('leaves Enter to an input method that composes', async () => {
    const { fake } = await renderApp('chat', {}, {}, holding([]));
    fireEvent.change(box(), { target: { value: '안녕' } });
    fireEvent.keyDown(box(), { key: 'Enter', isComposing: true });
    fireEvent.keyDown(box(), { key: 'Process' });
    expect(fake.callsOf('chat.send')).toEqual([]);
    fireEvent.keyDown(box(), { key: 'Enter' });
    expect(fake.callsOf('chat.send')).toHaveLength(1);
    await screen.findByText(/Nothing said yet/);
  });

  test('gives every message an id of its own', async () => {
    const { fake } = await renderApp('chat', {}, {}, holding([]));
    for (const text of ['one', 'two']) {
      fireEvent.change(box(), { target: { value: text } });
      fireEvent.click(screen.getByRole('button', { name: 'Send' }));
    }
    const ids = fake.callsOf('chat.send').map((message) => message.messageId);
    expect(new Set(ids).size).toBe(2);
    await screen.findByText(/Nothing said yet/);
  });

  test('gives back what main did not accept', async () => {
    const { fake } = await renderApp('chat', {}, {}, holding([]));
    fake.answer('chat.send', () => err({ type: 'refused', reason: 'unknown-session' }));
    fireEvent.change(box(), { target: { value: 'Do not lose me' } });
    fireEvent.click(screen.getByRole('button', { name: 'Send' }));
    await waitFor(() => expect(box().value).toBe('Do not lose me'));
    const alert = screen.getByRole('alert');
    expect(alert.textContent).toContain('unknown-session');
    fireEvent.click(within(alert).getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByRole('alert')).toBeNull();
    expect(box().value).toBe('Do not lose me');
  });

  test('sends nothing that is empty or too long', async () => {
    const { fake } = await renderApp('chat', {}, {}, holding([]));
    fireEvent.change(box(), { target: { value: '   ' } });
    fireEvent.keyDown(box(), { key: 'Enter' });
    fireEvent.change(box(), { target: { value: 'x'.repeat(200_001) } });
    fireEvent.keyDown(box(), { key: 'Enter' });
    expect(fake.callsOf('chat.send')).toEqual([]);
    expect(screen.getByText(/1 characters over the limit/)).toBeTruthy();
  });

  test('says that a message will be kept while there is no connection', async () => {
    const { push } = await renderApp('chat', {}, {}, holding([]));
    push({ connection: { status: 'paused', reason: 'user' } });
    expect(screen.getByText(/Will be sent when you resume/)).toBeTruthy();
    push({ connection: { status: 'paused', reason: 'offline' } });
    expect(screen.getByText('Will be sent when connected')).toBeTruthy();
  });

  test('keeps a begun text through a change of the session and back', async () => {
    const sessions = [
      { key: SESSION_KEY, title: 'Main', updatedAtMs: null, active: false },
      { key: 'agent:main:ops', title: 'Ops', updatedAtMs: null, active: false },
    ];
    await renderApp('chat', { sessions }, {}, holding([]));
    await screen.findByText(/Nothing said yet/);
    fireEvent.change(box(), { target: { value: 'begun' } });
    const picker = screen.getByRole('combobox', { name: 'Session' });
    fireEvent.change(picker, { target: { value: 'agent:main:ops' } });
    expect(box().value).toBe('');
    fireEvent.change(picker, { target: { value: SESSION_KEY } });
    await waitFor(() => expect(box().value).toBe('begun'));
    await screen.findByText(/Nothing said yet/);
  });
});
