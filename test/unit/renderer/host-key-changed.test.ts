// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, test } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { ConnectionState } from '../../../src/shared/connection-state.ts';
import type { RemoveHostKeysError } from '../../../src/shared/ipc-contract.ts';
import { err, ok } from '../../../src/shared/result.ts';
import { GATEWAY_ID } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();

const changed = failure('host-key-changed', {
  host: 'homelab.example',
  port: 2222,
  keyType: 'ssh-ed25519',
  offeredFingerprint: 'SHA256:newnewnew',
  known: [
    { keyType: 'ssh-rsa', fingerprint: 'SHA256:oldoldold', file: '~/.ssh/known_hosts', line: 3 },
    { keyType: 'ssh-ed25519', fingerprint: 'SHA256:older', file: '/etc/ssh/ssh_known_hosts', line: 9 },
  ],
});
const connection: ConnectionState = { status: 'blocked', failure: changed };
const open = (): HTMLElement => {
  fireEvent.click(screen.getByRole('button', { name: 'Remove the old key…' }));
  return screen.getByRole('alertdialog', { name: 'Remove the old host key of homelab.example' });
};
const typed = (): HTMLInputElement => screen.getByRole('textbox', { name: /^Type homelab.example/ });
const remove = (): HTMLButtonElement => screen.getByRole('button', { name: 'Remove the key' });

describe('a changed host key', () => {
  test('stands beside the one on file, with type, fingerprint, file and line', async () => {
    await renderApp('health', { connection });
    const [first, second] = screen.getAllByRole('group', { name: 'On file' });
    expect(first?.textContent).toContain('SHA256:oldoldold');
    expect(first?.textContent).toContain('ssh-rsa · ~/.ssh/known_hosts, line 3');
    expect(second?.textContent).toContain('/etc/ssh/ssh_known_hosts, line 9');
    const offered = screen.getByRole('group', { name: 'Shown now' });
    expect(offered.textContent).toContain('SHA256:newnewnew');
    expect(offered.textContent).toContain('ssh-ed25519 · homelab.example:2222');
    const card = screen.getByRole('group', { name: 'The host key of homelab.example has CHANGED' });
    expect(card.textContent).toContain("ssh-keygen -R '[homelab.example]:2222' -f ~/.ssh/known_hosts");
  });

  test('is shown without what ssh does not say of it', async () => {
    const key = { keyType: 'ED25519', fingerprint: '', file: '~/.ssh/known_hosts', line: 3 };
    const bySsh = failure('host-key-changed', { ...changed.facts, known: [key] });
    await renderApp('health', { connection: { status: 'blocked', failure: bySsh } });
    const onFile = screen.getByRole('group', { name: 'On file' });
    expect(onFile.textContent).toBe('On fileED25519 · ~/.ssh/known_hosts, line 3');
    expect(onFile.querySelector('.key__fingerprint')).toBeNull();
  });

  test('is removed only once the host’s name is typed', async () => {
    const { fake } = await renderApp('health', { connection });
    open();
    expect(document.activeElement).toBe(typed());
    expect(remove().disabled).toBe(true);
    fireEvent.change(typed(), { target: { value: 'homelab' } });
    expect(remove().disabled).toBe(true);
    const { form } = typed();
    if (form === null) throw new Error('the box is in no form');
    fireEvent.submit(form);
    expect(fake.callsOf('connection.removeHostKeys')).toEqual([]);
    fireEvent.change(typed(), { target: { value: 'homelab.example' } });
    expect(remove().disabled).toBe(false);
    fireEvent.submit(form);
    await waitFor(() => expect(screen.queryByRole('alertdialog')).toBeNull());
    expect(fake.callsOf('connection.removeHostKeys')).toEqual([
      { gatewayId: GATEWAY_ID, typedHost: 'homelab.example' },
    ]);
  });

  test('says beside the box that the name is another, by Enter and when the box is left', async () => {
    await renderApp('health', { connection });
    const dialog = open();
    const words = (): HTMLElement | null => screen.queryByText(/This is not the host’s name/);
    fireEvent.change(typed(), { target: { value: 'homelab' } });
    expect(words()).toBeNull();
    fireEvent.keyDown(typed(), { key: 'Enter' });
    expect(words()?.className).toContain('field__error');
    fireEvent.change(typed(), { target: { value: 'homelab.' } });
    expect(words()).toBeNull();
    fireEvent.blur(typed(), { relatedTarget: within(dialog).getByRole('button', { name: 'Cancel' }) });
    expect(words(), 'nothing moves from under the pointer').toBeNull();
    fireEvent.blur(typed());
    expect(words()).not.toBeNull();
    fireEvent.change(typed(), { target: { value: 'homelab.example' } });
    fireEvent.blur(typed());
    expect(words()).toBeNull();
  });

  test.each<[RemoveHostKeysError, RegExp]>([
    [{ type: 'name-differs' }, /This is not the host’s name/],
    [{ type: 'nothing-to-remove' }, /Nothing was removed/],
    [
      {
        type: 'failure',
        failure: failure('known-hosts-unwritable', { path: '/etc/ssh/ssh_known_hosts', detail: 'EACCES' }),
      },
      /\/etc\/ssh\/ssh_known_hosts: EACCES/,
    ],
  ])('says beside the box why it could not be removed: %j', async (error, words) => {
    await renderApp('health', { connection }, {}, (fake) =>
      fake.answer('connection.removeHostKeys', () => ok(err(error))),
    );
    open();
    fireEvent.change(typed(), { target: { value: 'homelab.example' } });
    fireEvent.click(remove());
    expect((await screen.findByText(words)).className).toContain('field__error');
    fireEvent.change(typed(), { target: { value: 'homelab.exampl' } });
    expect(screen.queryByText(words)).toBeNull();
  });

  test('stays where it is when the person cancels', async () => {
    const { fake } = await renderApp('health', { connection });
    const dialog = open();
    fireEvent.click(within(dialog).getByRole('button', { name: 'Cancel' }));
    expect(screen.queryByRole('alertdialog')).toBeNull();
    expect(fake.callsOf('connection.removeHostKeys')).toEqual([]);
  });
});

test('a test of a form cannot remove what it met: nothing of it is saved', async () => {
  const { fake } = await renderApp('settings');
  fireEvent.click(screen.getByRole('button', { name: 'Test connection' }));
  await waitFor(() => expect(fake.callsOf('settings.testConnection')).toHaveLength(1));
  await waitFor(() => {
    fake.push('settings.testProgress', {
      testId: 'test-1',
      steps: [],
      outcome: { type: 'failed', failure: changed },
    });
    expect(screen.getByRole('group', { name: 'Shown now' })).toBeTruthy();
  });
  expect(screen.queryByRole('button', { name: 'Remove the old key…' })).toBeNull();
  expect(screen.getAllByRole('button', { name: 'Copy the command' })).toHaveLength(2);
});
