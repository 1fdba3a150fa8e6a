import { describe, expect, it } from 'vitest';
import { TestSecrets } from '../../../src/main/app/connection-test.ts';
import { GatewayPromptMemory } from '../../../src/main/app/prompt-memory.ts';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import type { TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { failure } from '../../../src/shared/connection-failure.ts';
import type { UserPrompt } from '../../../src/shared/connection-state.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';
import { MemorySecrets } from '../../support/fakes/memory-secrets.ts';
import {
  sampleHostKeyPrompt,
  sampleInteractivePrompt as interactive,
  samplePassphrasePrompt as passphrase,
  samplePasswordPrompt as password,
} from '../../support/fakes/sample-prompts.ts';

function hop(change: Partial<SshHop> = {}): SshHop {
  const place = { name: 'homelab', host: 'homelab.example', port: 22, user: 'ops' };
  const knownHostsFiles = { user: ['/dev/null'], global: [] };
  const algorithms = { kex: [], cipher: [], hmac: [], serverHostKey: [] };
  return { ...plainHop({ ...place, knownHostsFiles, algorithms }), ...change };
}
function way(target: SshHop = hop(), jumps: SshHop[] = []): TunnelConfig {
  const forward = { host: '127.0.0.1', port: 18789 };
  const rest = {
    proxyCommand: null,
    openssh: null,
    handOver: false,
    lastCredential: null,
    forward,
    localPort: 18789,
  };
  return { transport: 'ssh2', target, jumps, ...rest };
}

const rejected = failure('auth-rejected', { user: 'ops', host: 'homelab', offered: [], tried: [] });
const lost = failure('link-lost', { host: 'homelab', detail: '' });
const onlyPassword: UserPrompt = {
  ...interactive,
  prompts: [{ text: 'Password: ', echo: false }],
};

/** One run of the app over a keychain. */
class Run {
  readonly secrets: MemorySecrets;
  readonly logger = new MemoryLogger();
  readonly noted: string[] = [];
  readonly memory: GatewayPromptMemory;

  constructor(secrets = new MemorySecrets()) {
    this.secrets = secrets;
    this.memory = new GatewayPromptMemory({
      gatewayId: 'g1',
      secrets,
      logger: this.logger,
      noteSecret: (value) => this.noted.push(value),
    });
  }
  begin(config: TunnelConfig = way()): void {
    this.memory.begin(config);
  }
  /** What memory says, else what is typed; in either case it is given. */
  async ask(prompt: UserPrompt, typed: string, remember = false): Promise<string> {
    const known = await this.memory.recall(prompt);
    const answer =
      known ??
      (prompt.type === 'passphrase'
        ? ({ type: 'passphrase', passphrase: typed, remember } as const)
        : prompt.type === 'password'
          ? ({ type: 'password', password: typed, remember } as const)
          : ({ type: 'responses', responses: [typed], remember } as const));
    this.memory.offer(prompt, answer);
    return 'passphrase' in answer
      ? answer.passphrase
      : 'password' in answer
        ? answer.password
        : 'responses' in answer
          ? (answer.responses[0] ?? '')
          : answer.type;
  }
  /** One attempt with one question that gets through. */
  async comeUp(prompt: UserPrompt, typed: string, remember = false, config = way()): Promise<string> {
    this.begin(config);
    const given = await this.ask(prompt, typed, remember);
    await this.memory.proveRight();
    return given;
  }
  /** The same keychain after a restart. */
  restarted(): Run {
    return new Run(this.secrets);
  }
}

describe('what SSH was answered with', () => {
  it.each([
    ['passphrase', passphrase],
    ['password', password],
    ['the only hidden question, for a password', onlyPassword],
  ] as const)(
    'is not asked again in this run, and after a restart only where kept: %s',
    async (_, prompt) => {
      const run = new Run();
      await run.comeUp(prompt, 'first');
      expect(await run.comeUp(prompt, 'asked')).toBe('first');
      expect([run.secrets.writes, run.memory.isKept]).toEqual([0, false]);
      expect(await run.restarted().comeUp(prompt, 'second', true)).toBe('second');
      expect(run.memory.isKept).toBe(true);
      const later = run.restarted();
      expect(await later.comeUp(prompt, 'asked')).toBe('second');
      expect(later.noted, 'must not show in a log').toContain('second');
    },
  );

  it('is not kept of what will be another the next time', async () => {
    const run = new Run();
    const code: UserPrompt = { ...interactive, prompts: [{ text: 'Verification code: ', echo: false }] };
    for (const prompt of [code, interactive]) expect(await run.comeUp(prompt, 'once', true)).toBe('once');
    expect(await run.comeUp(code, 'anew')).toBe('anew');
    expect(run.memory.isKept).toBe(false);
  });

  it('is kept only once a connection came up with it', async () => {
    const run = new Run();
    run.begin();
    await run.ask(password, 'wrong', true);
    await run.memory.fail(lost);
    run.begin();
    await run.memory.proveRight();
    expect(run.memory.isKept).toBe(false);
    expect(await run.comeUp(password, 'asked')).toBe('asked');
  });

  it('of several tries is the last one', async () => {
    const run = new Run();
    run.begin();
    await run.ask(password, 'wrong', true);
    await run.ask({ ...password, wasWrong: true }, 'right', true);
    await run.memory.proveRight();
    expect(await run.restarted().comeUp(password, 'asked')).toBe('right');
  });

  it.each([password, passphrase] as const)(
    'that proves wrong is sent once and forgotten: $type',
    async (prompt) => {
      const first = new Run();
      await first.comeUp(prompt, 'old', true);
      for (const run of [first, first.restarted()]) {
        run.begin();
        await run.ask(prompt, 'asked');
        expect(await run.memory.recall({ ...prompt, wasWrong: true })).toBeNull();
        expect(run.memory.isKept).toBe(false);
        run.begin();
        expect(await run.memory.recall(prompt)).toBeNull();
      }
    },
  );

  it('that the server refused without asking again is not sent at the next attempt', async () => {
    const run = new Run();
    await run.comeUp(password, 'old', true);
    run.begin();
    expect(await run.ask(password, 'asked')).toBe('old');
    await run.memory.fail(rejected);
    run.begin();
    expect(await run.memory.recall(password)).toBeNull();
    expect(run.memory.isKept).toBe(false);
  });

  it('is not given to a second method after the first one refused it', async () => {
    const run = new Run();
    await run.comeUp(password, 'old', true);
    run.begin();
    expect(await run.ask(password, 'asked')).toBe('old');
    expect(await run.memory.recall(onlyPassword)).toBeNull();
  });

  it('survives a link that was lost, and a refusal by another server', async () => {
    const run = new Run();
    await run.comeUp(password, 'right', true);
    for (const reason of [lost, { ...rejected, facts: { ...rejected.facts, user: 'other' } }]) {
      run.begin();
      await run.ask(password, 'asked');
      await run.memory.fail(reason);
    }
    expect(await run.comeUp(password, 'asked')).toBe('right');
  });

  it('serves twice in an attempt that begins anew behind a jump whose next host was not trusted yet', async () => {
    const run = new Run();
    const jump = hop({ name: 'bastion', host: 'bastion.example' });
    run.begin(way(hop(), [jump]));
    const atJump = { ...password, host: 'bastion' };
    await run.ask(atJump, 'jump');
    run.memory.offer(sampleHostKeyPrompt, { type: 'trust-host-key', fingerprint: 'SHA256:x' });
    expect(await run.ask(atJump, 'asked')).toBe('jump');
    expect(await run.ask(password, 'target')).toBe('target');
  });
});

describe('a password', () => {
  const elsewhere: readonly (readonly [string, TunnelConfig])[] = [
    ['an alias that leads to another host now', way(hop({ host: 'elsewhere.example' }))],
    ['another port', way(hop({ port: 2222 }))],
    ['another account', way(hop({ user: 'root' }))],
    ['the same address behind a jump', way(hop(), [hop({ name: 'bastion', host: 'bastion.example' })])],
    ['one of two servers of the same name', way(hop(), [hop({ host: 'other.example' })])],
  ];
  it.each(elsewhere)('is never offered to %s', async (_what, config) => {
    const run = new Run();
    await run.comeUp(password, 'secret', true);
    run.begin(config);
    for (const user of ['ops', 'root']) expect(await run.memory.recall({ ...password, user })).toBeNull();
  });

  it('is the same by alias, by host name and by HostKeyAlias', async () => {
    const run = new Run();
    const config = way(hop({ hostKeyAlias: 'lab' }));
    await run.comeUp(password, 'secret', false, config);
    for (const host of ['homelab', 'homelab.example', 'lab'])
      expect(await run.comeUp({ ...password, host }, 'asked', false, config)).toBe('secret');
  });

  it('of a server that the way does not lead to is not kept at all', async () => {
    const run = new Run();
    expect(await run.comeUp({ ...password, host: 'stranger' }, 'x', true)).toBe('x');
    expect(run.memory.isKept).toBe(false);
  });

  it('is forgotten alone where another target is named, together with the rest on demand', async () => {
    const run = new Run();
    await run.comeUp(password, 'secret', true);
    await run.comeUp(passphrase, 'opens', true);
    await run.memory.forgetPasswords();
    expect(await run.comeUp(passphrase, 'asked')).toBe('opens');
    expect(await run.comeUp(password, 'asked')).toBe('asked');
    await run.memory.forgetAll();
    expect([run.memory.isKept, await run.comeUp(passphrase, 'anew')]).toEqual([false, 'anew']);
  });
});

describe('a keychain', () => {
  it('that refuses is not in the way of the run', async () => {
    const run = new Run();
    run.secrets.failWrites = true;
    await run.comeUp(password, 'secret', true);
    expect(await run.comeUp(password, 'asked')).toBe('secret');
    expect(run.logger.of('ssh.secret-not-kept')).toHaveLength(1);
    expect(JSON.stringify(run.logger.lines)).not.toContain('secret"');
    run.secrets.failReads = true;
    expect(await run.restarted().comeUp(password, 'typed')).toBe('typed');
  });

  it.each(['no json', '[]', '{"password ops@homelab.example:22":7}'])(
    'that holds something else than it should holds nothing: %s',
    async (text) => {
      const run = new Run(new MemorySecrets({ 'ssh-secrets:g1': text }));
      expect(await run.comeUp(password, 'typed', true)).toBe('typed');
      expect(await run.restarted().comeUp(password, 'asked')).toBe('typed');
    },
  );

  it('never holds more of one gateway than its file takes', async () => {
    const run = new Run();
    for (let key = 0; key < 40; key += 1)
      await run.comeUp({ ...passphrase, keyPath: `/keys/${key}` }, 'x'.repeat(1_000), true);
    expect(run.secrets.values.get('ssh-secrets:g1')?.length).toBeLessThan(13_000);
    const last = { ...passphrase, keyPath: '/keys/39' };
    expect(await run.restarted().comeUp(last, 'asked')).toBe('x'.repeat(1_000));
  });

  it('is read and never written by a test of the connection', async () => {
    const run = new Run();
    await run.comeUp(password, 'secret', true);
    const none = { token: null, password: null, isElsewhere: false };
    const secrets = new TestSecrets(run.secrets, { id: 'g1', mode: 'ssh' }, none);
    const { logger } = run;
    const memory = new GatewayPromptMemory({ gatewayId: 'g1', secrets, logger, noteSecret: () => undefined });
    memory.begin(way());
    expect(await memory.recall(password)).toMatchObject({ password: 'secret' });
    expect(await memory.recall({ ...password, wasWrong: true })).toBeNull();
    expect(memory.isKept).toBe(false);
    expect(await run.restarted().comeUp(password, 'asked')).toBe('secret');
  });
});
