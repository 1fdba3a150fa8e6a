import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SshSettings } from '../../src/shared/gateway-profile.ts';
import { isAlive, sendSignal, startChild, type Child } from '../support/lab/child.ts';
import { deferred, waitFor, within, type Deferred } from '../support/lab/wait.ts';
import type { AppAnswer, AppCommand, AppQuestion, AppReport } from './app-protocol.ts';

const MAIN = fileURLToPath(new URL('./app-main.ts', import.meta.url));
const ANSWER_LIMIT_MS = 30_000;
/** A tunnel process hears at once that its app is gone; this is for a busy machine. */
const ORPHAN_LIMIT_MS = 10_000;

export type AppState = Extract<AppReport, { type: 'state' }>;
export type AppLog = Extract<AppReport, { type: 'log' }>;

/** The app went away before it answered. */
export class AppGone extends Error {}

export interface AppProcessOptions {
  /** For its sockets; a short path. */
  readonly dir: string;
  readonly node?: string;
  readonly ssh: Partial<SshSettings> & Pick<SshSettings, 'target' | 'gatewayPort' | 'localPort'>;
  readonly token: string;
  readonly home: string;
  readonly dataDir: string;
  readonly onState: (state: AppState) => void;
  readonly onLog: (log: AppLog) => void;
}

/** The app under chaos and what outlives it: its keychain, its settings, its data on disk, the computer's clock. */
export class AppProcess {
  readonly #options: AppProcessOptions;
  readonly #keychain = new Map<string, string>();
  readonly #asked = new Map<number, Deferred<AppAnswer>>();
  readonly #shown = new Set<string>();
  readonly #endings: Promise<void>[] = [];
  #child: Child | null = null;
  #socket: Socket | null = null;
  #numbers = 0;
  #starts = 0;
  #aheadMs = 0;
  #output = '';
  localPort: number;
  tunnelPid = 0;
  state: AppState | null = null;
  /** True while the computer sleeps: what it last said is not what a person sees. */
  isFrozen = false;

  constructor(options: AppProcessOptions) {
    this.#options = options;
    this.localPort = options.ssh.localPort;
  }

  get isRunning(): boolean {
    return this.#socket !== null && !this.isFrozen;
  }

  /** All it ever wrote to its standard streams. */
  get output(): string {
    return this.#output + (this.#child?.output() ?? '');
  }

  async start(): Promise<void> {
    this.#starts += 1;
    const path = join(this.#options.dir, `app-${this.#starts}.sock`);
    const joined = deferred<Socket>();
    const server = createServer((socket) => joined.resolve(socket));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      const command = this.#options.node ?? process.execPath;
      const child = await startChild({ command, args: [MAIN, path], name: 'app under chaos' });
      this.#child = child;
      const socket = await within(joined.promise, 30_000, 'the app to begin', () => child.output());
      this.#listen(socket);
    } finally {
      server.close();
    }
    const { ssh, token, home, dataDir } = this.#options;
    this.#say({
      type: 'start',
      ssh: { ...ssh, localPort: this.localPort },
      token,
      home,
      dataDir,
      secrets: Object.fromEntries(this.#keychain),
      aheadMs: this.#aheadMs,
    });
    for (const sessionKey of this.#shown) await this.ask({ type: 'show', sessionKey });
  }

  /** Rejects with `AppGone` when it goes away meanwhile, or is away. */
  async ask(question: AppQuestion): Promise<Extract<AppAnswer, { ok: true }>> {
    const given = await this.tryAsk(question);
    if (!given.ok) throw new Error(`${question.type}: ${given.why}`);
    return given;
  }

  async tryAsk(question: AppQuestion): Promise<AppAnswer> {
    if (this.#socket === null) throw new AppGone('The app is not running');
    this.#numbers += 1;
    const number = this.#numbers;
    const asked = deferred<AppAnswer>();
    this.#asked.set(number, asked);
    this.#say({ type: 'ask', number, question });
    const given = await within(asked.promise, ANSWER_LIMIT_MS, `the app to answer ${question.type}`);
    if (!given.ok && given.why === GONE) throw new AppGone('The app went away');
    return given;
  }

  /** Opens a conversation now and at every later start, as a window that stays open does. */
  async show(sessionKey: string): Promise<void> {
    if (this.#shown.has(sessionKey)) return;
    await this.ask({ type: 'show', sessionKey });
    this.#shown.add(sessionKey);
  }

  get shownSessions(): readonly string[] {
    return [...this.#shown];
  }

  /** SIGKILL to the app alone. What it leaves behind has to end by itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    child.signal('SIGKILL');
    await child.waitForExit();
    this.#gone();
    this.#endings.push(this.#ended(child));
  }

  /** As the system does when the computer goes to sleep: neither the app nor its tunnel process runs on. */
  freeze(): void {
    this.isFrozen = true;
    this.#child?.signal('SIGSTOP');
    this.signalTunnel('SIGSTOP');
  }

  async wake(asleepMs: number): Promise<void> {
    this.#aheadMs += asleepMs;
    this.signalTunnel('SIGCONT');
    this.#child?.signal('SIGCONT');
    await this.ask({ type: 'clock', aheadMs: this.#aheadMs });
    this.isFrozen = false;
  }

  signalTunnel(signal: NodeJS.Signals): void {
    if (this.tunnelPid > 0 && isAlive(this.tunnelPid)) sendSignal(this.tunnelPid, signal);
  }

  /** Quits in order; resolves with how long it took, in ms, when every process of it is gone. */
  async quit(): Promise<number> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return 0;
    const startedAtMs = performance.now();
    await this.ask({ type: 'quit' });
    await child.waitForExit();
    await waitFor(() => child.descendants().length === 0, {
      what: 'the app to leave no process behind',
      timeoutMs: ORPHAN_LIMIT_MS,
      detail: () => JSON.stringify(child.descendants()),
    });
    const tookMs = performance.now() - startedAtMs;
    this.#gone();
    await this.#ended(child);
    return tookMs;
  }

  /** Rejects when something that a killed app left behind did not end by itself. */
  async close(): Promise<void> {
    await this.#child?.close();
    this.#gone();
    await Promise.all(this.#endings);
  }

  async #ended(child: Child): Promise<void> {
    try {
      await waitFor(() => child.descendants().length === 0, {
        what: 'the processes of a killed app to end by themselves',
        timeoutMs: ORPHAN_LIMIT_MS,
        detail: () => JSON.stringify(child.descendants()),
      });
    } finally {
      this.#output += child.output();
      await child.close();
    }
  }

  #listen(socket: Socket): void {
    this.#socket = socket;
    socket.on('error', () => undefined);
    const lines = createInterface({ input: socket });
    // It says what its input says of an app that was killed with something unread.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      // What a killed app still said is history; a newer one speaks for itself.
      this.#hear(JSON.parse(line) as AppReport);
    });
  }

  #hear(report: AppReport): void {
    switch (report.type) {
      case 'state':
        this.state = report;
        this.#options.onState(report);
        break;
      case 'log':
        this.#options.onLog(report);
        break;
      case 'tunnel':
        this.tunnelPid = report.pid;
        break;
      case 'secret':
        if (report.value === null) this.#keychain.delete(report.name);
        else this.#keychain.set(report.name, report.value);
        break;
      case 'local-port':
        this.localPort = report.port;
        break;
      case 'answer':
        this.#asked.get(report.number)?.resolve(report.answer);
        this.#asked.delete(report.number);
        break;
    }
  }

  #say(command: AppCommand): void {
    this.#socket?.write(`${JSON.stringify(command)}\n`);
  }

  #gone(): void {
    this.#socket?.destroy();
    this.#socket = null;
    this.state = null;
    for (const asked of this.#asked.values()) asked.resolve({ ok: false, why: GONE });
    this.#asked.clear();
  }
}

const GONE = 'gone';
