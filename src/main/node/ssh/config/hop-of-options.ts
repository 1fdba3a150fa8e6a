import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { SshHop } from '../../../core/tunnel/ssh-hop.ts';
import { plainHop } from '../../../core/tunnel/plain-hop.ts';
import { chooseAlgorithms } from './algorithm-lists.ts';
import type { SshQuestion } from './ask-openssh.ts';
import type { SshEnvironment } from './ssh-environment.ts';
import { firstValue, flagValue, listValue, namedValue, numberValue, type SshOptions } from './ssh-options.ts';
import { expandPath, type TokenFacts } from './tokens.ts';

const WINDOWS_AGENT_PIPE = '\\\\.\\pipe\\openssh-ssh-agent';
const MAX_IDENTITY_FILES = 32;
/** As OpenSSH (SSH_MAX_HOSTS_FILES): in one that is left out the host's key may be on file, or revoked. */
const MAX_KNOWN_HOSTS_FILES = 32;
const MAX_PATH_CHARS = 4_096;
/** ssh_config(5), IdentityFile: those tried where nothing is named, and that every version knows. */
const DEFAULT_KEY_NAMES = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'];
const SECURITY_KEY_NAMES = new Set(['id_ecdsa_sk', 'id_ed25519_sk']);
const UNUSABLE_KEY_NAMES = new Set(['id_xmss', 'id_dsa']);
const USER_KNOWN_HOSTS = ['known_hosts', 'known_hosts2'];
const GLOBAL_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];

export interface HopOfOptions {
  readonly hop: SshHop;
  readonly tokens: TokenFacts;
  /** CertificateFile, expanded. */
  readonly certificateFiles: readonly string[];
  /** Algorithm directives that leave ssh2 nothing to offer. */
  readonly impossible: readonly string[];
}

/** Makes a hop of what the configuration says; `defaults` are the same ssh's own, to tell what was changed. */
export function hopOfOptions(
  question: SshQuestion,
  options: SshOptions,
  defaults: SshOptions,
  environment: SshEnvironment,
): HopOfOptions {
  const name = question.host;
  const tokens: TokenFacts = {
    name,
    host: (firstValue(options, 'hostname') ?? name).slice(0, 255),
    port: question.port ?? numberValue(options, 'port', 1, 65_535) ?? 22,
    user: (question.user ?? firstValue(options, 'user') ?? environment.user).slice(0, 255),
    hostKeyAlias: namedValue(options, 'hostkeyalias')?.slice(0, 255) ?? null,
    jump: namedValue(options, 'proxyjump') ?? '',
  };
  const paths = (values: readonly string[]): string[] =>
    values.flatMap((value) => {
      if (value === 'none') return [];
      const path = expandPath(value, tokens, environment);
      return path === null || path.length > MAX_PATH_CHARS ? [] : [path];
    });
  const { algorithms, impossible } = chooseAlgorithms(options, defaults);
  const { host, port, user, hostKeyAlias } = tokens;
  const seconds = (keyword: string, max: number): number | null => {
    const value = numberValue(options, keyword, 1, max);
    return value === null ? null : value * 1_000;
  };
  const hop: SshHop = {
    ...plainHop({
      name,
      host,
      port,
      user,
      knownHostsFiles: knownHostsFiles(options, environment, paths),
      algorithms,
    }),
    hostKeyAlias,
    identityFiles: identityFiles(options, environment, paths),
    identitiesOnly: flagValue(options, 'identitiesonly') ?? false,
    agentSocket: agentSocket(options, environment, paths),
    strictHostKeyChecking: strictHostKeyChecking(options),
    hashKnownHosts: flagValue(options, 'hashknownhosts') ?? false,
    updateHostKeys: updateHostKeys(options),
    methods: methods(options),
    numberOfPasswordPrompts: Math.min(16, numberValue(options, 'numberofpasswordprompts', 1, 1_000_000) ?? 3),
    connectTimeoutMs: seconds('connecttimeout', 3_600),
    serverAliveIntervalMs: seconds('serveraliveinterval', 86_400),
    serverAliveCountMax: Math.min(1_000, numberValue(options, 'serveralivecountmax', 0, 1_000_000) ?? 3),
    addressFamily: addressFamily(options),
    bindAddress: namedValue(options, 'bindaddress')?.slice(0, 255) ?? null,
    tcpKeepAlive: flagValue(options, 'tcpkeepalive') ?? true,
  };
  const certificateFiles = paths(options.get('certificatefile') ?? []);
  return { hop, tokens, certificateFiles, impossible };
}

type ExpandPaths = (values: readonly string[]) => string[];

/** Of the default keys those of a kind that ssh2 cannot use are left out where there are none. */
function identityFiles(options: SshOptions, environment: SshEnvironment, paths: ExpandPaths): string[] {
  const sshDir = join(environment.home, '.ssh');
  const listed = options.get('identityfile') ?? DEFAULT_KEY_NAMES.map((keyName) => join(sshDir, keyName));
  const usable = paths(listed).filter((path) => {
    const name = relative(sshDir, path);
    return !UNUSABLE_KEY_NAMES.has(name) && !(SECURITY_KEY_NAMES.has(name) && !existsSync(path));
  });
  return [...new Set(usable)].slice(0, MAX_IDENTITY_FILES);
}

function agentSocket(options: SshOptions, environment: SshEnvironment, paths: ExpandPaths): string | null {
  const fallback = environment.agentSocket ?? (environment.platform === 'win32' ? WINDOWS_AGENT_PIPE : null);
  const named = firstValue(options, 'identityagent')?.replace(/^"(.*)"$/, '$1') ?? null;
  if (named === null || named === 'SSH_AUTH_SOCK') return fallback;
  if (named === 'none') return null;
  if (/^\$\w+$/.test(named)) {
    if (named === '$SSH_AUTH_SOCK') return fallback;
    const value = process.env[named.slice(1)];
    return value === undefined || value === '' ? null : value.slice(0, MAX_PATH_CHARS);
  }
  return paths([named])[0] ?? null;
}

function knownHostsFiles(
  options: SshOptions,
  environment: SshEnvironment,
  paths: ExpandPaths,
): SshHop['knownHostsFiles'] {
  const isWindows = environment.platform === 'win32';
  const list = (keyword: string): string[] | null => {
    const value = firstValue(options, keyword);
    return value === null ? null : paths(splitPaths(value)).slice(0, MAX_KNOWN_HOSTS_FILES);
  };
  const user =
    list('userknownhostsfile') ?? USER_KNOWN_HOSTS.map((file) => join(environment.home, '.ssh', file));
  return {
    // "none" means that nothing is remembered; there still has to be somewhere to write to.
    user: user.length === 0 ? [isWindows ? 'NUL' : '/dev/null'] : user,
    global: list('globalknownhostsfile') ?? (isWindows ? [] : GLOBAL_KNOWN_HOSTS),
  };
}

/** Paths with blanks between; `ssh -G` prints no quotes around those that hold blanks, so a piece that starts no path joins the last. */
function splitPaths(value: string): string[] {
  if (value.includes('"')) return (value.match(/"[^"]*"|\S+/g) ?? []).map((path) => path.replaceAll('"', ''));
  const found: string[] = [];
  for (const piece of value.split(/ +/)) {
    const isStart = /^(?:[/~%$\\]|[A-Za-z]:|none$)/.test(piece);
    const last = found.at(-1);
    if (isStart || last === undefined || !/^[/~A-Z]/i.test(last)) found.push(piece);
    else found[found.length - 1] = `${last} ${piece}`;
  }
  return found;
}

function strictHostKeyChecking(options: SshOptions): SshHop['strictHostKeyChecking'] {
  switch (firstValue(options, 'stricthostkeychecking')?.toLowerCase()) {
    case 'yes':
    case 'true':
      return 'yes';
    case 'no':
    case 'off':
    case 'false':
    case 'accept-new':
      return 'accept-new';
    default:
      return 'ask';
  }
}

/** ssh_config(5): on unless the user names known_hosts files of their own. `ssh -G` prints the outcome. */
function updateHostKeys(options: SshOptions): SshHop['updateHostKeys'] {
  if (firstValue(options, 'updatehostkeys') === 'ask') return 'ask';
  const hasDefaultFiles = firstValue(options, 'userknownhostsfile') === null;
  return (flagValue(options, 'updatehostkeys') ?? hasDefaultFiles) ? 'yes' : 'no';
}

const METHODS: readonly { readonly name: SshHop['methods'][number]; readonly keyword: string }[] = [
  { name: 'publickey', keyword: 'pubkeyauthentication' },
  { name: 'keyboard-interactive', keyword: 'kbdinteractiveauthentication' },
  { name: 'password', keyword: 'passwordauthentication' },
];

function methods(options: SshOptions): SshHop['methods'] {
  const isOn = METHODS.filter(({ keyword }) => !isSwitchedOff(options, keyword)).map(({ name }) => name);
  const preferred = listValue(options, 'preferredauthentications');
  if (preferred === null) return isOn;
  return [...new Set(preferred)].flatMap((name) => isOn.filter((method) => method === name));
}

/** `PubkeyAuthentication host-bound` and `unbound` are on as well. */
function isSwitchedOff(options: SshOptions, keyword: string): boolean {
  return flagValue(options, keyword) === false;
}

function addressFamily(options: SshOptions): SshHop['addressFamily'] {
  const family = firstValue(options, 'addressfamily');
  return family === 'inet' || family === 'inet6' ? family : 'any';
}
