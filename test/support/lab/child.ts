import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Duplex, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { waitFor, within } from './wait.ts';

const GUARD = fileURLToPath(new URL('./guard.pl', import.meta.url));
const MAX_OUTPUT_CHARS = 1_000_000;

export interface ChildOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The whole environment; nothing is inherited but what is given here. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Written to standard input, which is then closed. Without it standard input is empty, unless `keepStdin`. */
  readonly stdin?: string;
  readonly keepStdin?: boolean;
  /** For messages; default the command. */
  readonly name?: string;
}

export interface ChildExit {
  readonly code: number | null;
  /** Number of the signal that ended it, else null. */
  readonly signal: number | null;
}

export interface Child {
  /** Of the command itself. */
  readonly pid: number;
  /** Of the guard above it; its descendants are all that the command ever started. */
  readonly guardPid: number;
  readonly name: string;
  readonly stdin: Writable | null;
  /** Both streams, in order of arrival; the oldest part is dropped beyond 1 million characters. */
  output(): string;
  /** Standard output alone, bounded alike. */
  stdout(): string;
  exited(): ChildExit | null;
  waitForLine(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
  waitForExit(timeoutMs?: number): Promise<ChildExit>;
  /** To the command alone. False when it is gone. */
  signal(signal: NodeJS.Signals): boolean;
  /** Everything alive below the guard: the command, its children and the daemons it left behind. */
  descendants(): ProcessInfo[];
  /** TERM to the command, KILL after a second to everything; resolves when nothing is left. */
  close(): Promise<void>;
}

/** Starts a command below a guard that ends its whole tree with this process, however this process ends. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const name = options.name ?? options.command;
  const guard = spawn('perl', [GUARD, '--', options.command, ...(options.args ?? [])], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => {
    guard.once('close', () => resolve());
    guard.once('error', () => resolve());
  });
  const lifeline = lifelineOf(guard);
  const all = new Transcript();
  const out = new Transcript();
  guard.stdout.setEncoding('utf8').on('data', (text: string) => {
    all.add(text);
    out.add(text);
  });
  guard.stderr.setEncoding('utf8').on('data', (text: string) => all.add(text));
  guard.stdin.on('error', () => undefined);
  if (options.keepStdin !== true) guard.stdin.end(options.stdin ?? '');

  let exit: ChildExit | null = null;
  const exitWaiters = new Set<(exit: ChildExit) => void>();
  const started = new Promise<{ pid: number; guardPid: number }>((resolve, reject) => {
    let guardPid = 0;
    let buffered = '';
    lifeline.setEncoding('utf8').on('data', (text: string) => {
      buffered += text;
      const lines = buffered.split('\n');
      buffered = lines.pop() ?? '';
      for (const line of lines) {
        const [word, first, second] = line.split(' ');
        if (word === 'guard') guardPid = Number(first);
        if (word === 'pid') resolve({ pid: Number(first), guardPid });
        if (word === 'exit') {
          const signal = Number(second);
          exit = { code: signal === 0 ? Number(first) : null, signal: signal === 0 ? null : signal };
          for (const tell of exitWaiters) tell(exit);
          exitWaiters.clear();
        }
      }
    });
    guard.once('error', (error) => reject(new Error(`${name} cannot be started: ${error.message}`)));
    guard.once('exit', () => {
      reject(new Error(`${name} cannot be started:\n${all.text()}`));
      exit ??= { code: null, signal: 9 };
      for (const tell of exitWaiters) tell(exit);
      exitWaiters.clear();
    });
  });
  const { pid, guardPid } = await started;
  // A test process may end with children running; the guard, not the event loop, sees to them.
  guard.unref();
  unrefStream(lifeline);
  unrefStream(guard.stdout);
  unrefStream(guard.stderr);

  let closing: Promise<void> | null = null;
  return {
    pid,
    guardPid,
    name,
    stdin: options.keepStdin === true ? guard.stdin : null,
    output: () => all.text(),
    stdout: () => out.text(),
    exited: () => exit,
    async waitForLine(pattern, timeoutMs = 20_000) {
      const found = await waitFor(
        () => {
          for (const line of all.text().split('\n')) {
            const match = pattern.exec(line);
            if (match) return { match };
          }
          if (exit !== null) return { match: null };
          return null;
        },
        { what: `${name} to print ${String(pattern)}`, timeoutMs, detail: () => tail(all.text()) },
      );
      if (found.match === null)
        throw new Error(`${name} ended before it printed ${String(pattern)}:\n${tail(all.text())}`);
      return found.match;
    },
    waitForExit: (timeoutMs = 20_000) =>
      within(
        new Promise<ChildExit>((resolve) => {
          if (exit !== null) resolve(exit);
          else exitWaiters.add(resolve);
        }),
        timeoutMs,
        `${name} to end`,
        () => tail(all.text()),
      ),
    signal(signal) {
      if (exit !== null) return false;
      return sendSignal(pid, signal);
    },
    descendants: () => descendantsOf(guardPid),
    close() {
      closing ??= (async () => {
        guard.ref();
        guard.stdin.destroy();
        lifeline.destroy();
        await within(ended, 30_000, `${name} and all that it started to end`);
      })();
      return closing;
    },
  };
}

/** Starts a process that removes `dir` when this process ends, however it ends; `close`, when all parts have ended, does it at once. */
export function startJanitor(dir: string): { close(): Promise<void> } {
  const guard = spawn('perl', [GUARD, '--remove', dir], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => {
    guard.once('exit', () => resolve());
    guard.once('error', () => resolve());
  });
  const lifeline = lifelineOf(guard);
  lifeline.resume();
  guard.unref();
  unrefStream(lifeline);
  return {
    async close() {
      guard.ref();
      lifeline.end('all parts have ended\n');
      await ended;
    },
  };
}

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  /** Both streams together. */
  readonly output: string;
}

/** Runs a command to its end. */
export async function runChild(options: ChildOptions, timeoutMs = 60_000): Promise<RunResult> {
  const child = await startChild(options);
  try {
    const exit = await child.waitForExit(timeoutMs);
    await child.close();
    return { code: exit.code, stdout: child.stdout(), output: child.output() };
  } finally {
    await child.close();
  }
}

export interface ProcessInfo {
  readonly pid: number;
  readonly parentPid: number;
  readonly state: string;
  readonly command: string;
}

/** One process of /proc, null when it is gone. Zombies are shown with state Z. */
export function processInfo(pid: number): ProcessInfo | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    const [state = '?', parent = '0'] = stat.slice(end + 2).split(' ');
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    const command = argv === '' ? stat.slice(stat.indexOf('(') + 1, end) : argv;
    return { pid, parentPid: Number(parent), state, command };
  } catch {
    return null;
  }
}

/** All living processes below `root`, nearest first; zombies do not count. Reads /proc: empty where there is none. */
export function descendantsOf(root: number): ProcessInfo[] {
  const byParent = new Map<number, ProcessInfo[]>();
  for (const entry of existsSync('/proc') ? readdirSync('/proc') : []) {
    if (!/^\d+$/.test(entry)) continue;
    const info = processInfo(Number(entry));
    if (info === null || info.state === 'Z') continue;
    const siblings = byParent.get(info.parentPid) ?? [];
    siblings.push(info);
    byParent.set(info.parentPid, siblings);
  }
  const found: ProcessInfo[] = [];
  const queue = [root];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const info of byParent.get(next) ?? []) {
      found.push(info);
      queue.push(info.pid);
    }
  }
  return found;
}

/** True while the process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const info = processInfo(pid);
  return info !== null && info.state !== 'Z';
}

/** False when the process is gone. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

function lifelineOf(guard: ChildProcess): Duplex {
  // libuv makes 'pipe' descriptors as socket pairs: readable and writable on both ends.
  const lifeline = guard.stdio[3] as Duplex;
  lifeline.on('error', () => undefined);
  return lifeline;
}

function unrefStream(stream: unknown): void {
  (stream as { unref?: () => void } | null)?.unref?.();
}

function tail(text: string): string {
  return text.slice(-4_000);
}

class Transcript {
  #text = '';

  add(text: string): void {
    this.#text = (this.#text + text).slice(-MAX_OUTPUT_CHARS);
  }

  text(): string {
    return this.#text;
  }
}
