// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import type { AppNotice } from '../../../src/shared/app-snapshot.ts';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { ConnectionState, UserPrompt } from '../../../src/shared/connection-state.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { err } from '../../../src/shared/result.ts';
import {
  sampleHostKeyPrompt as hostKey,
  samplePassphrasePrompt as passphrase,
} from '../../support/fakes/sample-prompts.ts';
import { GATEWAY_ID, aGateway, aLadder } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const region = (): HTMLElement => screen.getByRole('status', { name: 'Connection' });
const linkLost = failure('link-lost', { host: 'homelab', detail: 'closed by the server' });
const waiting = (prompt: UserPrompt): ConnectionState => ({
  status: 'waiting-for-user',
  attempt: 1,
  reconnecting: false,
  attended: true,
  prompt,
});

describe('the connection region', () => {
  test.each<[string, ConnectionState]>([
    ['Disconnected', { status: 'unconfigured' }],
    ['Disconnected', { status: 'disconnected' }],
    ['Paused', { status: 'paused', reason: 'user' }],
    ['Offline', { status: 'paused', reason: 'offline' }],
    [
      'Connecting',
      {
        status: 'connecting',
        attempt: 0,
        stage: 'authenticating',
        reconnecting: false,
        lastFailure: null,
      },
    ],
    [
      'Reconnecting',
      {
        status: 'backing-off',
        attempt: 2,
        reconnecting: true,
        retryAtMs: Date.now() + 4000,
        lastFailure: linkLost,
      },
    ],
    ['Waiting for you', waiting(passphrase)],
    ['Needs attention', { status: 'blocked', failure: failure('token-mismatch', {}) }],
  ])('begins with %s', async (word, connection) => {
    await renderApp('health', { connection });
    const status = screen.getByRole('status', { name: 'Connection', hidden: true });
    expect(status.textContent.startsWith(word)).toBe(true);
  });

  test('names the host and the round trip when connected', async () => {
    await renderApp('health', { ladder: aLadder({ gateway: { latencyMs: 17.6 } }) });
    expect(region().textContent).toMatch(/^Connected.*homelab.*18 ms$/);
  });

  test('hides what counts from screen readers, so that only a change of state is spoken', async () => {
    await renderApp('health', {
      connection: {
        status: 'backing-off',
        attempt: 2,
        reconnecting: true,
        retryAtMs: Date.now() + 3_600_000,
        lastFailure: linkLost,
      },
    });
    const hidden = region().querySelector('[aria-hidden="true"]:not(svg)');
    expect(hidden?.textContent).toMatch(/next try in \d+ s/);
    const spoken = [...region().querySelectorAll('p > span:not([aria-hidden="true"])')];
    expect(spoken.map((part) => part.textContent).join('')).not.toMatch(/\d s/);
  });

  test('offers what makes sense now, for this gateway', async () => {
    const { fake, push } = await renderApp('chat');
    fireEvent.click(screen.getByRole('button', { name: 'Pause' }));
    push({ connection: { status: 'paused', reason: 'user' } });
    expect(screen.queryByRole('button', { name: 'Pause' })).toBeNull();
    fireEvent.click(screen.getByRole('button', { name: 'Resume' }));
    expect(fake.callsOf('connection.pause')).toEqual([{ gatewayId: GATEWAY_ID }]);
    expect(fake.callsOf('connection.resume')).toEqual([{ gatewayId: GATEWAY_ID }]);
  });

  test('says when a command was not carried out', async () => {
    const { fake } = await renderApp('health');
    fake.answer('connection.pause', () => err({ type: 'bug', detail: 'no supervisor' }));
    fireEvent.click(screen.getByRole('button', { name: 'Pause' }));
    expect((await screen.findByRole('alert')).textContent).toContain('no supervisor');
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByRole('alert')).toBeNull();
  });

  test('lets go of the failure of a command that was not carried out', async () => {
    const { fake } = await renderApp('health');
    fake.answer('connection.reconnectNow', () =>
      err({ type: 'failure', failure: failure('storage-failed', { path: '/x', detail: 'EROFS' }) }),
    );
    fireEvent.click(screen.getByRole('button', { name: 'Reconnect now' }));
    await screen.findByRole('group', { name: 'Changes cannot be saved' });
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByRole('group', { name: 'Changes cannot be saved' })).toBeNull();
  });
});

describe('an unknown host key', () => {
  test('is shown with all that is needed to judge it, and Cancel has the focus', async () => {
    await renderApp('settings', { connection: waiting(hostKey) });
    const dialog = screen.getByRole('alertdialog', { name: 'Verify host key' });
    for (const text of [
      hostKey.fingerprint,
      'homelab:2222',
      'ssh-ed25519',
      '~/.ssh/known_hosts',
      'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub',
    ]) {
      expect(dialog.textContent).toContain(text);
    }
    expect(document.activeElement).toBe(within(dialog).getByRole('button', { name: 'Cancel' }));
  });

  test('is trusted with the fingerprint that was shown', async () => {
    const { fake } = await renderApp('settings', { connection: waiting(hostKey) });
    fireEvent.click(screen.getByRole('button', { name: 'Trust and connect' }));
    fireEvent.click(screen.getByRole('button', { name: 'Trust and connect' }));
    expect(fake.callsOf('connection.answerPrompt')).toEqual([
      {
        gatewayId: GATEWAY_ID,
        promptId: 'p1',
        answer: { type: 'trust-host-key', fingerprint: hostKey.fingerprint },
      },
    ]);
  });

  test('is refused by Escape', async () => {
    const { fake } = await renderApp('settings', { connection: waiting(hostKey) });
    fireEvent(screen.getByRole('alertdialog'), new Event('cancel', { cancelable: true }));
    expect(fake.callsOf('connection.answerPrompt')).toMatchObject([
      { promptId: 'p1', answer: { type: 'cancel' } },
    ]);
  });

  test('goes with the answer, and the focus returns to where it was', async () => {
    const { push } = await renderApp('settings');
    const target = screen.getByRole('combobox', { name: 'SSH target' });
    target.focus();
    push({ connection: waiting(hostKey) });
    expect(document.activeElement).not.toBe(target);
    fireEvent.click(screen.getByRole('button', { name: 'Trust and connect' }));
    push({});
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(document.activeElement).toBe(target);
  });

  test('says that the key is new and not the host, where other keys are on file', async () => {
    await renderApp('prompt', {
      connection: waiting({ ...hostKey, keyType: 'ssh-rsa', otherKnownTypes: ['ssh-ed25519'] }),
    });
    const dialog = screen.getByRole('alertdialog');
    expect(dialog.textContent).toContain('known with other keys (ssh-ed25519)');
    expect(dialog.textContent).toContain('ssh_host_rsa_key.pub');
  });
});

describe('a passphrase', () => {
  test('is asked for in a masked text box that has the focus, and is sent once', async () => {
    const { fake } = await renderApp('chat', { connection: waiting(passphrase) });
    const dialog = screen.getByRole('dialog', { name: 'Passphrase needed' });
    const box = within(dialog).getByRole('textbox', { name: 'Passphrase' });
    expect(document.activeElement).toBe(box);
    expect(box.className).toContain('input--masked');
    fireEvent.click(within(dialog).getByRole('button', { name: 'Unlock' }));
    expect(fake.callsOf('connection.answerPrompt')).toEqual([]);
    expect(dialog.textContent).toContain('Enter the passphrase');
    fireEvent.change(box, { target: { value: 'correct horse' } });
    fireEvent.click(within(dialog).getByRole('button', { name: 'Unlock' }));
    await waitFor(() =>
      expect(fake.callsOf('connection.answerPrompt')).toEqual([
        {
          gatewayId: GATEWAY_ID,
          promptId: 'p2',
          answer: { type: 'passphrase', passphrase: 'correct horse', remember: false },
        },
      ]),
    );
    expect((box as HTMLInputElement).value).toBe('');
  });

  test('that did not open the key is asked for again, and said to be wrong', async () => {
    await renderApp('chat', { connection: waiting({ ...passphrase, wasWrong: true }) });
    const box = screen.getByRole('textbox', { name: 'Passphrase' });
    expect(box.getAttribute('aria-invalid')).toBe('true');
    expect(screen.getByText(/does not open the key/)).toBeTruthy();
  });
});

describe('a failure', () => {
  test('shows its buttons, its command and its technical detail', async () => {
    const { fake } = await renderApp('health', {
      connection: {
        status: 'blocked',
        failure: failure('pairing-required', { requestId: 'req-7', deviceId: 'd1', reason: 'new device' }),
      },
    });
    const card = screen.getByRole('group', { name: /must approve this device/ });
    expect(card.textContent).toContain('openclaw devices approve req-7');
    fireEvent.click(within(card).getByRole('button', { name: 'Copy the command' }));
    expect(fake.callsOf('app.copyText')).toEqual([{ text: 'openclaw devices approve req-7' }]);
    fireEvent.click(within(card).getByRole('button', { name: 'Try now' }));
    expect(fake.callsOf('connection.reconnectNow')).toEqual([{ gatewayId: GATEWAY_ID }]);
    expect(card.querySelector('details')?.textContent).toContain('"code": "pairing-required"');
  });

  test('that only the person can end is shown beside the composer too, and takes the offered port', async () => {
    const { fake } = await renderApp('chat', {
      connection: {
        status: 'blocked',
        failure: failure('port-taken', { port: 18789, holder: null, nextFreePort: 18790 }),
      },
    });
    await screen.findByText('Will be sent once the connection works again');
    fireEvent.click(screen.getByRole('button', { name: /18790/ }));
    expect(fake.callsOf('connection.usePort')).toEqual([{ gatewayId: GATEWAY_ID, port: 18790 }]);
  });
});

describe('a notice', () => {
  test('stands for each gateway by itself, says whose it is, and is put away alone', async () => {
    const gateways = [aGateway(), aGateway({ profile: { ...emptyProfile('work'), name: 'Work' } })];
    const moved = (gatewayId: string, from: number): AppNotice => ({
      type: 'port-moved',
      gatewayId,
      from,
      to: from + 1,
      owner: null,
    });
    const notices = [moved(GATEWAY_ID, 18789), moved('work', 18791)];
    const { fake } = await renderApp('health', {}, { gateways, notices });
    const region = screen.getByRole('region', { name: 'Notices' });
    expect(region.textContent).toContain('homelab: Another program uses port 18789');
    expect(region.textContent).toContain('Work: Another program uses port 18791');
    const [, second] = within(region).getAllByRole('button', { name: 'Dismiss' });
    if (second === undefined) throw new Error('The second notice is missing');
    fireEvent.click(second);
    expect(fake.callsOf('app.dismissNotice')).toEqual([{ key: 'port-moved/work' }]);
  });
});

describe('a window', () => {
  test('of a gateway that is gone says so', async () => {
    const { push } = await renderApp('health');
    push({}, { gateways: [] });
    expect(screen.getByRole('heading', { name: /no longer set up/ })).toBeTruthy();
  });
});
