import { spawn } from 'node:child_process';
import type { SshEnvironment } from './ssh-environment.ts';
import { parseSshOptions, type SshOptions } from './ssh-options.ts';

/** What is asked about. */
export interface SshQuestion {
  readonly host: string;
  /** Null where the target names none. */
  readonly user: string | null;
  readonly port: number | null;
  /** `-J`: null leaves the configuration's own. */
  readonly jump: string | null;
}

export type OpensshAnswer =
  | { readonly type: 'options'; readonly options: SshOptions }
  /** No such program. */
  | { readonly type: 'missing' }
  /** It refuses the configuration, in these words; or gave no answer in time (Match exec). */
  | { readonly type: 'failed'; readonly detail: string };

export const SSH_G_LIMIT_MS = 5_000;
const MAX_OUTPUT_CHARS = 1024 * 1024;
const MAX_ERROR_CHARS = 4_096;
const MAX_DETAIL_CHARS = 300;

/** The options by which a target is given to ssh. They come before `--`. */
export function questionArgs({ host, user, port, jump }: SshQuestion): readonly string[] {
  return [
    ...(user === null ? [] : ['-l', user]),
    ...(port === null ? [] : ['-p', String(port)]),
    ...(jump === null ? [] : ['-J', jump]),
    '--',
    host,
  ];
}

/** Runs `ssh -G` (ssh(1)) with these arguments, and with `path` for PATH. What it started ends with it. */
export function askOpenssh(
  command: string,
  fileArgs: readonly string[],
  question: SshQuestion,
  environment: SshEnvironment & { readonly path: string | null },
  limitMs = SSH_G_LIMIT_MS,
): Promise<OpensshAnswer> {
  return new Promise((resolve) => {
    const isWindows = environment.platform === 'win32';
    // A group of its own, so that a command of "Match exec" ends too, and no terminal to ask questions on.
    const child = spawn(command, ['-G', ...fileArgs, ...questionArgs(question)], {
      detached: !isWindows,
      windowsHide: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        HOME: environment.home,
        ...(environment.path === null ? {} : { PATH: environment.path }),
      },
    });
    let stdout = '';
    let stderr = '';
    let isOver = false;
    const end = (answer: OpensshAnswer): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(answer);
    };
    const cutOff = (detail: string): void => {
      if (!isOver && child.pid !== undefined) killTree(child.pid, isWindows);
      end({ type: 'failed', detail });
    };
    const timer = setTimeout(() => cutOff(`no answer in ${limitMs} ms`), limitMs);
    child.on('error', (error: NodeJS.ErrnoException) => {
      end(
        error.code === 'ENOENT'
          ? { type: 'missing' }
          : { type: 'failed', detail: error.code ?? error.message },
      );
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (stdout.length > MAX_OUTPUT_CHARS) cutOff('too much output');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, MAX_ERROR_CHARS);
    });
    child.on('close', (code) => {
      if (code === 0) end({ type: 'options', options: parseSshOptions(stdout) });
      else end({ type: 'failed', detail: firstLine(stderr) || `exit status ${code ?? '?'}` });
    });
  });
}

function killTree(pid: number, isWindows: boolean): void {
  try {
    process.kill(isWindows ? pid : -pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

function firstLine(text: string): string {
  const lines = text.split(/\r?\n/).map((line) =>
    line
      // eslint-disable-next-line no-control-regex -- a foreign program's words
      .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ')
      .trim(),
  );
  const said = lines.filter((line) => line !== '' && !line.startsWith('Pseudo-terminal will not'));
  return (said[0] ?? '').slice(0, MAX_DETAIL_CHARS);
}
