import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accountsUnavailable, createAccounts, type Accounts } from '../../support/lab/accounts.ts';
import { runChild, type RunResult } from '../../support/lab/child.ts';
import { createCertificate, createKeyPair, type KeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { canConnect } from '../../support/lab/ports.ts';
import { findProgram } from '../../support/lab/programs.ts';

let lab: Lab;
let echoPort = 0;

const noAccounts = accountsUnavailable();
const missing = (program: string): string | null =>
  noAccounts ?? (findProgram(program) === null ? `${program} is not installed` : null);
const machineFiles = ['/etc/passwd', '/etc/group'];
const read = (file: string): string => readFileSync(file, 'utf8');
let before: string[] = [];

beforeAll(() => {
  before = machineFiles.map(read);
});

afterAll(() => {
  expect(machineFiles.map(read)).toEqual(before);
});

beforeEach(async () => {
  lab = await createLab({ label: 'other-ssh' });
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  echoPort = address.port;
  lab.own({ close: () => new Promise((resolve) => void echo.close(() => resolve())) });
});

afterEach(() => lab.close());

interface ClientOptions {
  readonly port: number;
  readonly user: string;
  readonly knownHosts: string;
  readonly key?: KeyPair;
  readonly certificate?: string;
  readonly answer?: string;
  readonly methods?: string;
  readonly agent?: string;
}

/** OpenSSH's client: sends a line through a forward to the echo server and prints what comes back. */
function sendThrough(options: ClientOptions): Promise<RunResult> {
  const folder = lab.folder('client');
  const knownHosts = join(folder, 'known_hosts');
  writeFileSync(knownHosts, options.knownHosts);
  const args = ['-F', 'none', '-p', String(options.port), '-W', `127.0.0.1:${echoPort}`];
  const set = (line: string): unknown => args.push('-o', line);
  set(`UserKnownHostsFile=${knownHosts}`);
  set('StrictHostKeyChecking=yes');
  set('NumberOfPasswordPrompts=1');
  set(`PreferredAuthentications=${options.methods ?? 'publickey'}`);
  if (options.agent === undefined) set('IdentitiesOnly=yes');
  if (options.key !== undefined) {
    const file = join(folder, 'key');
    writeFileSync(file, options.key.privateKey, { mode: 0o600 });
    if (options.certificate !== undefined) writeFileSync(`${file}-cert.pub`, `${options.certificate}\n`);
    args.push('-i', file);
  }
  const askpass = join(folder, 'askpass');
  writeFileSync(askpass, '#!/bin/sh\nprintf "%s\\n" "$GANGWAY_LAB_ANSWER"\n', { mode: 0o755 });
  return runChild({
    command: 'ssh',
    args: [...args, `${options.user}@127.0.0.1`],
    stdin: 'through the tunnel\n',
    env: {
      PATH: process.env['PATH'],
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: 'force',
      GANGWAY_LAB_ANSWER: options.answer ?? '',
      ...(options.agent === undefined ? {} : { SSH_AUTH_SOCK: options.agent }),
    },
  });
}

function skipper(): Accounts {
  return createAccounts(lab.folder('accounts'), [{ name: 'skipper', password: 'Aye, aye 2' }]);
}

describe('sshd with users of its own', () => {
  it.for(['password', 'keyboard-interactive'])(
    'lets in by %s, and not by a wrong answer',
    async (methods, { skip }) => {
      if (noAccounts !== null) skip(noAccounts);
      const accounts = skipper();
      const sshd = await lab.startSshd({
        accounts,
        config: ['PasswordAuthentication yes', 'KbdInteractiveAuthentication yes'],
      });
      const to = { port: sshd.port, user: sshd.user, knownHosts: sshd.knownHostsLine(), methods };

      expect((await sendThrough({ ...to, answer: 'Aye, aye 2' })).stdout).toBe('through the tunnel\n');
      expect((await sendThrough({ ...to, answer: 'wrong' })).output).toContain('Permission denied');
    },
  );
});

describe('sshd with certificates', () => {
  it('lets in whom the authority certified, and proves itself by its own certificate', async () => {
    const userAuthority = createKeyPair({ comment: 'users' });
    const hostAuthority = createKeyPair({ comment: 'hosts' });
    const sshd = await lab.startSshd({ clientKeys: [], userAuthority, hostAuthority });
    const key = createKeyPair();
    const certify = (principal: string): string =>
      createCertificate({ publicKey: key.publicKey, authority: userAuthority, principals: [principal] });
    const knownHosts = `@cert-authority * ${hostAuthority.publicKey}\n`;
    const to = { port: sshd.port, user: sshd.user, knownHosts, key };

    const certified = await sendThrough({ ...to, certificate: certify(sshd.user) });
    expect(certified.stdout).toBe('through the tunnel\n');
    const other = await sendThrough({ ...to, certificate: certify('somebody-else') });
    expect(other.output).toContain('Permission denied');
  });
});

describe.each([
  ['Dropbear', 'dropbear', (accounts: Accounts) => lab.startDropbear({ accounts })],
  ['TinySSH', 'tinysshd', (accounts: Accounts) => lab.startTinySsh({ accounts })],
] as const)('%s', (name, program, start) => {
  it('lets its user in, and nobody with another key', async ({ skip }) => {
    const why = missing(program);
    if (why !== null) skip(why);
    const accounts = skipper();
    const key = createKeyPair();
    accounts.users[0]?.authorize([key]);
    const server = await start(accounts);
    const to = { port: server.port, user: server.user, knownHosts: server.knownHostsLine() };

    const { stdout, output } = await sendThrough({ ...to, key });
    // TinySSH has no forwarding: there the refusal of the channel shows that the login went through.
    if (name === 'TinySSH') expect(output).toContain('open failed');
    else expect(stdout).toBe('through the tunnel\n');
    const stranger = await sendThrough({ ...to, key: createKeyPair() });
    expect(stranger.output).toContain('Permission denied');

    await server.stop();
    expect(await canConnect(server.port)).toBe(false);
    await server.start();
    expect(await canConnect(server.port)).toBe(true);
  });
});

describe('ssh-agent', () => {
  it('signs with its keys, shows none while it is locked, and is gone when killed', async () => {
    const sshd = await lab.startSshd();
    const agent = await lab.startSshAgent({ keys: [createKeyPair({ type: 'rsa' }), sshd.clientKey] });
    const to = { port: sshd.port, user: sshd.user, knownHosts: sshd.knownHostsLine(), agent: agent.socket };
    expect(await agent.fingerprints()).toContain(sshd.clientKey.fingerprint);
    expect((await sendThrough(to)).stdout).toBe('through the tunnel\n');

    await agent.lock('harbour');
    expect(await agent.fingerprints()).toEqual([]);
    expect((await sendThrough(to)).output).toContain('Permission denied');
    await agent.unlock('harbour');
    expect((await sendThrough(to)).stdout).toBe('through the tunnel\n');

    await agent.removeAll();
    expect(await agent.fingerprints()).toEqual([]);
    await agent.kill();
    expect((await sendThrough(to)).output).toContain('Permission denied');
  });
});
