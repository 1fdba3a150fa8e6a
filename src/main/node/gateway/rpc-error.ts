import { GatewayClientRequestError, GatewayClientRequestTimeoutError } from '@openclaw/gateway-client';
import type { RpcError } from '../../core/chat/gateway-rpc.ts';

/** What the official client throws, as data. `sent`: whether the request had left. */
export function rpcErrorOf(error: unknown, sent: boolean, limitMs: number): RpcError {
  if (error instanceof GatewayClientRequestError) return refusal(error);
  if (error instanceof GatewayClientRequestTimeoutError)
    return { type: 'timeout', sent: error.requestSent, limitMs };
  return { type: 'connection-lost', sent };
}

function refusal(error: GatewayClientRequestError): RpcError {
  const details = (typeof error.details === 'object' && error.details !== null ? error.details : {}) as {
    readonly reason?: unknown;
    readonly code?: unknown;
  };
  const reason = [details.reason, details.code].find((value) => typeof value === 'string') ?? null;
  return {
    type: 'refused',
    code: error.gatewayCode.slice(0, 100),
    message: error.message.slice(0, 500),
    reason: reason === null ? null : reason.slice(0, 100),
    retryable: error.retryable,
    retryAfterMs: error.retryAfterMs ?? null,
  };
}
