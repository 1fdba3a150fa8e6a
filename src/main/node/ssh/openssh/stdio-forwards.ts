import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Duplex } from 'node:stream';
import { connect } from 'node:net';
import { err, ok, type Result } from '../../../../shared/result.ts';
import type { ChannelRefusal, ChannelSource } from './mux-proxy.ts';

/**
 * Runs ssh and ends it, with its group, when descriptor 3 closes: also after our own SIGKILL. Not at once: a master that sees
 * the end of the pipes first closes the channel with the server; one whose client is killed does so only when it next wakes.
 */
const GUARD = `
{ cat <&3; sleep 1; kill -KILL 0; } </dev/null >/dev/null 2>&1 &
exec 3<&-
"$@"
kill -KILL 0
`;

/** Not one of RFC 4254: ssh says only that it was refused, which of a gateway's port mostly means that nothing listens. */
const REFUSED = 2;
/** A master that says nothing for this long will not do so at all. */
const SILENT_MASTER_MS = 10_000;

/**
 * Channels over a ControlMaster of the user's, one `ssh -W` each: what ends with that process leaves nothing behind in the
 * master, and a refusal does it no harm. The user's configuration is not read, so that none of their forwards is opened.
 */
export class StdioForwards implements ChannelSource {
  readonly #command: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #controlPath: string;
  readonly #place: { readonly host: string; readonly port: number };
  /** How to end what lives. Pings come and go all day long: whatever ends by itself is taken out. */
  readonly #living = new Set<() => void>();
  #isClosed = false;
  #wasRefused = false;
  bytesRead = 0;
  bytesWritten = 0;

  /** `place`: where pings go, as the server sees it. */
  constructor(
    ssh: { readonly command: string; readonly env: Readonly<Record<string, string>> },
    controlPath: string,
    place: { readonly host: string; readonly port: number },
  ) {
    this.#command = ssh.command;
    this.#env = ssh.env;
    this.#controlPath = controlPath;
    this.#place = place;
  }

  openForward(
    to: { readonly host: string; readonly port: number },
    _originPort: number,
    onOpened: (result: Result<Duplex, ChannelRefusal>) => void,
  ): { cancel(): void } {
    const host = to.host.includes(':') ? `[${to.host}]` : to.host;
    const args = ['-c', GUARD, 'gangway-ssh', this.#command, ...this.#arguments(`${host}:${to.port}`)];
    const child = spawn('/bin/sh', args, {
      env: { ...this.#env, LC_MESSAGES: 'C' },
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    if (child.pid === undefined) {
      // Not started, for want of descriptors or processes: then it has no pipes either.
      child.on('error', (error) => onOpened(err({ reason: 0, message: error.message })));
      return { cancel: () => undefined };
    }
    child.on('error', () => undefined);
    const end = (): void => endGroup(child);
    this.#living.add(end);
    if (this.#isClosed) end();
    let isSettled = false;
    let said = '';
    const settle = (result: Result<Duplex, ChannelRefusal>): void => {
      if (isSettled) return;
      isSettled = true;
      onOpened(result);
    };
    for (const stream of [...child.stdio]) stream?.on('error', () => undefined);
    const lines = createInterface({ input: child.stderr, crlfDelay: Infinity });
    // It repeats its input's errors, and throws those that nobody hears.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      if (/mux_client_request_stdio_fwd: master session id/.test(line)) {
        this.#wasRefused = false;
        settle(ok(this.#duplexOf(child, end)));
      } else if (!line.startsWith('debug')) said = line.slice(0, 200);
    });
    child.on('close', () => {
      this.#living.delete(end);
      const isRefusal = /refused by peer/i.test(said);
      if (isRefusal) this.#wasRefused = true;
      settle(err({ reason: isRefusal ? REFUSED : 0, message: said }));
    });
    return { cancel: end };
  }

  /**
   * By a channel of its own. While the gateway's port refuses, only the master is asked whether it is there: ssh tells of every
   * refusal in the user's terminal.
   */
  ping(onReply: () => void): void {
    if (this.#wasRefused) {
      const socket = connect(this.#controlPath);
      socket.on('error', () => undefined);
      const end = (): void => void socket.destroy();
      this.#living.add(end);
      if (this.#isClosed) end();
      socket.setTimeout(SILENT_MASTER_MS, end);
      socket.once('close', () => this.#living.delete(end));
      socket.once('data', () => {
        onReply();
        end();
      });
      return;
    }
    this.openForward(this.#place, 0, (result) => {
      if (result.ok) result.value.destroy();
      if (result.ok || result.error.reason !== 0) onReply();
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const end of [...this.#living]) end();
    this.#living.clear();
  }

  #arguments(place: string): readonly string[] {
    // Without a master there it must fail, not connect by itself.
    const options = ['ControlMaster=no', 'BatchMode=yes', 'ProxyCommand=exit 1'].flatMap((option) => [
      '-o',
      option,
    ]);
    return [
      '-v',
      '-F',
      'none',
      '-S',
      this.#controlPath.replaceAll('%', '%%'),
      ...options,
      '-W',
      place,
      '--',
      'gateway',
    ];
  }

  #duplexOf(child: ChildProcess, end: () => void): Duplex {
    const { stdin, stdout } = child;
    if (stdin === null || stdout === null) throw new Error('no pipes');
    stdout.on('data', (bytes: Buffer) => {
      this.bytesRead += bytes.length;
    });
    stdout.pause();
    const duplex = Duplex.from({ writable: stdin, readable: stdout });
    // Of a stream that is ended early; whoever reads it hears of its close.
    duplex.on('error', () => undefined);
    duplex.once('close', end);
    return duplex;
  }
}

/** Closing descriptor 3 is enough for the guard. */
function endGroup(child: ChildProcess): void {
  (child.stdio[3] as Duplex | null | undefined)?.destroy();
}
