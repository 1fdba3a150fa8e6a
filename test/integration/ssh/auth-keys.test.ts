import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TunnelAnswer } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { failureKind } from '../../../src/shared/connection-failure.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { createKeyPair, type KeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { findProgram } from '../../support/lab/programs.ts';
import { startEcho, tunnelTo, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'auth-keys' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

const passphrase = (text: string): TunnelAnswer => ({ type: 'passphrase', passphrase: text });

function questionsOf(tunnel: TunnelFixture): readonly string[] {
  return tunnel.reports.flatMap((report) => (report.type === 'needs-user' ? [report.prompt.type] : []));
}

/** Key files in this order, none of them named by the settings. */
function useFiles(tunnel: TunnelFixture, keys: readonly KeyPair[]): string[] {
  const paths = keys.map((key, index) => tunnel.write(`id_${index}`, key.privateKey));
  tunnel.setTarget({ identityFiles: paths, identityFileIsExplicit: false });
  return paths;
}

describe("PuTTY's key files", () => {
  const formats = ['ppk', 'ppk2'] as const;
  const types = ['ed25519', 'ecdsa', 'rsa'] as const;
  beforeEach((context) => {
    if (findProgram('puttygen') === null)
      context.skip('no puttygen on this machine (apt install putty-tools)');
  });
  const cases = formats.flatMap((format) => types.map((type) => [format, type] as const));

  it.each(cases)('log in: %s, %s', async (format, type) => {
    const key = createKeyPair({ type, format });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    expect(up.facts.credentialFingerprint).toBe(key.fingerprint);
  });

  it.each(cases)('log in with their passphrase: %s, %s', async (format, type) => {
    const key = createKeyPair({ type, format, passphrase: 'correct horse', comment: 'Grüße' });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const first = await tunnel.openPrompt('passphrase');
    const second = await tunnel.answerPrompt(first, passphrase('wrong horse'), 'passphrase');
    expect(second.wasWrong).toBe(true);
    await tunnel.answerUp(second, passphrase('correct horse'));
    expect(JSON.stringify(tunnel.reports)).not.toContain('horse');
  });

  it('are refused where a byte was changed', async () => {
    const key = createKeyPair({ format: 'ppk' });
    const sshd = await lab.startSshd({ clientKeys: [key] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = tunnel.write('id_test', key.privateKey.replace('Comment: ', 'Comment: x'));
    expect(await tunnel.openFailed('key-unreadable')).toEqual({ path, reason: 'ppk' });
    expect(failureKind('key-unreadable')).toBe('blocked');
    tunnel.useKey(key);
    await tunnel.openUp();
    recordFault({
      row: 38,
      part: 'PPK version 3',
      layer: 'core',
      injected: 'a key file of PuTTY, version 3, of which one byte was changed',
      shown: 'key-unreadable, with the path and that it is a file of PuTTY that cannot be read; no retry',
      tookMs: null,
      limitMs: null,
      control: 'the unchanged file logs in',
    });
  });
});

describe('a key file that the configuration names', () => {
  it('is named where it does not exist and nothing else is there', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = tunnel.file('id_gone');
    tunnel.setTarget({ identityFiles: [path], identityFileIsExplicit: false });
    expect(await tunnel.openFailed('no-credentials')).toMatchObject({ looked: [path], missing: [path] });
    const defaults = ['id_rsa', 'id_ecdsa', 'id_ed25519'].map((name) => tunnel.file(name));
    tunnel.setTarget({ identityFiles: defaults });
    expect(await tunnel.openFailed('no-credentials')).not.toHaveProperty('missing');
  });
});

describe('RSA keys', () => {
  it.each(['rsa-sha2-512', 'rsa-sha2-256'])('log in where the server takes %s only', async (algorithm) => {
    const key = createKeyPair({ type: 'rsa' });
    const sshd = await lab.startSshd({
      clientKeys: [key],
      config: [`PubkeyAcceptedAlgorithms ${algorithm}`],
    });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
    await sshd.waitForLog(/Accepted publickey/);
  });

  it.each(['rsa-sha2-512', 'rsa-sha2-256'])('of an agent do the same: %s', async (algorithm) => {
    const key = createKeyPair({ type: 'rsa', comment: 'held' });
    const agent = await lab.startSshAgent({ keys: [key] });
    const sshd = await lab.startSshd({
      clientKeys: [key],
      config: [`PubkeyAcceptedAlgorithms ${algorithm}`],
    });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket: agent.socket });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe('ssh-agent: held');
  });

  it('never sign with SHA-1', async () => {
    const key = createKeyPair({ type: 'rsa' });
    const sshd = await lab.startSshd({ clientKeys: [key], config: ['PubkeyAcceptedAlgorithms ssh-rsa'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const facts = await tunnel.openFailed('auth-rejected');
    expect(facts).toMatchObject({ tried: [tunnel.file('id_test')], offered: ['publickey'] });
  });
});

describe('an encrypted key', () => {
  it('is asked about only after the server has accepted its public half', async () => {
    const locked = createKeyPair({ passphrase: 'secret' });
    const right = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [right] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const [, rightPath] = useFiles(tunnel, [locked, right]);
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(rightPath);
    expect(questionsOf(tunnel)).toEqual([]);
  });

  it('in PEM is known by the public key beside it', async () => {
    const locked = createKeyPair({ type: 'rsa', format: 'pem', passphrase: 'secret' });
    const right = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [right] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const [lockedPath] = useFiles(tunnel, [locked, right]);
    tunnel.write('id_0.pub', `${locked.publicKey}\n`);
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).not.toBe(lockedPath);
    expect(questionsOf(tunnel)).toEqual([]);
  });

  it('that is never opened gives its turn to the next one', async () => {
    const locked = createKeyPair({ passphrase: 'secret' });
    const right = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [locked, right] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const [lockedPath, rightPath] = useFiles(tunnel, [locked, right]);
    tunnel.setTarget({ numberOfPasswordPrompts: 2 });
    const first = await tunnel.openPrompt('passphrase');
    expect(first.keyPath).toBe(lockedPath);
    const second = await tunnel.answerPrompt(first, passphrase('no'), 'passphrase');
    const up = await tunnel.answerUp(second, passphrase('still no'));
    expect(up.facts.authenticatedWith).toBe(rightPath);
  });

  it('that no passphrase opened is named where nothing else lets in', async () => {
    const locked = createKeyPair({ passphrase: 'secret' });
    const sshd = await lab.startSshd({ clientKeys: [locked] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ numberOfPasswordPrompts: 2 });
    const first = await tunnel.openPrompt('passphrase');
    const second = await tunnel.answerPrompt(first, passphrase('no'), 'passphrase');
    const facts = await tunnel.answerFailed(second, passphrase('still no'), 'passphrase-wrong');
    expect(facts).toEqual({ path: tunnel.file('id_test'), host: '127.0.0.1' });
  });

  it('is not asked about where the server takes no keys', async () => {
    const locked = createKeyPair({ type: 'rsa', format: 'pem', passphrase: 'secret' });
    const sshd = await lab.startSshd({
      clientKeys: [locked],
      config: ['PubkeyAuthentication no', 'PasswordAuthentication yes'],
    });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ methods: ['publickey'] });
    expect(await tunnel.openFailed('auth-rejected')).toMatchObject({ tried: [], offered: ['password'] });
    expect(questionsOf(tunnel)).toEqual([]);
  });

  it('of type Ed25519 may be PKCS#8', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const pem = privateKey
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
      .toString();
    const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const name = Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20', 'latin1');
    const line = `ssh-ed25519 ${Buffer.concat([name, point]).toString('base64')} mine`;
    const template = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [{ ...template, privateKey: pem, publicKey: line }] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const prompt = await tunnel.openPrompt('passphrase');
    await tunnel.answerUp(prompt, passphrase('secret'));
  });
});

describe('a public key as identity file', () => {
  it('picks the key of the agent, and with IdentitiesOnly no other is offered', async () => {
    const [right, ...others] = Array.from({ length: 5 }, (_, index) =>
      createKeyPair({ comment: `k${index}` }),
    );
    if (right === undefined) throw new Error('no key');
    const agent = await lab.startSshAgent({ keys: [...others, right] });
    const sshd = await lab.startSshd({ clientKeys: [right] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = tunnel.write('work.pub', `${right.publicKey}\n`, 0o644);
    tunnel.setTarget({ identityFiles: [path], identitiesOnly: true, agentSocket: agent.socket });
    const up = await tunnel.openUp();
    expect(up.facts).toMatchObject({
      authenticatedWith: 'ssh-agent: k0',
      credentialFingerprint: right.fingerprint,
    });
    expect(sshd.counts().failed).toBe(0);
  });

  it('stands for the private key beside it', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = tunnel.write('id_test.pub', `${sshd.clientKey.publicKey}\n`, 0o644);
    tunnel.setTarget({ identityFiles: [path], identityFileIsExplicit: true });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(tunnel.file('id_test'));
  });

  it('without an agent that holds it and without its private key is named as missing', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const path = tunnel.write('other.pub', `${createKeyPair().publicKey}\n`, 0o644);
    tunnel.setTarget({ identityFiles: [path], identityFileIsExplicit: true });
    const facts = await tunnel.openFailed('key-unreadable');
    expect(facts).toEqual({ path: tunnel.file('other'), reason: 'missing' });
  });
});

describe('the tries that a server allows', () => {
  it('are enough for the third key where it allows two: one new connection, in the same attempt', async () => {
    const right = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [right], config: ['MaxAuthTries 2'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const paths = useFiles(tunnel, [createKeyPair(), createKeyPair(), right]);
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(paths[2]);
    expect(sshd.counts().connections).toBe(2);
  });

  it('end an attempt after two connections; the next attempt begins with what was not tried', async () => {
    const right = createKeyPair();
    const sshd = await lab.startSshd({ clientKeys: [right], config: ['MaxAuthTries 2'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const wrong = Array.from({ length: 4 }, () => createKeyPair());
    const paths = useFiles(tunnel, [...wrong, right]);
    const facts = await tunnel.openFailed('auth-too-many');
    expect(facts.tried).toEqual(paths.slice(0, 4));
    expect(sshd.counts().connections).toBe(2);
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe(paths[4]);
    expect(sshd.counts().connections).toBe(3);
  });

  it('are not used up again where everything was tried', async () => {
    const sshd = await lab.startSshd({ config: ['MaxAuthTries 2'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const paths = useFiles(tunnel, [createKeyPair(), createKeyPair()]);
    const facts = await tunnel.openFailed('auth-too-many');
    expect(facts.tried).toEqual(paths);
    expect(sshd.counts().connections).toBe(1);
  });

  it('are counted anew behind a jump host as well', async () => {
    const right = createKeyPair();
    const jump = await lab.startSshd();
    const sshd = await lab.startSshd({ clientKeys: [right], config: ['MaxAuthTries 2'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const jumpKey = tunnel.write('id_jump', jump.clientKey.privateKey);
    const lines = [jump.knownHostsLine(), sshd.knownHostsLine()];
    tunnel.write('known_hosts', lines.join(''));
    const { target } = tunnel.config;
    const { port, user } = jump;
    tunnel.set({ jumps: [{ ...target, name: 'jump', port, user, identityFiles: [jumpKey] }] });
    const paths = useFiles(tunnel, [createKeyPair(), createKeyPair(), right]);
    const up = await tunnel.openUp();
    expect(up.facts).toMatchObject({ authenticatedWith: paths[2], via: ['jump'] });
    expect(jump.counts()).toMatchObject({ connections: 1, accepted: 1 });
    expect(sshd.counts().connections).toBe(2);
  });

  it('suffice for the last of 12 keys of an agent when it is the one that worked last time', async () => {
    const keys = Array.from({ length: 12 }, (_, index) => createKeyPair({ comment: `k${index}` }));
    const right = keys[11];
    if (right === undefined) throw new Error('no key');
    const agent = await lab.startSshAgent({ keys });
    const sshd = await lab.startSshd({ clientKeys: [right] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket: agent.socket });
    tunnel.set({ lastCredential: right.fingerprint });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe('ssh-agent: k11');
    expect(sshd.counts()).toMatchObject({ connections: 1, failed: 0 });
  });

  it('suffice for the ninth of 12 keys of an agent without knowing it', async () => {
    const keys = Array.from({ length: 12 }, (_, index) => createKeyPair({ comment: `k${index}` }));
    const right = keys[8];
    if (right === undefined) throw new Error('no key');
    const agent = await lab.startSshAgent({ keys });
    const sshd = await lab.startSshd({ clientKeys: [right] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.setTarget({ identityFiles: [], identityFileIsExplicit: false, agentSocket: agent.socket });
    const up = await tunnel.openUp();
    expect(up.facts.authenticatedWith).toBe('ssh-agent: k8');
    expect(sshd.counts().connections).toBe(2);
    expect(sshd.log()).not.toContain('Too many authentication failures');
  });
});
