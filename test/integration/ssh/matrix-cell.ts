import { dirname } from 'node:path';
import type { TunnelAnswer, TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { resolveSshFully, type SshResolved } from '../../../src/main/node/ssh/config/resolve-ssh.ts';
import { systemSshEnvironment } from '../../../src/main/node/ssh/config/ssh-environment.ts';
import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import type { UserPrompt } from '../../../src/shared/connection-state.ts';
import type { SshTransportChoice } from '../../../src/shared/gateway-profile.ts';
import { describeFailure } from '../../../src/shared/failure-remedies.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { PASSPHRASE } from './matrix-credentials.ts';
import { PASSWORD, serverKind, type MatrixServer, type ServerName } from './matrix-servers.ts';
import { Client, TunnelFixture, type Outcome } from './tunnel-fixture.ts';

export type Transport = TunnelConfig['transport'];

/** What the person has to sign in with, as their ssh_config says it. */
export interface SignIn {
  readonly identityFiles?: readonly string[];
  readonly identitiesOnly?: boolean;
  readonly agent?: string;
  /** `SHA256:…` of the key that the server took last time. */
  readonly lastCredential?: string;
}

/** `works`, with what was asked for; else the failure's code and what the person reads. */
export type CellResult = string;

const translate = createTranslate('en');
const CELL_LIMIT_MS = 40_000;

export interface Measured {
  readonly transport: SshTransportChoice;
  readonly server: ServerName;
  readonly at: MatrixServer;
  readonly signIn: SignIn;
  readonly echoPort: number;
}

const HOST_ALIAS = 'gangway-matrix';

/**
 * Resolves the person's ssh_config and connects as the app would, sends bytes through the forward, and says how it went. With
 * `automatic` what it took comes first: `ssh2`, `ssh2, then openssh`, or `openssh, because: …`.
 */
export async function measureCell(lab: Lab, cell: Measured): Promise<CellResult> {
  const result = await measureOnce(lab, cell);
  // Another test on this computer took the port between our look and the listener's bind.
  return result.startsWith('port-taken') ? measureOnce(lab, cell) : result;
}

async function measureOnce(lab: Lab, cell: Measured): Promise<CellResult> {
  const { at } = cell;
  const fixture = new TunnelFixture(
    lab,
    { host: '127.0.0.1', port: at.port, user: at.user, name: HOST_ALIAS },
    { host: '127.0.0.1', port: cell.echoPort },
    { localPort: await freePort() },
  );
  try {
    const resolved = await resolve(fixture, cell);
    if (!resolved.ok) return wordsOf(resolved.error, fixture, at, []);
    fixture.set(resolved.value.config);
    const result = await connect(lab, fixture, at);
    return cell.transport === 'automatic' ? `${choiceOf(resolved.value, fixture)}; ${result}` : result;
  } finally {
    await fixture.close();
  }
}

function choiceOf({ config, reasons }: SshResolved, fixture: TunnelFixture): string {
  const because = [...new Set(reasons.map(({ code }) => code))].join(', ');
  const isHandedOver = fixture.reports.some(
    (report) => report.type === 'log' && report.event === 'ssh.handed-over',
  );
  const taken = isHandedOver ? `${config.transport}, then openssh` : config.transport;
  return because === '' ? taken : `${taken}, because: ${because}`;
}

function resolve(
  fixture: TunnelFixture,
  { server, at, signIn, echoPort, transport }: Measured,
): ReturnType<typeof resolveSshFully> {
  fixture.write('known_hosts', at.knownHosts);
  const files = signIn.identityFiles ?? [];
  fixture.write(
    'config',
    [
      `Host ${HOST_ALIAS}`,
      'HostName 127.0.0.1',
      `Port ${at.port}`,
      `User ${at.user}`,
      `UserKnownHostsFile ${fixture.file('known_hosts')}`,
      'GlobalKnownHostsFile /dev/null',
      'StrictHostKeyChecking yes',
      ...(files.length > 0 ? files.map((file) => `IdentityFile ${file}`) : ['IdentityFile none']),
      `IdentitiesOnly ${signIn.identitiesOnly === true ? 'yes' : 'no'}`,
      `IdentityAgent ${signIn.agent ?? 'none'}`,
      ...(serverKind(server).clientConfig ?? []),
      '',
    ].join('\n'),
  );
  return resolveSshFully(
    {
      target: HOST_ALIAS,
      gatewayPort: echoPort,
      localPort: fixture.config.localPort,
      identityFile: '',
      transport,
      lastCredential: signIn.lastCredential ?? '',
    },
    { ...systemSshEnvironment(), home: dirname(fixture.sshDir), agentSocket: null },
  );
}

async function connect(lab: Lab, fixture: TunnelFixture, at: MatrixServer): Promise<CellResult> {
  const asked: string[] = [];
  let outcome: Outcome = await fixture.open();
  while (outcome.type === 'needs-user' && asked.length < 8) {
    const { prompt } = outcome;
    asked.push(nameOf(prompt));
    const answer = answerTo(prompt);
    if (answer === null) return `asks ${asked.join(', ')}`;
    outcome = await fixture.answer(prompt, answer);
  }
  if (outcome.type === 'up') {
    const failed = await sendBytes(lab, fixture, outcome.localPort);
    if (failed === null) return asked.length === 0 ? 'works' : `works, asks ${asked.join(', ')}`;
    return wordsOf(failed, fixture, at, asked);
  }
  if (outcome.type === 'needs-user') return `asks ${asked.join(', ')}, and again`;
  return wordsOf(outcome.failure, fixture, at, asked);
}

/** Null when they came back. */
async function sendBytes(
  lab: Lab,
  fixture: TunnelFixture,
  localPort: number,
): Promise<ConnectionFailure | null> {
  const client = await Client.connect(lab, localPort);
  const text = 'through the tunnel';
  client.socket.write(text);
  const failed = (): ConnectionFailure | undefined => {
    const report = fixture.reports.find((each) => each.type === 'forward-failed' || each.type === 'down');
    return report !== undefined && 'failure' in report ? report.failure : undefined;
  };
  await waitFor(() => client.received.toString() === text || failed() !== undefined, {
    what: 'the bytes to come back, or a failure',
    timeoutMs: CELL_LIMIT_MS,
    intervalMs: 5,
    detail: () => fixture.reports.map((report) => JSON.stringify(report)).join('\n'),
  });
  client.socket.destroy();
  return client.received.toString() === text ? null : (failed() ?? null);
}

function nameOf(prompt: UserPrompt): string {
  switch (prompt.type) {
    case 'keyboard-interactive':
      return prompt.prompts.map((each) => each.text.trim().replace(/:$/, '').toLowerCase()).join(' and ');
    case 'passphrase':
    case 'password':
      return prompt.wasWrong ? `${prompt.type} again` : prompt.type;
    case 'host-key':
    case 'confirm':
    case 'notice':
      return prompt.type;
  }
}

function answerTo(prompt: UserPrompt): TunnelAnswer | null {
  switch (prompt.type) {
    case 'passphrase':
      return { type: 'passphrase', passphrase: PASSPHRASE };
    case 'password':
      return { type: 'password', password: PASSWORD };
    case 'keyboard-interactive':
      return { type: 'responses', responses: prompt.prompts.map(() => PASSWORD) };
    case 'confirm':
      return { type: 'confirm' };
    case 'host-key':
    case 'notice':
      return null;
  }
}

/** The code and the title that the app shows, without what differs from run to run. */
function wordsOf(
  failure: ConnectionFailure,
  fixture: TunnelFixture,
  at: MatrixServer,
  asked: readonly string[],
): string {
  const target = { label: 'the gateway', user: at.user, host: HOST_ALIAS, mode: 'ssh' } as const;
  const { title } = describeFailure(failure, target, translate);
  const words = title
    .replaceAll(fixture.sshDir, '~/.ssh')
    .replaceAll(/\/\S*\/id_test/g, '~/.ssh/id_test')
    .replaceAll(new RegExp(`\\b${at.port}\\b`, 'g'), '22')
    .replaceAll(new RegExp(`\\b${fixture.config.forward.port}\\b`, 'g'), '18789')
    .replaceAll(new RegExp(`\\b${at.user}\\b`, 'g'), 'you')
    .replaceAll('127.0.0.1', HOST_ALIAS);
  return `${asked.length === 0 ? '' : `asks ${asked.join(', ')}, then `}${failure.code}: ${words}`;
}
