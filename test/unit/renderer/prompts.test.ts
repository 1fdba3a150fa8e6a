// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import type { ConnectionState, UserPrompt } from '../../../src/shared/connection-state.ts';
import { err, ok } from '../../../src/shared/result.ts';
import {
  sampleConfirmPrompt as confirm,
  sampleHostKeyPrompt as hostKey,
  sampleInteractivePrompt as interactive,
  sampleNoticePrompt as notice,
  samplePassphrasePrompt as passphrase,
  samplePasswordPrompt as password,
} from '../../support/fakes/sample-prompts.ts';
import { GATEWAY_ID, type FakeGangway } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const asking = (prompt: UserPrompt, attended = true): ConnectionState => ({
  status: 'waiting-for-user',
  attempt: 1,
  reconnecting: false,
  attended,
  prompt,
});
const field = (name: string): HTMLInputElement => screen.getByRole('textbox', { name });
const type = (name: string, text: string): boolean =>
  fireEvent.input(field(name), { target: { value: text } });
const press = (name: string): boolean => fireEvent.click(screen.getByRole('button', { name }));
const submit = (name: string): void => {
  const { form } = field(name);
  if (form === null) throw new Error('the box is in no form');
  fireEvent.submit(form);
};
const escape = (): boolean =>
  fireEvent(
    screen.queryByRole('dialog') ?? screen.getByRole('alertdialog'),
    new Event('cancel', { cancelable: true }),
  );

const NO_KEYCHAIN = { secretPersistence: 'memory' } as const;

describe('a password', () => {
  test('names the account, is sent once by Enter, and leaves the window at once', async () => {
    const { fake } = await renderApp('chat', { connection: asking(password) });
    const dialog = screen.getByRole('dialog', { name: 'Password needed' });
    expect(dialog.textContent).toContain('ops@homelab');
    expect(document.activeElement).toBe(field('Password'));
    expect(field('Password').className).toContain('input--masked');
    type('Password', 'hunter2');
    submit('Password');
    expect(field('Password').value).toBe('');
    submit('Password');
    expect(fake.callsOf('connection.answerPrompt')).toEqual([
      {
        gatewayId: GATEWAY_ID,
        promptId: password.id,
        answer: { type: 'password', password: 'hunter2', remember: false },
      },
    ]);
    expect(document.body.textContent).not.toContain('hunter2');
  });

  test('is kept in the keychain only when the person says so', async () => {
    const { fake } = await renderApp('chat', { connection: asking(password) });
    const remember = screen.getByRole<HTMLInputElement>('checkbox', { name: 'Remember in the keychain' });
    expect(remember.checked).toBe(false);
    fireEvent.click(remember);
    type('Password', 'hunter2');
    press('Sign in');
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([{ answer: { remember: true } }]);
    await screen.findByRole('dialog');
  });

  test('is not promised to last where there is no keychain', async () => {
    await renderApp('chat', { connection: asking(password) }, NO_KEYCHAIN);
    expect(screen.queryByRole('checkbox')).toBeNull();
    expect(screen.getByRole('dialog').textContent).toContain('keeps this until it quits');
  });

  test('that was wrong is said to be so beside the box, until something is typed', async () => {
    await renderApp('chat', { connection: asking({ ...password, wasWrong: true }) });
    expect(field('Password').getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByText('homelab did not accept this password. Try again.')).toBeTruthy();
    type('Password', 'h');
    expect(field('Password').getAttribute('aria-invalid')).toBeNull();
  });

  test('is not asked for by an empty box', async () => {
    const { fake } = await renderApp('chat', { connection: asking(password) });
    submit('Password');
    expect(screen.getByText('Enter the password of the account.')).toBeTruthy();
    expect(fake.callsOf('connection.answerPrompt')).toEqual([]);
  });

  test('can be answered again where the answer did not get through', async () => {
    const { fake } = await renderApp('chat', { connection: asking(password) });
    fake.answer('connection.answerPrompt', () => err({ type: 'bug', detail: 'no supervisor' }));
    type('Password', 'hunter2');
    submit('Password');
    await screen.findByText(/no supervisor/);
    fake.answer('connection.answerPrompt', () => ok(null));
    type('Password', 'hunter3');
    submit('Password');
    expect(fake.callsOf('connection.answerPrompt')).toHaveLength(2);
    await screen.findByRole('dialog');
  });
});

describe('the questions of a server', () => {
  test('are shown one box each, hidden where the server says so, and answered in order', async () => {
    const { fake } = await renderApp('settings', { connection: asking(interactive) });
    const dialog = screen.getByRole('dialog', { name: 'Sign in to homelab' });
    expect(within(dialog).getByRole('figure', { name: 'homelab says:' }).textContent).toContain(
      'Two things are needed.',
    );
    expect(document.activeElement).toBe(field('Password:'));
    expect(field('Password:').className).toContain('input--masked');
    expect(field('Code:').className).not.toContain('input--masked');
    expect(screen.queryByRole('checkbox')).toBeNull();
    type('Code:', '123456');
    type('Password:', 'hunter2');
    submit('Code:');
    expect(field('Code:').value).toBe('');
    expect(field('Password:').value).toBe('');
    expect(fake.callsOf('connection.answerPrompt')).toEqual([
      {
        gatewayId: GATEWAY_ID,
        promptId: interactive.id,
        answer: { type: 'responses', responses: ['hunter2', '123456'], remember: false },
      },
    ]);
    await screen.findByRole('dialog');
  });

  test('are sent by Enter in the last box only: before it, Enter goes to the next', async () => {
    const { fake } = await renderApp('settings', { connection: asking(interactive) });
    typeAtFocus('hunter2\n');
    expect(document.activeElement).toBe(field('Code:'));
    expect(fake.callsOf('connection.answerPrompt')).toEqual([]);
    typeAtFocus('123456\n');
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([
      { answer: { responses: ['hunter2', '123456'] } },
    ]);
    await screen.findByRole('dialog');
  });

  test('leave Enter to an input method that composes', async () => {
    await renderApp('settings', { connection: asking(interactive) });
    const first = field('Password:');
    expect(fireEvent.keyDown(first, { key: 'Enter', isComposing: true })).toBe(true);
    expect(document.activeElement).toBe(first);
  });

  test('may be answered with nothing: some servers ask for Enter only', async () => {
    const { fake } = await renderApp('settings', {
      connection: asking({ ...interactive, prompts: [{ text: '', echo: true }] }),
    });
    submit('Answer');
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([{ answer: { responses: [''] } }]);
    await screen.findByRole('dialog');
  });

  test('can be remembered where it is one password', async () => {
    const prompts = [{ text: 'Password: ', echo: false }];
    const { fake } = await renderApp('settings', { connection: asking({ ...interactive, prompts }) });
    fireEvent.click(screen.getByRole('checkbox', { name: 'Remember in the keychain' }));
    type('Password:', 'hunter2');
    submit('Password:');
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([{ answer: { remember: true } }]);
    await screen.findByRole('dialog');
  });

  test('are plain text, whatever they look like', async () => {
    const instructions = '<b>Gangway</b> <script>alert(1)</script> [link](javascript:alert(1))';
    await renderApp('settings', { connection: asking({ ...interactive, instructions }) });
    const words = screen.getByRole('figure', { name: 'homelab says:' });
    expect(words.textContent).toContain(instructions);
    expect(words.querySelector('b, script, a')).toBeNull();
  });

  test('say that the last answer was wrong', async () => {
    await renderApp('settings', { connection: asking({ ...interactive, wasWrong: true }) });
    expect(screen.getByText('homelab did not accept the last answer. Try again.')).toBeTruthy();
  });
});

describe('a question of ssh', () => {
  test('is answered with Yes or No, and No has the focus', async () => {
    const { fake } = await renderApp('health', { connection: asking(confirm) });
    const dialog = screen.getByRole('alertdialog', { name: 'A question about homelab' });
    expect(within(dialog).getByRole('figure', { name: 'OpenSSH asks:' }).textContent).toContain(
      'Allow use of key ~/.ssh/id_ed25519?',
    );
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'No' }));
    press('Yes');
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([
      { promptId: confirm.id, answer: { type: 'confirm' } },
    ]);
    await screen.findByRole('alertdialog');
  });

  test.each([confirm, notice, interactive, password, passphrase])(
    '$type is cancelled by Escape',
    async (prompt) => {
      const { fake } = await renderApp('health', { connection: asking(prompt) });
      escape();
      expect(fake.callsOf('connection.answerPrompt')).toMatchObject([
        { promptId: prompt.id, answer: { type: 'cancel' } },
      ]);
      await waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
    },
  );

  test('that needs a touch has nothing to type, and goes by itself', async () => {
    const { push } = await renderApp('health', { connection: asking(notice) });
    const dialog = screen.getByRole('dialog', { name: 'Confirm signing in to homelab' });
    expect(within(dialog).queryByRole('textbox')).toBeNull();
    expect(
      within(dialog)
        .getAllByRole('button')
        .map((button) => button.textContent),
    ).toEqual(['Cancel']);
    push({});
    expect(screen.queryByRole('dialog')).toBeNull();
  });
});

describe('a question that takes the place of another', () => {
  test('has nothing of what was typed for the one before, and no field takes the next letters', async () => {
    const { push } = await renderApp('settings', { connection: asking(password) });
    type('Password', 'hunt');
    push({ connection: asking({ ...interactive, prompts: [{ text: 'Code:', echo: true }] }) });
    expect(field('Code:').value).toBe('');
    expect(document.activeElement).not.toBe(field('Code:'));
    expect(screen.getByRole('dialog').contains(document.activeElement)).toBe(true);
  });

  test('after an answer has the focus where to type', async () => {
    const { push } = await renderApp('settings', { connection: asking(password) });
    type('Password', 'hunter2');
    fireEvent.keyDown(field('Password'), { key: 'Enter' });
    submit('Password');
    push({ connection: asking({ ...password, id: 'again', wasWrong: true }) });
    expect(document.activeElement).toBe(field('Password'));
    await screen.findByText(/did not accept/);
  });

  test('does not take the letters of a message that is being written', async () => {
    const { push } = await renderApp('chat');
    const message = await screen.findByRole('textbox', { name: 'Message' });
    message.focus();
    fireEvent.input(message, { target: { value: 'hello' } });
    push({ connection: asking(password) });
    expect(document.activeElement).not.toBe(message);
    expect(document.activeElement).not.toBe(field('Password'));
    typeAtFocus('hunter2');
    push({});
    expect(isAtRest()).toBe(true);
    expect(message).toHaveProperty('value', 'hello');
  });
});

/** As a keyboard does: the keys go where the focus is, and Enter does there what a browser does. */
function typeAtFocus(text: string): void {
  for (const key of text) {
    const at = document.activeElement ?? document.body;
    const isDefault = fireEvent.keyDown(at, { key: key === '\n' ? 'Enter' : key });
    if (!isDefault) continue;
    const isBox = at instanceof HTMLInputElement || at instanceof HTMLTextAreaElement;
    if (key !== '\n') {
      if (isBox) fireEvent.input(at, { target: { value: at.value + key } });
    } else if (at instanceof HTMLButtonElement) fireEvent.click(at);
    else if (isBox && at.form !== null) fireEvent.submit(at.form);
  }
}

const isAtRest = (): boolean => document.activeElement?.matches('h1, h2') === true;
const CONNECTING: ConnectionState = {
  status: 'connecting',
  attempt: 1,
  stage: 'authenticating',
  reconnecting: false,
  lastFailure: null,
};
const DOWN: ConnectionState = { status: 'disconnected' };
const DRAFT = 'a message';
const composer = async (): Promise<HTMLTextAreaElement> => {
  const message = await screen.findByRole<HTMLTextAreaElement>('textbox', { name: 'Message' });
  fireEvent.input(message, { target: { value: DRAFT } });
  // Long enough ago to be no typing.
  fireEvent.click(message);
  message.focus();
  return message;
};
/** What would have left the window. */
const sent = (fake: FakeGangway): readonly string[] =>
  fake.calls
    .map(({ name }) => name)
    .filter((name) =>
      ['settings.saveAndConnect', 'chat.send', 'connection.answerPrompt', 'connection.attend'].includes(name),
    );

describe('a question that is withdrawn while it is being answered', () => {
  const ends: readonly [string, ConnectionState][] = [
    ['the server hangs up', asking(password, false)],
    ['it is tried again', CONNECTING],
    ['the person disconnects elsewhere', DOWN],
  ];

  test.each(ends)('leaves the SSH target alone: %s', async (_name, end) => {
    const { fake, push } = await renderApp('settings', { connection: DOWN });
    const target = screen.getByRole<HTMLInputElement>('combobox', { name: 'SSH target' });
    target.focus();
    push({ connection: asking(password) });
    field('Password').focus();
    typeAtFocus('hun');
    expect(field('Password').value).toBe('hun');
    push({ connection: end });
    expect(isAtRest()).toBe(true);
    typeAtFocus('ter2\n');
    expect(target.value).toBe('ada@homelab');
    expect(document.body.textContent).not.toContain('ter2');
    expect(sent(fake)).toEqual([]);
    await act(() => Promise.resolve());
  });

  test.each(ends)('leaves the message alone: %s', async (_name, end) => {
    const { fake, push } = await renderApp('chat');
    const message = await composer();
    push({ connection: asking(interactive) });
    typeAtFocus('hun');
    push({ connection: end });
    typeAtFocus('ter2\n');
    expect(message.value).toBe(DRAFT);
    expect(sent(fake)).toEqual([]);
  });

  test('presses no button by Enter', async () => {
    const { fake, push } = await renderApp('settings', { connection: DOWN });
    screen.getByRole('button', { name: 'Save and connect' }).focus();
    push({ connection: asking(password) });
    typeAtFocus('hun');
    push({ connection: asking(password, false) });
    expect(document.activeElement).toBe(screen.getByRole('heading', { name: 'Sign in to homelab' }));
    typeAtFocus('ter2\n');
    expect(sent(fake)).toEqual([]);
    await act(() => Promise.resolve());
  });

  test('gives its letters to no box of the question that takes its place', async () => {
    const { fake, push } = await renderApp('chat', { connection: asking(password) });
    typeAtFocus('hun');
    // Without a letter for a while it is still the withdrawal that counts.
    fireEvent.click(field('Password'));
    push({ connection: asking({ ...interactive, prompts: [{ text: 'Code:', echo: true }] }) });
    typeAtFocus('ter2\n');
    expect(field('Code:').value).toBe('');
    push({ connection: asking(password, false) });
    typeAtFocus('more');
    push({ connection: asking({ ...password, id: 'again' }) });
    typeAtFocus('more');
    expect(field('Password').value).toBe('');
    expect(sent(fake)).toEqual([]);
  });
});

describe('after an answer the focus', () => {
  const answerIt = async (text: string): Promise<void> => {
    typeAtFocus(text);
    await act(() => Promise.resolve());
  };

  test.each<[string, ConnectionState]>([
    ['the person pauses', { status: 'paused', reason: 'user' }],
    ['the attempt is over', DOWN],
  ])('goes back to the message once %s', async (_name, end) => {
    const { push } = await renderApp('chat');
    const message = await composer();
    push({ connection: asking(password) });
    await answerIt('hunter2\n');
    push({ connection: CONNECTING });
    expect(isAtRest()).toBe(true);
    push({ connection: end });
    expect(document.activeElement).toBe(message);
  });

  test('goes back at once where the question was cancelled', async () => {
    const { push } = await renderApp('chat');
    const message = await composer();
    push({ connection: asking(password) });
    typeAtFocus('hun');
    press('Cancel');
    push({ connection: DOWN });
    expect(document.activeElement).toBe(message);
    await act(() => Promise.resolve());
  });

  test('is not where a further question would lose its first letters to', async () => {
    const { push } = await renderApp('chat');
    const message = await composer();
    push({ connection: asking(password) });
    await answerIt('hunter2\n');
    push({ connection: CONNECTING });
    typeAtFocus('12');
    push({ connection: asking({ ...interactive, prompts: [{ text: 'Code:', echo: true }] }) });
    expect(message.value).toBe(DRAFT);
    field('Code:').focus();
    await answerIt('123456\n');
    push({ connection: DOWN });
    expect(document.activeElement).toBe(message);
  });

  test('does not go back in the middle of what is being typed', async () => {
    const { push } = await renderApp('chat');
    const message = await composer();
    push({ connection: asking(password) });
    await answerIt('hunter2\n');
    push({ connection: CONNECTING });
    typeAtFocus('secret');
    push({ connection: DOWN });
    expect(isAtRest()).toBe(true);
    expect(message.value).toBe(DRAFT);
  });
});

test.each([
  [{ ...password, host: '127.0.0.1' }, 'the password of ops@127.0.0.1 (for homelab).'],
  [{ ...interactive, host: '127.0.0.1' }, 'lets ops@127.0.0.1 (for homelab) in.'],
  [{ ...hostKey, host: '127.0.0.1' }, 'first connection to 127.0.0.1 (for homelab).'],
  [password, 'the password of ops@homelab.'],
  [{ ...password, host: '127.0.0.1', jump: 'bastion' }, 'the password of ops@127.0.0.1.'],
] satisfies [UserPrompt, string][])(
  'a question names the gateway where its address does not: %j',
  async (prompt, words) => {
    await renderApp('health', { connection: asking(prompt) });
    expect((screen.queryByRole('dialog') ?? screen.getByRole('alertdialog')).textContent).toContain(words);
  },
);

describe('a follow-up question', () => {
  const again = { ...password, id: 'again', wasWrong: true };
  const isRemembered = (): boolean =>
    screen.getByRole<HTMLInputElement>('checkbox', { name: 'Remember in the keychain' }).checked;

  test.each([true, false])('keeps the choice for the keychain: %j', async (choice) => {
    const { push } = await renderApp('chat', { connection: asking(password) });
    if (choice) fireEvent.click(screen.getByRole('checkbox'));
    typeAtFocus('wrong\n');
    push({ connection: CONNECTING });
    push({ connection: asking(again) });
    expect(isRemembered()).toBe(choice);
    push({ connection: asking({ ...again, id: 'other', user: 'root' }) });
    expect(isRemembered()).toBe(false);
    await act(() => Promise.resolve());
  });

  test('keeps nothing of what cannot be remembered', async () => {
    const words = { ...interactive, prompts: [{ text: 'Password:', echo: false }] };
    const code = { ...interactive, id: 'code', prompts: [{ text: 'Code:', echo: false }] };
    const { fake, push } = await renderApp('chat', { connection: asking(words) });
    fireEvent.click(screen.getByRole('checkbox'));
    typeAtFocus('hunter2\n');
    push({ connection: asking(code) });
    typeAtFocus('123456\n');
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([
      { answer: { remember: true } },
      { promptId: 'code', answer: { responses: ['123456'], remember: false } },
    ]);
    push({ connection: asking({ ...words, id: 'again' }) });
    expect(isRemembered()).toBe(true);
    await act(() => Promise.resolve());
  });

  test('does not fade in anew where it is of the same kind', async () => {
    const isAtOnce = (): boolean => screen.getByRole('dialog').classList.contains('dialog--at-once');
    const { push } = await renderApp('chat', { connection: asking(password) });
    expect(isAtOnce()).toBe(false);
    typeAtFocus('wrong\n');
    push({ connection: CONNECTING });
    push({ connection: asking(again) });
    expect(isAtOnce()).toBe(true);
    push({ connection: asking(interactive) });
    expect(isAtOnce()).toBe(false);
    push({ connection: DOWN });
    push({ connection: asking({ ...interactive, id: 'later' }) });
    expect(isAtOnce()).toBe(false);
    await act(() => Promise.resolve());
  });
});

describe('a question that came while nobody was there', () => {
  const cases: readonly [UserPrompt, string, string][] = [
    [hostKey, 'Verify the host key of homelab', 'Verify host key…'],
    [passphrase, 'Enter the passphrase of ~/.ssh/id_ed25519', 'Enter passphrase…'],
    [password, 'Sign in to homelab', 'Sign in…'],
    [interactive, 'Sign in to homelab', 'Sign in…'],
    [confirm, 'Answer a question about homelab', 'Show the question…'],
    [notice, 'Confirm signing in to homelab', 'Sign in…'],
  ];
  test.each(cases)(
    'shows as a card with one button, and nothing pops up: %j',
    async (prompt, title, button) => {
      const { fake } = await renderApp('health', { connection: asking(prompt, false) });
      expect(screen.queryByRole('dialog')).toBeNull();
      expect(screen.queryByRole('alertdialog')).toBeNull();
      const card = screen.getByRole('region', { name: title });
      expect(within(card).getAllByRole('button')).toHaveLength(1);
      fireEvent.click(within(card).getByRole('button', { name: button }));
      fireEvent.click(within(card).getByRole('button', { name: button }));
      expect(fake.callsOf('connection.attend')).toEqual([{ gatewayId: GATEWAY_ID }]);
      await act(() => Promise.resolve());
    },
  );

  test.each(['settings', 'chat', 'health', 'prompt'] as const)('shows in the %s window', async (page) => {
    await renderApp(page, { connection: asking(password, false) });
    expect(screen.getByRole('button', { name: 'Sign in…' })).toBeTruthy();
    expect(screen.getByRole('status', { name: 'Connection' }).textContent).toContain('Waiting for you');
  });

  test('takes no focus, and the message box says what becomes of a message', async () => {
    const { push } = await renderApp('chat');
    const message = await screen.findByRole('textbox', { name: 'Message' });
    message.focus();
    push({ connection: asking(password, false) });
    expect(document.activeElement).toBe(message);
    expect(screen.getByText('Waiting for you. Will be sent when connected')).toBeTruthy();
  });

  test('can be asked for again where the request did not get through', async () => {
    const { fake } = await renderApp('health', { connection: asking(password, false) });
    fake.answer('connection.attend', () => err({ type: 'bug', detail: 'no supervisor' }));
    press('Sign in…');
    await screen.findByText(/no supervisor/);
    press('Sign in…');
    expect(fake.callsOf('connection.attend')).toHaveLength(2);
    await act(() => Promise.resolve());
  });
});
