import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, lstatSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import type { TunnelAnswer } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { removeKnownHosts } from '../../../src/main/node/ssh/known-hosts-file.ts';
import { createKeyPair, knownHostsLine } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { startEcho, tunnelTo, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let gatewayPort: number;

beforeEach(async () => {
  lab = await createLab({ label: 'trust' });
  gatewayPort = (await startEcho(lab)).port;
});
afterEach(() => lab.close());

/** A tunnel whose known_hosts holds this text; null: there is none. */
async function tunnelWith(
  sshd: Sshd,
  knownHosts: string | null,
  target: Partial<SshHop> = {},
): Promise<TunnelFixture> {
  const tunnel = await tunnelTo(lab, sshd, gatewayPort, { trusted: false });
  if (knownHosts !== null) tunnel.write('known_hosts', knownHosts);
  tunnel.setTarget({ updateHostKeys: 'no', ...target });
  return tunnel;
}

function knownHosts(tunnel: TunnelFixture): string {
  return readFileSync(tunnel.file('known_hosts'), 'utf8');
}

function trust(prompt: { readonly fingerprint: string }): TunnelAnswer {
  return { type: 'trust-host-key', fingerprint: prompt.fingerprint };
}

function expectNoAuthentication(sshd: Sshd): void {
  expect(sshd.log()).not.toMatch(/Accepted|Failed|userauth|Postponed|authenticating user/);
}

describe('StrictHostKeyChecking', () => {
  it('yes: an unknown key is refused without a question, before anything is offered', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null, { strictHostKeyChecking: 'yes' });
    expect(await tunnel.openFailed('host-key-unknown')).toEqual({
      host: '127.0.0.1',
      port: sshd.port,
      keyType: 'ssh-ed25519',
      fingerprint: sshd.hostKeys[0]?.fingerprint,
      file: tunnel.file('known_hosts'),
    });
    expectNoAuthentication(sshd);
    expect(existsSync(tunnel.file('known_hosts'))).toBe(false);
  });

  it('yes: a key on file is enough', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, sshd.knownHostsLine(), { strictHostKeyChecking: 'yes' });
    await tunnel.openUp();
  });

  it('accept-new: an unknown key is written down and taken without a question', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, '# mine', { strictHostKeyChecking: 'accept-new' });
    await tunnel.openUp();
    expect(knownHosts(tunnel)).toBe(`# mine\n${sshd.knownHostsLine()}`);
  });

  it('accept-new: a key that cannot be written down is not used', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null, {
      strictHostKeyChecking: 'accept-new',
      knownHostsFiles: { user: ['/dev/full'], global: [] },
    });
    await tunnel.openFailed('known-hosts-unwritable');
    expectNoAuthentication(sshd);
  });

  it('accept-new: a further key of a known host is asked about: it may be an impostor’s', async () => {
    const sshd = await lab.startSshd();
    const other = createKeyPair({ type: 'ecdsa' }).publicKey;
    const tunnel = await tunnelWith(sshd, `${knownHostsLine(other, '127.0.0.1', sshd.port)}\n`, {
      strictHostKeyChecking: 'accept-new',
    });
    const prompt = await tunnel.openPrompt('host-key');
    expect(prompt.otherKnownTypes).toEqual(['ecdsa-sha2-nistp256']);
    expectNoAuthentication(sshd);
  });

  it.each(['ask', 'yes', 'accept-new'] as const)(
    '%s: a changed and a revoked key are refused',
    async (mode) => {
      const sshd = await lab.startSshd();
      const stranger = knownHostsLine(createKeyPair().publicKey, '127.0.0.1', sshd.port);
      const changed = await tunnelWith(sshd, `${stranger}\n`, { strictHostKeyChecking: mode });
      await changed.openFailed('host-key-changed');
      const line = sshd.knownHostsLine();
      const revoked = await tunnelWith(sshd, `${line}@revoked ${line}`, { strictHostKeyChecking: mode });
      await revoked.openFailed('host-key-revoked');
      expectNoAuthentication(sshd);
      expect(knownHosts(changed)).toBe(`${stranger}\n`);
    },
  );
});

describe('which key of a server is asked for', () => {
  it.each([
    ['ed25519', 0],
    ['ecdsa', 1],
    ['rsa', 2],
  ] as const)('the one on file: %s', async (_type, index) => {
    const sshd = await lab.startSshd({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] });
    const line = sshd.knownHostsLine().split('\n')[index] ?? '';
    const tunnel = await tunnelWith(sshd, `${line}\n`, { strictHostKeyChecking: 'yes' });
    const up = await tunnel.openUp();
    expect(up.facts.hostKeyFingerprint).toBe(sshd.hostKeys[index]?.fingerprint);
  });

  it('the one on file, though a better type on file has changed', async () => {
    const sshd = await lab.startSshd({ hostKeyTypes: ['rsa'] });
    const stale = knownHostsLine(createKeyPair().publicKey, '127.0.0.1', sshd.port);
    const tunnel = await tunnelWith(sshd, `${stale}\n${sshd.knownHostsLine()}`, {
      strictHostKeyChecking: 'yes',
    });
    await tunnel.openUp();
  });
});

describe('how an accepted key is written', () => {
  it('hashed where the configuration says so, as ssh-keygen finds it', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null, { hashKnownHosts: true });
    const prompt = await tunnel.openPrompt('host-key');
    await tunnel.answerUp(prompt, trust(prompt));
    expect(knownHosts(tunnel)).toMatch(/^\|1\|[^|]+\|[^ |]+ ssh-ed25519 [^ ]+\n$/);
    expect(knownHosts(tunnel)).not.toContain('127.0.0.1');
    const name = `[127.0.0.1]:${sshd.port}`;
    const found = execFileSync('ssh-keygen', ['-F', name, '-f', tunnel.file('known_hosts')], {
      encoding: 'utf8',
    });
    expect(found).toContain('found: line 1');
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await tunnel.openUp();
  });

  it('under its alias alone, without the port', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null, { hostKeyAlias: 'My-Alias' });
    const prompt = await tunnel.openPrompt('host-key');
    expect(prompt.host).toBe('My-Alias');
    await tunnel.answerUp(prompt, trust(prompt));
    expect(knownHosts(tunnel)).toBe(sshd.knownHostsLine('my-alias', 22));
  });

  it('not at all under a name that would mean other hosts too', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null, { hostKeyAlias: '*' });
    await tunnel.openFailed('host-key-unknown');
    expect(existsSync(tunnel.file('known_hosts'))).toBe(false);
  });

  it('through a symbolic link, which stays one', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null);
    tunnel.write('real', '# real\n');
    symlinkSync('real', tunnel.file('known_hosts'));
    const prompt = await tunnel.openPrompt('host-key');
    await tunnel.answerUp(prompt, trust(prompt));
    expect(readFileSync(tunnel.file('real'), 'utf8')).toBe(`# real\n${sshd.knownHostsLine()}`);
    expect(lstatSync(tunnel.file('known_hosts')).isSymbolicLink()).toBe(true);
  });

  it('nowhere with /dev/null: it connects, and asks the next time again', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelWith(sshd, null, { knownHostsFiles: { user: ['/dev/null'], global: [] } });
    const prompt = await tunnel.openPrompt('host-key');
    await tunnel.answerUp(prompt, trust(prompt));
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await tunnel.openPrompt('host-key');
  });
});

describe('a changed key', () => {
  it('is asked about like a new one once its old lines are removed, and nothing else is', async () => {
    const sshd = await lab.startSshd();
    const other = knownHostsLine(createKeyPair().publicKey, 'elsewhere.example', 22);
    const tunnel = await tunnelWith(sshd, `# mine\n${sshd.knownHostsLine()}${other}\n`);
    await tunnel.openUp();
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    const [fresh] = await sshd.rotateHostKey();
    const facts = await tunnel.openFailed('host-key-changed');
    expect(facts.known.map((key) => key.line)).toEqual([2]);

    expect((await removeKnownHosts(facts.known)).ok).toBe(true);
    expect(knownHosts(tunnel)).toBe(`# mine\n${other}\n`);
    const prompt = await tunnel.openPrompt('host-key');
    expect(prompt).toMatchObject({ fingerprint: fresh?.fingerprint, otherKnownTypes: [] });
    await tunnel.answerUp(prompt, trust(prompt));
    expect(knownHosts(tunnel)).toBe(`# mine\n${other}\n${sshd.knownHostsLine()}`);
  });
});
