import type {
  AuthHandlerMiddleware,
  CipherAlgorithm,
  Client,
  KexAlgorithm,
  MacAlgorithm,
  ServerHostKeyAlgorithm,
} from 'ssh2';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import { orderHostKeyAlgorithms } from './ssh-algorithms.ts';
import type { SshWire } from './ssh-wire.ts';

export interface ClientStart {
  readonly wire: SshWire;
  readonly hop: Pick<SshHop, 'user' | 'algorithms'>;
  /** Types of the keys that are on file for the host. */
  readonly knownKeyTypes: ReadonlySet<string>;
  /** Synchronous, always: an async verifier lets every key through, and breaks the link on rekey. */
  readonly isTrusted: (key: Buffer) => boolean;
  readonly authHandler: AuthHandlerMiddleware;
}

/** Lets ssh2 speak over an open wire, by our rules instead of its own. */
export function startClient(client: Client, start: ClientStart): void {
  const { user, algorithms } = start.hop;
  client.connect({
    sock: start.wire.stream,
    username: user,
    // Our own limits: this one would count the time that an agent's owner takes.
    readyTimeout: 0,
    // Our own pings: see LinkWatchdog.
    keepaliveInterval: 0,
    // The ping is an OpenSSH request; any other server answers it too, with a refusal.
    strictVendor: false,
    algorithms: {
      kex: algorithms.kex as KexAlgorithm[],
      cipher: algorithms.cipher as CipherAlgorithm[],
      hmac: algorithms.hmac as MacAlgorithm[],
      compress: ['none'],
      serverHostKey: orderHostKeyAlgorithms(
        algorithms.serverHostKey,
        start.knownKeyTypes,
      ) as ServerHostKeyAlgorithm[],
    },
    hostVerifier: start.isTrusted,
    authHandler: start.authHandler,
  });
}
