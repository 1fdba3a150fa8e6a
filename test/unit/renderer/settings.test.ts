// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { err, ok } from '../../../src/shared/result.ts';
import { GATEWAY_ID, aGateway } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const firstRun = {
  profile: emptyProfile(GATEWAY_ID),
  connection: { status: 'unconfigured' },
  secrets: {
    local: { token: false, password: false },
    ssh: { token: false, password: false },
    direct: { token: false, password: false },
  },
} as const;

const box = (name: string): HTMLInputElement =>
  screen.getByRole(name === 'SSH target' ? 'combobox' : 'textbox', { name });
const type = (name: string, text: string): boolean =>
  fireEvent.change(box(name), { target: { value: text } });
const press = (name: string): boolean => fireEvent.click(screen.getByRole('button', { name }));
/** The texts that describe a box: its hint and what is wrong with it. */
const descriptionOf = (name: string): string =>
  (box(name).getAttribute('aria-describedby') ?? '')
    .split(' ')
    .map((id) => document.getElementById(id)?.textContent ?? '')
    .join(' ');

describe('the connection form', () => {
  test('has the names that people and tests find things by', async () => {
    await renderApp('settings');
    expect(screen.getByRole('heading', { name: 'Settings' })).toBeTruthy();
    const modes = within(screen.getByRole('radiogroup', { name: 'OpenClaw runs' }));
    for (const name of ['On this computer', 'Remote over SSH', 'Remote direct (ws/wss)']) {
      expect(modes.getByRole('radio', { name })).toBeTruthy();
    }
    for (const name of [
      'SSH target',
      'Gateway port on the remote host',
      'Local port',
      'Identity file',
      'Gateway token',
      'Gateway password',
    ]) {
      expect(box(name)).toBeTruthy();
    }
    for (const name of ['Test connection', 'Save and connect']) {
      expect(screen.getByRole('button', { name })).toBeTruthy();
    }
  });

  test('welcomes on the first run and puts the cursor where to type', async () => {
    await renderApp('settings', firstRun);
    expect(screen.getByText(/Say where it runs, then connect/)).toBeTruthy();
    expect(document.activeElement).toBe(box('SSH target'));
  });

  test('sends what was typed, trimmed, and leaves stored secrets alone', async () => {
    const { fake } = await renderApp('settings', firstRun);
    type('SSH target', '  ada@homelab ');
    type('Local port', '18790');
    type('Gateway token', 's3cret');
    press('Save and connect');
    await waitFor(() => expect(fake.callsOf('settings.saveAndConnect')).toHaveLength(1));
    expect(fake.callsOf('settings.saveAndConnect')[0]).toEqual({
      gatewayId: GATEWAY_ID,
      mode: 'ssh',
      name: '',
      sshTarget: 'ada@homelab',
      gatewayPort: 18789,
      localPort: 18790,
      identityFile: '',
      sshTransport: 'automatic',
      directUrl: '',
      localGatewayPort: 18789,
      token: 's3cret',
      password: null,
    });
    await screen.findByRole('button', { name: 'Save and connect' });
    expect(box('Gateway token').value).toBe('');
  });

  test('is submitted by Enter', async () => {
    const { fake } = await renderApp('settings');
    const { form } = box('SSH target');
    if (form === null) throw new Error('the box is in no form');
    fireEvent.submit(form);
    await waitFor(() => expect(fake.callsOf('settings.saveAndConnect')).toHaveLength(1));
    await screen.findByRole('button', { name: 'Save and connect' });
  });

  test('says what is wrong beside the field once it was left, and takes it back when it is right', async () => {
    await renderApp('settings');
    type('Local port', '70000');
    expect(box('Local port').getAttribute('aria-invalid')).toBeNull();
    fireEvent.blur(box('Local port'));
    expect(box('Local port').getAttribute('aria-invalid')).toBe('true');
    expect(descriptionOf('Local port')).toContain('from 1 to 65535');
    type('Local port', '1234');
    expect(box('Local port').getAttribute('aria-invalid')).toBeNull();
  });

  test('sends nothing while a field is wrong, and moves the focus to the first wrong one', async () => {
    const { fake } = await renderApp('settings', firstRun);
    type('Local port', 'x');
    press('Save and connect');
    expect(document.activeElement).toBe(box('SSH target'));
    expect(descriptionOf('SSH target')).toContain('needed to connect');
    expect(screen.getByText('2 fields need your attention.')).toBeTruthy();
    press('Test connection');
    expect(fake.calls.map((call) => call.name)).toEqual(['app.getSnapshot', 'settings.suggestHosts']);
  });

  test('shows what main refused beside the field', async () => {
    const { fake } = await renderApp('settings');
    fake.answer('settings.saveAndConnect', () =>
      ok(err({ type: 'fields', fields: { sshTarget: 'target-invalid' } })),
    );
    press('Save and connect');
    await waitFor(() => expect(descriptionOf('SSH target')).toContain('user@host:port'));
    type('SSH target', 'ada@other');
    expect(box('SSH target').getAttribute('aria-invalid')).toBeNull();
  });

  test('keeps unsaved edits through a pushed snapshot, while untouched boxes follow it', async () => {
    const { push } = await renderApp('settings');
    type('SSH target', 'ada@elsewhere');
    const { profile } = aGateway();
    push({ profile: { ...profile, ssh: { ...profile.ssh, localPort: 18795 } } });
    expect(box('SSH target').value).toBe('ada@elsewhere');
    expect(box('Local port').value).toBe('18795');
    expect(screen.getByText('Not saved yet')).toBeTruthy();
  });

  test('shows what was saved until the next snapshot says the same', async () => {
    const { push } = await renderApp('settings');
    type('SSH target', 'ada@elsewhere');
    press('Save and connect');
    await waitFor(() => expect(screen.queryByText('Not saved yet')).toBeNull());
    expect(box('SSH target').value).toBe('ada@elsewhere');
    const { profile } = aGateway();
    push({ profile: { ...profile, ssh: { ...profile.ssh, target: 'ada@main-knows-better' } } });
    expect(box('SSH target').value).toBe('ada@main-knows-better');
  });

  test('shows only the fields of the chosen mode, and a wrong hidden port stands in nobody’s way', async () => {
    const { fake } = await renderApp('settings');
    type('Local port', 'x');
    fireEvent.click(screen.getByRole('radio', { name: 'Remote direct (ws/wss)' }));
    expect(screen.queryByRole('combobox', { name: 'SSH target' })).toBeNull();
    type('Gateway URL', 'wss://gateway.example.com');
    press('Save and connect');
    await waitFor(() => expect(fake.callsOf('settings.saveAndConnect')).toHaveLength(1));
    expect(fake.callsOf('settings.saveAndConnect')[0]).toMatchObject({ mode: 'direct', localPort: 18789 });
    await screen.findByRole('button', { name: 'Save and connect' });
  });

  test('takes the chosen identity file', async () => {
    await renderApp('settings');
    press('Choose…');
    await waitFor(() => expect(box('Identity file').value).toBe('/home/ada/.ssh/id_ed25519'));
  });
});

describe('stored secrets', () => {
  test('are said to be stored and are never shown', async () => {
    await renderApp('settings');
    expect(box('Gateway token').value).toBe('');
    expect(box('Gateway token').placeholder).toBe('Stored in the keychain');
    expect(box('Gateway password').placeholder.trim()).toBe('');
  });

  test('are removed only when the form is saved, and that can be taken back', async () => {
    const { fake } = await renderApp('settings');
    press('Remove');
    expect(box('Gateway token').placeholder).toBe('Removed when you save');
    press('Keep');
    expect(box('Gateway token').placeholder).toBe('Stored in the keychain');
    press('Remove');
    press('Save and connect');
    await waitFor(() => expect(fake.callsOf('settings.saveAndConnect')[0]).toMatchObject({ token: '' }));
    await screen.findByRole('button', { name: 'Save and connect' });
  });

  test('are masked while they are typed, until the person asks to see them', async () => {
    await renderApp('settings');
    type('Gateway password', 'hunter2');
    expect(box('Gateway password').className).toContain('input--masked');
    press('Show');
    expect(box('Gateway password').className).not.toContain('input--masked');
  });

  test('are not promised to last where there is no keychain', async () => {
    await renderApp('settings', {}, { secretPersistence: 'memory' });
    expect(box('Gateway token').placeholder).toBe('Kept until Gangway quits');
  });
});

describe('a test of the connection', () => {
  test('shows each step with its state and time, and what failed with its next step', async () => {
    const { fake } = await renderApp('settings');
    press('Test connection');
    await waitFor(() => expect(fake.callsOf('settings.testConnection')).toHaveLength(1));
    const push = fake.push;
    const steps = [
      { step: 'opening-socket', status: 'passed', durationMs: 31 },
      { step: 'authenticating', status: 'running', durationMs: null },
      { step: 'health', status: 'pending', durationMs: null },
    ] as const;
    await waitFor(() => {
      push('settings.testProgress', { testId: 'test-1', steps, outcome: { type: 'running' } });
      expect(screen.getByText('Reach the host').closest('li')?.textContent).toContain('31 ms');
    });
    press('Stop test');
    await waitFor(() => expect(fake.callsOf('settings.cancelTest')).toEqual([{ testId: 'test-1' }]));
    push('settings.testProgress', {
      testId: 'test-1',
      steps: [steps[0], { ...steps[1], status: 'failed' }, steps[2]],
      outcome: {
        type: 'failed',
        failure: failure('auth-rejected', {
          user: 'ada',
          host: 'homelab',
          offered: ['publickey'],
          tried: [],
        }),
      },
    });
    const card = await screen.findByRole('group', { name: /homelab refused/ });
    expect(screen.getByText('Read the Gateway’s health').closest('li')?.textContent).toContain('not reached');
    fireEvent.click(within(card).getByRole('button', { name: 'Choose an identity file' }));
    expect(document.activeElement).toBe(box('Identity file'));
    fireEvent.click(within(card).getByRole('button', { name: 'Try again' }));
    await waitFor(() => expect(fake.callsOf('settings.testConnection')).toHaveLength(2));
    expect(fake.callsOf('connection.reconnectNow')).toEqual([]);
  });

  test('ends when the form is saved meanwhile, for both would want the local port', async () => {
    const { fake } = await renderApp('settings');
    press('Test connection');
    await waitFor(() => {
      fake.push('settings.testProgress', { testId: 'test-1', steps: [], outcome: { type: 'running' } });
      expect(screen.getByRole('button', { name: 'Stop test' })).toBeTruthy();
    });
    press('Save and connect');
    await waitFor(() => expect(fake.callsOf('settings.saveAndConnect')).toHaveLength(1));
    expect(fake.callsOf('settings.cancelTest')).toEqual([{ testId: 'test-1' }]);
    await screen.findByRole('button', { name: 'Save and connect' });
  });

  test('takes no progress of another test', async () => {
    const { fake } = await renderApp('settings');
    press('Test connection');
    await waitFor(() => expect(fake.callsOf('settings.testConnection')).toHaveLength(1));
    fake.push('settings.testProgress', { testId: 'other', steps: [], outcome: { type: 'passed' } });
    expect(screen.queryByText(/The connection works/)).toBeNull();
  });
});

describe('appearance', () => {
  test('theme and language take effect through main, at once', async () => {
    const { fake, push } = await renderApp('settings');
    fireEvent.click(screen.getByRole('radio', { name: 'Dark' }));
    expect(fake.callsOf('app.setPreferences')).toEqual([{ theme: 'dark', language: 'system' }]);
    push({}, { preferences: { theme: 'dark', language: 'ko' }, language: 'ko' });
    expect(document.documentElement.dataset['theme']).toBe('dark');
    expect(document.documentElement.lang).toBe('ko');
    expect(screen.getByRole('heading', { name: '설정' })).toBeTruthy();
  });
});
