import { connect, type Socket } from 'node:net';
import { failure } from '../../../shared/connection-failure.ts';
import type { ProbeResult, RouteDriver, RouteEvent } from '../../core/connection/ports.ts';
import { Emitter } from '../../core/emitter.ts';
import { toDisposable, type Disposable } from '../../core/lifecycle.ts';
import { probeHealthz } from '../gateway/healthz-probe.ts';
import { NO_SSH_FACTS } from './no-ssh-facts.ts';

const CONNECT_LIMIT_MS = 2_000;

/** On this computer: a gateway that already runs here. Up means that something accepts connections on its port. */
export class LocalRoute implements RouteDriver {
  readonly #port: number;
  readonly #events = new Emitter<RouteEvent>();
  #attempt: number | null = null;
  #check: Disposable | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  open(attempt: number): void {
    this.#attempt = attempt;
    this.#check?.dispose();
    queueMicrotask(() => {
      if (this.#attempt !== attempt) return;
      this.#events.emit({ type: 'route-stage', attempt, stage: 'opening-socket', limitMs: null });
      this.#check = tryConnect(this.#port, (detail) => {
        if (this.#attempt !== attempt) return;
        if (detail === null) {
          const endpoint = { url: this.#url, localPort: this.#port };
          this.#events.emit({ type: 'route-up', attempt, endpoint, facts: NO_SSH_FACTS });
          return;
        }
        this.#attempt = null;
        const why = failure('gateway-unreachable', { url: this.#url, detail });
        this.#events.emit({ type: 'route-down', attempt, failure: why });
      });
    });
  }

  /** This way asks nothing. */
  answer(): void {}

  close(): Promise<void> {
    this.#attempt = null;
    this.#check?.dispose();
    return Promise.resolve();
  }

  /** Nothing is kept. */
  rest(): void {}

  async probe(limitMs: number): Promise<ProbeResult> {
    const attempt = this.#attempt;
    if (attempt === null) return { alive: false, latencyMs: null };
    const result = await probeHealthz(this.#url, limitMs);
    if (!result.ok) return { alive: false, latencyMs: null };
    const { latencyMs } = result.value;
    if (this.#attempt === attempt) {
      this.#events.emit({ type: 'route-alive', attempt, latencyMs, bytesReceived: 0, bytesSent: 0 });
    }
    return { alive: true, latencyMs };
  }

  onEvent(listener: (event: RouteEvent) => void): Disposable {
    return this.#events.on(listener);
  }

  dispose(): Promise<void> {
    void this.close();
    this.#events.dispose();
    return Promise.resolve();
  }

  get #url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }
}

/** Answers once: null when the port accepted, else the system's error code. Disposing drops the answer. */
function tryConnect(port: number, answer: (detail: string | null) => void): Disposable {
  const socket: Socket = connect({ host: '127.0.0.1', port });
  const settle = (detail: string | null): void => {
    stop.dispose();
    answer(detail);
  };
  const stop = toDisposable(() => {
    socket.removeAllListeners();
    socket.on('error', () => undefined);
    socket.destroy();
  });
  socket.setTimeout(CONNECT_LIMIT_MS, () => settle('ETIMEDOUT'));
  socket.once('connect', () => settle(null));
  socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
  return stop;
}
