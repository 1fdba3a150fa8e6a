import { timingSafeEqual } from 'node:crypto';
import { createConnection, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';
import type { AuthContext, Connection, ParsedKey, RejectConnection, ServerChannel } from 'ssh2';
import { createKeyPair, knownHostsLine, type KeyPair, type KeyType } from './keys.ts';
import { freePort, listenOn } from './ports.ts';

export interface EmbeddedSshOptions {
  readonly port?: number;
  /** Default `gangway`. Any other name is refused. */
  readonly user?: string;
  readonly hostKeyTypes?: readonly KeyType[];
  /** Accepted keys; default one fresh ed25519 pair, found as `clientKey`. */
  readonly clientKeys?: readonly KeyPair[];
  /** Answer every direct-tcpip with "administratively prohibited" (reason 1, RFC 4254 section 5.1). */
  readonly refuseForwards?: boolean;
  readonly refuseAuth?: boolean;
  /** Loopback ports that may be reached; default all. Others are prohibited. */
  readonly allowPorts?: readonly number[];
  /** Replaces the check of keys: called once a connection, its result for every request of that connection. */
  readonly authenticate?: () => EmbeddedAuthenticator;
}

/** Must accept or reject. `isKey`: a request with an accepted key, and with a right signature where it has one. */
export type EmbeddedAuthenticator = (context: AuthContext, isKey: boolean) => void;

export interface EmbeddedSshCounts {
  readonly connections: number;
  readonly authenticated: number;
  readonly authAttempts: number;
  readonly forwards: number;
  /** Connections open now. */
  readonly live: number;
}

export interface EmbeddedSshServer {
  readonly port: number;
  readonly host: '127.0.0.1';
  readonly user: string;
  readonly clientKey: KeyPair;
  readonly hostKey: KeyPair;
  readonly hostKeys: readonly KeyPair[];
  knownHostsLine(host?: string, port?: number): string;
  counts(): EmbeddedSshCounts;
  set(change: { readonly refuseForwards?: boolean; readonly refuseAuth?: boolean }): void;
  /** Cuts every live SSH connection at the socket; returns how many there were. */
  dropConnections(): number;
  /** New host keys for connections from now on; live ones stay. */
  rotateHostKey(types?: readonly KeyType[]): readonly KeyPair[];
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** An SSH server in this process: public keys only, forwards direct-tcpip to real sockets of 127.0.0.1, no shell. */
export async function startEmbeddedSsh(options: EmbeddedSshOptions = {}): Promise<EmbeddedSshServer> {
  const port = options.port ?? (await freePort());
  const user = options.user ?? 'gangway';
  const clientKeys = options.clientKeys ?? [createKeyPair()];
  const clientKey = clientKeys[0] ?? createKeyPair();
  const accepted = clientKeys.map((key) => parseKey(key.publicKey));
  let hostKeys = makeHostKeys(options.hostKeyTypes ?? ['ed25519']);
  let refuseForwards = options.refuseForwards ?? false;
  let refuseAuth = options.refuseAuth ?? false;
  const counts = { connections: 0, authenticated: 0, authAttempts: 0, forwards: 0 };
  const live = new Set<Socket>();
  const targets = new Set<Socket>();
  let listener: Server | null = null;
  let protocol = newProtocol();

  /** ssh2's server never listens itself: our own listener hands it sockets that we can cut. */
  function newProtocol(): InstanceType<typeof ssh2.Server> {
    return new ssh2.Server({ hostKeys: hostKeys.map((key) => key.privateKey) }, serve);
  }

  function serve(connection: Connection): void {
    const ownTargets = new Set<Socket>();
    connection.once('close', () => {
      for (const target of ownTargets) target.destroy();
    });
    connection.on('error', () => undefined);
    const authenticate = options.authenticate?.();
    connection.on('authentication', (context) => {
      if (context.method !== 'none') counts.authAttempts += 1;
      if (authenticate !== undefined) {
        authenticate(context, isAccepted(context, accepted));
        return;
      }
      if (!refuseAuth && context.username === user && isAccepted(context, accepted)) context.accept();
      else context.reject(['publickey']);
    });
    connection.on('ready', () => {
      counts.authenticated += 1;
    });
    // Remote forwards are refused; without a listener ssh2 would refuse no-more-sessions@openssh.com as well.
    connection.on('request', (_accept, reject) => (reject as (() => void) | undefined)?.());
    connection.on('tcpip', (accept, reject, info) => {
      const allowed =
        LOOPBACK_NAMES.has(info.destIP) &&
        (options.allowPorts === undefined || options.allowPorts.includes(info.destPort));
      if (refuseForwards || !allowed) {
        prohibit(connection, reject);
        return;
      }
      const target = createConnection({ host: '127.0.0.1', port: info.destPort, noDelay: true });
      targets.add(target);
      ownTargets.add(target);
      target.once('close', () => {
        targets.delete(target);
        ownTargets.delete(target);
      });
      target.once('error', reject);
      target.once('connect', () => {
        target.off('error', reject);
        counts.forwards += 1;
        joinStreams(accept(), target);
      });
    });
  }

  async function start(): Promise<void> {
    if (listener !== null) return;
    listener = await listenOn(port, (socket) => {
      counts.connections += 1;
      live.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => live.delete(socket));
      protocol.injectSocket(socket);
    });
  }

  async function stop(): Promise<void> {
    const ending = listener;
    listener = null;
    if (ending === null) return;
    const closed = new Promise<void>((resolve) => ending.close(() => resolve()));
    dropConnections();
    for (const target of targets) target.destroy();
    await closed;
  }

  function dropConnections(): number {
    const sockets = [...live];
    for (const socket of sockets) socket.destroy();
    return sockets.length;
  }

  await start();
  return {
    port,
    host: '127.0.0.1',
    user,
    clientKey,
    get hostKey() {
      return hostKeys[0] ?? clientKey;
    },
    get hostKeys() {
      return hostKeys;
    },
    knownHostsLine: (host = '127.0.0.1', atPort = port) =>
      hostKeys.map((key) => `${knownHostsLine(key.publicKey, host, atPort)}\n`).join(''),
    counts: () => ({ ...counts, live: live.size }),
    set(change) {
      refuseForwards = change.refuseForwards ?? refuseForwards;
      refuseAuth = change.refuseAuth ?? refuseAuth;
    },
    dropConnections,
    rotateHostKey(types) {
      hostKeys = makeHostKeys(types ?? hostKeys.map((key) => key.type));
      protocol = newProtocol();
      return hostKeys;
    },
    stop,
    start,
    close: stop,
  };
}

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1']);

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED, RFC 4254 section 5.1. */
const ADMINISTRATIVELY_PROHIBITED = 1;

interface ChannelOpenFailer {
  channelOpenFail(recipient: number, reason: number, description: string): void;
}

/** ssh2's `reject` always says "connect failed" (2); OpenSSH says 1 for a forbidden forward, so its reply is rewritten. */
function prohibit(connection: Connection, reject: RejectConnection): void {
  const protocol = (connection as unknown as { _protocol: ChannelOpenFailer })._protocol;
  const send = protocol.channelOpenFail.bind(protocol);
  protocol.channelOpenFail = (recipient) =>
    send(recipient, ADMINISTRATIVELY_PROHIBITED, 'administratively prohibited');
  try {
    reject();
  } finally {
    protocol.channelOpenFail = send;
  }
}

function isAccepted(context: AuthContext, accepted: readonly ParsedKey[]): boolean {
  if (context.method !== 'publickey') return false;
  const offered = context.key.data;
  const key = accepted.find((candidate) => {
    const blob = candidate.getPublicSSH();
    return blob.length === offered.length && timingSafeEqual(blob, offered);
  });
  if (key === undefined) return false;
  // Without a signature the client only asks whether this key would do.
  if (context.signature === undefined || context.blob === undefined) return true;
  // Typed as boolean, but it answers with an Error where the signature cannot be read.
  const verified: unknown = key.verify(context.blob, context.signature, context.hashAlgo);
  return verified === true;
}

function joinStreams(channel: ServerChannel, target: Socket): void {
  channel.pipe(target).pipe(channel);
  channel.on('error', () => undefined);
  target.on('error', () => undefined);
  channel.once('close', () => target.destroy());
  target.once('close', () => channel.close());
}

function parseKey(publicKey: string): ParsedKey {
  const parsed = ssh2.utils.parseKey(publicKey);
  if (parsed instanceof Error) throw parsed;
  return parsed;
}

function makeHostKeys(types: readonly KeyType[]): KeyPair[] {
  return types.map((type) => createKeyPair({ type, comment: `host-${type}` }));
}
