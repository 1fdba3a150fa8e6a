import ssh2, { type AnyAuthMethod, type Client, type ClientChannel, type NegotiatedAlgorithms } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever, type Result } from '../../../shared/result.ts';
import type { ProbeResult } from '../../core/connection/ports.ts';
import { DisposableStore, type Disposable } from '../../core/lifecycle.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import type {
  TunnelSession,
  TunnelSessionDeps,
  TunnelSessionEnd,
  TunnelSessionEvents,
} from '../tunnel/tunnel-session.ts';
import { HostKeyCheck } from './host-key-check.ts';
import { loadKnownHosts } from './known-hosts-file.ts';
import { knownKeyTypes, type KnownHostsEntry } from './known-hosts.ts';
import { WATCHDOG_TIMING, type WatchdogTiming } from './link-watchdog.ts';
import { startClient } from './ssh-client.ts';
import { LoginHistory, LoginMemory } from './login-history.ts';
import { planCredentials, type Credential, type CredentialPlan } from './ssh-credentials.ts';
import {
  classifyClose,
  classifyForwardError,
  classifySshError,
  classifyTimeout,
  type ForwardError,
  type RawSshError,
  type SshErrorContext,
  type SshPhase,
} from './ssh-errors.ts';
import { openForward } from './ssh-forward.ts';
import { SshLogin } from './ssh-login.ts';
import { observeLogin } from './ssh-observer.ts';
import { probeServer, watchServer } from './ssh-pulse.ts';
import { ServerGreeting } from './server-greeting.ts';
import { tunePackets } from './ssh-packets.ts';
import { SSH_TIMING, type SshTiming } from './ssh-timing.ts';
import type { SshWire, WireDialer } from './ssh-wire.ts';
import { learnHostKeys } from './update-host-keys.ts';

/** An agent that has not signed by now probably waits for its owner. */
const SLOW_AGENT_MS = 1_000;

/** How long an orderly end may take before the socket is torn down. */
const END_LIMIT_MS = 500;
export interface SshSessionDeps extends TunnelSessionDeps {
  readonly timing?: SshTiming;
  /** Opens what carries this connection. */
  readonly dial: WireDialer;
  /** Where channels lead. */
  readonly forward: { readonly host: string; readonly port: number };
  readonly watchdog?: WatchdogTiming;
  /** `SHA256:…` of the public key that this server accepted last: it is offered first. */
  readonly lastCredential?: string | null;
}

type ReadyPlan = Extract<CredentialPlan, { type: 'credentials' }>;

/** SSH with one server by ssh2. */
export class SshSession implements TunnelSession {
  readonly #hop: SshHop;
  readonly #events: TunnelSessionEvents;
  readonly #deps: SshSessionDeps;
  readonly #timing: SshTiming;
  readonly #resources = new DisposableStore();
  readonly #stop = new AbortController();
  readonly #history = new LoginHistory();
  /** One a connection: ssh2's clients cannot be used again. */
  #client: Client = this.#newClient();
  #wire: SshWire | null = null;
  #phase: SshPhase = 'dns';
  #over = false;
  #isReady = false;
  #greeting = new ServerGreeting();
  #hostKey: HostKeyCheck | null = null;
  #login: SshLogin | null = null;
  #negotiated: NegotiatedAlgorithms | null = null;
  #waitTimer: Disposable | null = null;
  #plan: ReadyPlan | null = null;
  #isAsking = false;
  #isAgentSlow = false;

  constructor(hop: SshHop, events: TunnelSessionEvents, deps: SshSessionDeps) {
    this.#hop = hop;
    this.#events = events;
    this.#deps = deps;
    this.#timing = deps.timing ?? SSH_TIMING;
    // Not within the constructor: whoever hears of it must hold this session already.
    queueMicrotask(() => void this.#run());
  }

  get isReady(): boolean {
    return this.#isReady && !this.#over;
  }

  /** Of the SSH connection, both directions, encryption included. */
  get traffic(): { readonly bytesReceived: number; readonly bytesSent: number } {
    return { bytesReceived: this.#wire?.bytesRead() ?? 0, bytesSent: this.#wire?.bytesWritten() ?? 0 };
  }

  /** Opens a channel to where channels lead. The caller owns the channel. `explain` names the server's refusal. */
  openForward(
    originPort: number,
    explain?: (error: ForwardError) => ConnectionFailure,
  ): Promise<Result<ClientChannel, ConnectionFailure>> {
    const to = this.#deps.forward;
    const at = this.#hop.host;
    return openForward(this.#client, {
      at,
      to,
      originPort,
      limitMs: this.#timing.forwardLimitMs,
      clock: this.#deps.clock,
      bytesReceived: () => this.traffic.bytesReceived,
      explain: (error) => explain?.(error) ?? classifyForwardError(error, at, to.port),
    });
  }

  /** Asks the server for any reply within the limit. */
  probe(limitMs: number): Promise<ProbeResult> {
    if (!this.isReady) return Promise.resolve({ alive: false, latencyMs: null });
    return probeServer(this.#client, this.#deps.clock, limitMs);
  }

  /** Ends it in order, or at once where there is no order to keep. */
  close(): void {
    this.#finish({ type: 'closed' });
  }

  dispose(): void {
    this.close();
  }

  #newClient(): Client {
    const client = new ssh2.Client();
    // For ever: ssh2 may report a second error after the one that ended everything.
    client.on('error', (error: Error) => {
      if (this.#client === client) this.#onError(error);
    });
    return client;
  }

  async #run(): Promise<void> {
    if (this.#isOver()) return;
    try {
      await this.#prepare();
    } catch (error) {
      this.#fail(failure('bug', { detail: (error as Error).message }));
    }
  }

  async #prepare(): Promise<void> {
    const { keyRing, clock } = this.#deps;
    this.#events.onStage('loading-keys', null);
    const plan = await planCredentials(this.#hop, keyRing, clock);
    if (this.#isOver()) return;
    if (plan.type === 'failed') {
      this.#fail(plan.failure);
      return;
    }
    for (const note of plan.notes) this.#events.log('warn', 'ssh.credentials', { note });
    this.#plan = plan;
    await this.#connect(plan.credentials);
  }

  async #connect(credentials: readonly Credential[]): Promise<void> {
    const { knownHostsFiles } = this.#hop;
    const known = await loadKnownHosts([...knownHostsFiles.user, ...knownHostsFiles.global]);
    if (this.#isOver()) return;
    if (!known.ok) {
      this.#fail(known.error);
      return;
    }
    this.#events.onStage('opening-socket', this.#hop.connectTimeoutMs);
    const dialled = await this.#deps.dial(this.#stop.signal);
    if (this.#isOver()) {
      if (dialled.ok) dialled.value.destroy();
      return;
    }
    if (!dialled.ok) {
      this.#fail(dialled.error);
      return;
    }
    this.#wire = dialled.value;
    this.#phase = 'banner';
    this.#events.onStage('verifying-host-key', this.#hop.connectTimeoutMs);
    this.#limit(this.#hop.connectTimeoutMs ?? this.#timing.connectLimitMs);
    this.#startProtocol(dialled.value, known.value, credentials);
  }

  /** The server allows no more tries, and there is more to try: once more from the start, over a new connection. */
  #connectAgain(): void {
    this.#events.log('info', 'ssh.login-again', { tried: this.#history.tried.length });
    this.#waitTimer?.dispose();
    const before = this.#wire;
    this.#client = this.#newClient();
    this.#wire = null;
    this.#phase = 'dns';
    this.#greeting = new ServerGreeting();
    this.#hostKey = null;
    this.#login = null;
    before?.destroy();
    this.#connect(this.#plan?.credentials ?? []).catch((error: unknown) =>
      this.#fail(failure('bug', { detail: (error as Error).message })),
    );
  }

  #startProtocol(
    wire: SshWire,
    knownHosts: readonly KnownHostsEntry[],
    credentials: readonly Credential[],
  ): void {
    const hostKey = new HostKeyCheck(this.#hop, knownHosts, this.#deps.trusted);
    const login = this.#newLogin(credentials);
    const client = this.#client;
    const isCurrent = (): boolean => this.#client === client;
    this.#hostKey = hostKey;
    this.#login = login;
    client
      .on('handshake', (negotiated: NegotiatedAlgorithms) => this.#onHandshake(negotiated))
      .on('ready', () => this.#onReady())
      // Once: the server names its keys one time, after the login.
      .once('hostkeys', (keys) => {
        const proven = keys.map((key) => key.getPublicSSH());
        void learnHostKeys(this.#hop, hostKey, proven, (level, event, fields) => {
          if (!this.#isOver()) this.#events.log(level, event, fields);
        });
      })
      .on('change password', () => this.#fail(this.#rejected('the server wants a new password')))
      .on('close', () => {
        if (isCurrent()) this.#onClose();
      });
    const record = (data: Buffer): void => {
      if (!isCurrent() || (this.#phase !== 'banner' && this.#phase !== 'key-exchange')) {
        wire.stream.off('data', record);
        return;
      }
      const greeting = this.#greeting;
      greeting.record(data);
      if (this.#phase !== 'banner') return;
      if (greeting.kind === 'identified') this.#phase = 'key-exchange';
      else if (greeting.kind === 'not-ssh') this.#fail(classifyClose(this.#context()));
    };
    let isObserved = false;
    startClient(client, {
      wire,
      hop: this.#hop,
      knownKeyTypes: knownKeyTypes(knownHosts, hostKey.place.host, hostKey.place.port),
      isTrusted: (key) => hostKey.isTrusted(key),
      authHandler: (left, isPartial, next) => {
        const methods = left as readonly string[] | null;
        if (!isObserved && methods !== null) login.onFailure(methods, isPartial);
        void this.#offerNext(hostKey, login, next);
      },
    });
    isObserved = observeLogin(client, login);
    // After the start, which has paused the stream: a listener set before it would let bytes pass unseen.
    wire.stream.on('data', record);
  }

  /** The server has proved that it holds the host key; ssh2 tells of the first key exchange and of every later one. */
  #onHandshake(negotiated: NegotiatedAlgorithms): void {
    if (this.#over) return;
    tunePackets(this.#client);
    this.#negotiated = negotiated;
    if (this.#phase === 'auth' || this.#phase === 'up') return;
    this.#phase = 'auth';
    this.#events.onStage('authenticating', null);
    this.#limit(this.#timing.authStepLimitMs);
  }

  async #offerNext(
    hostKey: HostKeyCheck,
    login: SshLogin,
    next: (method: AnyAuthMethod) => void,
  ): Promise<void> {
    const remembered = await hostKey.remember();
    if (this.#isOver()) return;
    if (!remembered.ok) {
      this.#fail(remembered.error);
      return;
    }
    // A connection that was given up asks nothing more.
    if (this.#login !== login) return;
    const step = await login.next();
    if (this.#isOver() || this.#login !== login) return;
    switch (step.type) {
      case 'method':
        next(step.method);
        return;
      case 'again':
        this.#connectAgain();
        return;
      case 'exhausted':
        this.#fail(this.#rejected(null));
        return;
      case 'over':
        return;
      default:
        assertNever(step);
    }
  }

  #newLogin(credentials: readonly Credential[]): SshLogin {
    const { keyRing, loginMemory } = this.#deps;
    return new SshLogin({
      hop: this.#hop,
      credentials,
      lastCredential: this.#deps.lastCredential ?? null,
      keyRing,
      memory: loginMemory ?? new LoginMemory(),
      history: this.#history,
      stop: this.#stop.signal,
      ask: (question) => this.#events.ask(question),
      onStep: () => {
        this.#isAsking = false;
        if (this.#over) return;
        this.#limit(this.#timing.authStepLimitMs);
        if (this.#isAgentSlow) this.#events.onStage('authenticating', null);
        this.#isAgentSlow = false;
      },
      onWait: (why) => {
        this.#isAsking = why === 'person';
        this.#waitTimer?.dispose();
        if (why === 'agent')
          this.#waitTimer = this.#deps.clock.setTimer(SLOW_AGENT_MS, () => {
            this.#isAgentSlow = true;
            this.#events.onStage('awaiting-agent', null);
          });
      },
      onNote: (note) => this.#events.log('warn', 'ssh.login', { note: note.slice(0, 300) }),
    });
  }

  /** Everything was tried. */
  #rejected(why: string | null): ConnectionFailure {
    const { user, host } = this.#hop;
    const { tried, hasLeftOver, unopened, hasTyped } = this.#history;
    const offered = this.#login?.offered ?? [];
    if (why !== null) this.#events.log('warn', 'ssh.login', { note: why });
    if (unopened !== null && !hasTyped) return failure('passphrase-wrong', { path: unopened, host });
    if (hasLeftOver && !hasTyped) return failure('auth-too-many', { user, host, tried });
    if (tried.length === 0 && offered.includes('publickey') && this.#plan?.credentials.length === 0) {
      const { looked, agent, missing } = this.#plan;
      return failure('no-credentials', {
        user,
        host,
        looked,
        ...(agent === null ? {} : { agent }),
        ...(missing.length === 0 ? {} : { missing }),
      });
    }
    return classifySshError({ message: '', level: 'client-authentication' }, this.#context());
  }

  #onReady(): void {
    const wire = this.#wire;
    if (this.#over || wire === null) return;
    this.#phase = 'up';
    this.#isReady = true;
    this.#waitTimer?.dispose();
    this.#resources.add(
      watchServer(
        this.#client,
        () => wire.bytesRead(),
        this.#deps.clock,
        {
          onAlive: (latencyMs) => this.#events.onAlive(latencyMs),
          onDead: (silentMs) => this.#fail(failure('link-dead', { host: this.#hop.host, silentMs })),
        },
        this.#deps.watchdog ?? WATCHDOG_TIMING,
      ),
    );
    const accepted = this.#login?.accept();
    this.#events.onReady({
      server: this.#greeting.server,
      hostKeyFingerprint: this.#hostKey?.fingerprint ?? null,
      keyExchange: this.#negotiated?.kex ?? null,
      cipher: this.#negotiated?.cs.cipher ?? null,
      authenticatedWith: accepted?.label ?? null,
      credentialFingerprint: accepted?.fingerprint ?? null,
      transport: 'ssh2',
      via: [],
    });
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
    const why = classifySshError(error, this.#context());
    if (why.code !== 'auth-too-many') this.#fail(why);
    else if (this.#login?.mayTryAgain === true) this.#connectAgain();
    // Then what was typed is what was wrong, not the number of keys.
    else this.#fail(this.#history.hasTyped ? this.#rejected(null) : why);
  }

  #onClose(): void {
    if (this.#over) return;
    if (this.#phase === 'auth') this.#login?.onLost();
    this.#fail(classifyClose(this.#context()));
  }

  #context(): SshErrorContext {
    const { host, port, user } = this.#hop;
    return {
      phase: this.#phase,
      host,
      port,
      user,
      dnsLimitMs: this.#timing.dnsLimitMs,
      connectLimitMs: this.#timing.connectLimitMs,
      received: this.#greeting.received,
      tried: this.#history.tried,
      offered: this.#login?.offered ?? null,
      agent: this.#history.hasAgentRefused ? 'refused' : (this.#plan?.agent ?? null),
      missing: this.#plan?.missing ?? [],
      isAsking: this.#isAsking,
    };
  }

  #fail(why: ConnectionFailure): void {
    this.#finish(this.#hostKey?.denial ?? { type: 'failed', failure: why });
  }

  /** The first cause wins; what follows are its echoes. */
  #finish(end: TunnelSessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#stop.abort();
    this.#waitTimer?.dispose();
    this.#resources.dispose();
    this.#tearDown(end.type === 'closed' && this.#phase === 'up');
    this.#events.onEnd(end);
  }

  /** Always by our own stream: `Client.destroy()` does nothing once the client has been ended. */
  #tearDown(inOrder: boolean): void {
    const wire = this.#wire;
    if (wire === null) return;
    if (!inOrder || wire.stream.destroyed) {
      wire.destroy();
      return;
    }
    const timer = this.#deps.clock.setTimer(END_LIMIT_MS, () => wire.destroy());
    wire.stream.once('close', () => timer.dispose());
    this.#client.end();
    wire.endSoon();
  }

  /** As a call, so that the compiler does not think it cannot change across an await. */
  #isOver(): boolean {
    return this.#over;
  }
}
