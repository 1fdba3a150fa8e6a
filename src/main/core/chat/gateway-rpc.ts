import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { Result } from '../../../shared/result.ts';
import type { Disposable } from '../lifecycle.ts';

/** What services need to know of the gateway that they talk to, from hello-ok. */
export interface GatewayHello {
  readonly gatewayVersion: string | null;
  /** Changes with every start of the gateway's process; null where an older gateway does not say. */
  readonly bootId: string | null;
  readonly mainSessionKey: string;
  /** Scopes of this connection as the gateway enforces them. */
  readonly scopes: readonly string[];
  /** Scopes that were asked for and not granted: features to switch off, not a dead connection. */
  readonly missingScopes: readonly string[];
  /** Longest frame that the gateway takes, in bytes (`policy.maxPayload`). */
  readonly maxPayloadBytes: number;
  /** The health snapshot that came with hello-ok, unchecked. */
  readonly health: unknown;
}

export interface GatewayEvent {
  readonly event: string;
  /** Unchecked: whoever reads it checks it. */
  readonly payload: unknown;
}

/** Why a request has no answer. `sent` says whether the gateway may have seen, and executed, it. */
export type RpcError =
  | { readonly type: 'not-connected' }
  | { readonly type: 'connection-lost'; readonly sent: boolean }
  | { readonly type: 'timeout'; readonly sent: boolean; readonly limitMs: number }
  | { readonly type: 'too-large'; readonly bytes: number; readonly maxBytes: number }
  /** The gateway answered: it did not do it. */
  | {
      readonly type: 'refused';
      readonly code: string;
      readonly message: string;
      /** `details.reason` or `details.code`, where the gateway gives one. */
      readonly reason: string | null;
      readonly retryable: boolean;
      readonly retryAfterMs: number | null;
    };

export interface RpcOptions {
  /** Least time for the answer, in milliseconds; large payloads get more. */
  readonly timeoutMs?: number;
}

/** Requests and events of one gateway, over whichever connection is up at the moment. Never throws, never retries. */
export interface GatewayRpc {
  /** Null while there is no connection. */
  readonly hello: GatewayHello | null;
  request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    options?: RpcOptions,
  ): Promise<Result<unknown, RpcError>>;
  onHello(listener: (hello: GatewayHello) => void): Disposable;
  onDown(listener: (failure: ConnectionFailure | null) => void): Disposable;
  onGatewayEvent(listener: (event: GatewayEvent) => void): Disposable;
  /** Events of this connection were lost: whatever was folded from them is to be read anew. */
  onGap(listener: () => void): Disposable;
}
