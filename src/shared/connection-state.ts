import type { ConnectionFailure } from './connection-failure.ts';

/** The stages of one attempt, in order; routes without SSH skip those that they do not have. */
export type ConnectStage =
  | 'opening-listener'
  | 'loading-keys'
  | 'opening-socket'
  | 'verifying-host-key'
  | 'authenticating'
  | 'opening-forward'
  | 'gateway-handshake'
  | 'probing';

/** A question that only the person can answer. `id` makes a late answer to an older question harmless. */
export type UserPrompt =
  | {
      readonly type: 'host-key';
      readonly id: string;
      readonly host: string;
      readonly port: number;
      /** As in known_hosts, e.g. `ssh-ed25519`. */
      readonly keyType: string;
      /** `SHA256:…` as OpenSSH prints it. */
      readonly fingerprint: string;
      /** Where an accepted key is written. */
      readonly knownHostsFile: string;
      /** Key types of this host that are on file already: then the key is new, not the host. */
      readonly otherKnownTypes: readonly string[];
    }
  | {
      readonly type: 'passphrase';
      readonly id: string;
      readonly keyPath: string;
      /** True after a passphrase that did not open the key. */
      readonly wasWrong: boolean;
    };

export type PromptAnswer =
  | { readonly type: 'trust-host-key'; readonly fingerprint: string }
  | { readonly type: 'passphrase'; readonly passphrase: string }
  | { readonly type: 'cancel' };

/**
 * What a gateway's connection is doing: the one union shared by main and renderer.
 * Plain data; facts exist only in the variant in which they are true. What the person wants, the network
 * and the power state are inputs of the machine, kept beside it (src/main/core/connection/transition.ts).
 */
export type ConnectionState =
  | { readonly status: 'unconfigured' }
  | { readonly status: 'disconnected' }
  | { readonly status: 'paused'; readonly reason: 'user' | 'offline' | 'asleep' }
  | {
      readonly status: 'connecting';
      readonly attempt: number;
      readonly stage: ConnectStage;
      /** True once this gateway was connected since it was last asked to: then the words say "Reconnecting". */
      readonly reconnecting: boolean;
      readonly lastFailure: ConnectionFailure | null;
    }
  | {
      readonly status: 'waiting-for-user';
      readonly attempt: number;
      readonly prompt: UserPrompt;
      readonly reconnecting: boolean;
    }
  | {
      readonly status: 'connected';
      /** Rises by one with every gateway session, so that late results of an older one can be told apart. */
      readonly generation: number;
      readonly endpoint: GatewayEndpoint;
      /** Epoch milliseconds. */
      readonly sinceAtMs: number;
    }
  | {
      readonly status: 'backing-off';
      readonly attempt: number;
      readonly reconnecting: boolean;
      /** Epoch milliseconds, for the countdown only; the delay itself runs on a monotonic clock. */
      readonly retryAtMs: number;
      readonly lastFailure: ConnectionFailure;
    }
  | { readonly status: 'blocked'; readonly failure: ConnectionFailure }
  | { readonly status: 'disconnecting'; readonly then: 'stay-off' | 'reconnect' | 'sleep' | 'quit' };

export type ConnectionStatus = ConnectionState['status'];

/** Where the gateway's WebSocket is reached from this computer. Holds no credential. */
export interface GatewayEndpoint {
  /** `ws://127.0.0.1:PORT` through the tunnel or locally, else the direct URL. */
  readonly url: string;
  /** Port of the local listener, or null where there is none. */
  readonly localPort: number | null;
}

/** What keeps a connection from being there, also while it is tried again: so that its card does not come and go. */
export function connectionFailureOf(connection: ConnectionState): ConnectionFailure | null {
  switch (connection.status) {
    case 'blocked':
      return connection.failure;
    case 'backing-off':
    case 'connecting':
      return connection.lastFailure;
    case 'unconfigured':
    case 'disconnected':
    case 'paused':
    case 'waiting-for-user':
    case 'connected':
    case 'disconnecting':
      return null;
  }
}
