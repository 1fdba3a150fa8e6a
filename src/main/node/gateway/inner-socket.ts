import type { GatewayClient } from '@openclaw/gateway-client';

export interface InnerSocket {
  readonly on?: (event: 'error', listener: (error: { readonly code?: string }) => void) => unknown;
  readonly _socket?: { readonly bytesRead?: unknown };
}

/**
 * The client's WebSocket, for two facts that it does not offer: how many bytes came (without that, a frame of many
 * megabytes on a slow line looks like silence), and which error ended it. Where its innards look different, frames and
 * close codes alone count.
 */
export function innerSocket(client: GatewayClient | null): InnerSocket | null {
  const { ws } = (client ?? {}) as { readonly ws?: InnerSocket | null };
  return ws ?? null;
}

/** Bytes that the client's socket has received; null where it does not tell. */
export function readBytes(client: GatewayClient | null): number | null {
  const bytesRead = innerSocket(client)?._socket?.bytesRead;
  return typeof bytesRead === 'number' ? bytesRead : null;
}
