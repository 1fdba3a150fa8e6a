import type { Socket } from 'node:net';
import ssh2, { type AnyAuthMethod, type Client, type ClientChannel, type NegotiatedAlgorithms } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage, UserPrompt } from '../../../shared/connection-state.ts';
import { assertNever, err, ok, type Result } from '../../../shared/result.ts';
import type { ProbeResult, RouteAnswers, RouteFacts } from '../../core/connection/ports.ts';
import { DisposableStore, MutableDisposable, type Disposable } from '../../core/lifecycle.ts';
import type { Clock, LogFields, LogLevel } from '../../core/ports.ts';
import type { TunnelConfig } from '../../core/tunnel/tunnel-protocol.ts';
import { HostKeyCheck } from './host-key-check.ts';
import { loadKnownHosts } from './known-hosts-file.ts';
import { knownKeyTypes, type KnownHostsEntry } from './known-hosts.ts';
import { LinkWatchdog } from './link-watchdog.ts';
import { OFFERED_ALGORITHMS, orderHostKeyAlgorithms } from './ssh-algorithms.ts';
import { planCredentials, type Credential } from './ssh-credentials.ts';
import {
  classifyClose,
  classifyForwardError,
  classifySshError,
  classifyTimeout,
  isClearlyNotSsh,
  type RawSshError,
  type SshErrorContext,
  type SshPhase,
} from './ssh-errors.ts';
import type { KeyRing } from './ssh-keys.ts';
import { SshLogin } from './ssh-login.ts';
import { tunePackets } from './ssh-packets.ts';
import { lookUpHost, openSshSocket } from './ssh-socket.ts';

export interface SshTiming {
  readonly dnsLimitMs: number;
  /** TCP, identification and key exchange together; never counts time that a person takes. */
  readonly connectLimitMs: number;
  /** Between two answers of the server while logging in; a signing agent is waited for without limit. */
  readonly authStepLimitMs: number;
  /** For a forward to open while the link is otherwise idle. */
  readonly forwardLimitMs: number;
}

export const SSH_TIMING: SshTiming = {
  dnsLimitMs: 5_000,
  connectLimitMs: 10_000,
  authStepLimitMs: 15_000,
  forwardLimitMs: 5_000,
};

/** How long an orderly end may take before the socket is torn down. */
const END_LIMIT_MS = 500;
const MAX_RECORDED_BYTES = 1024;
/** More than pings bring in the time that a forward may take to open: other channels use the link. */
const BUSY_BYTES = 16 * 1024;
/** On a link that is busy; two full windows of ssh2 (2 MiB each) at 1 Mbit/s pass in half of it. */
const BUSY_FORWARD_LIMIT_MS = 60_000;

export interface SshSessionEvents {
  onStage(stage: ConnectStage): void;
  /** Logged in. */
  onReady(facts: RouteFacts): void;
  onAlive(latencyMs: number | null): void;
  /** The session is over, or never came to be: exactly once, and nothing after it. */
  onEnd(end: SshSessionEnd): void;
  log(level: LogLevel, event: string, fields: LogFields): void;
}

export type SshSessionEnd =
  | { readonly type: 'failed'; readonly failure: ConnectionFailure }
  | { readonly type: 'needs-user'; readonly prompt: UserPrompt }
  /** `close` was called. */
  | { readonly type: 'closed' };

export interface SshSessionDeps {
  readonly clock: Clock;
  readonly keyRing: KeyRing;
  readonly timing?: SshTiming;
  /** A fresh id for a question to the person. */
  readonly nextPromptId: () => string;
}

/** One attempt at one SSH connection, and that connection once it stands. Never reused, never reconnected. */
export class SshSession implements Disposable {
  readonly #config: TunnelConfig;
  readonly #answers: RouteAnswers;
  readonly #events: SshSessionEvents;
  readonly #deps: SshSessionDeps;
  readonly #timing: SshTiming;
  readonly #client: Client = new ssh2.Client();
  readonly #resources = new DisposableStore();
  #socket: Socket | null = null;
  #phase: SshPhase = 'dns';
  #over = false;
  #isReady = false;
  #received = Buffer.alloc(0);
  #hostKey: HostKeyCheck | null = null;
  #login: SshLogin | null = null;
  #negotiated: NegotiatedAlgorithms | null = null;
  #waitTimer: Disposable | null = null;

  constructor(config: TunnelConfig, answers: RouteAnswers, events: SshSessionEvents, deps: SshSessionDeps) {
    this.#config = config;
    this.#answers = answers;
    this.#events = events;
    this.#deps = deps;
    this.#timing = deps.timing ?? SSH_TIMING;
    // For ever: ssh2 may report a second error after the one that ended everything.
    this.#client.on('error', (error: Error) => this.#onError(error));
    // Not within the constructor: whoever hears of it must hold this session already.
    queueMicrotask(() => void this.#run());
  }

  get isReady(): boolean {
    return this.#isReady && !this.#over;
  }

  /** Of the SSH connection, both directions, encryption included. */
  get traffic(): { readonly bytesReceived: number; readonly bytesSent: number } {
    return { bytesReceived: this.#socket?.bytesRead ?? 0, bytesSent: this.#socket?.bytesWritten ?? 0 };
  }

  /** Opens a channel to the gateway's port on the remote side. The caller owns the channel. */
  openForward(originPort: number): Promise<Result<ClientChannel, ConnectionFailure>> {
    const { host, port } = this.#config.forward;
    const at = this.#config.target.host;
    return new Promise((resolve) => {
      let waiting = true;
      const startedAtMs = this.#deps.clock.monotonicMs();
      let receivedBefore = this.traffic.bytesReceived;
      const settle = (result: Result<ClientChannel, ConnectionFailure>): void => {
        waiting = false;
        timer.dispose();
        resolve(result);
      };
      const limitMs = this.#timing.forwardLimitMs;
      const onLimit = (): void => {
        const received = this.traffic.bytesReceived;
        const isBusy = received - receivedBefore > BUSY_BYTES;
        const waitedMs = this.#deps.clock.monotonicMs() - startedAtMs;
        if (isBusy && waitedMs < BUSY_FORWARD_LIMIT_MS) {
          // The answer waits its turn behind other channels' data: slow, but on its way.
          receivedBefore = received;
          timer.set(this.#deps.clock.setTimer(limitMs, onLimit));
        } else {
          const facts = { host: at, gatewayPort: port, limitMs: Math.round(waitedMs) };
          settle(err(failure('forward-timeout', facts)));
        }
      };
      const timer = new MutableDisposable<Disposable>();
      timer.set(this.#deps.clock.setTimer(limitMs, onLimit));
      try {
        this.#client.forwardOut('127.0.0.1', originPort, host, port, (error, channel) => {
          if (!waiting) {
            // Too late for whoever asked: nobody else would ever close it.
            if (error === undefined) discard(channel);
          } else if (error === undefined) settle(ok(channel));
          else settle(err(classifyForwardError(error as Error & { reason?: unknown }, at, port)));
        });
      } catch (error) {
        settle(err(failure('link-lost', { host: at, detail: (error as Error).message })));
      }
    });
  }

  /** Asks the server for any reply within the limit. */
  probe(limitMs: number): Promise<ProbeResult> {
    return new Promise((resolve) => {
      const startedAtMs = this.#deps.clock.monotonicMs();
      const timer = this.#deps.clock.setTimer(limitMs, () => resolve({ alive: false, latencyMs: null }));
      const isSent = this.#ping((isReply) => {
        timer.dispose();
        const latencyMs = this.#deps.clock.monotonicMs() - startedAtMs;
        resolve(isReply ? { alive: true, latencyMs } : { alive: false, latencyMs: null });
      });
      if (!isSent) {
        timer.dispose();
        resolve({ alive: false, latencyMs: null });
      }
    });
  }

  /** Ends it in order, or at once where there is no order to keep. */
  close(): void {
    this.#finish({ type: 'closed' });
  }

  dispose(): void {
    this.close();
  }

  async #run(): Promise<void> {
    if (this.#isOver()) return;
    try {
      await this.#connect();
    } catch (error) {
      this.#fail(failure('bug', { detail: (error as Error).message }));
    }
  }

  async #connect(): Promise<void> {
    const { target, knownHostsFiles } = this.#config;
    this.#events.onStage('loading-keys');
    const known = await loadKnownHosts([...knownHostsFiles.user, ...knownHostsFiles.global]);
    if (!known.ok) {
      this.#fail(known.error);
      return;
    }
    const plan = await planCredentials(this.#config, this.#answers, this.#deps.keyRing, this.#deps.clock);
    switch (plan.type) {
      case 'failed':
        this.#fail(plan.failure);
        return;
      case 'needs-passphrase':
        this.#finish({
          type: 'needs-user',
          prompt: {
            type: 'passphrase',
            id: this.#deps.nextPromptId(),
            keyPath: plan.keyPath,
            wasWrong: plan.wasWrong,
          },
        });
        return;
      case 'credentials':
        break;
      default:
        assertNever(plan);
    }
    for (const note of plan.notes) this.#events.log('warn', 'ssh.credentials', { note });
    if (this.#isOver()) return;

    this.#events.onStage('opening-socket');
    const addresses = await lookUpHost(target.host, this.#timing.dnsLimitMs, this.#deps.clock);
    if (this.#isOver()) return;
    if (!addresses.ok) {
      const context = this.#context();
      this.#fail(
        addresses.error.type === 'timeout'
          ? classifyTimeout(context)
          : classifySshError(addresses.error.error, context),
      );
      return;
    }
    this.#phase = 'connect';
    const socket = openSshSocket(addresses.value, target.port);
    this.#socket = socket;
    this.#limit(this.#timing.connectLimitMs);
    socket.once('connect', () => this.#onConnected());
    this.#startProtocol(socket, known.value, plan.credentials);
  }

  #startProtocol(
    socket: Socket,
    knownHosts: readonly KnownHostsEntry[],
    credentials: readonly Credential[],
  ): void {
    const { target } = this.#config;
    const hostKey = new HostKeyCheck(
      this.#config,
      knownHosts,
      this.#answers.trustedFingerprint,
      this.#deps.nextPromptId,
    );
    const login = new SshLogin(target.user, credentials, {
      onStep: () => this.#limit(this.#timing.authStepLimitMs),
      onWaitForAgent: () => this.#waitTimer?.dispose(),
    });
    this.#hostKey = hostKey;
    this.#login = login;
    this.#client
      .on('handshake', (negotiated: NegotiatedAlgorithms) => this.#onHandshake(negotiated))
      .on('ready', () => this.#onReady())
      .on('close', () => this.#fail(classifyClose(this.#context())));
    this.#client.connect({
      sock: socket,
      username: target.user,
      // Our own limits: this one would count the time that an agent's owner takes.
      readyTimeout: 0,
      // Our own pings: see LinkWatchdog.
      keepaliveInterval: 0,
      // The ping is an OpenSSH request; any other server answers it too, with a refusal.
      strictVendor: false,
      algorithms: {
        kex: [...OFFERED_ALGORITHMS.kex],
        cipher: [...OFFERED_ALGORITHMS.cipher],
        hmac: [...OFFERED_ALGORITHMS.hmac],
        compress: [...OFFERED_ALGORITHMS.compress],
        serverHostKey: [...orderHostKeyAlgorithms(knownKeyTypes(knownHosts, target.host, target.port))],
      },
      // Synchronous, always: an async verifier lets every key through, and breaks the link on rekey.
      hostVerifier: (key: Buffer) => hostKey.isTrusted(key),
      authHandler: (left, _partial, next) => void this.#offerNext(hostKey, login, left, next),
    });
    // After connect(), which has paused the socket: a listener set before it would let bytes pass unseen.
    const record = (data: Buffer): void => {
      if (this.#phase !== 'banner') {
        socket.off('data', record);
        return;
      }
      this.#received = Buffer.concat([this.#received, data]).subarray(0, MAX_RECORDED_BYTES);
      if (/(?:^|\n)SSH-[^\n]*\n/.test(this.#received.toString('latin1'))) this.#onIdentified();
      else if (isClearlyNotSsh(this.#received)) this.#fail(classifyClose(this.#context()));
    };
    socket.on('data', record);
  }

  #onConnected(): void {
    if (this.#over) return;
    this.#phase = 'banner';
    this.#events.onStage('verifying-host-key');
  }

  #onIdentified(): void {
    this.#phase = 'key-exchange';
  }

  /** The server has proved that it holds the host key; ssh2 tells of the first key exchange and of every later one. */
  #onHandshake(negotiated: NegotiatedAlgorithms): void {
    if (this.#over) return;
    tunePackets(this.#client);
    this.#negotiated = negotiated;
    if (this.#phase === 'auth' || this.#phase === 'up') return;
    this.#phase = 'auth';
    this.#events.onStage('authenticating');
    this.#limit(this.#timing.authStepLimitMs);
  }

  async #offerNext(
    hostKey: HostKeyCheck,
    login: SshLogin,
    left: readonly string[] | null,
    next: (method: AnyAuthMethod) => void,
  ): Promise<void> {
    const remembered = await hostKey.remember();
    if (this.#isOver()) return;
    if (!remembered.ok) {
      this.#fail(remembered.error);
      return;
    }
    const method = login.next(left);
    if (method !== null) next(method);
    else this.#fail(classifySshError({ message: '', level: 'client-authentication' }, this.#context()));
  }

  #onReady(): void {
    const socket = this.#socket;
    if (this.#over || socket === null) return;
    this.#phase = 'up';
    this.#isReady = true;
    this.#waitTimer?.dispose();
    this.#resources.add(
      new LinkWatchdog(
        {
          bytesRead: () => socket.bytesRead,
          ping: (onReply) => {
            this.#ping((isReply) => {
              if (isReply) onReply();
            });
          },
        },
        this.#deps.clock,
        {
          onAlive: (latencyMs) => this.#events.onAlive(latencyMs),
          onDead: (silentMs) =>
            this.#fail(failure('link-dead', { host: this.#config.target.host, silentMs })),
        },
      ),
    );
    this.#events.onReady({
      server: serverOf(this.#received),
      hostKeyFingerprint: this.#hostKey?.fingerprint ?? null,
      keyExchange: this.#negotiated?.kex ?? null,
      cipher: this.#negotiated?.cs.cipher ?? null,
      authenticatedWith: this.#login?.tried.at(-1) ?? null,
    });
  }

  /** Every server must answer a global request, with success or failure (RFC 4254, section 4). False: not sent. */
  #ping(onReply: (isReply: boolean) => void): boolean {
    if (!this.isReady) return false;
    try {
      this.#client.openssh_noMoreSessions((error) => {
        onReply(!/No response from server/.test(error?.message ?? ''));
      });
      return true;
    } catch {
      return false;
    }
  }

  #limit(limitMs: number): void {
    this.#waitTimer?.dispose();
    this.#waitTimer = this.#deps.clock.setTimer(limitMs, () => {
      const context = { ...this.#context(), connectLimitMs: limitMs };
      this.#fail(classifyTimeout(context));
    });
  }

  #onError(error: Error & RawSshError): void {
    if (this.#over) return;
    // An agent that fails, or a key that will not sign, only means: the next credential, please.
    if (error.level === 'agent') {
      this.#events.log('warn', 'ssh.agent', { detail: error.message.slice(0, 200) });
      return;
    }
    if (error.level === 'client-authentication' && !error.message.startsWith('All configured')) {
      this.#events.log('warn', 'ssh.sign', { detail: error.message.slice(0, 200) });
      return;
    }
    this.#fail(classifySshError(error, this.#context()));
  }

  #context(): SshErrorContext {
    const { host, port, user } = this.#config.target;
    return {
      phase: this.#phase,
      host,
      port,
      user,
      dnsLimitMs: this.#timing.dnsLimitMs,
      connectLimitMs: this.#timing.connectLimitMs,
      received: this.#received,
      tried: [...(this.#login?.tried ?? [])],
      offered: this.#login?.offered ?? null,
    };
  }

  #fail(why: ConnectionFailure): void {
    this.#finish(this.#hostKey?.denial ?? { type: 'failed', failure: why });
  }

  /** The first cause wins; what follows are its echoes. */
  #finish(end: SshSessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#waitTimer?.dispose();
    this.#resources.dispose();
    this.#tearDown(end.type === 'closed' && this.#phase === 'up');
    this.#events.onEnd(end);
  }

  /** Always by our own socket: `Client.destroy()` does nothing once the client has been ended. */
  #tearDown(inOrder: boolean): void {
    const socket = this.#socket;
    if (socket === null) return;
    if (!inOrder || socket.destroyed) {
      socket.destroy();
      return;
    }
    const timer = this.#deps.clock.setTimer(END_LIMIT_MS, () => socket.destroy());
    socket.once('close', () => timer.dispose());
    this.#client.end();
    socket.destroySoon();
  }

  /** As a call, so that the compiler does not think it cannot change across an await. */
  #isOver(): boolean {
    return this.#over;
  }
}

function discard(channel: ClientChannel): void {
  channel.on('error', () => undefined);
  channel.destroy();
  channel.resume();
}

/** `OpenSSH_9.2p1 Debian-2` of `SSH-2.0-OpenSSH_9.2p1 Debian-2`. */
function serverOf(received: Buffer): string | null {
  const match = /(?:^|\n)SSH-[^-\n]+-([^\r\n]{1,200})/.exec(received.toString('latin1'));
  return match?.[1] ?? null;
}
