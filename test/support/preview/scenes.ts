import type { AppSnapshot, GatewaySnapshot } from '../../../src/shared/app-snapshot.ts';
import type { ChatMeta, ChatRow, ChatSnapshot } from '../../../src/shared/chat.ts';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { GatewayHealth } from '../../../src/shared/health.ts';
import type { TestProgress } from '../../../src/shared/ipc-contract.ts';
import { emptyProfile } from '../../../src/shared/gateway-profile.ts';
import { err, ok } from '../../../src/shared/result.ts';
import type { ConnectionState, UserPrompt } from '../../../src/shared/connection-state.ts';
import type { SshResolution } from '../../../src/shared/ssh-resolution.ts';
import { sampleExecApproval, sampleInbox, sampleQuestion } from '../fakes/sample-inbox.ts';
import {
  sampleConfirmPrompt,
  sampleHostKeyPrompt,
  sampleInteractivePrompt,
  sampleNoticePrompt,
  samplePasswordPrompt,
  samplePassphrasePrompt,
} from '../fakes/sample-prompts.ts';
import type { PageKind } from '../../../src/shared/window-address.ts';
import {
  GATEWAY_ID,
  LOADED,
  aConversation,
  aGateway,
  aLadder,
  aResolution,
  aRow,
  aSnapshot,
  createFakeGangway,
  type FakeGangway,
} from '../../unit/renderer/fake-gangway.ts';

/** One state of one screen. */
export interface Scene {
  readonly page: PageKind;
  readonly snapshot: (look: SceneLook) => AppSnapshot;
  /** Scripts the answers of main; runs before the page starts. */
  readonly script?: (fake: FakeGangway, look: SceneLook) => void;
}

export interface SceneLook {
  readonly language: 'en' | 'ko';
  readonly theme: 'system' | 'light' | 'dark';
}

const now = Date.now();

const authRejected = failure('auth-rejected', {
  user: 'ada',
  host: 'homelab',
  offered: ['publickey'],
  tried: ['~/.ssh/id_ed25519'],
});
const linkLost = failure('link-dead', { host: 'homelab', silentMs: 9250 });

const health: GatewayHealth = {
  observedAtMs: now - 4000,
  gatewayVersion: '2026.9.6',
  channels: [
    { id: 'telegram', label: 'Telegram', state: 'ready', lastError: null },
    { id: 'whatsapp', label: 'WhatsApp', state: 'degraded', lastError: 'Reconnected twice in the last hour' },
    {
      id: 'discord',
      label: 'Discord',
      state: 'down',
      lastError: '401: Unauthorized (the bot token was reset)',
    },
    { id: 'signal', label: 'Signal', state: 'not-configured', lastError: null },
  ],
  agents: [
    { id: 'main', name: 'Claw' },
    { id: 'ops', name: 'Ops' },
  ],
  sessionCount: 12,
  activeRuns: 1,
  pendingApprovals: 0,
  pendingQuestions: 0,
};

const healthyLadder = aLadder({
  network: { observedAtMs: now - 41_000 },
  ssh: {
    latencyMs: 17.6,
    note: 'OpenSSH_9.2p1 Debian-2',
    route: { transport: 'openssh', via: ['bastion'], signedInWith: '~/.ssh/id_ed25519' },
  },
  forward: { note: '127.0.0.1:18789 → 127.0.0.1:18789' },
  gateway: { latencyMs: 21.4, note: 'OpenClaw 2026.9.6' },
  channels: { verdict: 'degraded', observedAtMs: now - 4000, note: 'Discord: 401: Unauthorized' },
});

const unconfigured: Partial<GatewaySnapshot> = {
  profile: emptyProfile(GATEWAY_ID),
  connection: { status: 'unconfigured' },
  secrets: {
    local: { token: false, password: false },
    ssh: { token: false, password: false },
    direct: { token: false, password: false },
  },
  hasSshSecrets: false,
  mainSessionKey: null,
  sessions: [],
  ladder: aLadder({
    network: { verdict: 'unknown', observedAtMs: null },
    ssh: { verdict: 'unknown', observedAtMs: null },
    forward: { verdict: 'unknown', observedAtMs: null },
    gateway: { verdict: 'unknown', observedAtMs: null },
    channels: { verdict: 'unknown', observedAtMs: null },
  }),
};

const connected: Partial<GatewaySnapshot> = { ladder: healthyLadder, health };

const reconnecting: Partial<GatewaySnapshot> = {
  connection: {
    status: 'backing-off',
    attempt: 3,
    reconnecting: true,
    retryAtMs: now + 7400,
    lastFailure: linkLost,
  },
  ladder: aLadder({
    ssh: { verdict: 'failed', failure: linkLost, observedAtMs: now - 12_000 },
    forward: { verdict: 'unknown', observedAtMs: null },
    gateway: { verdict: 'unknown', observedAtMs: now - 21_000 },
    channels: { verdict: 'unknown', observedAtMs: now - 64_000 },
  }),
  health: { ...health, observedAtMs: now - 64_000 },
};

const blocked: Partial<GatewaySnapshot> = {
  connection: { status: 'blocked', failure: authRejected },
  ladder: aLadder({
    ssh: { verdict: 'failed', failure: authRejected },
    forward: { verdict: 'unknown', observedAtMs: null },
    gateway: { verdict: 'unknown', observedAtMs: null },
    channels: { verdict: 'unknown', observedAtMs: null },
  }),
};

const hostKeyPrompt: Partial<GatewaySnapshot> = {
  connection: {
    status: 'waiting-for-user',
    attempt: 1,
    reconnecting: false,
    attended: true,
    prompt: sampleHostKeyPrompt,
  },
};

function asking(prompt: UserPrompt, attended = true): Partial<GatewaySnapshot> {
  const connection: ConnectionState = {
    status: 'waiting-for-user',
    attempt: 1,
    reconnecting: !attended,
    attended,
    prompt,
  };
  return attended
    ? { connection }
    : {
        connection,
        ladder: aLadder({
          ssh: { verdict: 'unknown', observedAtMs: null },
          forward: { verdict: 'unknown', observedAtMs: null },
          gateway: { verdict: 'unknown', observedAtMs: null },
          channels: { verdict: 'unknown', observedAtMs: now - 64_000 },
        }),
        health: { ...health, observedAtMs: now - 64_000 },
      };
}

const changedKey = failure('host-key-changed', {
  host: 'homelab',
  port: 2222,
  keyType: 'ssh-ed25519',
  offeredFingerprint: 'SHA256:hZ2a6oYJk3nqg4Y7m0E4oJ2iHkQvB9f1sXw5tRzUuLc',
  known: [
    {
      keyType: 'ssh-ed25519',
      fingerprint: 'SHA256:qT7vWc1xZ8bN4mK0pLrD5sYfGhJ2aUeIoX9wRt6CzVk',
      file: '~/.ssh/known_hosts',
      line: 14,
    },
  ],
});
const changed: Partial<GatewaySnapshot> = {
  ...blocked,
  connection: { status: 'blocked', failure: changedKey },
  ladder: aLadder({
    ssh: { verdict: 'failed', failure: changedKey },
    forward: { verdict: 'unknown', observedAtMs: null },
    gateway: { verdict: 'unknown', observedAtMs: null },
    channels: { verdict: 'unknown', observedAtMs: null },
  }),
};

const fullResolution = aResolution({
  host: 'homelab.internal.example',
  port: 2222,
  hostKeyAlias: 'homelab',
  identityFiles: [
    { path: '/home/ada/.ssh/id_ed25519_sk_homelab_of_the_whole_family', exists: true },
    { path: '/home/ada/.ssh/id_rsa', exists: false },
  ],
  agent: '/run/user/1000/gcr/ssh',
  jumps: [
    { name: 'bastion', host: '203.0.113.7', port: 22, user: 'ops' },
    { name: 'inner.example', host: 'inner.example', port: 2022, user: 'ops' },
  ],
  transport: 'openssh',
  reasons: [
    { code: 'security-key', detail: '~/.ssh/id_ed25519_sk_homelab_of_the_whole_family' },
    { code: 'control-master', detail: 'ControlMaster auto' },
  ],
  notHonoured: [
    { directive: 'LocalForward', value: '8080 localhost:80' },
    { directive: 'RemoteCommand', value: 'tmux new-session -A -s main' },
  ],
});

function resolving(resolution: SshResolution): (fake: FakeGangway) => void {
  return (fake) => {
    fake.answer('settings.resolveTarget', () => ok(ok(resolution)));
    fake.answer('settings.suggestHosts', () =>
      ok([
        { alias: 'homelab', detail: 'ada@homelab.internal.example:2222' },
        { alias: 'home-assistant', detail: 'root@192.168.1.20' },
        { alias: 'bastion', detail: '' },
      ]),
    );
  };
}

const hostileWords = `${'You have mail. '.repeat(30)}\n${'a-word-without-any-space'.repeat(8)}\n\n<b>Gangway</b> needs your Gateway token:`;

const markdownReply = `The disk filled up because **journald** kept 38 GB of logs. I checked three things:

1. \`/var/log/journal\` holds 38.2 GB
2. No limit is set in \`journald.conf\`
3. The oldest entry is from *14 March*

## What I would change

| Setting | Now | Better |
| --- | --- | --- |
| SystemMaxUse | not set | 2G |
| MaxRetentionSec | not set | 1month |

\`\`\`bash
sudo journalctl --vacuum-size=2G
sudo sed -i 's/^#SystemMaxUse=.*/SystemMaxUse=2G/' /etc/systemd/journald.conf
sudo systemctl restart systemd-journald
\`\`\`

> Vacuuming removes archived entries for good.

- [x] Found the cause
- [ ] Waiting for your go-ahead

More in [the manual](https://www.freedesktop.org/software/systemd/man/journald.conf.html), and here is a graph: ![disk use](https://example.com/disk.png)`;

const conversationRows: readonly ChatRow[] = [
  aRow('u1', 'Why is the disk on homelab full?', { createdAtMs: now - 600_000 }),
  aRow('a1', '', {
    role: 'assistant',
    createdAtMs: now - 580_000,
    parts: [
      {
        type: 'thinking',
        text: 'Check the biggest directories first, then whether anything rotates its logs.',
      },
      {
        type: 'tool',
        callId: 't1',
        name: 'exec',
        status: 'done',
        input: 'du -xh --max-depth=2 /var | sort -h | tail -5',
        output: '1.1G\t/var/cache\n2.0G\t/var/lib\n38G\t/var/log\n41G\t/var',
      },
      {
        type: 'tool',
        callId: 't2',
        name: 'read',
        status: 'failed',
        input: '/etc/systemd/journald.conf.d/limits.conf',
        output: 'ENOENT: no such file or directory',
      },
      { type: 'text', text: markdownReply },
    ],
  }),
  aRow('u2', 'Go ahead, and tell me how much is free afterwards.\n고마워요!', {
    createdAtMs: now - 60_000,
    delivery: 'running',
  }),
];

const streamingRow = aRow('a2', 'Vacuuming the journal now. It has freed 21 GB so f', {
  role: 'assistant',
  createdAtMs: now - 20_000,
  streaming: true,
  parts: [
    {
      type: 'tool',
      callId: 't3',
      name: 'exec',
      status: 'running',
      input: 'sudo journalctl --vacuum-size=2G',
      output: '',
    },
    { type: 'text', text: 'Vacuuming the journal now. It has freed 21 GB so f' },
  ],
});

const stoppedRow = aRow('a3', 'Vacuuming the journal now. It has freed 21 GB so f', {
  role: 'assistant',
  createdAtMs: now - 20_000,
  stopped: true,
});

const offlineRows: readonly ChatRow[] = [
  ...conversationRows.slice(0, 2),
  aRow('u3', 'Restart the backup job.', {
    createdAtMs: now - 120_000,
    delivery: 'unconfirmed',
    failure: { type: 'gateway', code: 'UNCONFIRMED', detail: '' },
  }),
  aRow('u4', 'And then check that it runs.', { createdAtMs: now - 90_000, delivery: 'queued' }),
  aRow('u5', 'This one was refused.', {
    createdAtMs: now - 80_000,
    delivery: 'failed',
    failure: { type: 'gateway', code: 'UNAVAILABLE', detail: 'the agent is busy' },
  }),
];

/** Every state that a message of ours can be in, with a connection. */
const deliveryRows: readonly ChatRow[] = [
  aRow('d1', 'The agent works on this one.', { createdAtMs: now - 300_000, delivery: 'running' }),
  aRow('d2', 'This one the Gateway has.', { createdAtMs: now - 240_000, delivery: 'sent' }),
  aRow('d3', 'This one is on its way.', { createdAtMs: now - 180_000, delivery: 'sending' }),
  aRow('d4', 'Reboot the server.', {
    createdAtMs: now - 120_000,
    delivery: 'failed',
    failure: { type: 'gateway', code: 'CANCELLED', detail: '' },
  }),
  aRow('d5', 'Pay the invoice.', {
    createdAtMs: now - 90_000,
    delivery: 'unconfirmed',
    failure: { type: 'gateway', code: 'UNCONFIRMED', detail: '' },
  }),
  aRow('d6', 'And file it.', { createdAtMs: now - 60_000, delivery: 'queued' }),
];

/** After a restart without a connection: nothing is known but what this computer keeps. */
const keptRows: readonly ChatRow[] = [
  aRow('k1', 'Water the plants at six.', { createdAtMs: now - 120_000, delivery: 'sending' }),
  aRow('k2', 'Then close the blinds.', { createdAtMs: now - 90_000, delivery: 'queued' }),
];

function withDraft(text: string): (fake: FakeGangway) => void {
  return (fake) => fake.answer('chat.readDraft', () => ok({ text }));
}

const manyNotices: AppSnapshot['notices'] = [
  {
    type: 'messages-quarantined',
    path: '/home/ada/.config/Gangway/messages.db.bad-20261123T094100',
    detail: 'file is not a database',
    salvaged: 3,
  },
  { type: 'messages-newer', path: '/home/ada/.config/Gangway/messages.db', version: 4 },
  {
    type: 'messages-unwritable',
    path: '/home/ada/.config/Gangway/messages.db',
    detail: 'database or disk is full',
  },
  { type: 'port-moved', gatewayId: GATEWAY_ID, from: 18789, to: 18790, owner: 'python3 (pid 4711)' },
  { type: 'port-moved', gatewayId: 'work', from: 18791, to: 18792, owner: null },
];

function longHistory(): readonly ChatRow[] {
  return Array.from({ length: 400 }, (_, index) =>
    index % 2 === 0
      ? aRow(`h${index}`, `Question ${index / 2 + 1}`)
      : aRow(
          `h${index}`,
          `Answer to question ${(index + 1) / 2}.\n\n${'A paragraph of text. '.repeat((index % 7) + 1)}`,
          {
            role: 'assistant',
          },
        ),
  );
}

function conversationOf(rows: readonly ChatRow[], meta: Partial<ChatMeta> = {}): (fake: FakeGangway) => void {
  return (fake) => {
    const conversation: ChatSnapshot = aConversation({ rows, meta: { ...LOADED, ...meta } });
    fake.answer('chat.open', () => ok(conversation));
  };
}

const testSteps: TestProgress['steps'] = [
  { step: 'settings', status: 'passed', durationMs: 2 },
  { step: 'opening-socket', status: 'passed', durationMs: 31 },
  { step: 'verifying-host-key', status: 'passed', durationMs: 44 },
  { step: 'authenticating', status: 'passed', durationMs: 128 },
  { step: 'opening-forward', status: 'running', durationMs: null },
  { step: 'gateway-handshake', status: 'pending', durationMs: null },
  { step: 'health', status: 'pending', durationMs: null },
];

function testShowing(progress: Omit<TestProgress, 'testId'>): (fake: FakeGangway) => void {
  return (fake) =>
    fake.answer('settings.testConnection', () => {
      setTimeout(() => fake.push('settings.testProgress', { testId: 'test-1', ...progress }), 20);
      return ok(ok({ testId: 'test-1' }));
    });
}

function snapshotWith(
  gateway: Partial<GatewaySnapshot>,
  changes: Partial<AppSnapshot> = {},
): (look: SceneLook) => AppSnapshot {
  return ({ language, theme }) =>
    aSnapshot({
      language,
      preferences: { theme, language: 'system' },
      gateways: [aGateway(gateway)],
      ...changes,
    });
}

export const scenes: Readonly<Record<string, Scene>> = {
  'settings-first-run': { page: 'settings', snapshot: snapshotWith(unconfigured) },
  'settings-connected': {
    page: 'settings',
    snapshot: snapshotWith({ ...connected, restartNeeded: true }),
  },
  'settings-blocked': {
    page: 'settings',
    snapshot: snapshotWith(blocked, {
      notices: [{ type: 'secrets-in-memory', backend: 'basic_text' }],
      secretPersistence: 'memory',
    }),
  },
  'settings-direct': {
    page: 'settings',
    snapshot: snapshotWith({
      profile: { ...emptyProfile(GATEWAY_ID), mode: 'direct', direct: { url: 'ws://gateway.example.com' } },
      connection: { status: 'disconnected' },
    }),
  },
  'settings-local': {
    page: 'settings',
    snapshot: snapshotWith({ profile: { ...emptyProfile(GATEWAY_ID), mode: 'local' } }),
  },
  'settings-test-running': {
    page: 'settings',
    snapshot: snapshotWith(connected),
    script: testShowing({ steps: testSteps, outcome: { type: 'running' } }),
  },
  'settings-test-failed': {
    page: 'settings',
    snapshot: snapshotWith(connected),
    script: testShowing({
      steps: testSteps.map((step) => (step.status === 'running' ? { ...step, status: 'failed' } : step)),
      outcome: {
        type: 'failed',
        failure: failure('gateway-not-listening', { host: 'homelab', gatewayPort: 18789 }),
      },
    }),
  },
  'settings-test-passed': {
    page: 'settings',
    snapshot: snapshotWith(connected),
    script: testShowing({
      steps: testSteps.map((step) => ({ ...step, status: 'passed', durationMs: step.durationMs ?? 62 })),
      outcome: { type: 'passed' },
    }),
  },
  'prompt-host-key': { page: 'settings', snapshot: snapshotWith(hostKeyPrompt) },
  'prompt-window': { page: 'prompt', snapshot: snapshotWith(hostKeyPrompt) },
  'prompt-passphrase': {
    page: 'chat',
    snapshot: snapshotWith({
      connection: {
        status: 'waiting-for-user',
        attempt: 1,
        reconnecting: false,
        attended: true,
        prompt: { type: 'passphrase', id: 'p2', keyPath: '~/.ssh/id_ed25519', wasWrong: true },
      },
    }),
    script: conversationOf(conversationRows),
  },
  'prompt-password': { page: 'settings', snapshot: snapshotWith(asking(samplePasswordPrompt)) },
  'prompt-password-wrong': {
    page: 'settings',
    snapshot: snapshotWith(asking({ ...samplePasswordPrompt, wasWrong: true }), {
      notices: [{ type: 'secrets-in-memory', backend: 'basic_text' }],
      secretPersistence: 'memory',
    }),
  },
  'prompt-interactive': {
    page: 'chat',
    snapshot: snapshotWith(asking(sampleInteractivePrompt)),
    script: conversationOf(conversationRows),
  },
  'prompt-interactive-hostile': {
    page: 'prompt',
    snapshot: snapshotWith(
      asking({
        ...sampleInteractivePrompt,
        name: 'A very long name '.repeat(8),
        instructions: hostileWords,
        prompts: [
          { text: 'p'.repeat(200), echo: false },
          { text: '', echo: true },
          { text: 'Third:', echo: false },
        ],
        wasWrong: true,
      }),
    ),
  },
  'prompt-confirm': { page: 'health', snapshot: snapshotWith(asking(sampleConfirmPrompt)) },
  'prompt-notice': { page: 'health', snapshot: snapshotWith(asking(sampleNoticePrompt)) },
  'waiting-host-key': { page: 'settings', snapshot: snapshotWith(asking(sampleHostKeyPrompt, false)) },
  'waiting-passphrase': {
    page: 'chat',
    snapshot: snapshotWith(asking(samplePassphrasePrompt, false)),
    script: conversationOf(conversationRows),
  },
  'waiting-sign-in': { page: 'health', snapshot: snapshotWith(asking(samplePasswordPrompt, false)) },
  'waiting-window': { page: 'prompt', snapshot: snapshotWith(asking(sampleNoticePrompt, false)) },
  'changed-key': { page: 'settings', snapshot: snapshotWith(changed) },
  'changed-key-health': { page: 'health', snapshot: snapshotWith(changed) },
  'changed-key-remove': { page: 'settings', snapshot: snapshotWith(changed) },
  'revoked-key': {
    page: 'health',
    snapshot: snapshotWith({
      ...blocked,
      connection: {
        status: 'blocked',
        failure: failure('host-key-revoked', {
          host: 'homelab',
          fingerprint: 'SHA256:hZ2a6oYJk3nqg4Y7m0E4oJ2iHkQvB9f1sXw5tRzUuLc',
          file: '~/.ssh/known_hosts',
          line: 7,
        }),
      },
      ladder: aLadder({ ssh: { verdict: 'unknown' } }),
    }),
  },
  'resolved-line': {
    page: 'settings',
    snapshot: snapshotWith({ ...connected, hasSshSecrets: true }),
    script: resolving(fullResolution),
  },
  'resolved-open': { page: 'settings', snapshot: snapshotWith(connected), script: resolving(fullResolution) },
  'resolved-simple': {
    page: 'settings',
    snapshot: snapshotWith(connected),
    script: resolving(aResolution()),
  },
  'resolved-failed': {
    page: 'settings',
    snapshot: snapshotWith(connected),
    script: (fake) =>
      fake.answer('settings.resolveTarget', () =>
        ok(
          err(
            failure('ssh-config-invalid', {
              target: 'ada@homelab',
              detail: '~/.ssh/config line 3: Bad configuration option: prot',
            }),
          ),
        ),
      ),
  },
  'resolved-suggesting': {
    page: 'settings',
    snapshot: snapshotWith(unconfigured),
    script: resolving(aResolution()),
  },
  'health-connected': { page: 'health', snapshot: snapshotWith(connected) },
  'health-reconnecting': { page: 'health', snapshot: snapshotWith(reconnecting) },
  'health-blocked': { page: 'health', snapshot: snapshotWith(blocked) },
  'health-connecting': {
    page: 'health',
    snapshot: snapshotWith({
      connection: {
        status: 'connecting',
        attempt: 0,
        stage: 'authenticating',
        reconnecting: false,
        lastFailure: null,
      },
      ladder: aLadder({
        ssh: { verdict: 'checking', observedAtMs: null },
        forward: { verdict: 'unknown', observedAtMs: null },
        gateway: { verdict: 'unknown', observedAtMs: null },
        channels: { verdict: 'unknown', observedAtMs: null },
      }),
    }),
  },
  'health-loading': { page: 'health', snapshot: snapshotWith({ ladder: healthyLadder }) },
  'health-empty': { page: 'health', snapshot: snapshotWith(unconfigured) },
  'inbox-full': { page: 'inbox', snapshot: snapshotWith({ ...connected, inbox: sampleInbox }) },
  'inbox-away': {
    page: 'inbox',
    snapshot: snapshotWith({
      connection: {
        status: 'backing-off',
        attempt: 3,
        reconnecting: true,
        retryAtMs: now + 4_000,
        lastFailure: linkLost,
      },
      inbox: [sampleExecApproval],
    }),
  },
  'inbox-empty': { page: 'inbox', snapshot: snapshotWith(connected) },
  'chat-approval': {
    page: 'chat',
    snapshot: snapshotWith({
      ...connected,
      inbox: [sampleExecApproval, { ...sampleQuestion, sessionKey: 'agent:main:other' }],
    }),
    script: conversationOf(conversationRows),
  },
  'chat-streaming': {
    page: 'chat',
    snapshot: snapshotWith({
      ...connected,
      sessions: [
        { key: 'agent:main:main', title: 'Main', updatedAtMs: now, active: true },
        { key: 'agent:main:ops', title: 'Disk clean-up', updatedAtMs: now, active: false },
      ],
    }),
    script: conversationOf([...conversationRows, streamingRow], {
      activeRun: { runId: 'r1', phase: 'running' },
    }),
  },
  'chat-offline': {
    page: 'chat',
    snapshot: snapshotWith(reconnecting),
    script: conversationOf(offlineRows, { load: 'cached' }),
  },
  'chat-stopped': {
    page: 'chat',
    snapshot: snapshotWith(connected),
    script: conversationOf([aRow('u2', 'Go ahead.', { createdAtMs: now - 60_000 }), stoppedRow]),
  },
  'chat-delivery': { page: 'chat', snapshot: snapshotWith(connected), script: conversationOf(deliveryRows) },
  'chat-kept': {
    page: 'chat',
    snapshot: snapshotWith(reconnecting),
    script(fake) {
      conversationOf(keptRows, { load: 'loading' })(fake);
      withDraft('And tell me when the')(fake);
    },
  },
  'chat-not-loaded': {
    page: 'chat',
    snapshot: snapshotWith({ connection: { status: 'paused', reason: 'user' } }),
    script: conversationOf([], { load: 'loading' }),
  },
  'chat-not-accepted': {
    page: 'chat',
    snapshot: snapshotWith(connected),
    script(fake) {
      conversationOf(conversationRows)(fake);
      withDraft('Water the plants at six.')(fake);
      fake.answer('chat.send', () =>
        err({
          type: 'failure',
          failure: failure('message-not-kept', { reason: 'unwritable', detail: 'database or disk is full' }),
        }),
      );
    },
  },
  'notices-all': {
    page: 'health',
    snapshot: snapshotWith(connected, {
      gateways: [aGateway(connected), aGateway({ profile: { ...emptyProfile('work'), name: 'Work' } })],
      notices: manyNotices,
    }),
  },
  'chat-empty': { page: 'chat', snapshot: snapshotWith(connected), script: conversationOf([]) },
  'chat-loading': {
    page: 'chat',
    snapshot: snapshotWith(connected),
    script: (fake) => fake.answer('chat.open', () => new Promise(() => undefined)),
  },
  'chat-failed': {
    page: 'chat',
    snapshot: snapshotWith(connected),
    script: conversationOf([], {
      load: 'failed',
      loadFailure: { type: 'gateway', code: 'UNAVAILABLE', detail: 'The session store is being repaired.' },
    }),
  },
  'chat-not-set-up': { page: 'chat', snapshot: snapshotWith(unconfigured) },
  'chat-never-connected': {
    page: 'chat',
    snapshot: snapshotWith({ ...blocked, mainSessionKey: null, sessions: [] }),
  },
  'chat-long': {
    page: 'chat',
    snapshot: snapshotWith(connected),
    script: conversationOf(longHistory(), { hasMore: true }),
  },
};

export function installScene(name: string, look: SceneLook): FakeGangway {
  const scene = scenes[name];
  if (scene === undefined) throw new Error(`No scene is named ${name}`);
  const fake = createFakeGangway(scene.snapshot(look));
  scene.script?.(fake, look);
  window.history.replaceState(null, '', `?scene=${name}&window=${scene.page}&gateway=${GATEWAY_ID}`);
  Object.assign(window, { gangway: fake.api, fakeGangway: fake });
  return fake;
}
