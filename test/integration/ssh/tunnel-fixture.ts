import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ConnectionFailure, FailureCode, FailureFacts } from '../../../src/shared/connection-failure.ts';
import type { UserPrompt } from '../../../src/shared/connection-state.ts';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { DEFAULT_ALGORITHMS } from '../../../src/main/node/ssh/ssh-algorithms.ts';
import type {
  TunnelAnswer,
  TunnelChannel,
  TunnelConfig,
  TunnelReport,
} from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import type { SshTiming } from '../../../src/main/node/ssh/ssh-timing.ts';
import { inProcessChannel } from '../../../src/main/node/tunnel/in-process-channel.ts';
import type { KeyPair } from '../../support/lab/keys.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import { waitFor, within } from '../../support/lab/wait.ts';

/** How an `open` ended; `up` may be followed by more. */
export type Outcome = Extract<TunnelReport, { type: 'up' | 'down' | 'needs-user' | 'forward-failed' }>;

/** A tunnel host in this process with everything it reported, and a home folder with `.ssh`. */
export class TunnelFixture {
  readonly sshDir: string;
  readonly reports: TunnelReport[] = [];
  config: TunnelConfig;
  readonly #channel: TunnelChannel;
  readonly #exited: Promise<void>;
  #attempt = 0;
  /** Reports before this index belong to earlier answers. */
  #from = 0;

  constructor(
    lab: Lab,
    target: Pick<SshHop, 'host' | 'port' | 'user'> & Partial<SshHop>,
    forward: TunnelConfig['forward'],
    options: { timing?: SshTiming; localPort: number; channel?: TunnelChannel },
  ) {
    this.sshDir = join(lab.folder('home'), '.ssh');
    mkdirSync(this.sshDir, { mode: 0o700 });
    this.config = {
      transport: 'ssh2',
      target: plainHop({
        name: target.host,
        knownHostsFiles: { user: [this.file('known_hosts')], global: [] },
        algorithms: DEFAULT_ALGORITHMS,
        ...target,
      }),
      jumps: [],
      proxyCommand: null,
      openssh: null,
      handOver: false,
      lastCredential: null,
      forward,
      localPort: options.localPort,
    };
    this.#channel = options.channel ?? inProcessChannel(options.timing);
    this.#channel.onReport((report) => this.reports.push(report));
    this.#exited = new Promise((resolve) => {
      this.#channel.onExit(() => resolve());
    });
    lab.own(this);
  }

  get attempt(): number {
    return this.#attempt;
  }

  file(name: string): string {
    return join(this.sshDir, name);
  }

  write(name: string, text: string, mode = 0o600): string {
    const path = this.file(name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }

  /** Makes this key the explicitly named identity file. */
  useKey(key: KeyPair, name = 'id_test'): string {
    const path = this.write(name, key.privateKey);
    this.setTarget({ identityFiles: [path], identityFileIsExplicit: true });
    return path;
  }

  set(change: Partial<TunnelConfig>): void {
    this.config = { ...this.config, ...change };
  }

  setTarget(change: Partial<SshHop>): void {
    this.set({ target: { ...this.config.target, ...change } });
  }

  post(command: Parameters<TunnelChannel['post']>[0]): void {
    this.#channel.post(command);
  }

  startOpen(): number {
    this.#attempt += 1;
    this.#from = this.reports.length;
    this.#channel.post({ type: 'open', attempt: this.#attempt, config: this.config });
    return this.#attempt;
  }

  /** Opens and waits for how it ends, or for its first question. */
  async open(): Promise<Outcome> {
    this.startOpen();
    return this.outcome();
  }

  /** Answers a question and waits for the next one, or for how the attempt ends. */
  async answer(prompt: UserPrompt, answer: TunnelAnswer): Promise<Outcome> {
    this.#from = this.reports.length;
    this.#channel.post({ type: 'answer', attempt: this.#attempt, promptId: prompt.id, answer });
    return this.outcome();
  }

  /** The next outcome of the current attempt after `open` or the last `answer`. */
  outcome(timeoutMs = 20_000): Promise<Outcome> {
    const attempt = this.#attempt;
    return waitFor(
      () =>
        this.reports
          .slice(this.#from)
          .find(
            (report): report is Outcome =>
              (report.type === 'up' ||
                report.type === 'down' ||
                report.type === 'needs-user' ||
                report.type === 'forward-failed') &&
              report.attempt === attempt,
          ),
      {
        what: `an outcome of attempt ${attempt}`,
        timeoutMs,
        intervalMs: 10,
        detail: () => this.reports.map((report) => JSON.stringify(report)).join('\n'),
      },
    );
  }

  wait<T extends TunnelReport>(
    accept: (report: TunnelReport) => report is T,
    what: string,
    timeoutMs = 20_000,
  ): Promise<T> {
    return waitFor(() => this.reports.find(accept), {
      what,
      timeoutMs,
      intervalMs: 10,
      detail: () => this.reports.map((report) => JSON.stringify(report)).join('\n'),
    });
  }

  /** Waits for the end of the current attempt. */
  async down(timeoutMs = 20_000): Promise<ConnectionFailure> {
    const attempt = this.#attempt;
    const report = await this.wait(
      (candidate): candidate is Extract<TunnelReport, { type: 'down' }> =>
        candidate.type === 'down' && candidate.attempt === attempt,
      'the tunnel to be down',
      timeoutMs,
    );
    return report.failure;
  }

  async openUp(): Promise<Extract<Outcome, { type: 'up' }>> {
    return expectUp(await this.open());
  }

  async answerUp(prompt: UserPrompt, answer: TunnelAnswer): Promise<Extract<Outcome, { type: 'up' }>> {
    return expectUp(await this.answer(prompt, answer));
  }

  async openFailed<C extends FailureCode>(code: C): Promise<FailureFacts[C]> {
    return expectFailure(await this.open(), code);
  }

  async answerFailed<C extends FailureCode>(
    prompt: UserPrompt,
    answer: TunnelAnswer,
    code: C,
  ): Promise<FailureFacts[C]> {
    return expectFailure(await this.answer(prompt, answer), code);
  }

  async openPrompt<T extends UserPrompt['type']>(type: T): Promise<Extract<UserPrompt, { type: T }>> {
    return expectPrompt(await this.open(), type);
  }

  async answerPrompt<T extends UserPrompt['type']>(
    prompt: UserPrompt,
    answer: TunnelAnswer,
    next: T,
  ): Promise<Extract<UserPrompt, { type: T }>> {
    return expectPrompt(await this.answer(prompt, answer), next);
  }

  async close(): Promise<void> {
    this.#channel.post({ type: 'shutdown' });
    await within(this.#exited, 10_000, 'the tunnel host to shut down');
  }
}

function expectUp(outcome: Outcome): Extract<Outcome, { type: 'up' }> {
  if (outcome.type !== 'up') throw new Error(`Not up: ${JSON.stringify(outcome)}`);
  return outcome;
}

function expectFailure<C extends FailureCode>(outcome: Outcome, code: C): FailureFacts[C] {
  const why = outcome.type === 'down' || outcome.type === 'forward-failed' ? outcome.failure : null;
  if (why?.code !== code) throw new Error(`Expected ${code}, got ${JSON.stringify(outcome)}`);
  return why.facts as FailureFacts[C];
}

function expectPrompt<T extends UserPrompt['type']>(
  outcome: Outcome,
  type: T,
): Extract<UserPrompt, { type: T }> {
  if (outcome.type !== 'needs-user' || outcome.prompt.type !== type) {
    throw new Error(`Expected the prompt ${type}, got ${JSON.stringify(outcome)}`);
  }
  return outcome.prompt as Extract<UserPrompt, { type: T }>;
}

export interface SshServerLike {
  readonly port: number;
  readonly user: string;
  readonly clientKey: KeyPair;
  knownHostsLine(host?: string, port?: number): string;
}

/** A fixture that is set up to reach `gatewayPort` through `server`, with its key; the host is not trusted yet. */
export async function tunnelTo(
  lab: Lab,
  server: SshServerLike,
  gatewayPort: number,
  options: {
    readonly port?: number;
    readonly timing?: SshTiming;
    readonly trusted?: boolean;
    /** A tunnel process, where it is not to be in this one. */
    readonly channel?: TunnelChannel;
  } = {},
): Promise<TunnelFixture> {
  const port = options.port ?? server.port;
  const fixture = new TunnelFixture(
    lab,
    { host: '127.0.0.1', port, user: server.user },
    { host: '127.0.0.1', port: gatewayPort },
    {
      localPort: await freePort(),
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      ...(options.channel === undefined ? {} : { channel: options.channel }),
    },
  );
  fixture.useKey(server.clientKey);
  if (options.trusted !== false) fixture.write('known_hosts', server.knownHostsLine('127.0.0.1', port));
  return fixture;
}

export interface EchoServer {
  readonly port: number;
  readonly connections: number;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Stands for the gateway's port: sends everything back, and ends when the client ends. */
export async function startEcho(lab: Lab, fixedPort?: number): Promise<EchoServer> {
  const port = fixedPort ?? (await freePort());
  const sockets = new Set<Socket>();
  let server: Server | null = null;
  let connections = 0;
  const echo: EchoServer = {
    port,
    get connections() {
      return connections;
    },
    async start() {
      const starting = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
        connections += 1;
        sockets.add(socket);
        socket.on('error', () => undefined);
        socket.once('close', () => sockets.delete(socket));
        socket.pipe(socket);
      });
      await new Promise<void>((resolve, reject) => {
        starting.once('error', reject);
        starting.listen({ port, host: '127.0.0.1' }, resolve);
      });
      server = starting;
    },
    async stop() {
      const ending = server;
      server = null;
      if (ending === null) return;
      const closed = new Promise<void>((resolve) => ending.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    close: () => echo.stop(),
  };
  await echo.start();
  return lab.own(echo);
}

/** A client of the forward. */
export class Client {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  isEnded = false;
  isClosed = false;

  /** `take` gets the bytes instead of `received`, for large amounts. */
  constructor(socket: Socket, take?: (data: Buffer) => void) {
    this.socket = socket;
    socket.on('data', (data: Buffer) => {
      if (take === undefined) this.received = Buffer.concat([this.received, data]);
      else take(data);
    });
    socket.on('end', () => {
      this.isEnded = true;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isClosed = true;
    });
  }

  static async connect(lab: Lab, port: number, take?: (data: Buffer) => void): Promise<Client> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const client = new Client(socket, take);
    lab.own({
      close: () => {
        socket.destroy();
        return Promise.resolve();
      },
    });
    await within(
      new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      }),
      10_000,
      `a connection to 127.0.0.1:${port}`,
    );
    return client;
  }

  /** Sends a text and waits until it has come back. */
  async echo(text: string, timeoutMs = 20_000): Promise<void> {
    const from = this.received.length;
    this.socket.write(text);
    await waitFor(() => this.received.subarray(from).toString() === text, {
      what: `the echo of ${JSON.stringify(text)}`,
      timeoutMs,
      intervalMs: 5,
      detail: () => `received ${this.received.length - from} bytes, closed: ${String(this.isClosed)}`,
    });
  }

  async closed(timeoutMs = 20_000): Promise<void> {
    await waitFor(() => this.isClosed || this.isEnded, {
      what: 'the client to be cut off',
      timeoutMs,
      intervalMs: 5,
    });
  }
}

/** A TCP server that does what `serve` says, for what is no SSH server at all. */
export async function startRawServer(lab: Lab, serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
    serve(socket);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen({ port, host: '127.0.0.1' }, resolve));
  lab.own({
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  });
  return port;
}
