// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { err, ok } from '../../../src/shared/result.ts';
import type { SlashCommand } from '../../../src/shared/slash-commands.ts';
import { aConversation, aRow, LOADED, type FakeGangway } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const COMMANDS: readonly SlashCommand[] = [
  { name: '/think', description: 'Set the thinking level.', usage: '[level]', takesArguments: true },
  { name: '/status', description: 'Show current status.', usage: '', takesArguments: false },
  { name: '/stop', description: 'Stop.', usage: '', takesArguments: false },
];
const box = (): HTMLTextAreaElement => screen.getByRole('textbox', { name: 'Message' });
const options = (): string[] =>
  screen.queryAllByRole('option').map((option) => option.querySelector('.option__label')?.textContent ?? '');
const type = (text: string): void => {
  fireEvent.change(box(), { target: { value: text } });
  box().setSelectionRange(text.length, text.length);
};
const press = (key: string, more: object = {}): boolean => fireEvent.keyDown(box(), { key, ...more });
const withCommands = (fake: FakeGangway): void => fake.answer('chat.listCommands', () => ok(COMMANDS));

describe('slash commands', () => {
  test('are offered as soon as a message begins with a slash, and taken by Tab or Enter', async () => {
    const { fake } = await renderApp('chat', {}, {}, withCommands);
    type('/');
    await screen.findByRole('listbox', { name: 'Commands' });
    expect(options()).toEqual(['/think [level]', '/status ', '/stop ']);
    type('/st');
    expect(options()).toEqual(['/status ', '/stop ']);
    press('ArrowDown');
    expect(box().getAttribute('aria-activedescendant')).toBe(screen.getAllByRole('option')[1]?.id);
    press('Enter');
    expect(box().value).toBe('/stop');
    expect(fake.callsOf('chat.send')).toEqual([]);
    press('Enter');
    await waitFor(() => expect(fake.callsOf('chat.send').map(({ text }) => text)).toEqual(['/stop']));
    type('/th');
    await screen.findByRole('listbox', { name: 'Commands' });
    press('Tab');
    expect(box().value).toBe('/think ');
    expect(screen.queryByRole('listbox')).toBeNull();
  });

  test('are picked with the pointer, and closed by Escape until something else is typed', async () => {
    await renderApp('chat', {}, {}, withCommands);
    type('/s');
    await screen.findByRole('listbox', { name: 'Commands' });
    press('Escape');
    expect(screen.queryByRole('listbox')).toBeNull();
    type('/st');
    fireEvent.click(within(screen.getByRole('listbox')).getByText('Show current status.'));
    expect(box().value).toBe('/status');
  });

  test('are not offered within a message, by an input method, or where the gateway does not tell', async () => {
    const { fake } = await renderApp('chat', {}, {}, (main) =>
      main.answer('chat.listCommands', () => err({ type: 'refused', reason: 'payload' })),
    );
    type('see /st');
    expect(fake.callsOf('chat.listCommands')).toEqual([]);
    type('/st');
    await act(async () => Promise.resolve());
    expect(screen.queryByRole('listbox')).toBeNull();
    press('Enter');
    await waitFor(() => expect(fake.callsOf('chat.send').map(({ text }) => text)).toEqual(['/st']));
  });
});

describe('what was written before', () => {
  const withHistory = (fake: FakeGangway): void =>
    fake.answer('chat.open', () =>
      ok(
        aConversation({
          rows: [aRow('u1', 'first'), aRow('a1', 'reply', { role: 'assistant' }), aRow('u2', 'second')],
        }),
      ),
    );

  test('comes back by the arrow up and goes by the arrow down, and one’s own words are there again', async () => {
    await renderApp('chat', {}, {}, withHistory);
    await screen.findByText('second');
    type('my draft');
    box().setSelectionRange(0, 0);
    press('ArrowUp');
    expect(box().value).toBe('second');
    press('ArrowUp');
    expect(box().value).toBe('first');
    press('ArrowUp');
    expect(box().value).toBe('first');
    press('ArrowDown');
    press('ArrowDown');
    expect(box().value).toBe('my draft');
  });

  test('leaves the arrows alone within a text, and while it is composed', async () => {
    await renderApp('chat', {}, {}, withHistory);
    await screen.findByText('second');
    type('my draft');
    expect(press('ArrowUp')).toBe(true);
    box().setSelectionRange(0, 0);
    fireEvent.keyDown(box(), { key: 'ArrowUp', isComposing: true });
    expect(box().value).toBe('my draft');
  });
});

test('Escape stops the reply that is under way, once', async () => {
  const { fake } = await renderApp('chat', {}, {}, (main) =>
    main.answer('chat.open', () =>
      ok(
        aConversation({
          rows: [aRow('u1', 'first')],
          meta: { ...LOADED, activeRun: { runId: 'r1', phase: 'running' } },
        }),
      ),
    ),
  );
  await screen.findByRole('button', { name: 'Stop' });
  press('Escape');
  expect(fake.callsOf('chat.stop')).toHaveLength(1);
});
