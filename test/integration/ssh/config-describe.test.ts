import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SshSettings } from '../../../src/shared/gateway-profile.ts';
import { sshDirective } from '../../../src/main/core/ssh/directives.ts';
import { tunnelConfigSchema } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { describeSsh } from '../../../src/main/node/ssh/config/describe-ssh.ts';
import { resolveSsh } from '../../../src/main/node/ssh/config/resolve-ssh.ts';
import type { SshEnvironment } from '../../../src/main/node/ssh/config/ssh-environment.ts';
import { canonicalKeyword } from '../../../src/main/node/ssh/config/ssh-options.ts';
import { suggestHosts } from '../../../src/main/node/ssh/config/suggest-hosts.ts';
import { createCertificate, createKeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';

const SECURITY_KEY =
  'sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIFZ0zZgNdrPyuM0AE4CxZKeFnXjmQCGUk2xAxLnZs5ZHAAAABHNzaDo= me\n';
let lab: Lab;
let environment: SshEnvironment;
let ssh: string;

beforeEach(async () => {
  lab = await createLab({ label: 'describe' });
  const home = lab.folder('home');
  ssh = join(home, '.ssh');
  mkdirSync(ssh, { mode: 0o700 });
  environment = {
    home,
    passwdHome: userInfo().homedir,
    user: 'me',
    agentSocket: '/tmp/agent.sock',
    platform: process.platform,
    sshCommand: 'ssh',
  };
});
afterEach(() => lab.close());

function put(name: string, text: string): string {
  const path = join(ssh, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function settings(change: Partial<SshSettings> = {}): SshSettings {
  return {
    target: 'box',
    gatewayPort: 18789,
    localPort: 18790,
    identityFile: '',
    transport: 'automatic',
    lastCredential: '',
    ...change,
  };
}

async function described(change: Partial<SshSettings> = {}) {
  const result = await describeSsh(settings(change), environment);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

const READERS = ['ssh', null];

describe('"Resolved as"', () => {
  it.each(READERS)('shows place, keys, agent and hops (%s)', async (sshCommand) => {
    environment = { ...environment, sshCommand };
    put('mine', createKeyPair().privateKey);
    put(
      'config',
      'Host box\n HostName b.internal\n Port 2222\n User u\n HostKeyAlias b\n IdentityFile ~/.ssh/mine\n IdentityFile ~/.ssh/gone\n ProxyJump j@gate:24\n ForwardAgent yes\n Compression yes\n LocalForward 8080 localhost:80\n',
    );
    const resolution = await described();
    expect(resolution).toMatchObject({
      host: 'b.internal',
      port: 2222,
      user: 'u',
      hostKeyAlias: 'b',
      identityFiles: [
        { path: join(ssh, 'mine'), exists: true },
        { path: join(ssh, 'gone'), exists: false },
      ],
      agent: '/tmp/agent.sock',
      jumps: [{ name: 'gate', host: 'gate', port: 24, user: 'j' }],
      proxyCommand: null,
      transport: 'ssh2',
      reasons: [],
      source: sshCommand === null ? 'library' : 'openssh',
    });
    expect(resolution.notHonoured.map(({ directive }) => directive).sort()).toEqual([
      'Compression',
      'ForwardAgent',
      'LocalForward',
    ]);
  });

  it.each(READERS)('shows of the default keys those that are there (%s)', async (sshCommand) => {
    environment = { ...environment, sshCommand };
    expect((await described()).identityFiles).toEqual([]);
    const path = put('id_ed25519', createKeyPair().privateKey);
    expect((await described()).identityFiles).toEqual([{ path, exists: true }]);
    expect((await described({ identityFile: '~/.ssh/gone' })).identityFiles).toEqual([
      { path: join(ssh, 'gone'), exists: false },
    ]);
  });

  it('says nothing without effect where the configuration is empty', async () => {
    expect(await described()).toMatchObject({ notHonoured: [], transport: 'ssh2', reasons: [] });
  });

  it.each(READERS)('gives what the tunnel accepts (%s)', async (sshCommand) => {
    environment = { ...environment, sshCommand };
    put('config', 'Host box\n ProxyJump a,b,c\nHost a\n ProxyCommand nc %h %p\n');
    const config = await resolveSsh(settings({ lastCredential: 'SHA256:x' }), environment);
    expect(tunnelConfigSchema.safeParse(config.ok ? config.value : null).error).toBeUndefined();
    expect(config).toMatchObject({ value: { lastCredential: 'SHA256:x' } });
  });
});

describe('the automatic choice', () => {
  it('is OpenSSH for a security key, told by its public half', async () => {
    put('sk', 'whatever');
    put('sk.pub', SECURITY_KEY);
    put('config', 'IdentityFile ~/.ssh/sk\n');
    const reasons = [{ code: 'security-key', detail: join(ssh, 'sk') }];
    expect(await described()).toMatchObject({ transport: 'openssh', reasons });
    expect(await described({ transport: 'ssh2' })).toMatchObject({ transport: 'ssh2', reasons });
  });

  it('is OpenSSH for a security key that only the agent holds', async () => {
    const path = put('sel.pub', SECURITY_KEY);
    put('config', 'IdentityFile ~/.ssh/sel.pub\nIdentitiesOnly yes\n');
    expect((await described()).reasons).toEqual([{ code: 'security-key', detail: path }]);
  });

  it('is OpenSSH for a default security key that is there, and forgets one that is not', async () => {
    expect((await described()).identityFiles.map(({ path }) => path)).not.toContain(
      join(ssh, 'id_ed25519_sk'),
    );
    put('id_ed25519_sk', 'whatever');
    put('id_ed25519_sk.pub', SECURITY_KEY);
    expect((await described()).reasons).toMatchObject([{ code: 'security-key' }]);
  });

  it('does not wait for the other end of a named pipe that is a key', async () => {
    execFileSync('mkfifo', [join(ssh, 'pipe')]);
    put('config', 'IdentityFile ~/.ssh/pipe\n');
    expect(await described()).toMatchObject({ transport: 'ssh2', reasons: [] });
  });

  it.each([
    ['chacha20-poly1305@openssh.com', 'openssh'],
    ['aes256-gcm@openssh.com', 'ssh2'],
    ['aes256-ctr', 'ssh2'],
  ])('for a key file encrypted with %s is %s', async (cipher, transport) => {
    const path = join(ssh, 'id_ed25519');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-Z', cipher, '-N', 'weigh anchor', '-f', path]);
    expect(await described()).toMatchObject({
      transport,
      reasons: transport === 'ssh2' ? [] : [{ code: 'algorithms', detail: `${cipher} (${path})` }],
    });
  });

  it('is OpenSSH for certificates, named or found', async () => {
    const key = createKeyPair();
    put('id_ed25519', key.privateKey);
    expect((await described()).transport).toBe('ssh2');
    const found = put('id_ed25519-cert.pub', 'ssh-ed25519-cert-v01@openssh.com AAAA\n');
    expect((await described()).reasons).toEqual([{ code: 'certificate', detail: found }]);
    put('config', 'CertificateFile ~/.ssh/other-cert.pub\nIdentityFile ~/.ssh/none\n');
    expect((await described()).reasons).toEqual([
      { code: 'certificate', detail: join(ssh, 'other-cert.pub') },
    ]);
  });

  it('is OpenSSH for a host that an authority vouches for', async () => {
    const { publicKey } = createKeyPair();
    const file = put('known_hosts', `# a\n@cert-authority *.internal ${publicKey}\n`);
    put('config', 'Host box\n HostName b.internal\n');
    expect((await described()).reasons).toEqual([{ code: 'host-certificate', detail: `${file}:2` }]);
    expect((await described({ target: 'else' })).transport).toBe('ssh2');
  });

  it.each([
    ['GSSAPIAuthentication yes', 'gssapi', 'GSSAPIAuthentication yes'],
    ['HostbasedAuthentication yes', 'host-based', 'HostbasedAuthentication yes'],
    ['ControlPath /tmp/cm', 'control-master', 'ControlPath /tmp/cm'],
    ['PKCS11Provider /lib/p11.so', 'pkcs11', 'PKCS11Provider /lib/p11.so'],
    [
      'KexAlgorithms sntrup761x25519-sha512@openssh.com',
      'algorithms',
      'KexAlgorithms sntrup761x25519-sha512@openssh.com',
    ],
    ['ProxyUseFdpass yes', 'directive', 'ProxyUseFdpass yes'],
    ['VerifyHostKeyDNS yes', 'directive', 'VerifyHostKeyDNS true'],
    ['KnownHostsCommand /bin/true', 'directive', 'KnownHostsCommand /bin/true'],
    ['RevokedHostKeys /etc/krl', 'directive', 'RevokedHostKeys /etc/krl'],
    ['BindInterface lo', 'directive', 'BindInterface lo'],
  ])('is OpenSSH for %s, also of a jump host', async (directive, code, detail) => {
    put('config', `Host box\n ${directive}\nHost via\n ProxyJump box\n`);
    expect(await described()).toMatchObject({ transport: 'openssh', reasons: [{ code, detail }] });
    expect(await described({ target: 'via' })).toMatchObject({
      transport: 'openssh',
      reasons: [{ code, detail }],
    });
    expect((await described({ target: 'else' })).transport).toBe('ssh2');
  });

  it.each([
    'ControlMaster no',
    'ControlPath none',
    'GSSAPIAuthentication no',
    'VerifyHostKeyDNS no',
    'Compression yes',
  ])('stays with ssh2 for %s', async (directive) => {
    put('config', `Host box\n ${directive}\n`);
    expect(await described()).toMatchObject({ transport: 'ssh2', reasons: [] });
  });

  it('without OpenSSH is a failure that says what it is needed for', async () => {
    environment = { ...environment, sshCommand: null };
    put('config', 'GSSAPIAuthentication yes\nControlPath /tmp/x\n');
    expect(await describeSsh(settings(), environment)).toEqual({
      ok: false,
      error: {
        code: 'openssh-missing',
        facts: { target: 'box', reasons: [{ code: 'gssapi', detail: 'GSSAPIAuthentication yes' }] },
      },
    });
    expect((await described({ transport: 'ssh2' })).transport).toBe('ssh2');
    put('config', 'ControlPath /tmp/x\n');
    expect((await described()).transport).toBe('ssh2');
    expect(await describeSsh(settings({ transport: 'openssh' }), environment)).toMatchObject({
      error: { code: 'openssh-missing' },
    });
  });
});

/** An agent that holds this one key; ssh-agent itself takes a security key only from the device. */
async function agentHolding(publicKey: string): Promise<string> {
  const [, base64 = '', comment = ''] = publicKey.trim().split(' ');
  const string = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const identities = [Buffer.from([12, 0, 0, 0, 1]), string(Buffer.from(base64, 'base64'))];
  const answer = string(Buffer.concat([...identities, string(Buffer.from(comment))]));
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(answer));
  });
  const path = join(lab.folder('fake-agent'), 'sock');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  lab.own({ close: () => new Promise((resolve) => server.close(() => resolve())) });
  return path;
}

describe('the automatic choice by the agent', () => {
  const certified = async (): Promise<{ socket: string; selector: string; certificate: string }> => {
    const key = createKeyPair({ comment: 'me@work' });
    const certificate = createCertificate({
      publicKey: key.publicKey,
      authority: createKeyPair(),
      principals: ['me'],
    });
    const { socket } = await lab.startSshAgent({ keys: [{ ...key, certificate }, createKeyPair()] });
    return { socket, certificate, selector: put('sel.pub', `${key.publicKey}\n`) };
  };
  const hold = (agentSocket: string): void => {
    environment = { ...environment, agentSocket };
  };

  it('is OpenSSH for a security key that it holds, named by its comment', async () => {
    hold(await agentHolding(SECURITY_KEY));
    const reasons = [{ code: 'agent-security-key', detail: 'me' }];
    expect(await described()).toMatchObject({ transport: 'openssh', reasons });
    expect(await described({ transport: 'ssh2' })).toMatchObject({ transport: 'ssh2', reasons });
  });

  it('says it once, by the file, where a file names the key', async () => {
    hold(await agentHolding(SECURITY_KEY));
    const path = put('sel.pub', SECURITY_KEY);
    put('config', 'IdentityFile ~/.ssh/sel.pub\n');
    expect((await described()).reasons).toEqual([{ code: 'security-key', detail: path }]);
  });

  it('is OpenSSH for a certificate that it holds, also for a jump host alone', async () => {
    const { socket } = await certified();
    const reasons = [{ code: 'agent-certificate', detail: 'me@work' }];
    put('config', `Host gate\n IdentityAgent ${socket}\nHost box\n IdentityAgent none\n ProxyJump gate\n`);
    expect(await described()).toMatchObject({ transport: 'openssh', reasons });
    expect(await described({ target: 'else' })).toMatchObject({ transport: 'ssh2', reasons: [] });
  });

  it.each([
    'IdentitiesOnly yes',
    'IdentitiesOnly yes\nIdentityFile ~/.ssh/sel.pub',
    'IdentityAgent none',
    'PubkeyAuthentication no',
    'PreferredAuthentications password',
    'PubkeyAcceptedAlgorithms ssh-ed25519',
  ])('stays with ssh2 where ssh would not offer the certificate: %j', async (config) => {
    const { socket } = await certified();
    hold(socket);
    put('config', `${config}\n`);
    expect(await described()).toMatchObject({ transport: 'ssh2', reasons: [] });
  });

  it('stays with ssh2 where the settings name the key', async () => {
    const { socket, selector } = await certified();
    hold(socket);
    expect(await described({ identityFile: selector })).toMatchObject({ transport: 'ssh2', reasons: [] });
  });

  it('is OpenSSH where IdentitiesOnly selects the certificate itself', async () => {
    const { socket, certificate } = await certified();
    hold(socket);
    const path = put('of-agent.pub', `${certificate}\n`);
    put('config', 'IdentitiesOnly yes\nIdentityFile ~/.ssh/of-agent.pub\n');
    expect((await described()).reasons).toEqual([{ code: 'certificate', detail: path }]);
  });

  it('asks nobody to install OpenSSH for it: another key may do', async () => {
    const { socket } = await certified();
    hold(socket);
    environment = { ...environment, sshCommand: null };
    expect(await described()).toMatchObject({
      transport: 'ssh2',
      reasons: [{ code: 'agent-certificate', detail: 'me@work' }],
    });
  });

  it('goes on soon without an agent that is silent or gone', async () => {
    const agent = await lab.startSshAgent({ keys: [createKeyPair()] });
    hold(agent.socket);
    put('config', 'Host box\n ProxyJump a,b,c\n');
    agent.pause();
    const startedAtMs = performance.now();
    expect(await described()).toMatchObject({ transport: 'ssh2', reasons: [] });
    // Each of the four hops would wait a second, the login's own limit is five.
    expect(performance.now() - startedAtMs).toBeLessThan(4_000);
    agent.resume();
    await agent.kill();
    expect(await described()).toMatchObject({ transport: 'ssh2', reasons: [] });
  });
});

describe('Windows, whose ssh cannot carry the connection', () => {
  beforeEach(() => {
    environment = { ...environment, platform: 'win32', sshCommand: null };
  });

  it('stays with the built-in SSH and says what is left undone', async () => {
    put('sk', 'whatever');
    put('sk.pub', SECURITY_KEY);
    put('config', 'IdentityFile ~/.ssh/sk\nGSSAPIAuthentication yes\n');
    expect(await described()).toMatchObject({
      transport: 'ssh2',
      reasons: [{ code: 'security-key' }, { code: 'gssapi' }],
    });
    expect(await resolveSsh(settings(), environment)).toMatchObject({
      value: { transport: 'ssh2', openssh: null, handOver: false },
    });
  });

  it('refuses what would lead elsewhere without OpenSSH, and OpenSSH where it is chosen', async () => {
    expect(await describeSsh(settings({ transport: 'openssh' }), environment)).toEqual({
      ok: false,
      error: { code: 'openssh-unavailable', facts: { target: 'box', platform: 'win32', reasons: [] } },
    });
    put('config', 'BindInterface lo\nGSSAPIAuthentication yes\n');
    const reasons = [{ code: 'directive', detail: 'BindInterface lo' }];
    expect(await describeSsh(settings(), environment)).toMatchObject({
      error: { code: 'openssh-unavailable', facts: { reasons } },
    });
    expect((await described({ transport: 'ssh2' })).transport).toBe('ssh2');
  });
});

describe('handing over', () => {
  it.each([
    ['automatic', 'ssh', true],
    ['automatic', null, false],
    ['ssh2', 'ssh', false],
    ['openssh', 'ssh', false],
  ] as const)('with %s and the program %s: %s', async (transport, sshCommand, handOver) => {
    environment = { ...environment, sshCommand };
    expect(await resolveSsh(settings({ transport }), environment)).toMatchObject({ value: { handOver } });
  });

  it('is not thought of where OpenSSH carries it from the start', async () => {
    put('config', 'GSSAPIAuthentication yes\n');
    expect(await resolveSsh(settings(), environment)).toMatchObject({
      value: { transport: 'openssh', handOver: false },
    });
  });
});

describe('the command for the OpenSSH transport', () => {
  it('leads to the target as typed, with the settings’ identity file', async () => {
    put('config', 'Host box\n Port 99\n');
    const resolved = await resolveSsh(
      settings({ target: 'u@box:24', identityFile: '~/k', transport: 'openssh' }),
      environment,
    );
    if (!resolved.ok || resolved.value.openssh === null) throw new Error(JSON.stringify(resolved));
    const { command, targetArgs, env } = resolved.value.openssh;
    expect(command).toMatch(/^\/.*\/ssh$/);
    expect(targetArgs).toEqual([
      ...['-F', join(ssh, 'config'), '-i', join(environment.home, 'k'), '-o', 'IdentitiesOnly=yes'],
      ...['-l', 'u', '-p', '24', '--', 'box'],
    ]);
    expect(env).toMatchObject({ HOME: environment.home, SSH_AUTH_SOCK: '/tmp/agent.sock' });
    expect(env['PATH']).toBeTruthy();
    expect(Object.keys(env)).not.toContain('DISPLAY');
  });

  it('names no file where the homes are the same, and neither user nor port that was not typed', async () => {
    environment = { ...environment, passwdHome: environment.home };
    const resolved = await resolveSsh(settings(), environment);
    expect(resolved).toMatchObject({ value: { openssh: { targetArgs: ['--', 'box'] } } });
  });
});

describe('the table of directives', () => {
  it('covers every keyword that ssh -G prints', () => {
    const printed = execFileSync('ssh', ['-G', '-F', 'none', 'box'], { encoding: 'utf8' }).trim().split('\n');
    expect(printed.length).toBeGreaterThan(50);
    const unknown = printed
      .map((line) => canonicalKeyword(line.split(' ')[0] ?? ''))
      .filter((name) => sshDirective(name) === undefined);
    expect(unknown).toEqual([]);
  });
});

describe('suggestions', () => {
  it('are the names without patterns, from the file and what it includes, in order', async () => {
    put(
      'config',
      `Include ${ssh}/conf.d/*\nHost one two *.x !no\n User u\n Port 99\nMatch exec "touch ${ssh}/ran"\n Include more\nHost *\n User w\nHost one\nHost -bad\n`,
    );
    put('conf.d/b', 'Host b\n HostName b.internal\n');
    put('conf.d/a', 'Host a\n  HostName ::1\n  Port 24\n');
    put('more', 'Host deep\n');
    expect(await suggestHosts(environment)).toEqual([
      { alias: 'a', detail: '[::1]:24' },
      { alias: 'b', detail: 'b.internal' },
      { alias: 'one', detail: 'u@one:99' },
      { alias: 'two', detail: 'u@two:99' },
      { alias: 'deep', detail: '' },
    ]);
    expect(existsSync(join(ssh, 'ran'))).toBe(false);
  });

  it('are bounded, and none without a file', async () => {
    expect(await suggestHosts(environment)).toEqual([]);
    put('config', Array.from({ length: 5_000 }, (_, index) => `Host h${index}\n`).join(''));
    expect(await suggestHosts(environment)).toHaveLength(200);
  });
});
