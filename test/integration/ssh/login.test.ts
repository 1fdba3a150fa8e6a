import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TunnelAnswer } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { failureKind } from '../../../src/shared/connection-failure.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { startChild, type Child } from '../../support/lab/child.ts';
import { createKeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Client, startEcho, tunnelTo, type EchoServer } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'login' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

/** No authentication request of any kind reached the server. */
function expectNoAuthentication(sshd: Sshd): void {
  expect(sshd.counts().accepted).toBe(0);
  expect(sshd.counts().failed).toBe(0);
  expect(sshd.log()).not.toMatch(/Accepted|Failed|userauth|Postponed|authenticating user/);
}

const trust = (prompt: { readonly fingerprint: string }): TunnelAnswer => {
  return { type: 'trust-host-key', fingerprint: prompt.fingerprint };
};
const passphrase = (text: string): TunnelAnswer => ({ type: 'passphrase', passphrase: text });

describe('a connection through a real sshd', () => {
  it('carries bytes both ways and tells what was negotiated', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    expect(up.facts).toMatchObject({
      hostKeyFingerprint: sshd.hostKeys[0]?.fingerprint,
      keyExchange: 'curve25519-sha256',
      cipher: 'aes256-gcm@openssh.com',
      authenticatedWith: tunnel.file('id_test'),
    });
    expect(up.facts.server).toMatch(/^OpenSSH_/);
    const client = await Client.connect(lab, up.localPort);
    await client.echo('hello through the tunnel');
    const stages = tunnel.reports.flatMap((report) => (report.type === 'stage' ? [report.stage] : []));
    expect(stages).toEqual([
      'opening-listener',
      'loading-keys',
      'opening-socket',
      'verifying-host-key',
      'authenticating',
      'opening-forward',
    ]);
  });

  it('passes on the end of one direction and leaves the other open', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    client.socket.end('last words');
    await waitFor(() => client.isEnded, { what: 'the end to come back' });
    expect(client.received.toString()).toBe('last words');
  });

  it.each(['rsa', 'ecdsa', 'ed25519'] as const)('logs in with a key of type %s', async (type) => {
    const key = createKeyPair({ type });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    await tunnel.openUp();
  });

  it.each(['pem', 'pkcs8'] as const)('reads an RSA key file in %s format', async (format) => {
    const key = createKeyPair({ type: 'rsa', format });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    await tunnel.openUp();
  });
});

describe('host keys', () => {
  it('asks about an unknown key, then remembers the trusted one and never asks again', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    tunnel.setTarget({
      knownHostsFiles: { user: [join(tunnel.sshDir, 'deeper', 'known_hosts')], global: [] },
    });
    const file = tunnel.config.target.knownHostsFiles.user[0] ?? '';
    const prompt = await tunnel.openPrompt('host-key');
    expect(prompt).toMatchObject({
      host: '127.0.0.1',
      port: sshd.port,
      keyType: 'ssh-ed25519',
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      knownHostsFile: file,
      otherKnownTypes: [],
      jump: null,
    });
    expectNoAuthentication(sshd);
    expect(existsSync(file)).toBe(false);

    await tunnel.answerUp(prompt, trust(prompt));
    expect(readFileSync(file, 'utf8')).toBe(sshd.knownHostsLine());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(tunnel.sshDir, 'deeper')).mode & 0o777).toBe(0o700);

    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await tunnel.openUp();
    expect(readFileSync(file, 'utf8')).toBe(sshd.knownHostsLine());
  });

  it('asks again, with an id of its own, when another key than the trusted one is shown', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    const first = await tunnel.openPrompt('host-key');
    const [newKey] = await sshd.rotateHostKey();
    const second = await tunnel.answerPrompt(first, trust(first), 'host-key');
    expect(second.fingerprint).toBe(newKey?.fingerprint);
    expect(second.id).not.toBe(first.id);
    expect(existsSync(tunnel.file('known_hosts'))).toBe(false);
  });

  it('keeps every other byte of known_hosts when it adds a key, also without a final newline', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    const before = '# mine\r\n\texample.org ssh-ed25519 AAAAbroken\n\n|1|x|y ssh-rsa AAAA';
    const path = tunnel.write('known_hosts', before, 0o644);
    const prompt = await tunnel.openPrompt('host-key');
    await tunnel.answerUp(prompt, trust(prompt));
    expect(readFileSync(path, 'utf8')).toBe(`${before}\n${sshd.knownHostsLine()}`);
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it('refuses a changed key before anything is offered, and shows both fingerprints', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.write('known_hosts', `# first line\n${sshd.knownHostsLine()}`);
    const oldKey = sshd.hostKeys[0];
    const [newKey] = await sshd.rotateHostKey();
    const facts = await tunnel.openFailed('host-key-changed');
    expect(facts).toEqual({
      host: '127.0.0.1',
      port: sshd.port,
      keyType: 'ssh-ed25519',
      offeredFingerprint: newKey?.fingerprint,
      known: [
        {
          keyType: 'ssh-ed25519',
          fingerprint: oldKey?.fingerprint,
          file: tunnel.file('known_hosts'),
          line: 2,
        },
      ],
    });
    expectNoAuthentication(sshd);
    expect(failureKind('host-key-changed')).toBe('blocked');
    tunnel.write('known_hosts', sshd.knownHostsLine());
    await tunnel.openUp();
    expect(sshd.log()).toContain('Accepted publickey');
    recordFault({
      row: 29,
      part: 'at the first connection',
      layer: 'core',
      injected: 'the host key on file was swapped on the server for one of the same type',
      shown: 'host-key-changed with both fingerprints and the line of the old one; no retry',
      tookMs: null,
      limitMs: null,
      control: 'no authentication in the log until the new key was on file; with it the log shows one',
    });
  });

  it('refuses a revoked key even where another line trusts it', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const line = sshd.knownHostsLine();
    const blob = line.split(' ').slice(1).join(' ');
    tunnel.write('known_hosts', `${line}@revoked * ${blob}`);
    const facts = await tunnel.openFailed('host-key-revoked');
    expect(facts).toEqual({
      host: '127.0.0.1',
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      file: tunnel.file('known_hosts'),
      line: 2,
    });
    expectNoAuthentication(sshd);
  });

  it('asks first for the key type that is on file, so that a server with more keys is no false alarm', async () => {
    const sshd = await lab.startSshd({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const rsaLine = sshd.knownHostsLine().split('\n')[2] ?? '';
    tunnel.write('known_hosts', `${rsaLine}\n`);
    const up = await tunnel.openUp();
    expect(up.facts.hostKeyFingerprint).toBe(sshd.hostKeys[2]?.fingerprint);
    expect(tunnel.reports.filter(({ type }) => type === 'needs-user')).toEqual([]);
    // A host without a line gets the first of the server's keys.
    const fresh = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    expect((await fresh.openPrompt('host-key')).keyType).toBe('ssh-ed25519');
    recordFault({
      row: 30,
      layer: 'core',
      injected: 'a server that added ed25519 and ecdsa beside the rsa key that is on file',
      shown: 'connected without a question, by the known key',
      tookMs: null,
      limitMs: null,
      control: 'without a line on file the same server shows another key first, and is asked about',
    });
  });

  it('calls a key of a new type new, not changed', async () => {
    const sshd = await lab.startSshd({ hostKeyTypes: ['rsa'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    await sshd.rotateHostKey(['ed25519']);
    const prompt = await tunnel.openPrompt('host-key');
    expect(prompt.keyType).toBe('ssh-ed25519');
    expect(prompt.otherKnownTypes).toEqual(['ssh-rsa']);
    expectNoAuthentication(sshd);
    await sshd.rotateHostKey(['rsa']);
    await tunnel.openFailed('host-key-changed');
    recordFault({
      row: 31,
      layer: 'core',
      injected: 'the known rsa key was taken from the server, and an ed25519 key put in its place',
      shown: 'the question about a new type of key for a known host, not "changed"',
      tookMs: null,
      limitMs: null,
      control: 'another key of the known type is called changed',
    });
  });

  it('refuses to connect when known_hosts cannot be read', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    mkdirSync(tunnel.file('known_hosts'));
    const startedMs = performance.now();
    const facts = await tunnel.openFailed('known-hosts-unreadable');
    const tookMs = performance.now() - startedMs;
    expect(facts).toEqual({ path: tunnel.file('known_hosts'), detail: 'EISDIR' });
    expect(sshd.counts().connections).toBe(0);

    rmdirSync(tunnel.file('known_hosts'));
    writeFileSync(tunnel.file('known_hosts'), Buffer.alloc(4096, '\u0000garbage\n'));
    await tunnel.openPrompt('host-key');
    expectNoAuthentication(sshd);
    recordFault({
      row: 68,
      part: 'known_hosts',
      layer: 'core',
      injected: 'known_hosts that cannot be read; then one of garbage',
      shown:
        '"known-hosts-unreadable" before anything is sent; garbage counts as no key, so the host is asked about',
      tookMs,
      limitMs: 2_000,
      control: 'with a file that can be read the attempt gets as far as the question',
    });
  });

  it('offers no credential when the trusted key cannot be written down', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port, { trusted: false });
    tunnel.setTarget({ knownHostsFiles: { user: ['/dev/full'], global: [] } });
    const prompt = await tunnel.openPrompt('host-key');
    const facts = await tunnel.answerFailed(prompt, trust(prompt), 'known-hosts-unwritable');
    expect(facts).toEqual({ path: '/dev/full', detail: 'ENOSPC' });
    expectNoAuthentication(sshd);
  });
});

describe('credentials', () => {
  it('says which keys a server refused and what it offers instead', async () => {
    const sshd = await lab.startSshd({ config: ['PasswordAuthentication yes'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = tunnel.useKey(createKeyPair(), 'id_other');
    tunnel.setTarget({ methods: ['publickey'] });
    const facts = await tunnel.openFailed('auth-rejected');
    expect(facts.tried).toEqual([path]);
    expect(facts.offered).toEqual(['publickey', 'password']);
  });

  it('says that a user is refused, naming the user', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ user: 'nobody-of-that-name' });
    const facts = await tunnel.openFailed('auth-rejected');
    expect(facts.user).toBe('nobody-of-that-name');
  });

  it('stops at once where the server takes no keys', async () => {
    const sshd = await lab.startSshd({
      config: ['PubkeyAuthentication no', 'PasswordAuthentication yes'],
    });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ methods: ['publickey'] });
    const facts = await tunnel.openFailed('auth-rejected');
    expect(facts.offered).toEqual(['password']);
  });

  it.each([
    ['missing', (): string => 'no-such-key', null],
    ['format', (): string => 'notes.txt', 'not a key at all'],
    [
      'ppk',
      (): string => 'key.ppk',
      'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: x\nPublic-Lines: 2\n',
    ],
  ] as const)('names an identity file that is of no use: %s', async (reason, name, content) => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = content === null ? tunnel.file(name()) : tunnel.write(name(), content);
    tunnel.setTarget({ identityFiles: [path], identityFileIsExplicit: true });
    expect(await tunnel.openFailed('key-unreadable')).toEqual({ path, reason });
    expect(sshd.counts().connections).toBe(0);
    expect(failureKind('key-unreadable')).toBe('blocked');
  });

  it('names an identity file that is a folder', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    mkdirSync(tunnel.file('keys'));
    tunnel.setTarget({ identityFiles: [tunnel.file('keys')], identityFileIsExplicit: true });
    expect((await tunnel.openFailed('key-unreadable')).reason).toBe('not-a-file');
  });

  it('names an identity file that it may not read', async (context) => {
    if (process.getuid?.() === 0) {
      context.skip('root may read every file, whatever its mode');
    }
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    chmodSync(tunnel.file('id_test'), 0);
    expect((await tunnel.openFailed('key-unreadable')).reason).toBe('permission');
  });

  it('says where it looked when there is nothing to log in with', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [tunnel.file('id_none')], identityFileIsExplicit: false });
    const facts = await tunnel.openFailed('no-credentials');
    expect(facts.looked).toEqual([tunnel.file('id_none')]);
  });

  it.each(['openssh', 'pem', 'pkcs8'] as const)(
    'asks for the passphrase of an encrypted key (%s), says when it was wrong, and keeps the key open',
    async (format) => {
      const key = createKeyPair({
        type: format === 'openssh' ? 'ed25519' : 'rsa',
        passphrase: 'correct horse',
        format,
      });
      const sshd = await lab.startSshd({ clientKeys: [key] });
      const tunnel = await tunnelTo(lab, sshd, echo.port);
      const keyPath = tunnel.file('id_test');
      const first = await tunnel.openPrompt('passphrase');
      expect(first).toMatchObject({ keyPath, wasWrong: false });
      const second = await tunnel.answerPrompt(first, passphrase('wrong'), 'passphrase');
      expect(second.wasWrong).toBe(true);
      expect(second.id).not.toBe(first.id);

      await tunnel.answerUp(second, passphrase('correct horse'));
      expect(sshd.counts()).toMatchObject({ connections: 1, accepted: 1 });
      await sshd.killSessions();
      await tunnel.down();
      // A reconnect in the background has no passphrase and asks for none.
      await tunnel.openUp();
      expect(JSON.stringify(tunnel.reports)).not.toContain('correct horse');
    },
  );
});

describe('an ssh-agent', () => {
  let agent: Child;
  let agentSocket: string;

  beforeEach(async () => {
    agentSocket = join(lab.folder('agent'), 'a.sock');
    agent = lab.own(await startChild({ command: 'ssh-agent', args: ['-D', '-a', agentSocket] }));
    await waitFor(() => existsSync(agentSocket), { what: 'the agent' });
  });

  function add(privateKey: string, comment: string): void {
    const file = join(lab.folder('agent-key'), comment);
    writeFileSync(file, privateKey, { mode: 0o600 });
    const added = spawnSync('ssh-add', [file], { env: { ...process.env, SSH_AUTH_SOCK: agentSocket } });
    if (added.status !== 0) throw new Error(added.stderr.toString());
  }

  it('logs in with its key', async () => {
    const key = createKeyPair({ comment: 'my laptop' });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    add(key.privateKey, 'laptop');
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe('ssh-agent: my laptop');
  });

  it('never uses up the tries of the server: the key file still gets its turn after 8 foreign agent keys', async () => {
    for (let index = 0; index < 8; index += 1) add(createKeyPair().privateKey, `k${index}`);
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFileIsExplicit: false, agentSocket });
    const startedMs = performance.now();
    const up = await tunnel.openUp();
    const tookMs = performance.now() - startedMs;
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
    expect(sshd.log()).not.toContain('Too many authentication failures');
    const files = ['-i', tunnel.file('id_test'), '-o', `UserKnownHostsFile=${tunnel.file('known_hosts')}`];
    const ssh = ['-F', 'none', '-p', String(sshd.port), '-o', 'BatchMode=yes', ...files];
    const env = { ...process.env, SSH_AUTH_SOCK: agentSocket };
    const plain = spawnSync('ssh', [...ssh, `${sshd.user}@127.0.0.1`, 'true'], { env, timeout: 10_000 });
    expect(plain.stderr.toString()).toContain('Too many authentication failures');
    recordFault({
      row: 39,
      part: '8 keys in the agent',
      layer: 'core',
      injected: 'an agent with 8 keys that the server does not know, and MaxAuthTries 6',
      shown: 'connected with the key file',
      tookMs,
      limitMs: 3_000,
      control: 'ssh with the same agent and key file fails with too many authentication failures',
    });
  });

  it('says what the server offers also when only agent keys were refused', async () => {
    add(createKeyPair({ comment: 'foreign' }).privateKey, 'foreign');
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket });
    const facts = await tunnel.openFailed('auth-rejected');
    expect(facts).toMatchObject({ tried: ['ssh-agent: foreign'], offered: ['publickey'] });
  });

  it('takes an encrypted key file from the agent without a question, and offers it once', async () => {
    const key = createKeyPair({ passphrase: 'secret', comment: 'locked' });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const dir = lab.folder('agent-key');
    writeFileSync(join(dir, 'k'), key.privateKey, { mode: 0o600 });
    spawnSync('ssh-keygen', ['-p', '-P', 'secret', '-N', '', '-f', join(dir, 'k')]);
    add(readFileSync(join(dir, 'k'), 'utf8'), 'locked');
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ agentSocket });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toMatch(/^ssh-agent: /);
  });

  it('that is gone is no reason to stop', async () => {
    await agent.close();
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ agentSocket });
    const startedMs = performance.now();
    await tunnel.openUp();
    const tookMs = performance.now() - startedMs;
    const logged = tunnel.reports.find((report) => report.type === 'log');
    expect(logged).toMatchObject({ event: 'ssh.credentials', level: 'warn' });
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false });
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    const facts = await tunnel.openFailed('no-credentials');
    expect(facts.agent).toBe('missing');
    recordFault({
      row: 39,
      part: 'agent gone',
      layer: 'core',
      injected: 'the agent was ended; its socket is named still',
      shown: 'connected with the key file; the log says why the agent did not help',
      tookMs,
      limitMs: 3_000,
      control: 'without the key file the failure names the agent as not reachable',
    });
  });
});

describe('the forward', () => {
  it('says that the gateway does not listen, and needs no new login when it does', async () => {
    const sshd = await lab.startSshd();
    const gatewayPort = await freePort();
    const tunnel = await tunnelTo(lab, sshd, gatewayPort);
    expect(await tunnel.openFailed('gateway-not-listening')).toEqual({ host: '127.0.0.1', gatewayPort });
    await startEcho(lab, gatewayPort);
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    await client.echo('now');
    expect(sshd.counts().accepted).toBe(1);
  });

  it.each([
    ['AllowTcpForwarding no', ['AllowTcpForwarding no']],
    ['PermitOpen elsewhere', ['PermitOpen 127.0.0.1:1']],
    ['DisableForwarding', ['DisableForwarding yes']],
  ])('says that the server forbids forwarding: %s', async (_name, config) => {
    const sshd = await lab.startSshd({ config });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const facts = await tunnel.openFailed('forwarding-disabled');
    expect(facts).toMatchObject({ host: '127.0.0.1', gatewayPort: echo.port });
  });

  it('works with MaxSessions 0', async () => {
    const sshd = await lab.startSshd({ config: ['MaxSessions 0'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    await (await Client.connect(lab, up.localPort)).echo('without a session');
    const options = ['-p', String(sshd.port), '-i', tunnel.file('id_test'), '-o', 'BatchMode=yes'];
    const known = ['-o', `UserKnownHostsFile=${tunnel.file('known_hosts')}`];
    const shell = spawnSync('ssh', ['-F', 'none', ...options, ...known, `${sshd.user}@127.0.0.1`, 'true'], {
      timeout: 10_000,
    });
    expect(shell.status).not.toBe(0);
    recordFault({
      row: 25,
      layer: 'core',
      injected: 'MaxSessions 0',
      shown: 'connected, and bytes go both ways',
      tookMs: null,
      limitMs: null,
      control: 'ssh with a command is refused by the same server',
    });
  });

  it('reports a gateway that went away while clients come, and lets the client go', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    await echo.stop();
    const client = await Client.connect(lab, up.localPort);
    await client.closed();
    const report = await tunnel.wait(
      (candidate): candidate is Extract<typeof candidate, { type: 'forward-failed' }> =>
        candidate.type === 'forward-failed',
      'a failed forward',
    );
    expect(report.failure.code).toBe('gateway-not-listening');
  });
});
