import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SshSettings } from '../../../src/shared/gateway-profile.ts';
import { resolveSsh } from '../../../src/main/node/ssh/config/resolve-ssh.ts';
import type { SshEnvironment } from '../../../src/main/node/ssh/config/ssh-environment.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { isAlive } from '../../support/lab/child.ts';

let lab: Lab;
let environment: SshEnvironment;

beforeEach(async () => {
  lab = await createLab({ label: 'resolve' });
  const home = lab.folder('home');
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
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

function settings(change: Partial<SshSettings>): SshSettings {
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

function writeConfig(text: string): void {
  writeFileSync(join(environment.home, '.ssh', 'config'), text, { mode: 0o600 });
}

async function resolved(change: Partial<SshSettings>) {
  const result = await resolveSsh(settings(change), environment);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

async function refused(change: Partial<SshSettings>) {
  const result = await resolveSsh(settings(change), environment);
  if (result.ok) throw new Error(`Resolved to ${JSON.stringify(result.value)}`);
  return result.error;
}

describe('resolving an SSH target', () => {
  it('takes the files of $HOME, whatever home the user database names', async () => {
    const ssh = join(environment.home, '.ssh');
    const config = await resolved({ target: 'someone@host.example:2200' });
    expect(config).toMatchObject({ transport: 'ssh2', jumps: [], proxyCommand: null, lastCredential: null });
    expect(config.target).toMatchObject({
      name: 'host.example',
      host: 'host.example',
      port: 2200,
      user: 'someone',
    });
    expect(config.forward).toEqual({ host: '127.0.0.1', port: 18789 });
    expect(config.localPort).toBe(18790);
    expect(config.target.knownHostsFiles.user[0]).toBe(join(ssh, 'known_hosts'));
    expect(config.target.identityFiles).toContain(join(ssh, 'id_ed25519'));
    expect(config.target.identityFiles.every((path) => path.startsWith(ssh) && !path.endsWith('_sk'))).toBe(
      true,
    );
    expect(config.target.identityFileIsExplicit).toBe(false);
    expect(config.target.agentSocket).toBe('/tmp/agent.sock');
  });

  it('finds what the configuration says about an alias, Include and Match too', async () => {
    mkdirSync(join(environment.home, '.ssh', 'conf.d'));
    writeFileSync(
      join(environment.home, '.ssh', 'conf.d', 'box'),
      'Host box\n  HostName box.internal\n  Port 2222\n  User deploy\n',
    );
    writeConfig(
      `Include ${environment.home}/.ssh/conf.d/*\nMatch host box.internal\n  IdentityFile ~/.ssh/box_key\n  IdentityAgent none\n  UserKnownHostsFile ~/.ssh/known_box\n`,
    );
    const config = await resolved({ target: 'box' });
    expect(config.target).toMatchObject({ name: 'box', host: 'box.internal', port: 2222, user: 'deploy' });
    expect(config.target.identityFiles).toEqual([join(environment.home, '.ssh', 'box_key')]);
    expect(config.target.agentSocket).toBeNull();
    expect(config.target.knownHostsFiles.user).toEqual([join(environment.home, '.ssh', 'known_box')]);
  });

  it('lets what the form names win over the configuration', async () => {
    writeConfig(
      'Host box\n  HostName box.internal\n  Port 2222\n  User deploy\n  IdentityFile ~/.ssh/other\n',
    );
    const config = await resolved({ target: 'root@box:22', identityFile: '~/keys/mine' });
    expect(config.target).toMatchObject({ host: 'box.internal', port: 22, user: 'root' });
    expect(config.target.identityFiles).toEqual([join(environment.home, 'keys', 'mine')]);
    expect(config.target.identityFileIsExplicit).toBe(true);
  });

  it('goes through jump hosts as OpenSSH does, each with its own configuration', async () => {
    writeConfig(
      'Host box\n  ProxyJump j@a:2201,b\nHost a\n  User never\n  ProxyCommand nc %h %p\n  IdentityFile ~/.ssh/a\nHost b\n  HostName b.internal\n  ProxyJump never\n',
    );
    const { jumps, proxyCommand } = await resolved({ target: 'box' });
    expect(jumps).toMatchObject([
      { name: 'a', host: 'a', port: 2201, user: 'j', identityFiles: [join(environment.home, '.ssh', 'a')] },
      { name: 'b', host: 'b.internal', port: 22 },
    ]);
    expect(proxyCommand?.command).toBe('nc a 2201');
  });

  it.each(['ssh', null])('ends jumps that lead in a circle (%s)', async (sshCommand) => {
    environment = { ...environment, sshCommand };
    writeConfig('Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n');
    expect((await refused({ target: 'a' })).code).toBe('ssh-config-unsupported');
  });

  it.each(['ssh', null])(
    'refuses known_hosts files that nobody can find, as ssh does (%s)',
    async (sshCommand) => {
      environment = { ...environment, sshCommand };
      writeConfig('Host box\n  UserKnownHostsFile ${GANGWAY_NOT_SET}/known_hosts\n');
      expect((await refused({ target: 'box' })).code).toMatch(/^ssh-config-(?:invalid|unsupported)$/);
    },
  );

  it('refuses a jump that would be read as an option', async () => {
    writeConfig('Host box\n  ProxyJump -oProxyCommand=x\n');
    expect((await refused({ target: 'box' })).code).toMatch(/^ssh-config-(?:invalid|unsupported)$/);
    environment = { ...environment, sshCommand: null };
    expect((await refused({ target: 'box' })).code).toBe('ssh-config-unsupported');
  });

  it('honours "none" as no proxy', async () => {
    writeConfig('Host box\n  ProxyJump none\nHost *\n  ProxyJump bastion\n');
    expect((await resolved({ target: 'box' })).target.host).toBe('box');
  });

  it('refuses a configuration that OpenSSH itself refuses', async () => {
    writeConfig('Host box\n  NoSuchDirective yes\n');
    const why = await refused({ target: 'box' });
    if (why.code !== 'ssh-config-invalid') throw new Error(why.code);
    expect(why.facts.detail).toMatch(/line 2.*nosuchdirective/i);
  });

  it('cuts off a configuration that takes too long', async () => {
    const slow = join(lab.folder('bin'), 'ssh');
    writeFileSync(slow, '#!/bin/sh\nexec sleep 60\n');
    chmodSync(slow, 0o755);
    environment = { ...environment, sshCommand: slow };
    const startedAtMs = performance.now();
    expect((await refused({ target: 'box' })).code).toBe('ssh-config-invalid');
    // Its own end would come after 60 s.
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  });

  it('leaves no command of "Match exec" behind', async () => {
    const pidFile = join(environment.home, 'pid');
    writeConfig(`Match exec "echo $$ >> ${pidFile}; exec sleep 600"\n  Port 99\n`);
    expect(await refused({ target: 'box' })).toMatchObject({ code: 'ssh-config-invalid' });
    expect(existsSync(pidFile)).toBe(true);
    const pids = readFileSync(pidFile, 'utf8').trim().split('\n').map(Number);
    await waitFor(() => pids.every((pid) => !isAlive(pid)), { what: 'the end of the command' });
  });

  it('works without OpenSSH, from the target alone', async () => {
    environment = { ...environment, sshCommand: '/nowhere/ssh' };
    const config = await resolved({ target: 'host.example' });
    expect(config.target).toMatchObject({ name: 'host.example', host: 'host.example', port: 22, user: 'me' });
    const ssh = join(environment.home, '.ssh');
    expect(config.target.identityFiles).toEqual(
      ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => join(ssh, name)),
    );
    expect(config.target.knownHostsFiles.user[0]).toBe(join(ssh, 'known_hosts'));
  });

  it.each(['[::1]:2022', 'u@::1', 'ssh://u@[fe80::1]:22'])('takes the address %s', async (target) => {
    expect((await resolved({ target })).target.host).toMatch(/^(::1|fe80::1)$/);
  });

  it.each(['-oProxyCommand=touch /tmp/x', 'a b', 'host;reboot', '', 'user@'])(
    'refuses %j before anything is run',
    async (target) => {
      environment = { ...environment, sshCommand: '/nowhere/ssh' };
      expect((await refused({ target })).code).toBe('target-invalid');
    },
  );
});
