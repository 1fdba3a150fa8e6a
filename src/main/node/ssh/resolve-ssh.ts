import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir, hostname, userInfo } from 'node:os';
import { isAbsolute, join, relative, resolve as resolvePath } from 'node:path';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { SshSettings } from '../../../shared/gateway-profile.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import { parseSshTarget, type SshTarget } from '../../../shared/ssh-target.ts';
import type { TunnelConfig } from '../../core/tunnel/tunnel-protocol.ts';

/** What of this computer decides where an SSH target leads. */
export interface SshEnvironment {
  /** `$HOME`: the user's ssh files are in `.ssh` below it. */
  readonly home: string;
  /** Home of the user database, which OpenSSH itself goes by. */
  readonly passwdHome: string;
  readonly user: string;
  /** `SSH_AUTH_SOCK`, where set. */
  readonly agentSocket: string | null;
  readonly platform: NodeJS.Platform;
  /** Program to ask; null does without, as where OpenSSH is not installed. */
  readonly sshCommand: string | null;
}

const SSH_G_LIMIT_MS = 3_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_IDENTITY_FILES = 32;
const WINDOWS_AGENT_PIPE = '\\\\.\\pipe\\openssh-ssh-agent';
/** Key files of the kinds that ssh2 can use, in OpenSSH's order of preference (ssh_config(5), IdentityFile). */
const DEFAULT_KEY_NAMES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const UNUSABLE_DEFAULT_KEYS = new Set(['id_ecdsa_sk', 'id_ed25519_sk', 'id_xmss', 'id_dsa']);

export function systemSshEnvironment(env: NodeJS.ProcessEnv = process.env): SshEnvironment {
  const { username, homedir: passwdHome } = userInfo();
  return {
    home: env['HOME'] ?? homedir(),
    passwdHome,
    user: username,
    agentSocket: env['SSH_AUTH_SOCK'] === '' ? null : (env['SSH_AUTH_SOCK'] ?? null),
    platform: process.platform,
    sshCommand: 'ssh',
  };
}

/**
 * Makes the tunnel's configuration of what the form holds and of the user's ssh configuration, as `ssh -G` tells it; what the
 * form names wins. Directives that would lead to another place without being honoured are a failure, not ignored.
 */
export async function resolveSsh(
  settings: SshSettings,
  environment: SshEnvironment,
): Promise<Result<TunnelConfig, ConnectionFailure>> {
  const parsed = parseSshTarget(settings.target);
  if (!parsed.ok) return err(failure('target-invalid', { target: settings.target.slice(0, 255) }));
  const target = parsed.value;
  const asked = await askSsh(target, environment);
  if (!asked.ok) return asked;
  const options = asked.value;
  const unsupported = unsupportedDirective(options, target);
  if (unsupported !== null) return err(unsupported);

  const host = target.host.includes(':') ? target.host : (first(options, 'hostname') ?? target.host);
  const port = target.port ?? Number(first(options, 'port') ?? 22);
  const user = target.user ?? first(options, 'user') ?? environment.user;
  const named = settings.identityFile.trim();
  return ok({
    target: { original: target.original, host, port, user },
    forward: { host: '127.0.0.1', port: settings.gatewayPort },
    localPort: settings.localPort,
    identityFiles:
      named === ''
        ? identityFiles(options, environment, { host, port, user, target })
        : [expandHome(named, environment.home)],
    identityFileIsExplicit: named !== '',
    agentSocket: agentSocket(options, environment),
    knownHostsFiles: knownHostsFiles(options, environment),
  });
}

/** Values by lower-case keyword, in order, as `ssh -G` prints them. */
type SshOptions = ReadonlyMap<string, readonly string[]>;

async function askSsh(
  target: SshTarget,
  environment: SshEnvironment,
): Promise<Result<SshOptions, ConnectionFailure>> {
  if (environment.sshCommand === null) return ok(new Map());
  const args = [
    '-G',
    ...configFileArgs(environment),
    ...(target.user === null ? [] : ['-l', target.user]),
    ...(target.port === null ? [] : ['-p', String(target.port)]),
    '--',
    target.host,
  ];
  const answer = await run(environment.sshCommand, args, environment);
  switch (answer.type) {
    case 'done':
      return ok(parseOptions(answer.stdout));
    case 'missing':
      return ok(new Map());
    case 'failed':
      // The user's configuration is broken, or takes too long (Match exec): guessing would lead to a wrong place.
      return err(
        failure('ssh-config-unsupported', {
          target: target.original,
          directive: 'ssh -G',
          value: answer.detail,
        }),
      );
  }
}

type Answer =
  | { readonly type: 'done'; readonly stdout: string }
  | { readonly type: 'missing' }
  | { readonly type: 'failed'; readonly detail: string };

function run(command: string, args: readonly string[], environment: SshEnvironment): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(
      command,
      [...args],
      {
        timeout: SSH_G_LIMIT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
        windowsHide: true,
        env: { ...process.env, HOME: environment.home },
      },
      (error, stdout, stderr) => {
        if (error === null) resolve({ type: 'done', stdout });
        else if (error.code === 'ENOENT') resolve({ type: 'missing' });
        else if (error.killed === true) {
          resolve({ type: 'failed', detail: `no answer in ${SSH_G_LIMIT_MS} ms` });
        } else resolve({ type: 'failed', detail: firstLine(stderr) });
      },
    ).stdin?.end();
  });
}

function firstLine(text: string): string {
  // eslint-disable-next-line no-control-regex -- a foreign program's words
  return (text.split('\n')[0] ?? '').replace(/[\u0000-\u001f\u007f]/g, ' ').slice(0, 200);
}

/** OpenSSH looks in the passwd home whatever `$HOME` says; where they differ it is told which file is the user's. */
function configFileArgs({ home, passwdHome, platform }: SshEnvironment): string[] {
  if (resolvePath(home) === resolvePath(passwdHome)) return [];
  const candidates = [join(home, '.ssh', 'config')];
  if (platform !== 'win32') candidates.push('/etc/ssh/ssh_config');
  return ['-F', candidates.find((path) => existsSync(path)) ?? 'none'];
}

function parseOptions(text: string): SshOptions {
  const options = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const keyword = line.slice(0, space).toLowerCase();
    const values = options.get(keyword) ?? [];
    values.push(line.slice(space + 1).trim());
    options.set(keyword, values);
  }
  return options;
}

function first(options: SshOptions, keyword: string): string | null {
  const value = options.get(keyword)?.[0];
  return value === undefined || value === '' ? null : value;
}

function unsupportedDirective(options: SshOptions, target: SshTarget): ConnectionFailure | null {
  for (const [keyword, directive] of [
    ['proxyjump', 'ProxyJump'],
    ['proxycommand', 'ProxyCommand'],
  ] as const) {
    const value = first(options, keyword);
    if (value !== null && value !== 'none') {
      return failure('ssh-config-unsupported', {
        target: target.original,
        directive,
        value: value.slice(0, 200),
      });
    }
  }
  return null;
}

function identityFiles(options: SshOptions, environment: SshEnvironment, tokens: Tokens): string[] {
  const sshDir = join(environment.home, '.ssh');
  const listed = options.get('identityfile');
  if (listed === undefined) return DEFAULT_KEY_NAMES.map((name) => join(sshDir, name));
  const paths = listed
    .filter((path) => path !== 'none')
    .map((path) => underHome(expandTokens(unquote(path), tokens, environment), environment));
  const usable = paths.filter((path) => !isUnusableDefault(path, sshDir));
  return [...new Set(usable)].slice(0, MAX_IDENTITY_FILES);
}

function isUnusableDefault(path: string, sshDir: string): boolean {
  const name = relative(sshDir, path);
  return UNUSABLE_DEFAULT_KEYS.has(name);
}

interface Tokens {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly target: SshTarget;
}

/** ssh_config(5), TOKENS, those that IdentityFile and IdentityAgent take. */
function expandTokens(
  text: string,
  { host, port, user, target }: Tokens,
  environment: SshEnvironment,
): string {
  const values: Readonly<Record<string, string>> = {
    '%': '%',
    d: environment.home,
    h: host,
    i: String(process.getuid?.() ?? ''),
    k: target.host,
    L: hostname().split('.')[0] ?? '',
    l: hostname(),
    n: target.host,
    p: String(port),
    r: user,
    u: environment.user,
  };
  return text.replace(/%([%dhikLlnpru])/g, (_whole, token: string) => values[token] ?? '');
}

function agentSocket(options: SshOptions, environment: SshEnvironment): string | null {
  const fallback = environment.agentSocket ?? (environment.platform === 'win32' ? WINDOWS_AGENT_PIPE : null);
  const named = first(options, 'identityagent');
  if (named === null || named === 'SSH_AUTH_SOCK' || named === '$SSH_AUTH_SOCK') return fallback;
  if (named === 'none') return null;
  if (named.startsWith('$')) return process.env[named.slice(1).replace(/^\{(.*)\}$/, '$1')] ?? null;
  return underHome(unquote(named), environment);
}

function knownHostsFiles(options: SshOptions, environment: SshEnvironment): TunnelConfig['knownHostsFiles'] {
  const sshDir = join(environment.home, '.ssh');
  const list = (keyword: string): string[] | null =>
    first(options, keyword)
      ?.split(/\s+/)
      .map((path) => underHome(unquote(path), environment))
      .filter((path) => path !== 'none')
      .slice(0, 8) ?? null;
  const user = list('userknownhostsfile') ?? [join(sshDir, 'known_hosts'), join(sshDir, 'known_hosts2')];
  const fallback =
    environment.platform === 'win32' ? [] : ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];
  return {
    // "none" means that nothing is remembered; there still has to be somewhere to write to.
    user: user.length === 0 ? [environment.platform === 'win32' ? 'NUL' : '/dev/null'] : user,
    global: list('globalknownhostsfile') ?? fallback,
  };
}

function unquote(text: string): string {
  return text.replace(/^"(.*)"$/, '$1');
}

/** A path as OpenSSH printed it; what lies under the passwd home is meant to be under `$HOME`. */
function underHome(path: string, { home, passwdHome }: SshEnvironment): string {
  if (path.startsWith('~')) return expandHome(path, home);
  if (!isAbsolute(path)) return path;
  const inSsh = relative(join(passwdHome, '.ssh'), path);
  const isInside = inSsh !== '' && !inSsh.startsWith('..') && !isAbsolute(inSsh);
  return isInside ? join(home, '.ssh', inSsh) : path;
}

function expandHome(path: string, home: string): string {
  if (path === '~') return home;
  return /^~[/\\]/.test(path) ? join(home, path.slice(2)) : path;
}
