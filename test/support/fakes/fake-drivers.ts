import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import type { GatewayEndpoint, PromptAnswer, UserPrompt } from '../../../src/shared/connection-state.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type { Disposable } from '../../../src/main/core/lifecycle.ts';
import type {
  ProbeResult,
  RouteDriver,
  RouteEvent,
  RouteFacts,
  SessionDriver,
  SessionEvent,
  SessionFacts,
} from '../../../src/main/core/connection/ports.ts';

export const ENDPOINT: GatewayEndpoint = { url: 'ws://127.0.0.1:18789', localPort: 18789 };
export const ROUTE_FACTS: RouteFacts = {
  server: 'OpenSSH_9.2p1',
  hostKeyFingerprint: 'SHA256:abc',
  keyExchange: 'curve25519-sha256',
  cipher: 'aes256-gcm@openssh.com',
  authenticatedWith: '~/.ssh/id_ed25519',
  credentialFingerprint: 'SHA256:def',
  transport: 'ssh2',
  via: [],
};
export const SESSION_FACTS: SessionFacts = {
  gatewayVersion: '2026.9.6',
  mainSessionKey: 'agent:main:main',
  scopes: ['operator.read'],
};

/** Counts what lives across all drivers of a test: two at once is the fault that everything else serves to prevent. */
export class LiveCount {
  live = 0;
  most = 0;
  opened = 0;

  add(): void {
    this.live++;
    this.opened++;
    this.most = Math.max(this.most, this.live);
  }
  remove(): void {
    this.live--;
  }
}

abstract class FakeDriver<E> {
  readonly #events = new Emitter<E>();
  readonly #count: LiveCount;
  /** Attempt that is live, or null. */
  live: number | null = null;
  closes = 0;
  disposed = false;
  probeAnswer: ProbeResult | 'never' = { alive: true, latencyMs: 5 };
  probes = 0;
  /** Set to hold `close` back until `finishClosing` is called. */
  slowClose = false;
  #closing: (() => void)[] = [];

  constructor(count: LiveCount) {
    this.#count = count;
  }

  protected begin(attempt: number): void {
    if (this.disposed) throw new Error('opened after dispose');
    if (this.live === null) this.#count.add();
    this.live = attempt;
  }

  /** The far end is gone, by itself or because we closed it. */
  protected gone(): void {
    if (this.live === null) return;
    this.live = null;
    this.#count.remove();
  }

  emit(event: E): void {
    this.#events.emit(event);
  }

  onEvent(listener: (event: E) => void): Disposable {
    return this.#events.on(listener);
  }

  async close(): Promise<void> {
    this.closes++;
    if (this.slowClose && this.live !== null) {
      await new Promise<void>((resolve) => this.#closing.push(resolve));
    }
    this.gone();
  }

  /** It was told to close, and takes its time. */
  get isClosing(): boolean {
    return this.#closing.length > 0;
  }

  finishClosing(): void {
    this.slowClose = false;
    for (const resolve of this.#closing.splice(0)) resolve();
  }

  probe(_limitMs: number): Promise<ProbeResult> {
    this.probes++;
    const answer = this.probeAnswer;
    return answer === 'never' ? new Promise(() => undefined) : Promise.resolve(answer);
  }

  async dispose(): Promise<void> {
    await this.close();
    this.disposed = true;
  }
}

export class FakeRoute extends FakeDriver<RouteEvent> implements RouteDriver {
  rests = 0;

  rest(): void {
    this.rests++;
  }

  readonly opens: { readonly attempt: number }[] = [];
  readonly answers: { readonly attempt: number; readonly promptId: string; readonly answer: PromptAnswer }[] =
    [];

  open(attempt: number): void {
    this.begin(attempt);
    this.opens.push({ attempt });
  }

  answer(attempt: number, promptId: string, answer: PromptAnswer): void {
    this.answers.push({ attempt, promptId, answer });
  }

  get attempt(): number {
    return this.opens.at(-1)?.attempt ?? 0;
  }

  up(): void {
    this.emit({ type: 'route-up', attempt: this.attempt, endpoint: ENDPOINT, facts: ROUTE_FACTS });
  }
  down(failure: ConnectionFailure): void {
    this.gone();
    this.emit({ type: 'route-down', attempt: this.attempt, failure });
  }
  forwardFailed(failure: ConnectionFailure): void {
    this.emit({ type: 'forward-failed', attempt: this.attempt, failure });
  }
  ask(prompt: UserPrompt): void {
    this.emit({ type: 'route-needs-user', attempt: this.attempt, prompt });
  }
  questionOver(promptId: string): void {
    this.emit({ type: 'route-question-over', attempt: this.attempt, promptId });
  }
}

export class FakeSession extends FakeDriver<SessionEvent> implements SessionDriver {
  readonly opens: { readonly attempt: number; readonly endpoint: GatewayEndpoint }[] = [];

  open(attempt: number, endpoint: GatewayEndpoint): void {
    if (this.live !== null) throw new Error('a session is open already');
    this.begin(attempt);
    this.opens.push({ attempt, endpoint });
  }

  get attempt(): number {
    return this.opens.at(-1)?.attempt ?? 0;
  }

  up(): void {
    this.emit({ type: 'session-up', attempt: this.attempt, facts: SESSION_FACTS });
  }
  down(failure: ConnectionFailure): void {
    this.gone();
    this.emit({ type: 'session-down', attempt: this.attempt, failure });
  }
}
