import type { ConnectionFailure } from './connection-failure.ts';

/**
 * The stages of one attempt, in order; routes without SSH skip those that they do not have, and `awaiting-agent` is there
 * only where the agent takes its time (its owner has to approve, or to touch a key).
 */
export type ConnectStage =
  | 'opening-listener'
  | 'loading-keys'
  | 'opening-socket'
  | 'verifying-host-key'
  | 'authenticating'
  | 'awaiting-agent'
  | 'opening-forward'
  | 'gateway-handshake'
  | 'probing';

/** The jump host that asks, as the user's configuration calls it (ProxyJump, ssh_config(5)); null for the target. */
export type JumpName = string | null;

/**
 * A question that only the person can answer. `id` makes a late answer to an older question harmless. Texts that come
 * from a server or from ssh are bounded and without control characters, and are shown as plain text only.
 */
export type UserPrompt =
  | {
      readonly type: 'host-key';
      readonly id: string;
      readonly jump: JumpName;
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
    }
  | {
      /** The account's password on the server (RFC 4252, section 8). */
      readonly type: 'password';
      readonly id: string;
      readonly jump: JumpName;
      readonly user: string;
      readonly host: string;
      /** True after a password that the server refused. */
      readonly wasWrong: boolean;
    }
  | {
      /** What the server asks in its own words (RFC 4256): one-time codes, passwords, anything. */
      readonly type: 'keyboard-interactive';
      readonly id: string;
      readonly jump: JumpName;
      readonly user: string;
      readonly host: string;
      readonly name: string;
      readonly instructions: string;
      /** At least one; `echo` false means that what is typed must not show. */
      readonly prompts: readonly { readonly text: string; readonly echo: boolean }[];
      /** True after answers that the server refused in this attempt. */
      readonly wasWrong: boolean;
    }
  | {
      /** A yes-or-no question of the system's ssh, in its own words. */
      readonly type: 'confirm';
      readonly id: string;
      readonly host: string;
      readonly text: string;
    }
  | {
      /** Nothing to type: the person has to do something elsewhere, such as touch a security key. It goes by itself. */
      readonly type: 'notice';
      readonly id: string;
      readonly host: string;
      readonly text: string;
    };

export type PromptType = UserPrompt['type'];

/** `remember`: keep it in the system's keychain for later connections, once it has proved right. */
export type PromptAnswer =
  | { readonly type: 'trust-host-key'; readonly fingerprint: string }
  | { readonly type: 'passphrase'; readonly passphrase: string; readonly remember: boolean }
  | { readonly type: 'password'; readonly password: string; readonly remember: boolean }
  | {
      readonly type: 'responses';
      /** One for each prompt, in order. */
      readonly responses: readonly string[];
      /** Only where there is one hidden prompt (see `canRemember`). */
      readonly remember: boolean;
    }
  | { readonly type: 'confirm' }
  | { readonly type: 'cancel' };

/**
 * Whether the keychain may keep the answer. Of the server's own questions only a password will be the same next time: one
 * hidden prompt that calls itself so.
 */
export function canRemember(prompt: UserPrompt): boolean {
  switch (prompt.type) {
    case 'passphrase':
    case 'password':
      return true;
    case 'keyboard-interactive': {
      const [only, ...more] = prompt.prompts;
      return more.length === 0 && only?.echo === false && /password|암호|비밀번호/i.test(only.text);
    }
    case 'host-key':
    case 'confirm':
    case 'notice':
      return false;
  }
}

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
      /**
       * True while the attempt waits for the answer: the question is shown. False where nobody asked for this attempt (a
       * reconnect in the background), or where the server did not wait so long: nothing is open, nothing pops up, and
       * `attend` begins anew.
       */
      readonly attended: boolean;
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

/**
 * What only a person can mend, here or at the gateway. A device that waits for its approval is asked for again by itself,
 * and stays such a case meanwhile: what is shown must not change with every question.
 */
export function personNeededFor(connection: ConnectionState): ConnectionFailure | null {
  const failure = connectionFailureOf(connection);
  return connection.status === 'blocked' || failure?.code === 'pairing-required' ? failure : null;
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
