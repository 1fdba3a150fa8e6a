// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { SetupError } from './setup-error.mjs';

const GRACE_MS = 4000;

/** Every process started from here, and what those start in turn, carries this in its environment. */
const RUN_MARK = 'GANGWAY_RUN';
const runId = process.env[RUN_MARK] ?? randomUUID();

/** @type {Map<number, { child: import('node:child_process').ChildProcess, gone: Promise<void> }>} */
const running = new Map();
const ownGroups = process.platform !== 'win32';
let guarded = false;
/** @type {(() => void)[]} */
const onInterrupted = [];

/**
 * Asks a process to end and to end its own children in its own order. Windows knows no such request.
 * @param {number} pid
 */
function askToEnd(pid) {
  if (!ownGroups) return signalTree(pid, 'SIGTERM');
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}

/**
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
function signalTree(pid, signal) {
  if (!ownGroups) {
    spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has ended by itself.
  }
}

/** From now on a signal, or the end of this process, ends everything that was started here. */
function guard() {
  if (guarded) return;
  guarded = true;
  process.on('exit', () => {
    for (const pid of running.keys()) signalTree(pid, 'SIGKILL');
  });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      for (const tell of onInterrupted) tell();
      void stopAll().finally(() => process.exit(128 + (constants.signals[signal] ?? 1)));
    });
  }
}

/**
 * Calls back once when Ctrl-C or a termination signal arrives, before everything is ended.
 * @param {() => void} tell
 */
export function beforeInterrupt(tell) {
  onInterrupted.push(tell);
}

/** Ends everything started here: asks first, and after 4 s insists. */
export async function stopAll() {
  const all = [...running.entries()];
  for (const [pid] of all) askToEnd(pid);
  const stopped = Promise.all(all.map(([, { gone }]) => gone));
  await Promise.race([stopped, delay(GRACE_MS, undefined, { ref: false })]);
  for (const [pid] of all) signalTree(pid, 'SIGKILL');
  await Promise.race([stopped, delay(1000, undefined, { ref: false })]);
  for (const { pid } of markedProcesses()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
}

/**
 * Processes started by this run, at any depth and in any process group, that still live (Linux only: read from
 * /proc/PID/environ, see proc(5)).
 * @returns {{ pid: number, command: string }[]}
 */
export function markedProcesses() {
  if (process.platform !== 'linux') return [];
  const mark = `${RUN_MARK}=${runId}`;
  const found = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(mark)) continue;
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').join(' ').trim();
      // An empty command line is a process that has ended and waits for its parent.
      if (command !== '') found.push({ pid, command });
    } catch {
      // Gone meanwhile, or of another user.
    }
  }
  return found;
}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env] Replaces the whole environment.
 * @property {'capture' | 'show'} [output] `show` lets it write to the terminal itself. Default `capture`.
 * @property {number} [timeoutMs] Ended after this time; `timedOut` then says so.
 * @property {(text: string) => void} [onOutput] Called with each piece of captured output.
 */

/**
 * @typedef {object} RunResult
 * @property {number} code Exit code; 128 + n for signal n.
 * @property {string} output stdout and stderr as they came (bounded to the last 4 million characters).
 * @property {string} stdout The same for stdout alone.
 * @property {boolean} timedOut
 */

/**
 * Runs a program in its own process group and waits for its end. No shell, no stdin.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<RunResult>}
 * @throws {SetupError} when there is no such program.
 */
export async function run(command, args, options = {}) {
  guard();
  const show = options.output === 'show';
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: { ...(options.env ?? process.env), [RUN_MARK]: runId },
    stdio: ['ignore', show ? 'inherit' : 'pipe', show ? 'inherit' : 'pipe'],
    detached: ownGroups,
    windowsHide: true,
  });
  const { pid } = child;

  let output = '';
  let stdout = '';
  let timedOut = false;
  /** @param {string} text */
  const keep = (text) => {
    output = (output + text).slice(-4_000_000);
    options.onOutput?.(text);
  };
  child.stdout?.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    stdout = (stdout + text).slice(-4_000_000);
    keep(text);
  });
  child.stderr?.setEncoding('utf8').on('data', keep);

  /** @type {Promise<number>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      reject(
        missing
          ? new SetupError(
              `The program "${command}" was not found.`,
              `Install it, then run the same command again.`,
            )
          : error,
      );
    });
    child.once('exit', (code, signal) => {
      const result = code ?? 128 + (signal === null ? 1 : constants.signals[signal]);
      // What it left behind in its group must not outlive it, nor hold its output open.
      if (pid !== undefined && ownGroups) signalTree(pid, 'SIGKILL');
      if (show) return resolve(result);
      child.once('close', () => resolve(result));
      setTimeout(() => resolve(result), 2000).unref();
    });
  });
  if (pid !== undefined) {
    const gone = ended.then(
      () => undefined,
      () => undefined,
    );
    running.set(pid, { child, gone });
  }
  const timer =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          if (pid !== undefined) {
            askToEnd(pid);
            setTimeout(() => signalTree(pid, 'SIGKILL'), GRACE_MS).unref();
          }
        }, options.timeoutMs);
  try {
    const code = await ended;
    return { code, output, stdout, timedOut };
  } finally {
    clearTimeout(timer);
    if (pid !== undefined) running.delete(pid);
  }
}

/**
 * A quick question to a program of the system: its stdout when it ran and exited 0.
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {string | undefined}
 */
export function ask(command, args) {
  const { status, stdout, error } = spawnSync(command, [...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: 30_000,
    maxBuffer: 16_000_000,
    env: { ...process.env, LC_ALL: 'C' },
  });
  return error === undefined && status === 0 ? stdout : undefined;
}
