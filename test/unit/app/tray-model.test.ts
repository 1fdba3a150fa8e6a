import { describe, expect, it } from 'vitest';
import type { AppSnapshot } from '../../../src/shared/app-snapshot.ts';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { ConnectionState } from '../../../src/shared/connection-state.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
import {
  sampleHostKeyPrompt,
  sampleInteractivePrompt,
  sampleNoticePrompt,
  samplePasswordPrompt,
} from '../../support/fakes/sample-prompts.ts';
import { trayModel, type TrayItem, type TrayModel } from '../../../src/main/app/tray-model.ts';

const t = createTranslate('en');
const NOW_MS = 1_000_000;

function model(connection: ConnectionState, hasBug = false, waiting = 0): TrayModel {
  const profile = { ...emptyProfile('a'), name: 'homelab' };
  const snapshot: AppSnapshot = {
    revision: 1,
    appVersion: '0.1.0',
    platform: 'linux',
    language: 'en',
    preferences: { theme: 'system', language: 'system' },
    primaryGatewayId: 'a',
    notices: [],
    secretPersistence: 'keychain',
    gateways: [
      {
        profile,
        connection,
        ladder: [],
        health: null,
        secrets: {
          local: { token: false, password: false },
          ssh: { token: false, password: false },
          direct: { token: false, password: false },
        },
        mainSessionKey: null,
        sessions: [],
        inbox: [],
        inboxFacts: { total: waiting, isKnown: true, missingScopes: [] },
        hasSshSecrets: false,
        restartNeeded: false,
      },
    ],
  };
  return trayModel(snapshot, t, { hasBug, nowMs: NOW_MS });
}

const labels = ({ items }: TrayModel): string[] =>
  items.flatMap((item) => ('label' in item ? [item.label] : []));
function entry(shown: TrayModel, label: string): TrayItem | undefined {
  return shown.items.find((item) => 'label' in item && item.label === label);
}

const lastFailure = failure('ssh-refused', { host: 'homelab', port: 22 });
const connected: ConnectionState = {
  status: 'connected',
  generation: 1,
  endpoint: { url: 'ws://127.0.0.1:18789', localPort: 18789 },
  sinceAtMs: NOW_MS,
};
const backingOff: ConnectionState = {
  status: 'backing-off',
  attempt: 2,
  reconnecting: true,
  retryAtMs: NOW_MS + 4_000,
  lastFailure,
};
const prompt = { type: 'passphrase', id: '1', keyPath: '~/.ssh/id', wasWrong: false } as const;

describe('trayModel', () => {
  it.each<[string, ConnectionState, string]>([
    ['connected', connected, 'Connected'],
    ['connecting', backingOff, 'Reconnecting'],
    [
      'waiting',
      { status: 'waiting-for-user', attempt: 1, prompt, reconnecting: false, attended: false },
      'Waiting for you',
    ],
    ['attention', { status: 'blocked', failure: failure('token-mismatch', {}) }, 'Needs attention'],
    ['paused', { status: 'paused', reason: 'user' }, 'Paused'],
    ['offline', { status: 'paused', reason: 'offline' }, 'Offline'],
    ['offline', { status: 'disconnected' }, 'Disconnected'],
  ])(
    'shows the %s picture and begins its status line with the word that everyone knows',
    (icon, state, word) => {
      const shown = model(state);
      expect(shown.icon).toBe(icon);
      expect(shown.items[0]).toMatchObject({ type: 'text' });
      expect(labels(shown)[0]).toMatch(new RegExp(`^${word}`));
      expect(shown.tooltip).toContain(labels(shown)[0]);
    },
  );

  it('has every entry of the menu, whatever the state', () => {
    for (const state of [connected, backingOff, { status: 'unconfigured' } as const])
      expect(labels(model(state)).slice(1)).toEqual([
        'Open WebChat',
        'Health',
        'Inbox',
        'OpenClaw runs',
        'Reconnect now',
        'Pause',
        'Settings…',
        'Quit',
      ]);
  });

  it('offers what makes sense and greys out the rest', () => {
    expect(entry(model(connected), 'Pause')).toMatchObject({ enabled: true, action: { type: 'pause' } });
    expect(entry(model({ status: 'unconfigured' }), 'Pause')).toMatchObject({ enabled: false });
    expect(entry(model({ status: 'paused', reason: 'user' }), 'Resume')).toMatchObject({ enabled: true });
    expect(entry(model({ status: 'disconnected' }), 'Connect')).toMatchObject({ enabled: true });
  });

  it('checks the mode of the gateway and no other', () => {
    const radios = entry(model(connected), 'OpenClaw runs');
    expect(radios?.type === 'radios' && radios.choices.map(({ label, checked }) => [label, checked])).toEqual(
      [
        ['On this computer', false],
        ['Remote over SSH', true],
        ['Remote direct', false],
      ],
    );
  });

  it('asks to be made again when its countdown goes on, and not otherwise', () => {
    expect(model(backingOff).refreshInMs).toBeGreaterThan(0);
    expect(model(connected).refreshInMs).toBeNull();
  });

  it('leads to the question that waits, in its own words, and only while one waits', () => {
    for (const attended of [true, false]) {
      const shown = model({ status: 'waiting-for-user', attempt: 1, prompt, reconnecting: true, attended });
      expect(shown.items[1]).toMatchObject({ label: 'Enter passphrase…', action: { type: 'attend' } });
    }
    const sign = { status: 'waiting-for-user', attempt: 1, reconnecting: true, attended: false } as const;
    expect(labels(model({ ...sign, prompt: samplePasswordPrompt }))[1]).toBe('Sign in…');
    expect(labels(model({ ...sign, prompt: sampleInteractivePrompt }))[1]).toBe('Sign in…');
    expect(labels(model({ ...sign, prompt: sampleHostKeyPrompt }))[1]).toBe('Verify host key…');
    expect(labels(model({ ...sign, prompt: sampleNoticePrompt }))[1]).toBe('Sign in…');
  });

  it('offers a restart after a bug, and only then', () => {
    expect(labels(model(connected, true))).toContain('Restart Gangway');
    expect(labels(model(connected))).not.toContain('Restart Gangway');
  });
});

describe('what agents wait for', () => {
  it('is counted above everything that one may open, and leads to the inbox', () => {
    const shown = model(connected, false, 2);
    expect(labels(shown)[1]).toBe('2 wait for you…');
    expect(entry(shown, '2 wait for you…')).toMatchObject({ action: { type: 'open', window: 'inbox' } });
    expect(labels(model(connected)).some((label) => label.includes('for you'))).toBe(false);
  });
});
