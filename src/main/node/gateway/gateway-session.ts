import {
  GatewayClient,
  type GatewayClientCloseInfo,
  GatewayClientRequestError,
  isGatewayConnectAssemblyError,
} from '@openclaw/gateway-client';
import {
  GATEWAY_CLIENT_CAPS,
  GATEWAY_CLIENT_IDS,
  GATEWAY_CLIENT_MODES,
} from '@openclaw/gateway-protocol/client-info';
import { type ConnectionFailure, failure } from '../../../shared/connection-failure.ts';
import type { GatewayEndpoint } from '../../../shared/connection-state.ts';
import type { GatewayMode } from '../../../shared/gateway-profile.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type {
  GatewayEvent,
  GatewayHello,
  GatewayRpc,
  RpcError,
  RpcOptions,
} from '../../core/chat/gateway-rpc.ts';
import type { ProbeResult, SessionDriver, SessionEvent } from '../../core/connection/ports.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, DisposableStore, MutableDisposable } from '../../core/lifecycle.ts';
import type { Clock, Logger, SecretStore } from '../../core/ports.ts';
import { secretNames } from '../../core/secret-names.ts';
import { type DeviceIdentityStore, publicKeyRawBase64Url, signDevicePayload } from './device-identity.ts';
import { DeviceTokens } from './device-tokens.ts';
import {
  failureOfClose,
  failureOfConnectError,
  type FailureContext,
  type ShutdownNotice,
} from './gateway-errors.ts';
import { readHello } from './hello.ts';
import { innerSocket, readBytes } from './inner-socket.ts';
import { rpcErrorOf } from './rpc-error.ts';
import { SILENCE_LIMIT_MS, SilenceWatch } from './silence-watch.ts';

const ROLE = 'operator';
/** What the app uses: reading, chatting, showing approvals and questions. Not admin, not pairing. */
export const OPERATOR_SCOPES = [
  'operator.read',
  'operator.write',
  'operator.approvals',
  'operator.questions',
] as const;
/** Without it nothing of the app works; without the others it does, less a feature. */
const INDISPENSABLE_SCOPE = 'operator.read';

const HANDSHAKE_LIMIT_MS = 10_000;
const PROBE_LIMIT_MS = 5000;
/** The cheapest read that the gateway answers from its event loop: 140 bytes. */
const PROBE_METHOD = 'gateway.identity.get';
const ALIVE_EVERY_MS = 1000;
/** A tunnel whose link ended cuts its clients off and tells of it, in whichever order the two arrive here. */
const ECHO_MS = 250;

const REQUEST_LIMIT_MS = 30_000;
/** Slowest link that a large request is still given time for. */
const SLOWEST_BYTES_PER_MS = 32;
/** Room in a frame for its envelope and for what the gateway adds to it. */
const FRAME_MARGIN_BYTES = 16 * 1024;

export interface GatewaySessionOptions {
  readonly gatewayId: string;
  /** The way in that is in force: it decides which token and password are shown. */
  readonly mode: () => GatewayMode;
  readonly secrets: SecretStore;
  readonly identity: DeviceIdentityStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly clientVersion: string;
  /** Node's name of the platform, as the gateway shows it beside the device. */
  readonly platform: string;
  /** Takes secrets out of the client's own log lines. */
  readonly redact: (text: string) => string;
}

/** One opened connection; what belongs to a replaced one is dropped. */
interface Live {
  readonly attempt: number;
  readonly endpoint: GatewayEndpoint;
  readonly owned: DisposableStore;
  readonly timer: MutableDisposable<Disposable>;
  client: GatewayClient | null;
  up: boolean;
  ended: boolean;
  /** Its socket ended without a word, and the route may say why. */
  isEchoing: boolean;
  shutdown: ShutdownNotice | null;
  lastAliveMs: number;
  silence: SilenceWatch | null;
  /** Node's code of the socket's error, which the client keeps to itself once it is connected. */
  socketError: string | null;
}

/**
 * A session with one gateway over the official client. Each `open` makes a fresh client and stops it at the first sign
 * of trouble: retrying is the supervisor's, and an answer that arrives for a replaced session goes nowhere.
 */
export class GatewaySession implements SessionDriver, GatewayRpc {
  readonly #options: GatewaySessionOptions;
  readonly #tokens: DeviceTokens;
  readonly #sessionEvents: Emitter<SessionEvent>;
  readonly #helloEvents: Emitter<GatewayHello>;
  readonly #downEvents: Emitter<ConnectionFailure | null>;
  readonly #gatewayEvents: Emitter<GatewayEvent>;
  readonly #gaps: Emitter<null>;
  #live: Live | null = null;
  #hello: GatewayHello | null = null;
  #stopping: Promise<void> = Promise.resolve();

  constructor(options: GatewaySessionOptions) {
    this.#options = options;
    this.#tokens = new DeviceTokens(options.gatewayId, options.secrets, options.logger);
    const onError = (error: unknown): void =>
      options.logger.log('error', 'gateway.listener-failed', { error: options.redact(String(error)) });
    this.#sessionEvents = new Emitter(onError);
    this.#helloEvents = new Emitter(onError);
    this.#downEvents = new Emitter(onError);
    this.#gatewayEvents = new Emitter(onError);
    this.#gaps = new Emitter(onError);
  }

  get hello(): GatewayHello | null {
    return this.#hello;
  }

  onEvent(listener: (event: SessionEvent) => void): Disposable {
    return this.#sessionEvents.on(listener);
  }
  onHello(listener: (hello: GatewayHello) => void): Disposable {
    return this.#helloEvents.on(listener);
  }
  onDown(listener: (failure: ConnectionFailure | null) => void): Disposable {
    return this.#downEvents.on(listener);
  }
  onGatewayEvent(listener: (event: GatewayEvent) => void): Disposable {
    return this.#gatewayEvents.on(listener);
  }
  onGap(listener: () => void): Disposable {
    return this.#gaps.on(listener);
  }

  open(attempt: number, endpoint: GatewayEndpoint): void {
    this.#retire(null);
    const owned = new DisposableStore();
    const live: Live = {
      attempt,
      endpoint,
      owned,
      timer: owned.add(new MutableDisposable<Disposable>()),
      client: null,
      up: false,
      ended: false,
      isEchoing: false,
      shutdown: null,
      lastAliveMs: Number.NEGATIVE_INFINITY,
      silence: null,
      socketError: null,
    };
    this.#live = live;
    void this.#connect(live);
  }

  async close(): Promise<void> {
    this.#retire(null);
    await this.#stopping;
    await this.#tokens.flush();
  }

  async dispose(): Promise<void> {
    await this.close();
    for (const emitter of [
      this.#sessionEvents,
      this.#helloEvents,
      this.#downEvents,
      this.#gatewayEvents,
      this.#gaps,
    ]) {
      emitter.dispose();
    }
  }

  async probe(limitMs: number): Promise<ProbeResult> {
    const startedMs = this.#options.clock.monotonicMs();
    const live = this.#live;
    if (!live?.up || !live.client) return { alive: false, latencyMs: null };
    try {
      await live.client.request(PROBE_METHOD, {}, { timeoutMs: limitMs });
    } catch (error) {
      // A refusal is an answer too: whoever refuses is alive.
      if (!(error instanceof GatewayClientRequestError)) return { alive: false, latencyMs: null };
    }
    const latencyMs = this.#options.clock.monotonicMs() - startedMs;
    this.#heard(live, latencyMs);
    return { alive: true, latencyMs };
  }

  /**
   * Deletes the stored device token: the next connection shows the token or password instead. Rejects when the keychain
   * does not let go of it.
   */
  forgetDeviceToken(): Promise<void> {
    return this.#tokens.forget(ROLE);
  }

  async request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    options: RpcOptions = {},
  ): Promise<Result<unknown, RpcError>> {
    const live = this.#live;
    if (!live?.up || !live.client || !this.#hello) return err({ type: 'not-connected' });
    const bytes = Buffer.byteLength(JSON.stringify(params), 'utf8');
    const maxBytes = this.#hello.maxPayloadBytes - FRAME_MARGIN_BYTES;
    if (bytes > maxBytes) return err({ type: 'too-large', bytes, maxBytes });
    const limitMs = (options.timeoutMs ?? REQUEST_LIMIT_MS) + Math.ceil(bytes / SLOWEST_BYTES_PER_MS);
    let sent = false;
    try {
      const onSent = (): void => {
        sent = true;
      };
      const value = await live.client.request<unknown>(method, params, { timeoutMs: limitMs, onSent });
      this.#heard(live, null);
      return ok(value);
    } catch (error) {
      const reason = rpcErrorOf(error, sent, limitMs);
      if (reason.type === 'refused') this.#heard(live, null);
      return err(reason);
    }
  }

  /** `isRetry`: once more with the device token alone, after the gateway refused the token that it shares. */
  async #connect(live: Live, isRetry = false): Promise<void> {
    const { gatewayId, mode, secrets, identity, logger, redact } = this.#options;
    let client: GatewayClient;
    try {
      // One client at a time: the old socket is gone before the new one opens.
      await this.#stopping;
      const [device, token, password] = await Promise.all([
        identity.load(),
        secrets.get(secretNames.token(gatewayId, mode())),
        secrets.get(secretNames.password(gatewayId, mode())),
        this.#tokens.load(ROLE),
      ]);
      if (live.ended) return;
      const context: FailureContext = {
        url: live.endpoint.url,
        deviceId: device.deviceId,
        scopes: OPERATOR_SCOPES,
        limitMs: HANDSHAKE_LIMIT_MS,
      };
      // A client that was replaced by a second try has nothing more to say.
      const down = (reason: ConnectionFailure): void => {
        if (live.client === client) this.#down(live, reason);
      };
      const mayRetry =
        !isRetry && isOnLoopback(context.url) && Boolean(token && this.#tokens.get(device.deviceId, ROLE));
      const fail = (error: unknown): void => {
        const reason = failureOfConnectError(error, context);
        if (mayRetry && reason.code === 'token-mismatch') {
          if (live.client === client) this.#retryWithDeviceToken(live);
        } else if (isRetry && reason.code === 'device-token-rejected') {
          // Neither is valid any more; the shared one is what the person can put right.
          down(failure('token-mismatch', {}));
        } else down(reason);
      };
      client = new GatewayClient({
        url: live.endpoint.url,
        clientName: GATEWAY_CLIENT_IDS.GATEWAY_CLIENT,
        clientDisplayName: 'Gangway',
        clientVersion: this.#options.clientVersion,
        mode: GATEWAY_CLIENT_MODES.UI,
        platform: this.#options.platform,
        role: ROLE,
        scopes: [...OPERATOR_SCOPES],
        // Without them the Gateway takes it that nobody here can decide, and denies what would wait.
        caps: [GATEWAY_CLIENT_CAPS.TOOL_EVENTS, GATEWAY_CLIENT_CAPS.APPROVALS],
        ...(token && !isRetry ? { token } : {}),
        ...(password && !isRetry ? { password } : {}),
        connectChallengeTimeoutMs: HANDSHAKE_LIMIT_MS,
        preauthHandshakeTimeoutMs: HANDSHAKE_LIMIT_MS,
        notifyOnStartupRetry: true,
        // Its tick watch goes by the wall clock and takes one that was set for silence; SilenceWatch goes by the monotonic one.
        tickWatchTimeoutMs: Number.MAX_SAFE_INTEGER,
        // An empty environment: nothing that happens to be set there changes where and how we connect.
        env: {},
        deviceIdentity: device,
        hostDeps: {
          signDevicePayload,
          publicKeyRawBase64UrlFromPem: publicKeyRawBase64Url,
          loadDeviceAuthToken: ({ deviceId, role }) => this.#tokens.get(deviceId, role),
          storeDeviceAuthToken: ({ deviceId, role, token: issued, scopes }) =>
            this.#tokens.store(deviceId, role, issued, scopes),
          clearDeviceAuthToken: ({ role }) => this.#tokens.clear(role),
          redactForLog: redact,
          logDebug: (message) => logger.log('debug', 'gateway.client', { message }),
          logError: (message) => logger.log('warn', 'gateway.client', { message }),
        },
        onHelloOk: (hello) => this.#up(live, hello),
        onConnectError: (error) => {
          if (isGatewayConnectAssemblyError(error)) {
            down(failure('not-a-gateway', { url: context.url, detail: error.message }));
          } else fail(error);
        },
        onReconnectPaused: ({ code, reason }) => down(failureOfClose(code, reason, live.shutdown)),
        onClose: (code, reason, info) => {
          if (live.client === client) this.#closed(live, code, reason, info, fail);
        },
        onEvent: ({ event, payload }) => this.#event(live, event, payload),
        onGap: () => {
          if (!live.ended) this.#gaps.emit(null);
        },
      });
      live.client = client;
      live.timer.set(
        this.#options.clock.setTimer(2 * HANDSHAKE_LIMIT_MS, () =>
          this.#down(live, failure('gateway-silent', { limitMs: 2 * HANDSHAKE_LIMIT_MS })),
        ),
      );
      try {
        client.start();
      } catch (error) {
        fail(error);
      }
    } catch (error) {
      this.#down(live, failure('secrets-unavailable', { detail: redact(String(error)) }));
    }
  }

  /**
   * A gateway whose shared token was changed still knows this device by the token that it issued to it. Tried once, and as
   * in the official client only where nobody but the gateway's own host can listen.
   */
  #retryWithDeviceToken(live: Live): void {
    if (live.ended) return;
    const { gatewayId, logger } = this.#options;
    logger.log('info', 'gateway.device-token-retry', { gatewayId, attempt: live.attempt });
    this.#stop(live);
    void this.#connect(live, true);
  }

  #stop(live: Live): void {
    const { client } = live;
    live.client = null;
    if (!client) return;
    const stopped = client.stopAndWait().catch(() => undefined);
    this.#stopping = Promise.all([this.#stopping, stopped]).then(() => undefined);
  }

  #up(live: Live, rawHello: unknown): void {
    if (live.ended) return;
    const hello = readHello(rawHello, OPERATOR_SCOPES);
    if (!hello) {
      this.#down(live, failure('not-a-gateway', { url: live.endpoint.url, detail: 'hello-ok' }));
      return;
    }
    if (hello.missingScopes.includes(INDISPENSABLE_SCOPE)) {
      this.#down(live, failure('scope-missing', { scopes: hello.missingScopes }));
      return;
    }
    const { gatewayId, logger } = this.#options;
    logger.log('info', 'gateway.hello', {
      gatewayId,
      version: hello.gatewayVersion,
      scopes: hello.scopes.join(' '),
      missingScopes: hello.missingScopes.join(' '),
    });
    live.up = true;
    this.#hello = hello;
    innerSocket(live.client)?.on?.('error', ({ code }) => {
      live.socketError ??= code ?? null;
    });
    live.silence = live.owned.add(
      new SilenceWatch({
        clock: this.#options.clock,
        bytesReceived: () => readBytes(live.client),
        probe: () => void this.probe(PROBE_LIMIT_MS),
        onSilent: () => this.#down(live, failure('gateway-silent', { limitMs: SILENCE_LIMIT_MS })),
      }),
    );
    live.timer.set(null);
    const { gatewayVersion, mainSessionKey, scopes } = hello;
    this.#sessionEvents.emit({
      type: 'session-up',
      attempt: live.attempt,
      facts: { gatewayVersion, mainSessionKey, scopes },
    });
    this.#heard(live, null);
    // Whoever heard session-up may have closed it.
    if (this.#hello === hello) this.#helloEvents.emit(hello);
  }

  #event(live: Live, event: string, payload: unknown): void {
    if (live.ended) return;
    this.#heard(live, null);
    if (event === 'shutdown') live.shutdown = readShutdown(payload);
    if (live.up) this.#gatewayEvents.emit({ event, payload });
  }

  #closed(
    live: Live,
    code: number,
    reason: string,
    info: GatewayClientCloseInfo | undefined,
    fail: (error: unknown) => void,
  ): void {
    if (info?.connectError) fail(info.connectError);
    else if (live.socketError === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') {
      this.#down(live, failure('frame-too-large', { detail: '' }));
    } else this.#down(live, failureOfClose(code, reason, live.shutdown));
  }

  #heard(live: Live, latencyMs: number | null): void {
    if (live.ended) return;
    const nowMs = this.#options.clock.monotonicMs();
    live.silence?.heard();
    if (!live.up || (latencyMs === null && nowMs - live.lastAliveMs < ALIVE_EVERY_MS)) return;
    live.lastAliveMs = nowMs;
    this.#sessionEvents.emit({ type: 'session-alive', attempt: live.attempt, latencyMs });
  }

  /**
   * The first reason wins; what the client says afterwards is about our own stop. A socket through the tunnel that ends without a
   * word may be the echo of the link's own end, which is the truer reason: it is given a moment to be told.
   */
  #down(live: Live, reason: ConnectionFailure): void {
    if (live.ended || live.isEchoing) return;
    if (live.endpoint.localPort === null || !mayBeEcho(reason)) {
      this.#end(live, reason);
      return;
    }
    live.isEchoing = true;
    live.timer.set(this.#options.clock.setTimer(ECHO_MS, () => this.#end(live, reason)));
  }

  #end(live: Live, reason: ConnectionFailure): void {
    if (live.ended) return;
    const { gatewayId, logger } = this.#options;
    logger.log('info', 'gateway.down', { gatewayId, attempt: live.attempt, code: reason.code });
    this.#retire(reason);
    this.#sessionEvents.emit({ type: 'session-down', attempt: live.attempt, failure: reason });
  }

  #retire(reason: ConnectionFailure | null): void {
    const live = this.#live;
    if (!live || live.ended) return;
    live.ended = true;
    const wasUp = live.up;
    live.up = false;
    live.owned.dispose();
    this.#live = null;
    this.#hello = null;
    this.#stop(live);
    if (wasUp) this.#downEvents.emit(reason);
  }
}

/** No close frame (code 1006 of RFC 6455), or no connection: nothing that a gateway said. */
function mayBeEcho(reason: ConnectionFailure): boolean {
  return (
    (reason.code === 'gateway-closed' && reason.facts.code === 1006) || reason.code === 'gateway-unreachable'
  );
}

function isOnLoopback(url: string): boolean {
  return URL.canParse(url) && ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

function readShutdown(payload: unknown): ShutdownNotice {
  const { reason, restartExpectedMs } = (payload ?? {}) as {
    readonly reason?: unknown;
    readonly restartExpectedMs?: unknown;
  };
  return {
    reason: typeof reason === 'string' ? reason.slice(0, 200) : '',
    restartExpectedMs:
      typeof restartExpectedMs === 'number' && restartExpectedMs >= 0 ? restartExpectedMs : null,
  };
}
