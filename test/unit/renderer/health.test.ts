// @vitest-environment jsdom
import { act, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import type { GatewayHealth } from '../../../src/shared/health.ts';
import { GATEWAY_ID, aLadder } from './fake-gangway.ts';
import { renderApp, useBrowserParts } from './render-app.ts';

useBrowserParts();
afterEach(() => vi.useRealTimers());

const health: GatewayHealth = {
  observedAtMs: Date.now(),
  gatewayVersion: '2026.9.6',
  channels: [
    { id: 'telegram', label: 'Telegram', state: 'ready', lastError: null },
    { id: 'discord', label: 'Discord', state: 'down', lastError: '401: Unauthorized' },
  ],
  agents: [{ id: 'main', name: 'Claw' }],
  sessionCount: 12,
  activeRuns: null,
  pendingApprovals: 0,
  pendingQuestions: 0,
};
const rungs = (): HTMLElement[] =>
  within(screen.getByRole('region', { name: 'From here to the agent' })).getAllByRole('listitem');

describe('the ladder', () => {
  test('shows five layers in order, each with word, number and age', async () => {
    await renderApp('health', {
      ladder: aLadder({
        ssh: { latencyMs: 17.6, note: 'ssh-ed25519' },
        channels: { verdict: 'unknown', observedAtMs: null },
      }),
    });
    expect(rungs().map((rung) => rung.querySelector('.rung__layer')?.textContent)).toEqual([
      'Network',
      'SSH',
      'Forward',
      'Gateway',
      'Channels',
    ]);
    expect(rungs()[1]?.textContent).toMatch(/ssh-ed25519OK18 ms3 s ago/);
    expect(rungs()[4]?.textContent).toMatch(/Not known.*not observed yet/);
  });

  test('says how the SSH session stands: by whom, through what, and with which credential', async () => {
    const route = { transport: 'openssh', via: ['bastion', 'inner'], signedInWith: '~/.ssh/id_sk' } as const;
    await renderApp('health', { ladder: aLadder({ ssh: { note: 'OpenSSH_9.2p1', route } }) });
    expect(rungs()[1]?.querySelector('.rung__note')?.textContent).toBe(
      'OpenSSH_9.2p1 · by OpenSSH · through bastion, inner · signed in with ~/.ssh/id_sk',
    );
  });

  test('shows the failure of the first broken rung', async () => {
    await renderApp('health', {
      ladder: aLadder({
        ssh: { verdict: 'failed', failure: failure('ssh-refused', { host: 'homelab', port: 22 }) },
        gateway: { verdict: 'failed', failure: failure('gateway-silent', { limitMs: 5000 }) },
      }),
    });
    expect(screen.getByRole('group', { name: /homelab refused the connection on port 22/ })).toBeTruthy();
    expect(screen.queryByRole('group', { name: /silent|answer/ })).toBeNull();
  });

  test('lets ages grow once a second, and only while the window is visible', async () => {
    const { push } = await renderApp('health');
    vi.useFakeTimers({ now: Date.now() });
    push({ ladder: aLadder({ network: { observedAtMs: Date.now() - 10_000 } }) });
    const age = (): string => rungs()[0]?.querySelector('.rung__age')?.textContent ?? '';
    const hide = (state: 'hidden' | 'visible'): void => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, value: state });
      act(() => void document.dispatchEvent(new Event('visibilitychange')));
    };
    hide('hidden');
    const hiddenAge = age();
    act(() => void vi.advanceTimersByTime(5000));
    expect(age()).toBe(hiddenAge);
    expect(vi.getTimerCount()).toBe(0);
    hide('visible');
    expect(age()).toBe('15 s ago');
    act(() => void vi.advanceTimersByTime(2000));
    expect(age()).toBe('17 s ago');
  });
});

describe('the gateway’s own health', () => {
  test('shows channels with their last error, and what is known of the gateway', async () => {
    await renderApp('health', { health });
    const channels = within(screen.getByRole('region', { name: 'Channels' })).getAllByRole('listitem');
    expect(channels.map((channel) => channel.textContent)).toEqual([
      'TelegramReady',
      'DiscordDown401: Unauthorized',
    ]);
    const gateway = screen.getByRole('region', { name: 'Gateway' });
    expect(gateway.textContent).toContain('Version2026.9.6');
    expect(gateway.textContent).toContain('Sessions12');
    expect(gateway.textContent).not.toContain('Active runs');
  });

  test('keeps the last answer while the gateway is not connected, marked as old', async () => {
    const { push } = await renderApp('health', { health });
    push({ health, connection: { status: 'paused', reason: 'offline' } });
    expect(screen.getByText('Discord')).toBeTruthy();
    expect(document.querySelector('[data-stale]')).not.toBeNull();
  });

  test('says that it is awaited, and that there are no channels', async () => {
    const { push } = await renderApp('health');
    expect(screen.getByText('Waiting for the Gateway’s health')).toBeTruthy();
    push({ health: { ...health, channels: [] } });
    expect(screen.getByText(/no messaging channels configured/)).toBeTruthy();
  });

  test('is asked for again, and says so until something newer is known', async () => {
    const { fake, push } = await renderApp('health', { health });
    fireEvent.click(screen.getByRole('button', { name: 'Check again' }));
    expect(fake.callsOf('connection.refreshHealth')).toEqual([{ gatewayId: GATEWAY_ID }]);
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Checking…' }).disabled).toBe(true);
    push({ health, ladder: aLadder({ gateway: { observedAtMs: Date.now() + 1 } }) });
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Check again' }).disabled).toBe(false);
  });
});

test('before anything is set up, the window leads to the settings', async () => {
  const { fake } = await renderApp('health', {
    profile: emptyProfile(GATEWAY_ID),
    connection: { status: 'unconfigured' },
  });
  fireEvent.click(screen.getByRole('button', { name: 'Set up the connection' }));
  expect(fake.callsOf('app.openWindow')).toEqual([{ window: 'settings', gatewayId: GATEWAY_ID }]);
});
