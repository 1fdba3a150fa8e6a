import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { userInfo } from 'node:os';

/** What a ProxyCommand is run with. */
export interface ProxyEnvironment {
  /** `SHELL`, else `/bin/sh`; on Windows the command interpreter. */
  readonly shell: string;
  /** Value of PATH; null leaves the process's own. */
  readonly path: string | null;
}

export interface ProxyEnvironmentSource {
  readonly env: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
  /** Shell of the user database; null where there is none. */
  readonly passwdShell: string | null;
  readonly limitMs?: number;
}

const LOGIN_SHELL_LIMIT_MS = 3_000;
const MAX_PATH_CHARS = 32_768;
const MAX_OUTPUT_CHARS = 256 * 1024;
const MARK = '\u0001gangway-path\u0001';
/** Without `${}` and `$()`, which not every shell knows; a profile may print whatever it likes around it. */
const PRINT_PATH = `printf '%s%s%s' '${MARK}' "$PATH" '${MARK}'`;

let known: Promise<ProxyEnvironment> | null = null;

/**
 * The shell that OpenSSH would run a ProxyCommand with (`SHELL`, ssh_config(5)), and the PATH of a terminal: an app started
 * from the desktop has a poorer one (no Homebrew, no `~/.local/bin`). The login shell is asked once in the life of this process.
 */
export function proxyEnvironment(): Promise<ProxyEnvironment> {
  known ??= readProxyEnvironment({
    env: process.env,
    platform: process.platform,
    passwdShell: userInfo().shell,
  });
  return known;
}

/** Never fails: without an answer from the login shell PATH stays as it is. */
export async function readProxyEnvironment(source: ProxyEnvironmentSource): Promise<ProxyEnvironment> {
  const { env, platform, passwdShell } = source;
  if (platform === 'win32') return { shell: env['ComSpec'] ?? 'cmd.exe', path: null };
  const shell = filled(env['SHELL']) ?? filled(passwdShell) ?? '/bin/sh';
  const login = await pathOfLoginShell(shell, env, source.limitMs ?? LOGIN_SHELL_LIMIT_MS);
  return { shell, path: mergePaths(login, env['PATH'] ?? null) };
}

/** The first one's order, then what only the other one has. Null when neither holds anything. */
export function mergePaths(first: string | null, second: string | null): string | null {
  const folders = [first, second].flatMap((path) => path?.split(delimiter) ?? []);
  const merged = [...new Set(folders.filter((folder) => folder !== ''))].join(delimiter);
  return merged === '' || merged.length > MAX_PATH_CHARS ? null : merged;
}

function filled(text: string | null | undefined): string | null {
  return text === undefined || text === null || text === '' ? null : text;
}

function pathOfLoginShell(shell: string, env: NodeJS.ProcessEnv, limitMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    // A group of its own, so that all of it can be ended, and thereby no terminal to ask questions on.
    const child = spawn(shell, ['-lc', PRINT_PATH], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let output = '';
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      child.stdout.destroy();
      killGroup(child.pid);
      resolve(markedText(output));
    };
    const timer = setTimeout(end, limitMs);
    child.once('error', end);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      // A profile may leave a program behind that keeps the output open.
      if (markedText(output) !== null || output.length > MAX_OUTPUT_CHARS) end();
    });
    child.once('close', end);
  });
}

function markedText(output: string): string | null {
  const start = output.indexOf(MARK);
  if (start === -1) return null;
  const from = start + MARK.length;
  const to = output.indexOf(MARK, from);
  const path = to === -1 ? '' : output.slice(from, to);
  // eslint-disable-next-line no-control-regex -- no folder of a PATH holds them
  return path === '' || path.length > MAX_PATH_CHARS || /[\u0000-\u001f]/.test(path) ? null : path;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}
