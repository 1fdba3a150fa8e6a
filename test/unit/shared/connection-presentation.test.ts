import { describe, expect, it } from 'vitest';
import { failure } from '../../../src/shared/connection-failure.ts';
import { presentConnection } from '../../../src/shared/connection-presentation.ts';
import type { ConnectionState } from '../../../src/shared/connection-state.ts';
import type { FailureTarget } from '../../../src/shared/failure-remedies.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';

const NOW_MS = 1_000_000;
const target: FailureTarget = { label: 'homelab', user: 'ops', host: 'homelab.example', mode: 'ssh' };
const refused = failure('ssh-refused', { host: 'homelab.example', port: 22 });
const english = createTranslate('en');
const korean = createTranslate('ko');

const ENDPOINT = { url: 'ws://127.0.0.1:18789', localPort: 18789 };
const PROMPT = {
  type: 'passphrase',
  id: 'p',
  keyPath: '~/.ssh/id_ed25519',
  wasWrong: false,
} as const;
const HOST_KEY = {
  type: 'host-key',
  jump: null,
  id: 'p',
  host: 'homelab.example',
  port: 22,
  keyType: 'ssh-ed25519',
  fingerprint: 'SHA256:abc',
  knownHostsFile: '~/.ssh/known_hosts',
  otherKnownTypes: [],
} as const;

function connecting(reconnecting: boolean): ConnectionState {
  return { status: 'connecting', attempt: 2, stage: 'authenticating', reconnecting, lastFailure: null };
}
function backingOff(reconnecting: boolean, retryAtMs: number): ConnectionState {
  return { status: 'backing-off', attempt: 2, reconnecting, retryAtMs, lastFailure: refused };
}

const REFUSED = 'homelab.example refused the connection on port 22';
const table: readonly (readonly [ConnectionState, string, string])[] = [
  [{ status: 'unconfigured' }, 'Disconnected: no Gateway is set up yet', 'offline'],
  [{ status: 'disconnected' }, 'Disconnected from homelab', 'offline'],
  [{ status: 'paused', reason: 'user' }, 'Paused: homelab', 'paused'],
  [{ status: 'paused', reason: 'offline' }, 'Offline: homelab, waiting for a network', 'offline'],
  [{ status: 'paused', reason: 'asleep' }, 'Paused: homelab, while this computer sleeps', 'paused'],
  [connecting(false), 'Connecting to homelab, signing in', 'connecting'],
  [connecting(true), 'Reconnecting to homelab, signing in', 'connecting'],
  [
    { status: 'waiting-for-user', attempt: 1, reconnecting: false, attended: true, prompt: HOST_KEY },
    'Waiting for you: verify the host key of homelab.example for homelab',
    'waiting',
  ],
  [
    { status: 'waiting-for-user', attempt: 1, reconnecting: true, attended: false, prompt: PROMPT },
    'Waiting for you: passphrase of ~/.ssh/id_ed25519 for homelab',
    'waiting',
  ],
  [
    {
      status: 'waiting-for-user',
      attempt: 1,
      reconnecting: true,
      attended: false,
      prompt: { type: 'password', jump: null, id: 'p', user: 'ops', host: 'bastion', wasWrong: false },
    },
    'Waiting for you: sign in to bastion for homelab',
    'waiting',
  ],
  [
    {
      status: 'waiting-for-user',
      attempt: 1,
      reconnecting: true,
      attended: false,
      prompt: { type: 'notice', id: 'p', host: 'homelab', text: 'Touch it' },
    },
    'Waiting for you: confirm signing in to homelab',
    'waiting',
  ],
  [
    { status: 'connected', generation: 1, endpoint: ENDPOINT, sinceAtMs: NOW_MS },
    'Connected to homelab',
    'connected',
  ],
  [backingOff(true, NOW_MS + 3_400), `Reconnecting to homelab, next try in 4 s: ${REFUSED}`, 'connecting'],
  [backingOff(false, NOW_MS + 3_400), `Connecting to homelab, next try in 4 s: ${REFUSED}`, 'connecting'],
  [backingOff(true, NOW_MS - 5), `Reconnecting to homelab, trying now: ${REFUSED}`, 'connecting'],
  [
    { status: 'blocked', failure: failure('token-mismatch', {}) },
    'Needs attention: homelab. The Gateway of homelab does not accept the token',
    'attention',
  ],
  [
    { status: 'disconnecting', then: 'reconnect' },
    'Reconnecting: homelab, closing the old connection',
    'connecting',
  ],
  [{ status: 'disconnecting', then: 'sleep' }, 'Paused: homelab, while this computer sleeps', 'paused'],
  [
    { status: 'disconnecting', then: 'stay-off' },
    'Disconnected: homelab, closing the old connection',
    'offline',
  ],
  [{ status: 'disconnecting', then: 'quit' }, 'Disconnected: homelab, closing the old connection', 'offline'],
];

describe('the status line', () => {
  it.each(table)('of %j', (state, line, trayIcon) => {
    expect(presentConnection(state, target, NOW_MS, english)).toMatchObject({ line, trayIcon });
  });

  it.each(table)('begins with the known word in both languages for %j', (state) => {
    for (const t of [english, korean]) {
      const { statusWord, line } = presentConnection(state, target, NOW_MS, t);
      expect(line.startsWith(t(`status.${statusWord}`))).toBe(true);
      expect(line).not.toMatch(/\{\{|status\.|stages\./);
    }
  });

  it('says when a countdown changes next', () => {
    expect(presentConnection(backingOff(true, NOW_MS + 3_400), target, NOW_MS, english).refreshInMs).toBe(
      400,
    );
    expect(presentConnection(backingOff(true, NOW_MS + 3_000), target, NOW_MS, english).refreshInMs).toBe(
      1_000,
    );
    expect(presentConnection(backingOff(true, NOW_MS), target, NOW_MS, english).refreshInMs).toBeNull();
  });

  it('always leaves a way out, but for a gateway that is not set up and a quitting app', () => {
    for (const [state] of table) {
      const { allowed } = presentConnection(state, target, NOW_MS, english);
      const isFinal =
        state.status === 'unconfigured' || (state.status === 'disconnecting' && state.then === 'quit');
      expect(allowed.length > 0).toBe(!isFinal);
    }
  });
});
