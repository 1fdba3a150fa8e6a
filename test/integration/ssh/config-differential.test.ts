import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SshSettings } from '../../../src/shared/gateway-profile.ts';
import { parseSshTarget } from '../../../src/shared/ssh-target.ts';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import type { TunnelConfig } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { resolveSsh } from '../../../src/main/node/ssh/config/resolve-ssh.ts';
import type { SshEnvironment } from '../../../src/main/node/ssh/config/ssh-environment.ts';
import { DEFAULT_ALGORITHMS, SSH2_ALGORITHMS } from '../../../src/main/node/ssh/ssh-algorithms.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { CORPUS, type CorpusCase } from './config-corpus.ts';

const { username, homedir } = userInfo();
const counts = { configurations: 0, targets: 0, equalByLibrary: 0, needOpenssh: 0, invalid: 0 };
let lab: Lab;

beforeAll(async () => {
  lab = await createLab({ label: 'corpus' });
});
afterAll(async () => {
  await lab.close();
  process.stdout.write(`ssh -G as oracle: ${JSON.stringify(counts)}\n`);
});

/** A home folder with the case's files. */
function write(corpusCase: CorpusCase): string {
  const home = lab.folder('home');
  const ssh = join(home, '.ssh');
  const filled = (text: string): string => text.replaceAll('@SSH@', ssh).replaceAll('@USER@', username);
  mkdirSync(ssh, { mode: 0o700 });
  for (const [name, text] of Object.entries({ ...corpusCase.files, config: corpusCase.config })) {
    mkdirSync(dirname(join(ssh, name)), { recursive: true });
    writeFileSync(join(ssh, name), filled(text), { mode: 0o600 });
  }
  return home;
}

async function resolve(target: string, home: string, sshCommand: string | null) {
  const settings: SshSettings = {
    target,
    gatewayPort: 18789,
    localPort: 18790,
    identityFile: '',
    transport: 'ssh2',
    lastCredential: '',
  };
  const environment: SshEnvironment = {
    home,
    passwdHome: homedir,
    user: username,
    agentSocket: '/tmp/agent.sock',
    platform: process.platform,
    sshCommand,
  };
  return resolveSsh(settings, environment);
}

type Printed = ReadonlyMap<string, readonly string[]>;

/** What OpenSSH itself prints; null where it refuses the file. */
function ask(home: string, args: readonly string[]): Printed | null {
  try {
    const text = execFileSync('ssh', ['-G', ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: home },
    });
    const printed = new Map<string, string[]>();
    for (const line of text.split('\n')) {
      const [, keyword = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
      printed.set(keyword, [...(printed.get(keyword) ?? []), value]);
    }
    return printed;
  } catch {
    return null;
  }
}

interface Place {
  readonly host: string;
  readonly user: string | null;
  readonly port: number | null;
}

function placeOf(text: string): Place {
  const parsed = parseSshTarget(text);
  if (!parsed.ok) throw new Error(text);
  return parsed.value;
}

/** The chain that OpenSSH would build, by asking it about each hop as it itself does. */
function oracle(
  target: string,
  home: string,
  jump: string | null = null,
): { readonly chain: Expected[] } | null {
  const place = placeOf(target);
  const printed = ask(home, [
    ...['-F', join(home, '.ssh', 'config')],
    ...(place.user === null ? [] : ['-l', place.user]),
    ...(place.port === null ? [] : ['-p', String(place.port)]),
    ...(jump === null ? [] : ['-J', jump]),
    '--',
    place.host,
  ]);
  if (printed === null) return null;
  const own = expected(printed, place.host, home);
  const through = printed.get('proxyjump')?.[0]?.replaceAll('%r', own.user);
  if (through === undefined || through === 'none') return { chain: [own] };
  const comma = through.lastIndexOf(',');
  const before = oracle(through.slice(comma + 1), home, comma === -1 ? null : through.slice(0, comma));
  return before === null ? null : { chain: [...before.chain, own] };
}

type Expected = ReturnType<typeof expected>;

function expected(printed: Printed, name: string, home: string) {
  const one = (keyword: string): string => printed.get(keyword)?.[0] ?? '';
  const [host, port, user] = [one('hostname'), Number(one('port')), one('user')];
  const atHome = (path: string): string =>
    path.replace(/^~/, home).replace(join(homedir, '.ssh'), join(home, '.ssh'));
  const tokens: Record<string, string> = {
    '%h': host,
    '%n': name,
    '%p': String(port),
    '%r': user,
    '%u': username,
    '%d': home,
    '%%': '%',
  };
  const expand = (text: string): string => text.replaceAll(/%./g, (token) => tokens[token] ?? token);
  const keys = (printed.get('identityfile') ?? [])
    .filter((path) => path !== 'none' && !/\/id_(?:xmss|dsa|ecdsa_sk|ed25519_sk)$/.test(path))
    .map((path) => expand(atHome(path.replaceAll('${HOME}', home))));
  const files = (keyword: string): string[] =>
    one(keyword)
      .replaceAll('/k h', '/k\0h')
      .split(' ')
      .filter((path) => path !== 'none')
      .map((path) => atHome(path.replaceAll('\0', ' ')));
  const defaults = ask(home, ['-F', 'none', 'x']);
  const list = (kind: keyof SshHop['algorithms'], keyword: string): readonly string[] => {
    if (one(keyword) === defaults?.get(keyword)?.[0]) return DEFAULT_ALGORITHMS[kind];
    return one(keyword)
      .split(',')
      .filter((algorithm) => SSH2_ALGORITHMS[kind].has(algorithm));
  };
  const strict = { true: 'yes', false: 'accept-new' }[one('stricthostkeychecking')];
  const preferred = (one('preferredauthentications') || 'publickey,keyboard-interactive,password').split(',');
  const off = [
    one('pubkeyauthentication') === 'false' ? 'publickey' : '',
    one('kbdinteractiveauthentication') === 'no' ? 'keyboard-interactive' : '',
    one('passwordauthentication') === 'no' ? 'password' : '',
  ];
  const agent = one('identityagent');
  return {
    place: [host, port, user],
    user,
    keys,
    identitiesOnly: one('identitiesonly') === 'yes',
    hostKeyAlias: one('hostkeyalias') || null,
    knownHosts: [files('userknownhostsfile'), files('globalknownhostsfile')],
    trust: [
      strict ?? one('stricthostkeychecking'),
      one('hashknownhosts') === 'yes',
      { true: 'yes', false: 'no' }[one('updatehostkeys')] ?? one('updatehostkeys'),
    ],
    agent:
      agent === 'none' ? null : ['', 'SSH_AUTH_SOCK'].includes(agent) ? '/tmp/agent.sock' : atHome(agent),
    methods: preferred.filter((method) => !off.includes(method)),
    prompts: Number(one('numberofpasswordprompts')),
    algorithms: [
      list('kex', 'kexalgorithms'),
      list('cipher', 'ciphers'),
      list('hmac', 'macs'),
      list('serverHostKey', 'hostkeyalgorithms'),
    ],
    timing: [
      one('connecttimeout') === 'none' ? null : Number(one('connecttimeout')) * 1000,
      one('serveraliveinterval') === '0' ? null : Number(one('serveraliveinterval')) * 1000,
      Number(one('serveralivecountmax')),
    ],
    network: [one('addressfamily'), one('bindaddress') || null, one('tcpkeepalive') === 'yes'],
    proxyCommand: expand(one('proxycommand')) || null,
  };
}

function seen(hop: SshHop, proxyCommand: string | null) {
  return {
    place: [hop.host, hop.port, hop.user],
    user: hop.user,
    keys: hop.identityFiles,
    identitiesOnly: hop.identitiesOnly,
    hostKeyAlias: hop.hostKeyAlias,
    knownHosts: [hop.knownHostsFiles.user, hop.knownHostsFiles.global],
    trust: [hop.strictHostKeyChecking, hop.hashKnownHosts, hop.updateHostKeys],
    agent: hop.agentSocket,
    methods: hop.methods,
    prompts: hop.numberOfPasswordPrompts,
    algorithms: [
      hop.algorithms.kex,
      hop.algorithms.cipher,
      hop.algorithms.hmac,
      hop.algorithms.serverHostKey,
    ],
    timing: [hop.connectTimeoutMs, hop.serverAliveIntervalMs, hop.serverAliveCountMax],
    network: [hop.addressFamily, hop.bindAddress, hop.tcpKeepAlive],
    proxyCommand,
  };
}

function seenChain({ target, jumps, proxyCommand }: TunnelConfig) {
  return [...jumps, target].map((hop, index) =>
    seen(hop, index === 0 ? (proxyCommand?.command ?? null) : null),
  );
}

describe('the configuration, with ssh -G as the oracle', () => {
  it('is tried with at least 80 files', () => {
    expect(CORPUS.length).toBeGreaterThanOrEqual(80);
    expect(new Set(CORPUS.map(({ name }) => name)).size).toBe(CORPUS.length);
  });

  it.each(CORPUS)('$name', async (corpusCase) => {
    const home = write(corpusCase);
    counts.configurations += 1;
    for (const target of corpusCase.targets) {
      counts.targets += 1;
      const truth = oracle(target, home);
      const byOpenssh = await resolve(target, home, 'ssh');
      const byLibrary = await resolve(target, home, null);
      if (corpusCase.isInvalid === true) {
        counts.invalid += 1;
        expect(truth, 'OpenSSH refuses it').toBeNull();
        expect(byOpenssh.ok ? byOpenssh.value.target : byOpenssh.error.code).toBe('ssh-config-invalid');
        expect(byLibrary.ok ? byLibrary.value.target : byLibrary.error.code).toBe('ssh-config-needs-openssh');
        continue;
      }
      if (truth === null || !byOpenssh.ok) throw new Error(JSON.stringify(byOpenssh));
      expect(seenChain(byOpenssh.value), `${target} by ssh -G`).toEqual(truth.chain);
      if (corpusCase.needsOpenssh !== undefined) {
        counts.needOpenssh += 1;
        expect(byLibrary.ok ? byLibrary.value.target : byLibrary.error).toEqual({
          code: 'ssh-config-needs-openssh',
          facts: { target, directives: corpusCase.needsOpenssh },
        });
        continue;
      }
      if (!byLibrary.ok) throw new Error(JSON.stringify(byLibrary.error));
      counts.equalByLibrary += 1;
      expect(seenChain(byLibrary.value), `${target} by the package`).toEqual(truth.chain);
    }
    // The command of "Match exec" for another host.
    expect(existsSync(join(home, '.ssh', 'ran'))).toBe(false);
  });
});
