// @vitest-environment jsdom
import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import type { InputOf } from '../../../src/shared/ipc-contract.ts';
import { err, ok } from '../../../src/shared/result.ts';
import type { SshResolution } from '../../../src/shared/ssh-resolution.ts';
import { matchingHosts } from '../../../src/renderer/settings/host-suggestions.ts';
import { GATEWAY_ID, aResolution, type FakeGangway } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const HOSTS = [
  { alias: 'bastion', detail: 'ops@203.0.113.7' },
  { alias: 'homelab', detail: 'ada@homelab.example:2222' },
  { alias: 'old-homelab', detail: '' },
];
const empty = { profile: emptyProfile(GATEWAY_ID), connection: { status: 'unconfigured' } } as const;
const target = (): HTMLInputElement => screen.getByRole('combobox', { name: 'SSH target' });
const type = (text: string): boolean => fireEvent.change(target(), { target: { value: text } });
const key = (name: string): boolean => fireEvent.keyDown(target(), { key: name });
const offered = (): readonly HTMLElement[] => {
  const list = screen.queryByRole('listbox', { name: 'Hosts of your SSH configuration' });
  return list === null ? [] : within(list).getAllByRole('option');
};
const options = (): readonly (string | null)[] => offered().map((option) => option.textContent);
const suggesting = (fake: FakeGangway): void => fake.answer('settings.suggestHosts', () => ok(HOSTS));

async function renderForm(script: (fake: FakeGangway) => void = suggesting): Promise<FakeGangway> {
  const { fake } = await renderApp('settings', empty, {}, script);
  await act(() => Promise.resolve());
  return fake;
}

describe('hosts of the SSH configuration', () => {
  test('are offered while a target is typed, those that begin so first', async () => {
    await renderForm();
    expect(target().getAttribute('aria-expanded')).toBe('false');
    expect(options()).toEqual([]);
    type('hom');
    expect(options()).toEqual(['homelabada@homelab.example:2222', 'old-homelab']);
    expect(target().getAttribute('aria-expanded')).toBe('true');
    const list = screen.getByRole('listbox', { name: 'Hosts of your SSH configuration' });
    expect(target().getAttribute('aria-controls')).toBe(list.id);
  });

  test('are picked with the arrow keys and Enter, which then sends nothing', async () => {
    const fake = await renderForm();
    type('hom');
    expect(target().getAttribute('aria-activedescendant')).toBeNull();
    key('ArrowDown');
    const [first, second] = offered();
    expect(target().getAttribute('aria-activedescendant')).toBe(first?.id);
    expect(first?.getAttribute('aria-selected')).toBe('true');
    key('ArrowDown');
    expect(target().getAttribute('aria-activedescendant')).toBe(second?.id);
    key('ArrowDown');
    expect(target().getAttribute('aria-activedescendant')).toBeNull();
    key('ArrowDown');
    expect(key('Enter')).toBe(false);
    expect(target().value).toBe('homelab');
    expect(options()).toEqual([]);
    expect(fake.callsOf('settings.saveAndConnect')).toEqual([]);
  });

  test('are never in the way: Enter sends what is typed, Escape and leaving close the list', async () => {
    await renderForm();
    type('hom');
    expect(key('Enter')).toBe(true);
    expect(target().value).toBe('hom');
    expect(options()).toEqual([]);
    type('home');
    expect(options()).not.toEqual([]);
    expect(key('Escape')).toBe(false);
    expect(options()).toEqual([]);
    expect(target().value).toBe('home');
    expect(key('Escape')).toBe(true);
    type('homel');
    fireEvent.blur(target());
    expect(options()).toEqual([]);
    expect(target().value).toBe('homel');
  });

  test('open with the arrow key alone, and are picked with the mouse without taking the focus', async () => {
    await renderForm();
    target().focus();
    key('ArrowUp');
    expect(options()).toHaveLength(3);
    const option = screen.getByRole('option', { name: /^bastion/ });
    expect(fireEvent.mouseDown(option)).toBe(false);
    fireEvent.click(option);
    expect(target().value).toBe('bastion');
    expect(document.activeElement).toBe(target());
    expect(options()).toEqual([]);
  });

  test('leave the keys to an input method that composes', async () => {
    await renderForm();
    type('hom');
    expect(fireEvent.keyDown(target(), { key: 'ArrowDown', isComposing: true })).toBe(true);
    expect(target().getAttribute('aria-activedescendant')).toBeNull();
  });

  test('keep the user that was typed, and are silent once one is complete', () => {
    expect(matchingHosts(HOSTS, 'root@HOM').map(({ value }) => value)).toEqual([
      'root@homelab',
      'root@old-homelab',
    ]);
    expect(matchingHosts(HOSTS, 'root@homelab')).toEqual([]);
    expect(matchingHosts(HOSTS, 'elsewhere')).toEqual([]);
    expect(matchingHosts(HOSTS, '')).toHaveLength(3);
  });

  test('are not needed: without them a target is typed as before', async () => {
    await renderForm((fake) =>
      fake.answer('settings.suggestHosts', () => err({ type: 'bug', detail: 'EACCES' })),
    );
    type('hom');
    expect(options()).toEqual([]);
    expect(screen.queryByRole('alert')).toBeNull();
  });
});

const full: SshResolution = aResolution({
  host: 'homelab.internal',
  port: 2222,
  hostKeyAlias: 'homelab-key',
  identityFiles: [
    { path: '~/.ssh/id_sk', exists: true },
    { path: '~/.ssh/id_rsa', exists: false },
  ],
  agent: '/run/agent.sock',
  jumps: [
    { name: 'bastion', host: '203.0.113.7', port: 22, user: 'ops' },
    { name: 'inner', host: 'fe80::1', port: 2022, user: 'ops' },
  ],
  transport: 'openssh',
  reasons: [{ code: 'security-key', detail: '~/.ssh/id_sk' }],
  notHonoured: [{ directive: 'LocalForward', value: '8080 localhost:80' }],
});
const line = (): string => document.querySelector('.resolved__line')?.textContent ?? '';

describe('what a target is resolved as', () => {
  test('is said in one line: the place, the way, and what has no effect', async () => {
    const fake = await renderForm((scripted) =>
      scripted.answer('settings.resolveTarget', () => ok(ok(full))),
    );
    expect(line()).toContain('nothing yet, until a target is typed');
    type('homelab');
    expect(line()).toContain('reading the SSH configuration');
    await waitFor(() => expect(line()).toContain('ada@homelab.internal:2222'));
    expect(line()).toContain('through bastion, inner');
    expect(line()).toContain('by OpenSSH');
    expect(line()).toContain('1 directive has no effect');
    expect(fake.callsOf('settings.resolveTarget')).toEqual([
      { gatewayId: GATEWAY_ID, sshTarget: 'homelab', identityFile: '', sshTransport: 'automatic' },
    ]);
  });

  test('unfolds to everything that decides it', async () => {
    await renderForm((fake) => fake.answer('settings.resolveTarget', () => ok(ok(full))));
    type('homelab');
    await waitFor(() => expect(line()).toContain('ada@homelab.internal:2222'));
    const details = document.querySelector<HTMLElement>('.resolved');
    if (details === null) throw new Error('nothing is resolved');
    for (const text of [
      'homelab-key',
      '/run/agent.sock',
      'bastion (ops@203.0.113.7)',
      'inner (ops@[fe80::1]:2022)',
      'OpenSSH (system)',
      '~/.ssh/id_sk is a security key (FIDO).',
      'LocalForward 8080 localhost:80',
    ]) {
      expect(details.textContent).toContain(text);
    }
    const missing = within(details).getByText(/id_rsa/);
    expect(missing.className).toContain('resolved__item--missing');
    expect(missing.textContent).toContain('does not exist');
    expect(within(details).getByText('~/.ssh/id_sk').className).not.toContain('missing');
  });

  test('waits until the typing rests, and drops an answer that comes too late', async () => {
    const waiting: { sshTarget: string; answer: (resolution: SshResolution) => void }[] = [];
    const fake = await renderForm((scripted) =>
      scripted.answer(
        'settings.resolveTarget',
        ({ sshTarget }: InputOf<'settings.resolveTarget'>) =>
          new Promise((resolve) => {
            waiting.push({ sshTarget, answer: (resolution) => resolve(ok(ok(resolution))) });
          }),
      ),
    );
    for (const text of ['h', 'ho', 'hom']) type(text);
    await waitFor(() => expect(waiting.map(({ sshTarget }) => sshTarget)).toEqual(['hom']));
    type('home');
    await waitFor(() => expect(waiting).toHaveLength(2));
    await act(async () => {
      waiting[1]?.answer(aResolution({ host: 'right' }));
      await Promise.resolve();
    });
    await waitFor(() => expect(line()).toContain('ada@right'));
    await act(async () => {
      waiting[0]?.answer(aResolution({ host: 'wrong' }));
      await Promise.resolve();
    });
    expect(line()).toContain('ada@right');
    expect(fake.callsOf('settings.resolveTarget')).toHaveLength(2);
  });

  test('is read anew when the person comes back to the window, and after a save', async () => {
    let port = 2200;
    const fake = await renderForm((scripted) =>
      scripted.answer('settings.resolveTarget', () => ok(ok(aResolution({ port: (port += 1) })))),
    );
    type('homelab');
    await waitFor(() => expect(line()).toContain(':2201'));
    fireEvent.focus(window);
    expect(line(), 'stands until the new answer is there').toContain(':2201');
    await waitFor(() => expect(line()).toContain(':2202'));
    fireEvent.click(screen.getByRole('button', { name: 'Save and connect' }));
    await waitFor(() => expect(line()).toContain(':2203'));
    expect(fake.callsOf('settings.resolveTarget')).toHaveLength(3);
  });

  test('is never what was typed before', async () => {
    await renderForm();
    type('homelab');
    await waitFor(() => expect(line()).toContain('ada@homelab.example'));
    type('homelab2');
    expect(line()).not.toContain('ada@homelab.example');
    type('not a target');
    expect(line()).toContain('nothing yet, until a target is typed');
  });

  test('says why it cannot be told', async () => {
    await renderForm((fake) =>
      fake.answer('settings.resolveTarget', () =>
        ok(err(failure('ssh-config-invalid', { target: 'homelab', detail: 'line 3: Bad option: prot' }))),
      ),
    );
    type('homelab');
    await waitFor(() => expect(line()).toContain('Your SSH configuration cannot be read'));
    expect(document.querySelector('.resolved__body')?.textContent).toContain('line 3: Bad option: prot');
  });

  test('says so where OpenSSH was not there to read the configuration', async () => {
    await renderForm((fake) =>
      fake.answer('settings.resolveTarget', () => ok(ok(aResolution({ source: 'library' })))),
    );
    type('homelab');
    await screen.findByText(/OpenSSH is not installed here/);
  });
});

describe('what carries the connection', () => {
  test('is chosen with a sentence about it, asked about at once, and saved', async () => {
    const fake = await renderForm();
    type('homelab');
    const choice = screen.getByRole<HTMLSelectElement>('combobox', { name: 'Connect with' });
    expect(choice.value).toBe('automatic');
    expect(screen.getByText(/Built-in SSH where it does all/)).toBeTruthy();
    fireEvent.change(choice, { target: { value: 'openssh' } });
    expect(screen.getByText(/Runs the ssh of this system/)).toBeTruthy();
    await waitFor(() =>
      expect(fake.callsOf('settings.resolveTarget').at(-1)).toMatchObject({ sshTransport: 'openssh' }),
    );
    fireEvent.click(screen.getByRole('button', { name: 'Save and connect' }));
    await waitFor(() =>
      expect(fake.callsOf('settings.saveAndConnect')).toMatchObject([{ sshTransport: 'openssh' }]),
    );
    await screen.findByRole('button', { name: 'Save and connect' });
  });

  test('is no choice of OpenSSH on Windows, where that cannot be, unless it was made', async () => {
    const choices = (): string[] =>
      within(screen.getByRole('combobox', { name: 'Connect with' }))
        .getAllByRole<HTMLOptionElement>('option')
        .map(({ value }) => value);
    const { push } = await renderApp('settings', {}, { platform: 'win32' });
    expect(choices()).toEqual(['automatic', 'ssh2']);
    push({}, { platform: 'linux' });
    expect(choices()).toEqual(['automatic', 'ssh2', 'openssh']);
  });

  test('has the focus after “Choose how to connect”', async () => {
    const missing = failure('openssh-missing', { target: 'homelab', reasons: [] });
    await renderApp('settings', { connection: { status: 'blocked', failure: missing } });
    fireEvent.click(screen.getByRole('button', { name: 'Choose how to connect' }));
    expect(document.activeElement).toBe(screen.getByRole('combobox', { name: 'Connect with' }));
  });
});

test('what was remembered for SSH can be forgotten, where there is something', async () => {
  const { fake, push } = await renderApp('settings');
  expect(screen.queryByRole('button', { name: 'Forget them' })).toBeNull();
  push({ hasSshSecrets: true });
  const forget = screen.getByRole('button', {
    name: 'Forget them',
    description: 'Passphrases and passwords for SSH are kept in the keychain.',
  });
  fireEvent.click(forget);
  expect(fake.callsOf('settings.forgetSshSecrets')).toEqual([{ gatewayId: GATEWAY_ID }]);
  await act(() => Promise.resolve());
});
