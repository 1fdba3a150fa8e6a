import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import type { TunnelReport } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { matchesHosts, parseKnownHosts } from '../../../src/main/node/ssh/known-hosts.ts';
import { DEFAULT_ALGORITHMS } from '../../../src/main/node/ssh/ssh-algorithms.ts';
import { fingerprintOf } from '../../../src/main/node/ssh/public-key-blob.ts';
import { createKeyPair, knownHostsLine, type KeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { hashed } from './known-hosts-cases.ts';
import { startEcho, tunnelTo, type TunnelFixture } from './tunnel-fixture.ts';

const PARALLEL = 4;

/** Each case is given to the real client too, with a copy of the same files: both must leave the same. */
let lab: Lab;
let gatewayPort: number;
let sshd: Sshd;
let ed: KeyPair;
let ec: KeyPair;
let rsa: KeyPair;
let oldEd: KeyPair;
let oldRsa: KeyPair;

beforeAll(async () => {
  lab = await createLab({ label: 'update-host-keys' });
  gatewayPort = (await startEcho(lab)).port;
  sshd = await lab.startSshd({ hostKeyTypes: ['ed25519', 'ecdsa', 'rsa'] });
  [ed, ec, rsa] = sshd.hostKeys as [KeyPair, KeyPair, KeyPair];
  oldEd = createKeyPair();
  oldRsa = createKeyPair({ type: 'rsa' });
}, 60_000);
afterAll(() => lab.close());

interface Case {
  readonly name: string;
  /** Null: there is no such file. */
  readonly user: string | null;
  readonly second?: string;
  readonly global?: string;
  readonly hop?: Partial<
    Pick<SshHop, 'hostKeyAlias' | 'hashKnownHosts' | 'updateHostKeys' | 'strictHostKeyChecking'>
  >;
  /** HostKeyAlgorithms. */
  readonly algorithms?: readonly string[];
  readonly changes: boolean;
}

function at(key: KeyPair, host = '127.0.0.1', port = sshd.port): string {
  return `${knownHostsLine(key.publicKey, host, port)}\n`;
}

function under(names: string, key: KeyPair): string {
  return `${names} ${key.publicKey.split(' ').slice(0, 2).join(' ')}\n`;
}

function cases(): readonly Case[] {
  const name = `[127.0.0.1]:${sshd.port}`;
  const current = at(ed);
  return [
    { name: 'learns the keys of further types', user: current, changes: true },
    { name: 'has nothing to learn', user: at(rsa) + at(ed) + at(ec), changes: false },
    { name: 'forgets a key that the server has no longer', user: at(oldEd) + current, changes: true },
    { name: 'forgets without learning', user: at(oldRsa) + current + at(ec) + at(rsa), changes: true },
    {
      name: 'keeps comments, other hosts and broken lines',
      user: `# mine\n\n${at(oldEd, 'other', 22)}broken\n|1|a|b c\n${current}# end\n`,
      changes: true,
    },
    {
      name: 'adds the newline that is missing at the end',
      user: `# mine\n${current.trimEnd()}`,
      changes: true,
    },
    {
      name: 'keeps CRLF',
      user: `# mine\r\n${at(oldEd).replace('\n', '\r\n')}${current.replace('\n', '\r\n')}`,
      changes: true,
    },
    { name: 'learns by a line with the address too', user: under(`${name},192.0.2.1`, ed), changes: true },
    { name: 'leaves a list of names alone', user: under(`${name},a,b`, ed), changes: false },
    { name: 'leaves a wildcard alone', user: under('*', ed), changes: false },
    {
      name: 'leaves a host alone of which a wildcard has another key',
      user: under('*', oldRsa) + current,
      changes: false,
    },
    {
      name: 'leaves a host with an authority alone',
      user: `${current}@cert-authority ${at(oldEd)}`,
      changes: false,
    },
    {
      name: 'leaves a host with a revoked key alone',
      user: `${current}@revoked ${at(oldEd)}`,
      changes: false,
    },
    {
      name: 'leaves keys alone that stand under another name',
      user: current + at(ec, 'other', 22),
      changes: false,
    },
    {
      name: 'leaves keys alone of which an old one stands under another name',
      user: current + at(oldEd) + at(oldEd, 'other', 22),
      changes: false,
    },
    { name: 'does not learn by the global file', user: '', global: at(ed), changes: false },
    {
      name: 'does not learn by the global file, though the user’s is not empty',
      user: at(oldEd, 'other', 22),
      global: at(ed),
      changes: false,
    },
    { name: 'does not learn by the name without its port', user: at(ed, '127.0.0.1', 22), changes: false },
    {
      name: 'does not learn from a key that it took unasked',
      user: '',
      hop: { strictHostKeyChecking: 'accept-new' },
      changes: true,
    },
    { name: 'gathers the keys in the first file', user: current, second: at(oldRsa) + at(ec), changes: true },
    { name: 'learns by the second file', user: '# first\n', second: current, changes: true },
    {
      name: 'loses no name where the first file is missing',
      user: null,
      second: at(ed) + at(ec) + at(rsa),
      changes: false,
    },
    {
      name: 'goes by the alias',
      user: at(ed, 'alias', 22) + at(oldRsa, 'alias', 22),
      hop: { hostKeyAlias: 'alias' },
      changes: true,
    },
    {
      name: 'writes hashes where the configuration says so',
      user: current,
      hop: { hashKnownHosts: true },
      changes: true,
    },
    {
      name: 'knows its hashes again',
      user: under(hashed(name), ed) + under(hashed(name, 9), oldRsa),
      hop: { hashKnownHosts: true },
      changes: true,
    },
    {
      name: 'learns only types that the configuration asks for',
      user: current,
      algorithms: ['ssh-ed25519', 'rsa-sha2-512'],
      changes: true,
    },
    {
      name: 'forgets types that the configuration excludes',
      user: current + at(ec),
      algorithms: ['ssh-ed25519'],
      changes: true,
    },
    {
      name: 'does nothing when it is switched off',
      user: at(oldEd) + current,
      hop: { updateHostKeys: 'no' },
      changes: false,
    },
    {
      name: 'does nothing where it would have to ask',
      user: at(oldEd) + current,
      hop: { updateHostKeys: 'ask' },
      changes: false,
    },
  ];
}

interface Files {
  readonly user: readonly string[];
  readonly global: readonly string[];
}

function write(dir: string, given: Case): Files {
  const make = (name: string, text: string | null | undefined): string[] => {
    if (text === undefined) return [];
    const path = join(dir, name);
    if (text !== null) writeFileSync(path, text, 'latin1');
    return [path];
  };
  const user = [...make('known_hosts', given.user), ...make('known_hosts2', given.second)];
  return { user, global: make('ssh_known_hosts', given.global) };
}

function textsOf(files: Files): readonly (string | null)[] {
  return [...files.user, ...files.global].map((path) =>
    existsSync(path) ? readFileSync(path, 'latin1') : null,
  );
}

/** Hashes have a random salt: every one of this host becomes its name. */
function withoutSalt(texts: readonly (string | null)[]): readonly (string | null)[] {
  const name = `[127.0.0.1]:${sshd.port}`;
  return texts.map(
    (text) =>
      text?.replace(/^\|1\|\S+/gm, (hosts) => (matchesHosts(hosts, name) ? `hash of ${name}` : hosts)) ??
      null,
  );
}

async function withSsh(given: Case, files: Files, keyFile: string): Promise<string> {
  const { hop = {}, algorithms } = given;
  const options: Record<string, string> = {
    BatchMode: 'yes',
    LogLevel: 'DEBUG3',
    StrictHostKeyChecking: hop.strictHostKeyChecking ?? 'yes',
    UserKnownHostsFile: files.user.join(' '),
    GlobalKnownHostsFile: files.global[0] ?? '/dev/null',
    UpdateHostKeys: hop.updateHostKeys ?? 'yes',
    HashKnownHosts: hop.hashKnownHosts === true ? 'yes' : 'no',
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    IdentityFile: keyFile,
    ...(hop.hostKeyAlias == null ? {} : { HostKeyAlias: hop.hostKeyAlias }),
    ...(algorithms === undefined ? {} : { HostKeyAlgorithms: algorithms.join(',') }),
  };
  const args = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return new Promise((resolve, reject) => {
    const target = ['-p', String(sshd.port), '-l', sshd.user, '--', '127.0.0.1', 'true'];
    execFile('ssh', ['-F', 'none', ...args, ...target], { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(stderr.slice(-3_000)));
    });
  });
}

type LogReport = Extract<TunnelReport, { type: 'log' }>;

function learning(tunnel: TunnelFixture): Promise<LogReport> {
  return tunnel.wait(
    (report): report is LogReport => report.type === 'log' && report.event.startsWith('ssh.host-keys-'),
    'the server’s keys to be looked at',
  );
}

async function tunnelWith(files: Files, target: Partial<SshHop>): Promise<TunnelFixture> {
  const tunnel = await tunnelTo(lab, sshd, gatewayPort, { trusted: false });
  const knownHostsFiles = { user: [...files.user], global: [...files.global] };
  tunnel.setTarget({ knownHostsFiles, strictHostKeyChecking: 'yes', ...target });
  return tunnel;
}

/** What differs, in words; nothing when both leave the same. */
async function compare(given: Case): Promise<string[]> {
  const theirs = write(lab.folder('theirs'), given);
  const ours = write(lab.folder('ours'), given);
  const before = textsOf(ours);
  const { algorithms, hop = {} } = given;
  const serverHostKey = [...(algorithms ?? DEFAULT_ALGORITHMS.serverHostKey)];
  const tunnel = await tunnelWith(ours, { ...hop, algorithms: { ...DEFAULT_ALGORITHMS, serverHostKey } });
  const [output, report] = await Promise.all([
    withSsh(given, theirs, tunnel.file('id_test')),
    tunnel.openUp().then(() => learning(tunnel)),
  ]);
  await tunnel.close();
  const differing: string[] = [];
  const [left, made] = [withoutSalt(textsOf(theirs)), withoutSalt(textsOf(ours))];
  if (JSON.stringify(left) !== JSON.stringify(made)) {
    differing.push(
      `${given.name}: ssh leaves\n${JSON.stringify(left, null, 1)}\nwe\n${JSON.stringify(made, null, 1)}\n${JSON.stringify(report.fields)}\n${output.slice(-1_500)}`,
    );
  }
  if ((JSON.stringify(textsOf(theirs)) !== JSON.stringify(before)) !== given.changes) {
    differing.push(`${given.name}: ssh did not do what the case is about\n${output.slice(-3_000)}`);
  }
  return differing;
}

describe('UpdateHostKeys, with OpenSSH as the oracle', () => {
  it('leaves the same files as the real client, in every case', async () => {
    const differing: string[] = [];
    const waiting = [...cases()];
    const worker = async (): Promise<void> => {
      for (let given = waiting.shift(); given !== undefined; given = waiting.shift()) {
        differing.push(...(await compare(given)));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    console.log(`UpdateHostKeys: ${cases().length} cases compared with ssh`);
    expect(differing).toEqual([]);
  }, 120_000);
});

describe('a server that changes its keys step by step', () => {
  it('is never unknown and never changed to who connects in between', async () => {
    const first = createKeyPair();
    const next = createKeyPair();
    await sshd.setHostKeys([first]);
    const dir = lab.folder('rotation');
    const file = join(dir, 'known_hosts');
    writeFileSync(file, at(first));
    const connect = async (): Promise<LogReport> => {
      const tunnel = await tunnelWith({ user: [file], global: [] }, {});
      await tunnel.openUp();
      const report = await learning(tunnel);
      await tunnel.close();
      return report;
    };
    const onFile = (): string[] =>
      parseKnownHosts(readFileSync(file, 'latin1'), file).map((entry) => fingerprintOf(entry.blob));

    expect((await connect()).event).toBe('ssh.host-keys-kept');
    await sshd.setHostKeys([first, next]);
    expect(await connect()).toMatchObject({
      event: 'ssh.host-keys-updated',
      fields: { learnt: next.fingerprint },
    });
    expect(onFile()).toEqual([first.fingerprint, next.fingerprint]);
    await sshd.setHostKeys([next]);
    expect(await connect()).toMatchObject({ fields: { learnt: '', deprecated: first.fingerprint } });
    expect(onFile()).toEqual([next.fingerprint]);
  }, 60_000);

  it('is learnt from after the person trusted its key, as ssh does after "yes"', async () => {
    await sshd.setHostKeys([ed, ec]);
    const file = join(lab.folder('asked'), 'known_hosts');
    const tunnel = await tunnelWith({ user: [file], global: [] }, { strictHostKeyChecking: 'ask' });
    const prompt = await tunnel.openPrompt('host-key');
    await tunnel.answerUp(prompt, { type: 'trust-host-key', fingerprint: prompt.fingerprint });
    expect(await learning(tunnel)).toMatchObject({ event: 'ssh.host-keys-updated' });
    expect(readFileSync(file, 'utf8')).toBe(at(ed) + at(ec));
  });
});
