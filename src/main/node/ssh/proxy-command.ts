import { execFile, spawn, type ChildProcess } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { Clock, LogFields, LogLevel } from '../../core/ports.ts';
import { plainLines } from '../../core/plain-text.ts';
import type { ProxyCommand, SshHop } from '../../core/tunnel/ssh-hop.ts';
import { JoinedStream } from './joined-stream.ts';
import type { SshWire } from './ssh-wire.ts';

/** The end of standard error that is shown, and how much of it is logged. */
const MAX_SHOWN_LINES = 3;
const MAX_SHOWN_CHARS = 400;
const MAX_KEPT_CHARS = 4 * 1024;
const MAX_LOGGED_CHARS = 16 * 1024;
/** Between the end of the command's output and that of its process. */
const EXIT_LIMIT_MS = 500;
/** How a shell says "may not be run" and "not found" (POSIX, Shell Command Language, 2.8.2). */
const NOT_RUNNABLE: readonly (number | null)[] = [126, 127];

/**
 * Run by sh as the head of a process group of its own: becomes the user's shell with the command, as OpenSSH runs it. Beside it a
 * watcher reads descriptor 3, which nobody ever writes to. When that closes, on purpose or because the process that held its
 * other end died in whatever way, the watcher ends the group, itself included. It holds none of the command's streams.
 */
const WATCHED = `
(
  trap '' HUP INT TERM
  read -r nothing <&3
  kill -s TERM -- -$$
  sleep 1
  kill -s KILL -- -$$
) </dev/null >/dev/null 2>&1 &
exec 3<&-
exec "$1" -c "exec $2"
`;

export interface ProxyCommandDeps {
  readonly clock: Clock;
  log(level: LogLevel, event: string, fields: LogFields): void;
}

/** A running ProxyCommand (ssh_config(5)), whose standard input and output carry the connection. */
export class ProxyCommandRun {
  readonly wire: SshWire;
  readonly #proxy: ProxyCommand;
  readonly #hop: SshHop;
  readonly #clock: Clock;
  readonly #exited: Promise<void>;
  #exitCode: number | null = null;
  #hasEnded = false;
  #stderr = '';

  private constructor(proxy: ProxyCommand, hop: SshHop, deps: ProxyCommandDeps, started: Started) {
    const { child, source, sink, stop } = started;
    this.#proxy = proxy;
    this.#hop = hop;
    this.#clock = deps.clock;
    this.wire = new JoinedStream({ source, sink, release: stop });
    let logged = 0;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_KEPT_CHARS);
      if (logged >= MAX_LOGGED_CHARS) return;
      const shown = cleaned(text).slice(0, MAX_LOGGED_CHARS - logged);
      logged += shown.length;
      if (shown !== '') deps.log('info', 'ssh.proxy-command', { hop: hop.name, stderr: shown });
    });
    child.stderr?.on('error', () => undefined);
    this.#exited = new Promise((resolve) => {
      // "close": all of standard error has been read by then.
      child.once('close', () => resolve());
      child.once('exit', (code) => {
        this.#exitCode = code;
        this.#hasEnded = true;
        stop();
      });
    });
  }

  /** Starts the command. It ends with its wire, and with this process, however that ends. */
  static async start(
    proxy: ProxyCommand,
    hop: SshHop,
    deps: ProxyCommandDeps,
  ): Promise<Result<ProxyCommandRun, ConnectionFailure>> {
    const started = process.platform === 'win32' ? startOnWindows(proxy) : startWatched(proxy);
    // A program that cannot be started at all says so before anything else.
    const error = await new Promise<Error | null>((resolve) => {
      started.child.once('spawn', () => resolve(null));
      started.child.once('error', resolve);
    });
    if (error === null) {
      started.child.on('error', () => undefined);
      return ok(new ProxyCommandRun(proxy, hop, deps, started));
    }
    const detail = (error as NodeJS.ErrnoException).code ?? error.message;
    return err(
      failure('proxy-command-not-found', {
        host: hop.host,
        command: proxy.command.slice(0, MAX_SHOWN_CHARS),
        detail,
      }),
    );
  }

  /** What a failure of the connection means that ran over this command: mostly the command's own, in its words. */
  async explain(why: ConnectionFailure): Promise<ConnectionFailure> {
    switch (why.code) {
      case 'ssh-handshake-timeout': {
        const detail = this.#lastWords();
        return detail === '' ? why : this.#failed(null, detail);
      }
      case 'ssh-rejecting':
      case 'not-ssh':
      case 'ssh-handshake-failed':
      case 'link-lost':
        break;
      default:
        return why;
    }
    await this.#exitWithin(EXIT_LIMIT_MS);
    const detail = this.#lastWords();
    // Not the command's doing: it ended in order after the server did, or it goes on.
    if (!this.#hasEnded || (this.#exitCode === 0 && detail === '')) return why;
    if (why.code === 'not-ssh' || why.code === 'ssh-handshake-failed') return why;
    if (why.code === 'link-lost') {
      return detail === '' ? why : failure('link-lost', { host: why.facts.host, detail });
    }
    if (!NOT_RUNNABLE.includes(this.#exitCode)) return this.#failed(this.#exitCode, detail);
    const command = this.#proxy.command.slice(0, MAX_SHOWN_CHARS);
    return failure('proxy-command-not-found', { host: this.#hop.host, command, detail });
  }

  #failed(exitCode: number | null, detail: string): ConnectionFailure {
    const command = this.#proxy.command.slice(0, MAX_SHOWN_CHARS);
    return failure('proxy-command-failed', { host: this.#hop.host, command, exitCode, detail });
  }

  #lastWords(): string {
    return cleaned(this.#stderr).split('\n').slice(-MAX_SHOWN_LINES).join(' ').slice(-MAX_SHOWN_CHARS);
  }

  async #exitWithin(limitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimer(limitMs, resolve);
      void this.#exited.then(() => {
        timer.dispose();
        resolve();
      });
    });
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly source: Readable;
  readonly sink: Writable;
  /** Ends the command and all that it started. */
  readonly stop: () => void;
}

function startWatched(proxy: ProxyCommand): Started {
  const child = spawn('/bin/sh', ['-c', WATCHED, 'gangway-proxy', proxy.shell, proxy.command], {
    env: environmentOf(proxy),
    // A group of its own, to be ended as one, and no terminal, on which nobody would see a question.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const lifeline = child.stdio[3] as Writable;
  lifeline.on('error', () => undefined);
  child.once('exit', () => {
    // The group's number is not given to another one while the watcher is in it.
    if (!lifeline.destroyed && child.pid !== undefined) killGroup(child.pid);
  });
  return { child, source: child.stdout, sink: child.stdin, stop: () => void lifeline.destroy() };
}

/** Windows ends this child with its parent by itself (libuv puts it into a job object). */
function startOnWindows(proxy: ProxyCommand): Started {
  const child = spawn(proxy.shell, ['/d', '/s', '/c', `"${proxy.command}"`], {
    env: environmentOf(proxy),
    windowsVerbatimArguments: true,
    windowsHide: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const stop = (): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    execFile('taskkill', ['/pid', String(child.pid), '/t', '/f'], { windowsHide: true }, () => child.kill());
  };
  return { child, source: child.stdout, sink: child.stdin, stop };
}

function environmentOf(proxy: ProxyCommand): NodeJS.ProcessEnv {
  return proxy.path === null ? process.env : { ...process.env, PATH: proxy.path };
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Gone already.
  }
}

/** A foreign program's words: the lines that hold something. */
function cleaned(text: string): string {
  // eslint-disable-next-line no-control-regex -- colours of a terminal
  const plain = plainLines(text.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, ''), MAX_LOGGED_CHARS);
  const lines = plain.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').join('\n');
}
