import type {
  GatewayEvent,
  GatewayHello,
  GatewayRpc,
  RpcError,
} from '../../../src/main/core/chat/gateway-rpc.ts';
import { Emitter } from '../../../src/main/core/emitter.ts';
import type { Disposable } from '../../../src/main/core/lifecycle.ts';
import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import { err, ok, type Result } from '../../../src/shared/result.ts';

export interface FakeRequest {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  answer(value: unknown): void;
  refuse(error: RpcError): void;
}

const HELLO: GatewayHello = {
  gatewayVersion: '2026.9.6',
  bootId: 'boot-1',
  mainSessionKey: 'agent:main:main',
  scopes: ['operator.read', 'operator.write', 'operator.approvals'],
  missingScopes: [],
  maxPayloadBytes: 26_214_400,
  health: undefined,
};

/** A gateway's RPC in memory: every request waits until the test answers it, or has an answer ready. */
export class FakeRpc implements GatewayRpc {
  readonly #hellos = new Emitter<GatewayHello>();
  readonly #downs = new Emitter<ConnectionFailure | null>();
  readonly #events = new Emitter<GatewayEvent>();
  readonly #gaps = new Emitter<null>();
  readonly #ready = new Map<string, (params: Readonly<Record<string, unknown>>) => unknown>();
  readonly #open = new Set<(error: RpcError) => void>();
  readonly requests: FakeRequest[] = [];
  hello: GatewayHello | null = null;

  /** Answers every request of this method at once. */
  always(method: string, answer: (params: Readonly<Record<string, unknown>>) => unknown): void {
    this.#ready.set(method, answer);
  }

  connect(hello: Partial<GatewayHello> = {}): void {
    this.hello = { ...HELLO, ...hello };
    this.#hellos.emit(this.hello);
  }

  /** Requests without an answer are lost: the gateway may have seen them. */
  disconnect(failure: ConnectionFailure | null = null): void {
    this.hello = null;
    for (const lose of [...this.#open]) lose({ type: 'connection-lost', sent: true });
    this.#downs.emit(failure);
  }

  event(event: string, payload: unknown): void {
    this.#events.emit({ event, payload });
  }

  gap(): void {
    this.#gaps.emit(null);
  }

  of(method: string): readonly FakeRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  request(method: string, params: Readonly<Record<string, unknown>>): Promise<Result<unknown, RpcError>> {
    if (!this.hello) return Promise.resolve(err({ type: 'not-connected' }));
    const ready = this.#ready.get(method);
    return new Promise((resolve) => {
      const refuse = (error: RpcError): void => {
        this.#open.delete(refuse);
        resolve(err(error));
      };
      const answer = (value: unknown): void => {
        this.#open.delete(refuse);
        resolve(ok(value));
      };
      this.requests.push({ method, params, answer, refuse });
      this.#open.add(refuse);
      if (ready) answer(ready(params));
    });
  }

  onHello(listener: (hello: GatewayHello) => void): Disposable {
    return this.#hellos.on(listener);
  }
  onDown(listener: (failure: ConnectionFailure | null) => void): Disposable {
    return this.#downs.on(listener);
  }
  onGatewayEvent(listener: (event: GatewayEvent) => void): Disposable {
    return this.#events.on(listener);
  }
  onGap(listener: () => void): Disposable {
    return this.#gaps.on(() => listener());
  }
}
