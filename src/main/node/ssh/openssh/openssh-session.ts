import { existsSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { failure, type ConnectionFailure } from '../../../../shared/connection-failure.ts';
import type { ConnectStage } from '../../../../shared/connection-state.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import type { ProbeResult, RouteFacts } from '../../../core/connection/ports.ts';
import {
  DisposableStore,
  MutableDisposable,
  toDisposable,
  type Disposable,
} from '../../../core/lifecycle.ts';
import { plainLines } from '../../../core/plain-text.ts';
import type { OpensshCommand, SshHop } from '../../../core/tunnel/ssh-hop.ts';
import type { TunnelAnswer, TunnelConfig } from '../../../core/tunnel/tunnel-protocol.ts';
import type {
  Question,
  TunnelSession,
  TunnelSessionDeps,
  TunnelSessionEnd,
  TunnelSessionEvents,
} from '../../tunnel/tunnel-session.ts';
import { withForwardLimit } from '../forward-limit.ts';
import { LinkWatchdog } from '../link-watchdog.ts';
import { namedKeyFiles } from '../ssh-credentials.ts';
import { classifyForwardError } from '../ssh-errors.ts';
import { SSH_TIMING, type SshTiming } from '../ssh-timing.ts';
import { questionOf, replyTo, type AskpassRequest } from './askpass-prompt.ts';
import { Askpass } from './askpass.ts';
import { knownName, withKnownKeys, withKnownTypes } from './known-keys.ts';
import { MuxProxy, type ChannelSource } from './mux-proxy.ts';
import { CONNECT_LIMIT_MS, opensshArguments } from './openssh-arguments.ts';
import type { AskedSecret, OpensshEnd } from './openssh-end.ts';
import { classifyOpensshEnd } from './openssh-failures.ts';
import { startOpenssh, type OpensshProcess } from './openssh-process.ts';
import { afterLine, NO_PROGRESS, stageOf, wordsOf, type Progress } from './openssh-progress.ts';
import { readOpensshSettings, type OpensshSettings } from './openssh-settings.ts';
import { whyOfJump, withJumpName } from './openssh-jumps.ts';
import { PrivateDir } from './private-dir.ts';
import { StdioForwards } from './stdio-forwards.ts';

const MUX_LIMIT_MS = 2_000;
const RETRY_MUX_MS = 200;
/** A master of the user's that does not answer by then is as good as none. */
const RIDE_LIMIT_MS = 3_000;
/** On top of ConnectTimeout, which ssh keeps itself. */
const CONNECT_MARGIN_MS = 5_000;
/** After its control socket has closed, ssh's last words are waited for. */
const LAST_WORDS_MS = 2_000;
const MAX_LINES = 80;
const MAX_LOGGED_LINES = 40;
const MAX_LOGGED_CHARS = 300;

export interface OpensshSessionDeps extends TunnelSessionDeps {
  readonly timing?: SshTiming;
}

/**
 * SSH with the target by the system's own `ssh`, which authenticates and keeps the connection; channels are opened by its
 * control socket (MuxProxy). Where the user's own ControlMaster lives already, its connection is used (StdioForwards), and
 * nothing is left behind in it.
 */
export class OpensshSession implements TunnelSession {
  readonly #config: TunnelConfig;
  readonly #events: TunnelSessionEvents;
  readonly #deps: OpensshSessionDeps;
  readonly #timing: SshTiming;
  readonly #resources = new DisposableStore();
  readonly #limit = new MutableDisposable<Disposable>();
  readonly #lines: string[] = [];
  readonly #asked: string[] = [];
  readonly #secrets: AskedSecret[] = [];
  readonly #keyTypes = new Map<string, string>();
  #settings: OpensshSettings | null = null;
  #progress: Progress = NO_PROGRESS;
  #stage: ConnectStage | null = null;
  #process: OpensshProcess | null = null;
  #source: ChannelSource | null = null;
  #controlSocket: string | null = null;
  #isConnectingMux = false;
  #openQuestions = 0;
  #loggedLines = 0;
  #isOver = false;

  constructor(config: TunnelConfig, events: TunnelSessionEvents, deps: OpensshSessionDeps) {
    this.#config = config;
    this.#events = events;
    this.#deps = deps;
    this.#timing = deps.timing ?? SSH_TIMING;
    this.#resources.add(this.#limit);
    // Not within the constructor: whoever hears of it must hold this session already.
    queueMicrotask(() => void this.#run());
  }

  get isReady(): boolean {
    return this.#source !== null && !this.#isOver;
  }

  /** Between us and ssh: what its channels carry, without encryption. */
  get traffic(): { readonly bytesReceived: number; readonly bytesSent: number } {
    return { bytesReceived: this.#source?.bytesRead ?? 0, bytesSent: this.#source?.bytesWritten ?? 0 };
  }

  openForward(originPort: number): Promise<Result<Duplex, ConnectionFailure>> {
    const { forward } = this.#config;
    const host = this.#host;
    const source = this.#source;
    if (source === null || this.#isOver) {
      return Promise.resolve(err(failure('link-lost', { host, detail: 'closed' })));
    }
    return withForwardLimit<Duplex>({
      limitMs: this.#timing.forwardLimitMs,
      clock: this.#deps.clock,
      bytesReceived: () => source.bytesRead,
      open: (settle) => {
        const opening = source.openForward(forward, originPort, (result) => {
          if (result.ok) {
            settle(ok(result.value));
            return;
          }
          const { reason, message } = result.error;
          const refusal = reason === 0 ? { message } : { message, reason };
          settle(err(classifyForwardError(refusal, host, forward.port)));
        });
        return () => opening.cancel();
      },
      onTimeout: (waitedMs) =>
        failure('forward-timeout', { host, gatewayPort: forward.port, limitMs: waitedMs }),
    });
  }

  async probe(limitMs: number): Promise<ProbeResult> {
    const source = this.#source;
    if (source === null || this.#isOver) return { alive: false, latencyMs: null };
    const latencyMs = await this.#ping(source, limitMs);
    return { alive: latencyMs !== null, latencyMs };
  }

  close(): void {
    this.#finish({ type: 'closed' });
  }

  dispose(): void {
    this.close();
  }

  get #hops(): readonly SshHop[] {
    return [...this.#config.jumps, this.#config.target];
  }

  /** Of all hops. */
  get #knownHostsFiles(): readonly string[] {
    const ofHops = this.#hops.flatMap(({ knownHostsFiles: { user, global } }) => [...user, ...global]);
    return [...new Set([...(this.#settings?.knownHostsFiles ?? []), ...ofHops])];
  }

  get #host(): string {
    return this.#settings?.host ?? this.#config.target.host;
  }

  async #run(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      this.#fail(failure('bug', { detail: (error as Error).message.slice(0, 300) }));
    }
  }

  async #connect(): Promise<void> {
    const { openssh, target } = this.#config;
    if (this.#over()) return;
    const { platform } = process;
    if (openssh === null || platform === 'win32') {
      const facts = { target: target.name, reasons: [] };
      this.#fail(
        platform === 'win32'
          ? failure('openssh-unavailable', { ...facts, platform })
          : failure('openssh-missing', facts),
      );
      return;
    }
    this.#enter('opening-socket');
    const settings = await readOpensshSettings(openssh, target, this.#resources);
    if (this.#over()) return;
    if (!settings.ok) {
      this.#fail(settings.error);
      return;
    }
    this.#settings = settings.value;
    if (settings.value.controlPath !== null && (await this.#ride(openssh, settings.value.controlPath)))
      return;
    if (!this.#over()) await this.#start(openssh, settings.value);
  }

  /** True when the user's own master takes us, or when the session is over. */
  async #ride(openssh: OpensshCommand, controlPath: string): Promise<boolean> {
    if (!existsSync(controlPath)) return false;
    const source = new StdioForwards(openssh, controlPath, this.#config.forward);
    const latencyMs = await this.#ping(source, RIDE_LIMIT_MS);
    if (latencyMs === null || this.#over()) {
      source.close();
      return this.#over();
    }
    this.#events.log('info', 'openssh.control-master', {});
    this.#onUp(source);
    return true;
  }

  async #start(openssh: OpensshCommand, settings: OpensshSettings): Promise<void> {
    const dir = new PrivateDir();
    // Until there is a guard that does it, also after our own death.
    const removal = toDisposable(() => dir.dispose());
    this.#resources.add(removal);
    const askpass = await Askpass.create(dir, this.#deps.clock, (request, withdrawn) =>
      this.#onQuestion(request, withdrawn),
    );
    if (askpass === null || this.#over()) {
      askpass?.dispose();
      this.#fail(failure('openssh-failed', { host: this.#host, exitCode: null, detail: 'mkfifo' }));
      return;
    }
    this.#resources.add(askpass);
    this.#controlSocket = dir.file('c');
    const command = [
      openssh.command,
      ...opensshArguments(settings, this.#controlSocket),
      ...openssh.targetArgs,
    ];
    // Nobody connects to this display.
    const env = { DISPLAY: ':0', ...openssh.env, LC_MESSAGES: 'C', ...askpass.env };
    const running = startOpenssh(command, env, dir.path, {
      onLine: (line) => this.#onLine(line),
      onExit: (exitCode) => {
        removal.dispose();
        void this.#onExit(exitCode);
      },
    });
    this.#process = running;
    this.#resources.defer(() => running.end());
    this.#restartLimit();
  }

  #onLine(line: string): void {
    if (this.#isOver) return;
    const before = this.#progress;
    this.#progress = afterLine(before, line);
    const { hostKey, phase } = this.#progress;
    if (hostKey !== null) this.#keyTypes.set(hostKey.fingerprint, hostKey.type);
    const words = wordsOf(line);
    if (words !== null) this.#keep(words);
    if (this.isReady) return;
    this.#restartLimit();
    if (phase !== before.phase) this.#enter(stageOf(phase));
    if (phase === 'up') void this.#connectMux();
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
    this.#loggedLines += 1;
    if (this.#loggedLines > MAX_LOGGED_LINES) return;
    this.#events.log('debug', 'openssh.stderr', { line: plainLines(line, MAX_LOGGED_CHARS) });
  }

  /** The socket is there as soon as the target has let us in; a jump's success comes before and finds none. */
  async #connectMux(): Promise<void> {
    const path = this.#controlSocket;
    if (this.#isConnectingMux || path === null || this.isReady) return;
    this.#isConnectingMux = true;
    const { clock } = this.#deps;
    const connected = await MuxProxy.connect(path, MUX_LIMIT_MS, clock, () => this.#onMuxEnd());
    this.#isConnectingMux = false;
    if (this.#over()) {
      if (connected.ok) connected.value.close();
    } else if (connected.ok) {
      this.#onUp(connected.value);
    } else if (this.#progress.phase === 'up') {
      this.#resources.add(clock.setTimer(RETRY_MUX_MS, () => void this.#connectMux()));
    }
  }

  #onUp(source: ChannelSource): void {
    this.#source = source;
    this.#limit.set(null);
    this.#resources.defer(() => source.close());
    const link = {
      bytesRead: () => source.bytesRead,
      ping: (onReply: () => void) => source.ping(onReply),
    };
    const watchdog = new LinkWatchdog(link, this.#deps.clock, {
      onAlive: (latencyMs) => this.#events.onAlive(latencyMs),
      onDead: (silentMs) => this.#fail(failure('link-dead', { host: this.#host, silentMs })),
    });
    this.#resources.add(watchdog);
    this.#events.onReady(this.#facts());
  }

  #facts(): RouteFacts {
    const { server, hostKey, keyExchange, cipher, accepted, method } = this.#progress;
    const isByKey = method === 'publickey' || method === 'hostbased';
    const settings = this.#settings;
    return {
      server,
      hostKeyFingerprint: hostKey?.fingerprint ?? null,
      keyExchange,
      cipher,
      authenticatedWith: isByKey ? (accepted?.name ?? method) : (method ?? 'ControlMaster'),
      credentialFingerprint: isByKey && accepted?.fingerprint !== '' ? (accepted?.fingerprint ?? null) : null,
      transport: 'openssh',
      via: [...(settings?.proxyJump ?? [])].concat(
        settings !== null && settings.proxyJump.length === 0 && settings.proxyCommand !== null
          ? ['ProxyCommand']
          : [],
      ),
    };
  }

  async #onQuestion(request: AskpassRequest, withdrawn: AbortSignal): Promise<string | null> {
    if (this.#over()) return null;
    const { host, name, port, user } = this.#config.target;
    const files = this.#settings?.knownHostsFiles ?? [];
    const plain = questionOf(request, {
      host: name === '' ? host : name,
      port,
      user: this.#settings?.user ?? user,
      knownHostsFile: files[0] ?? '',
      keyTypes: this.#keyTypes,
      isServersQuestion: this.#progress.trying === 'keyboard-interactive',
      hasOtherServers: this.#progress.usesProxy,
      asked: this.#asked,
    });
    this.#asked.push(request.text);
    this.#noteSecret(plain);
    this.#openQuestions += 1;
    this.#limit.set(null);
    const named = withJumpName(plain, this.#config);
    const question = named.type === 'host-key' ? await withKnownTypes(named, files) : named;
    const answer = this.#trustOf(question) ?? (await this.#events.ask(question, withdrawn));
    this.#openQuestions -= 1;
    this.#restartLimit();
    return answer === null ? null : replyTo(question, request, answer);
  }

  #noteSecret(question: Question): void {
    const at = this.#progress;
    const { type } = question;
    if (type === 'passphrase') this.#secrets.push({ type, keyPath: question.keyPath, at });
    // Other questions of ssh look the same: for the PIN of a security key.
    else if (type === 'password' || (type === 'keyboard-interactive' && at.trying === type))
      this.#secrets.push({ type, keyPath: '', at });
  }

  /** What the person has said of this key in this attempt already. */
  #trustOf(question: Question): TunnelAnswer | null {
    if (question.type !== 'host-key') return null;
    const { host, port, fingerprint } = question;
    const isTrusted = this.#deps.trusted.some(
      (key) => key.host === host && key.port === port && key.fingerprint === fingerprint,
    );
    return isTrusted ? { type: 'trust-host-key', fingerprint } : null;
  }

  /** ssh itself limits the time to connect, but not to exchange keys, nor between two answers while signing in. */
  #restartLimit(): void {
    if (this.#isOver || this.isReady) return;
    if (!this.#progress.isServersTurn || this.#openQuestions > 0) {
      this.#limit.set(null);
      return;
    }
    const limitMs =
      this.#progress.phase === 'auth'
        ? this.#timing.authStepLimitMs
        : this.#connectLimitMs + CONNECT_MARGIN_MS;
    this.#limit.set(this.#deps.clock.setTimer(limitMs, () => this.#onLimit(limitMs)));
  }

  #onLimit(limitMs: number): void {
    const { port } = this.#settings ?? this.#config.target;
    const host = this.#host;
    switch (this.#progress.phase) {
      case 'start':
      case 'connecting':
        this.#fail(failure('ssh-timeout', { host, port, limitMs }));
        return;
      case 'banner':
      case 'key-exchange':
        this.#fail(failure('ssh-handshake-timeout', { host, port, limitMs }));
        return;
      case 'auth':
      case 'up':
        this.#fail(failure('link-dead', { host, silentMs: limitMs }));
    }
  }

  get #connectLimitMs(): number {
    return this.#settings?.connectTimeoutMs ?? CONNECT_LIMIT_MS;
  }

  #onMuxEnd(): void {
    if (this.#isOver) return;
    const lost = failure('link-lost', { host: this.#host, detail: 'control socket closed' });
    if (this.#process === null) this.#fail(lost);
    else this.#resources.add(this.#deps.clock.setTimer(LAST_WORDS_MS, () => this.#fail(lost)));
  }

  async #onExit(exitCode: number | null): Promise<void> {
    const settings = this.#settings;
    if (this.#isOver || settings === null) return;
    const { target } = this.#config;
    const end: OpensshEnd = {
      target: target.name,
      settings,
      hopNames: this.#hops.map(knownName),
      progress: this.#progress,
      lines: this.#lines,
      exitCode,
      connectLimitMs: this.#connectLimitMs,
      explicitKey: target.identityFileIsExplicit ? (target.identityFiles[0] ?? null) : null,
      asked: this.#secrets,
      missingKeys: target.identityFileIsExplicit
        ? []
        : namedKeyFiles(target.identityFiles).filter(
            (path) => !existsSync(path) && !existsSync(`${path}.pub`),
          ),
    };
    const why = await withKnownKeys(classifyOpensshEnd(end), this.#knownHostsFiles);
    const jump = this.#config.jumps[this.#progress.authenticated];
    this.#fail(jump === undefined ? why : whyOfJump(why, jump));
  }

  #ping(source: ChannelSource, limitMs: number): Promise<number | null> {
    return new Promise((resolve) => {
      const { clock } = this.#deps;
      const startedAtMs = clock.monotonicMs();
      const timer = clock.setTimer(limitMs, () => resolve(null));
      source.ping(() => {
        timer.dispose();
        resolve(clock.monotonicMs() - startedAtMs);
      });
    });
  }

  #enter(stage: ConnectStage): void {
    if (this.#stage === stage) return;
    this.#stage = stage;
    const isOurs = stage === 'opening-socket' || stage === 'verifying-host-key';
    this.#events.onStage(stage, isOurs ? (this.#settings?.connectTimeoutMs ?? null) : null);
  }

  #fail(why: ConnectionFailure): void {
    this.#finish({ type: 'failed', failure: why });
  }

  /** The first cause wins; what follows are its echoes. */
  #finish(end: TunnelSessionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#resources.dispose();
    this.#events.onEnd(end);
  }

  /** As a call, so that the compiler does not think it cannot change across an await. */
  #over(): boolean {
    return this.#isOver;
  }
}
