import { lookup, type LookupAddress } from 'node:dns';
import { connect, isIP, type Socket } from 'node:net';
import type { Clock } from '../../core/ports.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { RawSshError } from './ssh-errors.ts';

/** Time that one address may take before the next is tried (RFC 8305's 250 ms is too short for slow links). */
const ADDRESS_ATTEMPT_MS = 2_500;
const TCP_KEEPALIVE_AFTER_MS = 15_000;

export type LookupFailure =
  | { readonly type: 'timeout' }
  /** `at`: looking up the name, or using the address (which is local for BindAddress). */
  | { readonly type: 'error'; readonly at: 'dns' | 'connect'; readonly error: RawSshError };

/** Where a socket leads, and from where. */
export interface SshPlace {
  readonly addresses: readonly LookupAddress[];
  readonly port: number;
  /** BindAddress, looked up. */
  readonly localAddress: string | null;
  readonly tcpKeepAlive: boolean;
}

const FAMILIES = { any: 0, inet: 4, inet6: 6 } as const;

/** Looks up what a hop's HostName, AddressFamily and BindAddress name (ssh_config(5)). */
export async function findPlace(
  hop: Pick<SshHop, 'host' | 'port' | 'addressFamily' | 'bindAddress' | 'tcpKeepAlive'>,
  limitMs: number,
  clock: Clock,
): Promise<Result<SshPlace, LookupFailure>> {
  const { host, port, bindAddress, tcpKeepAlive } = hop;
  const wanted = FAMILIES[hop.addressFamily];
  const found = await lookUpHost(host, wanted, limitMs, clock);
  if (!found.ok) return found;
  if (bindAddress === null) return ok({ addresses: found.value, port, localAddress: null, tcpKeepAlive });
  const local = await lookUpHost(bindAddress, wanted, limitMs, clock);
  const [from] = local.ok ? local.value : [];
  // From an address of one family only addresses of the same family can be reached.
  const addresses = found.value.filter(({ family }) => family === from?.family);
  if (from === undefined || addresses.length === 0) {
    const message = `BindAddress ${bindAddress}: EADDRNOTAVAIL`;
    return err({ type: 'error', at: 'connect', error: { message } });
  }
  return ok({ addresses, port, localAddress: from.address, tcpKeepAlive });
}

/** Looks a name up afresh. The system's resolver cannot be stopped, so after `limitMs` its answer is dropped. */
function lookUpHost(
  host: string,
  wanted: 0 | 4 | 6,
  limitMs: number,
  clock: Clock,
): Promise<Result<readonly LookupAddress[], LookupFailure>> {
  const family = isIP(host);
  if (family !== 0) {
    if (wanted === 0 || wanted === family) return Promise.resolve(ok([{ address: host, family }]));
    const message = `AddressFamily: ${host} is IPv${family}`;
    return Promise.resolve(err({ type: 'error', at: 'connect', error: { message } }));
  }
  return new Promise((resolve) => {
    const timer = clock.setTimer(limitMs, () => resolve(err({ type: 'timeout' })));
    lookup(host, { all: true, family: wanted }, (error, addresses) => {
      timer.dispose();
      if (error === null && addresses.length > 0) resolve(ok(addresses));
      else {
        const reason = error ?? { message: 'no address', code: 'ENODATA' };
        resolve(err({ type: 'error', at: 'dns', error: reason }));
      }
    });
  });
}

/** Read at once at most; as much as Node itself would take. */
const READ_BUFFER_BYTES = 64 * 1024;

/**
 * A TCP socket for SSH: not yet connected, without Nagle's delay, and writing one SSH packet in one go. It reads into one buffer
 * of its own and hands out copies of what came: else Node makes 64 KiB anew for every small packet and collects them later.
 */
export function openSshSocket(place: SshPlace): Socket {
  const { addresses, port, localAddress, tcpKeepAlive } = place;
  const [first] = addresses;
  const socket: Socket = connect({
    host: first?.address ?? '',
    port,
    noDelay: true,
    keepAlive: tcpKeepAlive,
    keepAliveInitialDelay: TCP_KEEPALIVE_AFTER_MS,
    onread: {
      buffer: Buffer.alloc(READ_BUFFER_BYTES),
      callback: (length, buffer) => {
        socket.emit('data', Buffer.from(buffer.subarray(0, length)));
        return true;
      },
    },
    ...(localAddress === null ? {} : { localAddress }),
    ...(addresses.length > 1
      ? {
          host: 'gangway.invalid',
          autoSelectFamily: true,
          autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
          lookup: (_host, options, answer) => {
            if (options.all === true) answer(null, [...addresses]);
            else answer(null, first?.address ?? '', first?.family);
          },
        }
      : {}),
  });
  writeTogether(socket);
  return socket;
}

/** Up to here copying the parts of a packet into one buffer costs less than handing the system a list of them. */
const MAX_JOINED_BYTES = 16 * 1024;

/**
 * ssh2 writes a packet's parts one by one. Without Nagle's delay each would travel in a segment of its own: what
 * is written in one turn of the event loop goes out together instead.
 */
function writeTogether(socket: Socket): void {
  const write: (data: Uint8Array) => boolean = socket.write.bind(socket);
  let parts: Uint8Array[] = [];
  let bytes = 0;
  const flush = (): void => {
    if (parts.length === 0) return;
    const taken = parts;
    const length = bytes;
    parts = [];
    bytes = 0;
    if (length <= MAX_JOINED_BYTES) {
      write(join(taken, length));
      return;
    }
    socket.cork();
    for (const part of taken) write(part);
    socket.uncork();
  };
  socket.write = (data: Uint8Array | string): boolean => {
    const part = typeof data === 'string' ? Buffer.from(data) : data;
    if (parts.push(part) === 1) process.nextTick(flush);
    bytes += part.length;
    return true;
  };
  const end = socket.end.bind(socket);
  socket.end = () => {
    flush();
    return end();
  };
}

/** Buffer.concat, without its checks: this runs for every packet. */
function join(parts: readonly Uint8Array[], length: number): Buffer {
  const joined = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
