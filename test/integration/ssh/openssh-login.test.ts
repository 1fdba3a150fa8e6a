import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TunnelAnswer } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { accountsUnavailable, createAccounts } from '../../support/lab/accounts.ts';
import { createCertificate, createKeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { noSshLeft, opensshTo } from './openssh-fixture.ts';
import { Client, startEcho, type EchoServer } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;
let temp: string;

beforeEach(async () => {
  lab = await createLab({ label: 'openssh' });
  echo = await startEcho(lab);
  // Of this test alone, so that what is left there is its own.
  temp = lab.folder('tmp');
  vi.stubEnv('TMPDIR', temp);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await lab.close();
});

const trust = (prompt: { readonly fingerprint: string }): TunnelAnswer => {
  return { type: 'trust-host-key', fingerprint: prompt.fingerprint };
};
const passphrase = (text: string): TunnelAnswer => ({ type: 'passphrase', passphrase: text });

/** Folders of sessions; keys and certificates are made there as well. */
const privateDirs = (): string[] => readdirSync(temp).filter((name) => /^gangway-\w{6}$/.test(name));

describe('a connection by the system ssh', () => {
  it('carries bytes both ways and tells what was negotiated', async () => {
    const sshd = await lab.startSshd();
    const before = privateDirs();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    expect(up.facts).toMatchObject({
      hostKeyFingerprint: sshd.hostKeys[0]?.fingerprint,
      authenticatedWith: tunnel.file('id_test'),
      credentialFingerprint: sshd.clientKey.fingerprint,
      transport: 'openssh',
      via: [],
    });
    expect(up.facts.server).toMatch(/^OpenSSH_/);
    expect(up.facts.keyExchange).toMatch(/25519/);
    expect(up.facts.cipher).not.toBeNull();
    const client = await Client.connect(lab, up.localPort);
    await client.echo('hello through the tunnel');
    const stages = tunnel.reports.flatMap((report) => (report.type === 'stage' ? [report.stage] : []));
    expect(stages).toEqual([
      'opening-listener',
      'opening-socket',
      'verifying-host-key',
      'authenticating',
      'opening-forward',
    ]);
    await tunnel.close();
    await noSshLeft();
    expect(privateDirs().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('passes on the end of one direction and leaves the other open', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    await client.echo('before the end');
    client.socket.end('last words');
    await client.closed();
    expect(client.received.toString()).toBe('before the endlast words');
  });
});

describe('keys', () => {
  it('asks for the passphrase of an encrypted key, says when it was wrong, and never writes it down', async () => {
    const secret = 'correct-horse-battery';
    const key = createKeyPair({ passphrase: secret });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const first = await tunnel.openPrompt('passphrase');
    expect(first).toMatchObject({ keyPath: tunnel.file('id_test'), wasWrong: false });
    const second = await tunnel.answerPrompt(first, passphrase('wrong-and-secret'), 'passphrase');
    expect(second).toMatchObject({ keyPath: tunnel.file('id_test'), wasWrong: true });
    await tunnel.answerUp(second, passphrase(secret));
    expect(JSON.stringify(tunnel.reports)).not.toMatch(/correct-horse|wrong-and-secret/);
    const commands = execFileSync('ps', ['axeww', '-o', 'command'], { encoding: 'utf8', maxBuffer: 64e6 });
    expect(commands).not.toMatch(/correct-horse|wrong-and-secret/);
  });

  it('takes a passphrase that looks like shell', async () => {
    const secret = ` -n "$HOME" \\n '\`x\` % é `;
    const key = createKeyPair({ passphrase: secret });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const asked = await tunnel.openPrompt('passphrase');
    await tunnel.answerUp(asked, passphrase(secret));
  });

  it('goes on without a passphrase that no pipe of ssh would take', async () => {
    const sshd = await lab.startSshd({ clientKeys: [createKeyPair({ passphrase: 'short' })] });
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const asked = await tunnel.openPrompt('passphrase');
    await tunnel.answerFailed(asked, passphrase('é'.repeat(4_000)), 'passphrase-wrong');
  });

  it('says that no passphrase opened the key', async () => {
    const sshd = await lab.startSshd({ clientKeys: [createKeyPair({ passphrase: 'secret' })] });
    const tunnel = await opensshTo(lab, sshd, echo.port, { options: ['NumberOfPasswordPrompts=2'] });
    const first = await tunnel.openPrompt('passphrase');
    const second = await tunnel.answerPrompt(first, passphrase('no'), 'passphrase');
    const facts = await tunnel.answerFailed(second, passphrase('still no'), 'passphrase-wrong');
    expect(facts).toEqual({ path: tunnel.file('id_test'), host: '127.0.0.1' });
  });

  it('says why the agent gave no key', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port, {
      identityFiles: [],
      options: ['IdentitiesOnly=no', 'IdentityFile=none'],
      env: { SSH_AUTH_SOCK: '/nonexistent/agent' },
    });
    expect(await tunnel.openFailed('auth-rejected')).toMatchObject({ tried: [], agent: 'missing' });
  });

  it('leaves nothing behind when the question is still open at the end', async () => {
    const before = privateDirs();
    const sshd = await lab.startSshd({ clientKeys: [createKeyPair({ passphrase: 'never given' })] });
    const tunnel = await opensshTo(lab, sshd, echo.port);
    await tunnel.openPrompt('passphrase');
    await tunnel.close();
    await noSshLeft();
    expect(privateDirs().filter((name) => !before.includes(name))).toEqual([]);
  });

  it('uses the agent', async () => {
    const sshd = await lab.startSshd();
    const agent = await lab.startSshAgent({ keys: [sshd.clientKey] });
    const tunnel = await opensshTo(lab, sshd, echo.port, {
      identityFiles: [],
      options: ['IdentitiesOnly=no', 'IdentityFile=none'],
      env: { SSH_AUTH_SOCK: agent.socket },
    });
    const up = await tunnel.openUp();
    expect(up.facts.credentialFingerprint).toBe(sshd.clientKey.fingerprint);
  });

  it('uses a user certificate, and trusts a host by its certificate', async () => {
    const [userAuthority, hostAuthority, key] = [createKeyPair(), createKeyPair(), createKeyPair()];
    const sshd = await lab.startSshd({ userAuthority, hostAuthority, clientKeys: [createKeyPair()] });
    const tunnel = await opensshTo(lab, sshd, echo.port, { trusted: false });
    const { publicKey, privateKey } = key;
    tunnel.write('id_test', privateKey);
    tunnel.write('id_test.pub', `${publicKey}\n`);
    const certificate = createCertificate({ publicKey, authority: userAuthority, principals: [sshd.user] });
    tunnel.write('id_test-cert.pub', `${certificate}\n`);
    const place = `[127.0.0.1]:${sshd.port}`;
    tunnel.write('known_hosts', `@cert-authority ${place} ${hostAuthority.publicKey}\n`);
    const up = await tunnel.openUp();
    expect(up.facts.hostKeyFingerprint).toBe(sshd.hostKeys[0]?.fingerprint);
    expect(up.facts.credentialFingerprint).toBe(key.fingerprint);
  });

  it('says what was tried and what the server offers when it refuses', async () => {
    const sshd = await lab.startSshd();
    sshd.setAuthorizedKeys([]);
    const tunnel = await opensshTo(lab, sshd, echo.port);
    expect(await tunnel.openFailed('auth-rejected')).toEqual({
      user: sshd.user,
      host: '127.0.0.1',
      offered: ['publickey'],
      tried: [tunnel.file('id_test')],
    });
    await noSshLeft();
  });

  it('names a key file that ssh does not take', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const path = tunnel.write('id_test', sshd.clientKey.privateKey, 0o644);
    expect(await tunnel.openFailed('key-unreadable')).toEqual({ path, reason: 'permission' });
  });

  it('names too many keys', async () => {
    const sshd = await lab.startSshd({ config: ['MaxAuthTries 2'] });
    const tunnel = await opensshTo(lab, sshd, echo.port, { identityFiles: [] });
    const files = [1, 2, 3].map((n) => tunnel.write(`id_${n}`, createKeyPair().privateKey));
    const { openssh } = tunnel.config;
    if (openssh === null) throw new Error('no command');
    const targetArgs = [...files.flatMap((file) => ['-i', file]), ...openssh.targetArgs];
    tunnel.set({ openssh: { ...openssh, targetArgs } });
    const facts = await tunnel.openFailed('auth-too-many');
    expect(facts.tried.length).toBeGreaterThan(0);
  });
});

describe('a password', () => {
  const unavailable = accountsUnavailable();
  it.skipIf(unavailable !== null)('is asked for, and again when it was wrong', async () => {
    const accounts = createAccounts(lab.folder('accounts'), [{ name: 'ada', password: 'lovelace-1815' }]);
    const sshd = await lab.startSshd({
      accounts,
      config: ['PasswordAuthentication yes', 'KbdInteractiveAuthentication no', 'UsePAM yes'],
    });
    const tunnel = await opensshTo(lab, sshd, echo.port, { identityFiles: [] });
    const first = await tunnel.openPrompt('password');
    expect(first).toMatchObject({ user: 'ada', host: '127.0.0.1', wasWrong: false });
    const wrong: TunnelAnswer = { type: 'password', password: 'byron-1788' };
    const second = await tunnel.answerPrompt(first, wrong, 'password');
    expect(second.wasWrong).toBe(true);
    const up = await tunnel.answerUp(second, { type: 'password', password: 'lovelace-1815' });
    expect(up.facts).toMatchObject({ authenticatedWith: 'password', credentialFingerprint: null });
    expect(JSON.stringify(tunnel.reports)).not.toMatch(/lovelace|byron/);
  });

  it.skipIf(unavailable !== null).each([6, 2])(
    'is what was wrong when it was refused, where the server counts to %i',
    async (tries) => {
      const accounts = createAccounts(lab.folder('accounts'), [{ name: 'ada', password: 'lovelace-1815' }]);
      const sshd = await lab.startSshd({
        accounts,
        config: ['PasswordAuthentication yes', `MaxAuthTries ${tries}`],
      });
      const options = ['NumberOfPasswordPrompts=2', 'PreferredAuthentications=password'];
      const tunnel = await opensshTo(lab, sshd, echo.port, { identityFiles: [], options });
      const wrong: TunnelAnswer = { type: 'password', password: 'byron-1788' };
      const second = await tunnel.answerPrompt(await tunnel.openPrompt('password'), wrong, 'password');
      const facts = await tunnel.answerFailed(second, wrong, 'auth-rejected');
      expect(facts).toMatchObject({ user: 'ada', tried: ['password'], offered: ['publickey', 'password'] });
    },
  );

  it.skipIf(unavailable !== null)(
    'is asked for in the words of the server, and again when it was wrong',
    async () => {
      const accounts = createAccounts(lab.folder('accounts'), [{ name: 'ada', password: 'lovelace-1815' }]);
      const sshd = await lab.startSshd({
        accounts,
        config: ['PasswordAuthentication no', 'KbdInteractiveAuthentication yes', 'UsePAM yes'],
      });
      const tunnel = await opensshTo(lab, sshd, echo.port, { identityFiles: [] });
      const answer: TunnelAnswer = { type: 'responses', responses: ['lovelace-1815'] };
      const first = await tunnel.openPrompt('keyboard-interactive');
      expect(first).toMatchObject({ user: 'ada', prompts: [{ text: 'Password:', echo: false }] });
      const wrong: TunnelAnswer = { type: 'responses', responses: ['byron-1788'] };
      const second = await tunnel.answerPrompt(first, wrong, 'keyboard-interactive');
      expect(second.wasWrong).toBe(true);
      const up = await tunnel.answerUp(second, answer);
      expect(up.facts.authenticatedWith).toBe('keyboard-interactive');
    },
  );
  if (unavailable !== null) console.warn(`skipped: ${unavailable}`);
});

describe('trust', () => {
  it('asks for an unknown key, and ssh writes the accepted one down', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port, { trusted: false });
    const asked = await tunnel.openPrompt('host-key');
    const fingerprint = sshd.hostKeys[0]?.fingerprint;
    expect(asked).toMatchObject({
      host: '127.0.0.1',
      port: sshd.port,
      keyType: 'ssh-ed25519',
      fingerprint,
      knownHostsFile: tunnel.file('known_hosts'),
      otherKnownTypes: [],
      jump: null,
    });
    expect(existsSync(tunnel.file('known_hosts'))).toBe(false);
    await tunnel.answerUp(asked, trust(asked));
    expect(readFileSync(tunnel.file('known_hosts'), 'utf8')).toContain(
      `[127.0.0.1]:${sshd.port} ssh-ed25519`,
    );
    // And from now on nothing is asked.
    await tunnel.openUp();
  });

  it('trusts nothing when the answer names another key', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port, { trusted: false });
    const asked = await tunnel.openPrompt('host-key');
    await tunnel.answerFailed(asked, trust({ fingerprint: 'SHA256:else' }), 'host-key-declined');
    expect(existsSync(tunnel.file('known_hosts'))).toBe(false);
  });

  it.each(['ask', 'no'])(
    'refuses a changed key with StrictHostKeyChecking %s, both fingerprints shown',
    async (strict) => {
      const sshd = await lab.startSshd();
      const tunnel = await opensshTo(lab, sshd, echo.port, { options: [`StrictHostKeyChecking=${strict}`] });
      const [before] = sshd.hostKeys;
      await sshd.rotateHostKey();
      expect(await tunnel.openFailed('host-key-changed')).toEqual({
        host: '127.0.0.1',
        port: sshd.port,
        keyType: 'ssh-ed25519',
        offeredFingerprint: sshd.hostKeys[0]?.fingerprint,
        known: [
          {
            keyType: 'ssh-ed25519',
            fingerprint: before?.fingerprint,
            file: tunnel.file('known_hosts'),
            line: 1,
          },
        ],
      });
      expect(sshd.counts()).toMatchObject({ accepted: 0, failed: 0 });
    },
  );

  it('takes no greeting of a server for words of ssh on host keys', async () => {
    const sshd = await lab.startSshd();
    const banner = join(lab.folder('banner'), 'text');
    const greeted = await lab.startSshd({ config: [`Banner ${banner}`] });
    const tunnel = await opensshTo(lab, greeted, echo.port, { identityFiles: [] });
    tunnel.write('known_hosts', greeted.knownHostsLine() + sshd.knownHostsLine());
    const words = [
      `Offending ED25519 key in ${tunnel.file('known_hosts')}:2`,
      `Host key for [127.0.0.1]:${sshd.port} has changed and you have requested strict checking.`,
      `Host key for [127.0.0.1]:${greeted.port} has changed and you have requested strict checking.`,
    ];
    writeFileSync(banner, `${words.join('\n')}\n`, { mode: 0o644 });
    expect(await tunnel.openFailed('auth-rejected')).toMatchObject({ host: '127.0.0.1' });
  });

  it('refuses a revoked key and says where that is written', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    tunnel.write('known_hosts', `# mine\n@revoked * ${sshd.hostKeys[0]?.publicKey ?? ''}\n`);
    expect(await tunnel.openFailed('host-key-revoked')).toEqual({
      host: '127.0.0.1',
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      file: tunnel.file('known_hosts'),
      line: 2,
    });
  });

  it('refuses an unknown key where the user wants no question', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port, {
      trusted: false,
      options: ['StrictHostKeyChecking=yes'],
    });
    expect(await tunnel.openFailed('host-key-unknown')).toMatchObject({
      host: '127.0.0.1',
      port: sshd.port,
      keyType: 'ssh-ed25519',
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      file: tunnel.file('known_hosts'),
    });
  });
});

describe('a security key', () => {
  // No such hardware here: this ssh asks as the real one does, and then goes on to the real one.
  it('shows that it waits for a touch, and takes the notice back when ssh does', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const flag = tunnel.file('touched');
    const script = [
      '#!/bin/sh',
      'case " $* " in *" -G "*) exec ssh "$@";; esac',
      'SSH_ASKPASS_PROMPT=none "$SSH_ASKPASS" "Confirm user presence for key ED25519-SK SHA256:abc" &',
      `while [ ! -e '${flag}' ]; do sleep 0.1; done`,
      'kill $!',
      'wait $!',
      'exec ssh "$@"',
    ];
    const command = tunnel.write('fake-ssh', `${script.join('\n')}\n`, 0o755);
    const { openssh } = tunnel.config;
    if (openssh === null) throw new Error('no command');
    tunnel.set({ openssh: { ...openssh, command } });
    const notice = await tunnel.openPrompt('notice');
    expect(notice.text).toBe('Confirm user presence for key ED25519-SK SHA256:abc');
    writeFileSync(flag, '');
    await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'question-over' }> =>
        report.type === 'question-over' && report.promptId === notice.id,
      'the notice to go',
    );
    await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'up' }> => report.type === 'up',
      'up',
    );
  });
});
