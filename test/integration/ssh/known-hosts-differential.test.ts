import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadKnownHosts } from '../../../src/main/node/ssh/known-hosts-file.ts';
import {
  certAuthorityOf,
  judgeHostKey,
  knownHostsName,
  matchesHosts,
  type KnownHostsEntry,
} from '../../../src/main/node/ssh/known-hosts.ts';
import { createKeyPair, type KeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { findSshd } from '../../support/lab/sshd.ts';
import {
  hashed,
  knownHostsCases,
  type CaseKeys,
  type KnownHostsCase,
  type Verdict,
} from './known-hosts-cases.ts';

/**
 * OpenSSH's client is the oracle: it meets a real sshd (run by its ProxyCommand, so that any name and port leads there) with
 * the same files, and ssh-keygen looks the name up in them.
 */
const PARALLEL = 4;
const MIN_CASES = 60;

interface Said {
  readonly verdict: Verdict | 'no verdict';
  /** `file:line` of the line that decided, where something was accepted. */
  readonly at: string | null;
}

interface Outcome {
  readonly theirs: Said;
  readonly ours: Said;
  readonly theirLines: readonly string[];
  readonly ourLines: readonly string[];
  readonly authority: KnownHostsEntry | null;
  readonly output: string;
}

let lab: Lab;
let keys: CaseKeys;
let sshdConfig: string;
let cases: readonly KnownHostsCase[];
const outcomes = new Map<string, Outcome>();

beforeAll(async () => {
  lab = await createLab({ label: 'known-hosts' });
  const dir = lab.folder('server');
  const named = (name: string, type: KeyPair['type']): KeyPair => {
    const key = createKeyPair({ type });
    writeFileSync(join(dir, name), key.privateKey, { mode: 0o600 });
    writeFileSync(join(dir, `${name}.pub`), `${key.publicKey}\n`);
    return key;
  };
  const ed = named('host_ed25519', 'ed25519');
  const authority = named('authority', 'ed25519');
  execFileSync(
    'ssh-keygen',
    [
      '-q',
      '-s',
      join(dir, 'authority'),
      '-I',
      'id',
      '-h',
      '-n',
      'certified.example',
      join(dir, 'host_ed25519.pub'),
    ],
    { stdio: 'ignore' },
  );
  const certificate = readFileSync(join(dir, 'host_ed25519-cert.pub'), 'utf8')
    .split(' ')
    .slice(0, 2)
    .join(' ');
  keys = {
    ed,
    ec: named('host_ecdsa', 'ecdsa'),
    rsa: named('host_rsa', 'rsa'),
    otherEd: createKeyPair(),
    otherEc: createKeyPair({ type: 'ecdsa' }),
    otherRsa: createKeyPair({ type: 'rsa' }),
    authority,
    certificate,
  };
  sshdConfig = join(dir, 'sshd_config');
  writeFileSync(
    sshdConfig,
    [
      ...['ed25519', 'ecdsa', 'rsa'].map((type) => `HostKey ${join(dir, `host_${type}`)}`),
      `HostCertificate ${join(dir, 'host_ed25519-cert.pub')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      '',
    ].join('\n'),
  );
  cases = knownHostsCases(keys);
  const waiting = [...cases.entries()];
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        outcomes.set(next[1].name, await compare(next[1], next[0]));
      }
    }),
  );
}, 300_000);
afterAll(() => lab.close());

async function compare(given: KnownHostsCase, index: number): Promise<Outcome> {
  const dir = lab.folder(`case-${index}`);
  const write = (name: string, text: string | undefined): string[] => {
    if (text === undefined) return [];
    writeFileSync(join(dir, name), text, 'latin1');
    return [join(dir, name)];
  };
  const user = [...write('known_hosts', given.text), ...write('known_hosts2', given.second)];
  const global = write('ssh_known_hosts', given.global);
  const host = given.alias ?? given.host ?? 'h.example';
  const port = given.alias === undefined ? (given.port ?? 22) : 22;

  const output = await askSsh(given, user, global);
  const found = /Found (?:CA )?key in (.*:\d+)/.exec(output)?.[1] ?? null;
  const theirs: Said = { verdict: verdictOf(output), at: found };

  const entries = await loadKnownHosts([...user, ...global]);
  if (!entries.ok) throw new Error(entries.error.code);
  const offered = offeredKey(given.algorithm);
  const verdict = judgeHostKey(entries.value, host, port, Buffer.from(offered, 'base64'));
  const name = knownHostsName(host, port);
  const ourLines = entries.value
    .filter((entry) => matchesHosts(entry.hosts, name))
    .map((entry) => `${entry.file}:${entry.line}`);
  const theirLines: string[] = [];
  for (const file of [...user, ...global]) theirLines.push(...(await findLines(name, file)));
  return {
    theirs,
    ours: {
      verdict: verdict.type === 'trusted' ? 'accepted' : verdict.type,
      at: verdict.type === 'trusted' ? `${verdict.entry.file}:${verdict.entry.line}` : null,
    },
    theirLines,
    ourLines,
    authority: certAuthorityOf(entries.value, host, port),
    output,
  };
}

function offeredKey(algorithm = 'ssh-ed25519'): string {
  const key = algorithm.startsWith('rsa') ? keys.rsa : algorithm.startsWith('ecdsa') ? keys.ec : keys.ed;
  return key.publicKey.split(' ')[1] ?? '';
}

function askSsh(given: KnownHostsCase, user: readonly string[], global: readonly string[]): Promise<string> {
  const options = {
    BatchMode: 'yes',
    LogLevel: 'DEBUG1',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: user.join(' '),
    GlobalKnownHostsFile: global[0] ?? '/dev/null',
    HostKeyAlgorithms: given.algorithm ?? 'ssh-ed25519',
    PreferredAuthentications: 'none',
    IdentityAgent: 'none',
    IdentityFile: 'none',
    ProxyCommand: `${findSshd() ?? ''} -i -f ${sshdConfig} -E /dev/null`,
    ...(given.alias === undefined ? {} : { HostKeyAlias: given.alias }),
  };
  const args = Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const target = ['-p', String(given.port ?? 22), '-l', 'nobody', '--', given.host ?? 'h.example', 'true'];
  return run('ssh', ['-F', 'none', ...args, ...target]);
}

/** With `-l` ssh-keygen reads the key of each line, as the client does; without, only its type. */
async function findLines(name: string, file: string): Promise<string[]> {
  const output = await run('ssh-keygen', ['-l', '-F', name, '-f', file]);
  return [...output.matchAll(/^# Host .* found: line (\d+)/gm)].map((match) => `${file}:${match[1] ?? ''}`);
}

/** Both outputs of a program; how it ends is in them. */
function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 30_000, encoding: 'latin1' }, (_error, stdout, stderr) =>
      resolve(`${stdout}${stderr}`),
    );
  });
}

function verdictOf(output: string): Said['verdict'] {
  if (output.includes('REVOKED HOST KEY DETECTED')) return 'revoked';
  if (output.includes('REMOTE HOST IDENTIFICATION HAS CHANGED')) return 'changed';
  if (/No \S+ host key is known for/.test(output)) return 'unknown';
  if (/is known and matches the/.test(output) && output.includes('Permission denied')) return 'accepted';
  return 'no verdict';
}

function outcomeOf(given: KnownHostsCase): Outcome {
  const outcome = outcomes.get(given.name);
  if (outcome === undefined) throw new Error(`Two cases are called ${given.name}`);
  return outcome;
}

describe('known_hosts, with OpenSSH as the oracle', () => {
  it('is compared over enough files, each with a verdict of OpenSSH’s', () => {
    const wrong = cases
      .map((given) => ({ given, outcome: outcomeOf(given) }))
      .filter(({ given, outcome }) => outcome.theirs.verdict !== given.verdict)
      .map(({ given, outcome }) => `${given.name}: ${outcome.theirs.verdict}\n${outcome.output.slice(-800)}`);
    const counts = Object.fromEntries(
      (['accepted', 'unknown', 'changed', 'revoked'] as const).map((verdict) => [
        verdict,
        cases.filter((given) => given.verdict === verdict).length,
      ]),
    );
    console.log(`known_hosts differential: ${cases.length} files, OpenSSH says ${JSON.stringify(counts)}`);
    expect(wrong).toEqual([]);
    expect(outcomes.size).toBe(cases.length);
    expect(cases.length).toBeGreaterThanOrEqual(MIN_CASES);
  });

  it('judges as OpenSSH does, by the same line, but where it differs on purpose', () => {
    const differing: string[] = [];
    const onPurpose: string[] = [];
    for (const given of cases) {
      const { theirs, ours } = outcomeOf(given);
      if (given.ours === undefined) {
        if (ours.verdict !== theirs.verdict || ours.at !== theirs.at) {
          differing.push(`${given.name}: ssh ${JSON.stringify(theirs)}, we ${JSON.stringify(ours)}`);
        }
      } else if (ours.verdict === given.ours.verdict && ours.verdict !== theirs.verdict) {
        onPurpose.push(
          `  ${given.name}: ssh says ${theirs.verdict}, we ${ours.verdict}: ${given.ours.reason}`,
        );
      } else {
        differing.push(`${given.name}: differs otherwise than listed, we say ${ours.verdict}`);
      }
    }
    console.log(
      `known_hosts differential: ${cases.length - onPurpose.length} equal, ${onPurpose.length} differ on purpose:\n${onPurpose.join('\n')}`,
    );
    expect(differing).toEqual([]);
  });

  it('never accepts what OpenSSH refuses', () => {
    const laxer = cases.filter((given) => {
      const { theirs, ours } = outcomeOf(given);
      return ours.verdict === 'accepted' && theirs.verdict !== 'accepted';
    });
    expect(laxer.map((given) => given.name)).toEqual([]);
  });

  it('finds the same lines as ssh-keygen -F', () => {
    let found = 0;
    const differing = cases.flatMap((given) => {
      const { theirLines, ourLines } = outcomeOf(given);
      found += theirLines.length;
      return JSON.stringify(theirLines) === JSON.stringify(ourLines)
        ? []
        : [`${given.name}: ssh-keygen ${JSON.stringify(theirLines)}, we ${JSON.stringify(ourLines)}`];
    });
    console.log(`known_hosts differential: ssh-keygen -F finds ${found} lines in ${cases.length} cases`);
    expect(differing).toEqual([]);
  });

  it('finds the authority wherever OpenSSH accepts by certificate', () => {
    for (const given of cases) {
      const { authority, theirs, output } = outcomeOf(given);
      if (!/matches the .* host certificate/.test(output)) continue;
      expect(authority === null ? null : `${authority.file}:${authority.line}`).toBe(theirs.at);
    }
    const revoked = cases.find((given) => given.name === 'a revoked authority');
    expect(revoked === undefined ? null : outcomeOf(revoked).authority).toBeNull();
  });

  it('finds the same lines as ssh-keygen in files made at random', async () => {
    const names = ['h', 'H', 'h.example', '[h]:2222', 'fe80::1%lo', '*', '?', 'g'];
    const host = fc
      .array(
        fc.oneof(
          fc.constantFrom(...names, '!h', '!*.example', '*.example', '[*]:*', '', '!', '|'),
          fc.constantFrom(...['h', 'h.example', '[h]:2222'].map((name) => hashed(name))),
        ),
        { minLength: 1, maxLength: 3 },
      )
      .map((parts) => parts.join(','));
    const texts = [keys.ed, keys.ec, keys.rsa].map((key) => key.publicKey.split(' ').slice(0, 2).join(' '));
    const mutation = fc.tuple(
      fc.nat(400),
      fc.constantFrom('', ' ', '\t', '\r', '=', 'A', '!', '#', '\0', '@', '-'),
    );
    const key = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...texts, keys.certificate) },
      {
        weight: 2,
        arbitrary: fc
          .tuple(fc.constantFrom(...texts), mutation)
          .map(
            ([text, [at, put]]) =>
              `${text.slice(0, at % text.length)}${put}${text.slice((at % text.length) + 1)}`,
          ),
      },
      { weight: 1, arbitrary: fc.constantFrom('1024 35 12345', 'ssh-ed25519', 'ssh-rsa #', '') },
    );
    const marker = fc.constantFrom('', '', '', '', '@revoked', '@cert-authority', '@other', '@');
    const blank = fc.constantFrom(' ', ' ', ' ', '\t', '  ', '\t ');
    const line = fc
      .tuple(
        fc.constantFrom('', '', '', ' ', '\t', '#', '\r'),
        marker,
        blank,
        host,
        blank,
        key,
        fc.constantFrom('', ' me', '\r', ' # x\r'),
      )
      .map(
        ([indent, mark, gap, hosts, gap2, text, end]) =>
          `${indent}${mark === '' ? '' : `${mark}${gap}`}${hosts}${gap2}${text}${end}`,
      );
    // The seed is fixed: a run that differs from the last one is a change of ours or of OpenSSH's.
    const files = fc.sample(fc.array(line, { minLength: 20, maxLength: 40 }), {
      numRuns: 40,
      seed: 20_261_123,
    });
    const path = join(lab.folder('random'), 'known_hosts');
    const differing: string[] = [];
    let found = 0;
    for (const lines of files) {
      writeFileSync(path, lines.join('\n'), 'latin1');
      const entries = await loadKnownHosts([path]);
      if (!entries.ok) throw new Error(entries.error.code);
      for (const name of ['h', 'h.example', '[h]:2222', 'fe80::1%lo']) {
        const theirs = await findLines(name, path);
        found += theirs.length;
        const ours = entries.value
          .filter((entry) => matchesHosts(entry.hosts, name))
          .map((entry) => `${entry.file}:${entry.line}`);
        for (const at of new Set([...theirs, ...ours])) {
          if (theirs.includes(at) && ours.includes(at)) continue;
          const text = lines[Number(at.slice(at.lastIndexOf(':') + 1)) - 1];
          differing.push(
            `${name}, found by ${theirs.includes(at) ? 'ssh-keygen' : 'us'} alone: ${JSON.stringify(text)}`,
          );
        }
      }
    }
    const count = files.reduce((sum, lines) => sum + lines.length, 0);
    console.log(`known_hosts differential: ${count} lines made at random, found ${found} times alike`);
    expect(differing).toEqual([]);
    expect(found).toBeGreaterThan(200);
  }, 60_000);
});
