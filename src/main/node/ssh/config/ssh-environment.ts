import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { isAbsolute, join, relative, resolve as resolvePath } from 'node:path';

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

export function userConfigFile({ home }: SshEnvironment): string {
  return join(home, '.ssh', 'config');
}

/** Null where the platform has no such place. */
export function systemConfigFile({ platform }: SshEnvironment): string | null {
  if (platform !== 'win32') return '/etc/ssh/ssh_config';
  const programData = process.env['ProgramData'];
  return programData === undefined ? null : join(programData, 'ssh', 'ssh_config');
}

/** OpenSSH looks in the passwd home whatever `$HOME` says; where they differ it is told which file is the user's. */
export function configFileArgs(environment: SshEnvironment): readonly string[] {
  const { home, passwdHome } = environment;
  if (resolvePath(home) === resolvePath(passwdHome)) return [];
  const file = [userConfigFile(environment), systemConfigFile(environment)].find(
    (path) => path !== null && existsSync(path),
  );
  return ['-F', file ?? 'none'];
}

/** The same without the user's own file: what the system says of every user's hosts. */
export function systemOnlyArgs(environment: SshEnvironment): readonly string[] {
  const [, named] = configFileArgs(environment);
  const system = systemConfigFile(environment);
  const isRead = named === undefined || named === system;
  return ['-F', isRead && system !== null && existsSync(system) ? system : 'none'];
}

/** A path as OpenSSH printed it; what lies under the passwd home's `.ssh` is meant to be under `$HOME`'s. */
export function underHome(path: string, { home, passwdHome }: SshEnvironment): string {
  if (path.startsWith('~')) return expandHome(path, home);
  if (!isAbsolute(path)) return path;
  const inSsh = relative(join(passwdHome, '.ssh'), path);
  const isInside = inSsh !== '' && !inSsh.startsWith('..') && !isAbsolute(inSsh);
  return isInside ? join(home, '.ssh', inSsh) : path;
}

/** `~` and `~/…`; another user's home stays as it is written. */
export function expandHome(path: string, home: string): string {
  if (path === '~') return home;
  return /^~[/\\]/.test(path) ? join(home, path.slice(2)) : path;
}
