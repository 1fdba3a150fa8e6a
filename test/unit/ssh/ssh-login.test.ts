import { generateKeyPairSync } from 'node:crypto';
import type { AnyAuthMethod } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import type { TunnelAnswer } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { LoginHistory, LoginMemory } from '../../../src/main/node/ssh/login-history.ts';
import { fingerprintOf } from '../../../src/main/node/ssh/public-key-blob.ts';
import { DEFAULT_ALGORITHMS } from '../../../src/main/node/ssh/ssh-algorithms.ts';
import type { Credential } from '../../../src/main/node/ssh/ssh-credentials.ts';
import { KeyRing } from '../../../src/main/node/ssh/ssh-keys.ts';
import { SshLogin, type SshLoginDeps } from '../../../src/main/node/ssh/ssh-login.ts';
import { wireString } from '../../../src/main/node/ssh/ssh-wire-reader.ts';
import type { Question } from '../../../src/main/node/tunnel/tunnel-session.ts';

function ed25519(label: string): Credential {
  const { publicKey } = generateKeyPairSync('ed25519');
  const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  const blob = Buffer.concat([wireString('ssh-ed25519'), wireString(point)]);
  return { type: 'agent-key', label, blob, socketPath: '/nowhere' };
}

function rsa(label: string): Credential {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { n, e } = publicKey.export({ format: 'jwk' });
  const modulus = Buffer.concat([Buffer.alloc(1), Buffer.from(n ?? '', 'base64url')]);
  const exponent = Buffer.from(e ?? '', 'base64url');
  const blob = Buffer.concat([wireString('ssh-rsa'), wireString(exponent), wireString(modulus)]);
  return { type: 'agent-key', label, blob, socketPath: '/nowhere' };
}

/** A server that refuses everything, and what it was shown. */
class Login {
  readonly questions: Question[] = [];
  readonly history: LoginHistory;
  readonly login: SshLogin;

  constructor(
    credentials: readonly Credential[],
    hop: Partial<SshHop> = {},
    more: Partial<SshLoginDeps> & { answer?: TunnelAnswer } = {},
  ) {
    this.history = more.history ?? new LoginHistory();
    this.login = new SshLogin({
      hop: {
        ...plainHop({
          name: 'h',
          host: 'h',
          port: 22,
          user: 'u',
          knownHostsFiles: { user: ['/k'], global: [] },
          algorithms: DEFAULT_ALGORITHMS,
        }),
        ...hop,
      },
      credentials,
      lastCredential: null,
      keyRing: new KeyRing(),
      memory: new LoginMemory(),
      stop: new AbortController().signal,
      ask: (question) => {
        this.questions.push(question);
        return Promise.resolve(more.answer ?? { type: 'password', password: 'p' });
      },
      onStep: () => undefined,
      onWait: () => undefined,
      onNote: () => undefined,
      ...more,
      history: this.history,
    });
  }

  /** Names of the methods, keys with their algorithm, and the end. */
  async refuseAll(offered: readonly string[], limit = 30): Promise<string[]> {
    const shown: string[] = [];
    for (let count = 0; count < limit; count += 1) {
      const step = await this.login.next();
      if (step.type !== 'method') return [...shown, step.type];
      shown.push(await nameOf(step.method));
      this.login.onFailure(offered, false);
    }
    return shown;
  }
}

function nameOf(method: AnyAuthMethod): Promise<string> {
  if (method.type !== 'agent' || typeof method.agent === 'string') return Promise.resolve(method.type);
  const { agent } = method;
  return new Promise((resolve) => {
    agent.getIdentities((_error, keys) => {
      const [key] = keys ?? [];
      resolve((key as unknown as { type: string }).type);
    });
  });
}

describe('a login', () => {
  it('begins with a key that it has, and never asks for what the server does not offer', async () => {
    const login = new Login([ed25519('a')]);
    expect(await login.refuseAll(['publickey'])).toEqual(['ssh-ed25519', 'exhausted']);
    expect(login.questions).toEqual([]);
  });

  it('without a key learns the methods first', async () => {
    const login = new Login([]);
    expect(await login.refuseAll(['publickey', 'hostbased'])).toEqual(['none', 'exhausted']);
    expect(login.questions).toEqual([]);
  });

  it('keeps the order of the configuration', async () => {
    const methods: SshHop['methods'] = ['password', 'publickey'];
    const login = new Login([ed25519('a')], { methods, numberOfPasswordPrompts: 2 });
    const shown = await login.refuseAll(['publickey', 'password', 'keyboard-interactive']);
    expect(shown).toEqual(['none', 'password', 'password', 'ssh-ed25519', 'exhausted']);
    expect(login.questions.map((question) => 'wasWrong' in question && question.wasWrong)).toEqual([
      false,
      true,
    ]);
  });

  it('tries the second algorithm of RSA keys last', async () => {
    const login = new Login([rsa('r'), ed25519('e')]);
    expect(await login.refuseAll(['publickey'])).toEqual([
      'rsa-sha2-512',
      'ssh-ed25519',
      'rsa-sha2-256',
      'exhausted',
    ]);
  });

  it('takes only RSA algorithms that the server names', async () => {
    const login = new Login([rsa('r')]);
    login.login.onSignatureAlgorithms(['ssh-ed25519', 'rsa-sha2-256']);
    expect(await login.refuseAll(['publickey'])).toEqual(['rsa-sha2-256', 'exhausted']);
  });

  it('never offers an RSA key where the server names SHA-1 only', async () => {
    const login = new Login([rsa('r')]);
    login.login.onSignatureAlgorithms(['ssh-rsa']);
    expect(await login.refuseAll(['publickey'])).toEqual(['none', 'exhausted']);
  });

  it('offers five keys a connection, and asks for a second connection once', async () => {
    const keys = Array.from({ length: 12 }, (_, index) => ed25519(`k${index}`));
    const history = new LoginHistory();
    const first = await new Login(keys, {}, { history }).refuseAll(['publickey']);
    expect(first).toEqual([...Array<string>(5).fill('ssh-ed25519'), 'again']);
    const second = await new Login(keys, {}, { history }).refuseAll(['publickey']);
    expect(second).toEqual([...Array<string>(5).fill('ssh-ed25519'), 'exhausted']);
    expect(history.tried).toEqual(keys.slice(0, 10).map(({ label }) => label));
    expect(history.hasLeftOver).toBe(true);
  });

  it('leaves tries for a password on the second connection', async () => {
    const keys = Array.from({ length: 12 }, (_, index) => ed25519(`k${index}`));
    const history = new LoginHistory();
    await new Login(keys, {}, { history }).refuseAll(['publickey', 'password']);
    const second = await new Login(keys, {}, { history }).refuseAll(['publickey', 'password']);
    expect(second.filter((name) => name === 'ssh-ed25519')).toHaveLength(3);
    expect(second.filter((name) => name === 'password')).toHaveLength(3);
  });

  it('offers the key that worked last time first, and refused ones last', async () => {
    const keys = Array.from({ length: 4 }, (_, index) => ed25519(`k${index}`));
    const memory = new LoginMemory();
    const before = new Login(keys.slice(0, 2), {}, { memory });
    await before.refuseAll(['publickey']);
    const last = keys[3]?.blob;
    const login = new Login(keys, {}, { memory, lastCredential: last ? fingerprintOf(last) : null });
    await login.refuseAll(['publickey']);
    expect(login.history.tried).toEqual(['k3', 'k2', 'k0', 'k1']);
  });

  it('remembers what worked, with its algorithm', async () => {
    const keys = [ed25519('e'), rsa('r')];
    const memory = new LoginMemory();
    const first = new Login(keys, {}, { memory });
    await first.login.next();
    first.login.onFailure(['publickey'], false);
    await first.login.next();
    first.login.onFailure(['publickey'], false);
    await first.login.next();
    expect(first.login.accept().label).toBe('r');
    const second = new Login(keys, {}, { memory });
    expect((await second.refuseAll(['publickey']))[0]).toBe('rsa-sha2-256');
  });

  it('after a partial success goes on with what the server still wants, and tells all of it', async () => {
    const login = new Login([ed25519('a'), ed25519('b')]);
    await login.login.next();
    login.login.onFailure(['publickey'], true);
    await login.login.next();
    login.login.onFailure(['password'], true);
    const step = await login.login.next();
    expect(step).toMatchObject({ type: 'method', method: { type: 'password', password: 'p' } });
    expect(login.login.accept()).toMatchObject({ label: 'a, b, password' });
  });

  it('is over when the session ended while it asked', async () => {
    const login = new Login([], { methods: ['password'] }, { ask: () => Promise.resolve(null) });
    expect(await login.refuseAll(['password'])).toEqual(['none', 'over']);
  });
});
