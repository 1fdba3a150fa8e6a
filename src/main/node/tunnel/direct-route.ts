import type { ProbeResult, RouteDriver, RouteEvent } from '../../core/connection/ports.ts';
import { Emitter } from '../../core/emitter.ts';
import type { Disposable } from '../../core/lifecycle.ts';
import { probeHealthz } from '../gateway/healthz-probe.ts';
import { checkGatewayUrl } from './gateway-url.ts';
import { NO_SSH_FACTS } from './no-ssh-facts.ts';

/** Remote direct: the person's own URL. There is nothing to open but the gateway session itself. */
export class DirectRoute implements RouteDriver {
  readonly #url: string;
  readonly #events = new Emitter<RouteEvent>();
  #attempt: number | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  open(attempt: number): void {
    this.#attempt = attempt;
    const checked = checkGatewayUrl(this.#url);
    // Later, as from every other route: nobody is called back from within open().
    queueMicrotask(() => {
      if (this.#attempt !== attempt) return;
      if (!checked.ok) {
        this.#attempt = null;
        this.#events.emit({ type: 'route-down', attempt, failure: checked.error });
        return;
      }
      const endpoint = { url: checked.value.href, localPort: null };
      this.#events.emit({ type: 'route-up', attempt, endpoint, facts: NO_SSH_FACTS });
    });
  }

  /** This way asks nothing. */
  answer(): void {}

  close(): Promise<void> {
    this.#attempt = null;
    return Promise.resolve();
  }

  /** Nothing is kept. */
  rest(): void {}

  async probe(limitMs: number): Promise<ProbeResult> {
    const checked = checkGatewayUrl(this.#url);
    if (this.#attempt === null || !checked.ok) return { alive: false, latencyMs: null };
    const attempt = this.#attempt;
    const result = await probeHealthz(checked.value.href, limitMs);
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
    this.#attempt = null;
    this.#events.dispose();
    return Promise.resolve();
  }
}
