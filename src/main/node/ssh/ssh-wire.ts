import type { Duplex } from 'node:stream';
import type { ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { Clock } from '../../core/ports.ts';
import type { SshHop } from '../../core/tunnel/ssh-hop.ts';
import { classifySshError, classifyTimeout, type RawSshError, type SshErrorContext } from './ssh-errors.ts';
import { findPlace, openSshSocket } from './ssh-socket.ts';
import type { SshTiming } from './ssh-timing.ts';

/** What carries one SSH connection: a TCP socket, a jump host's channel, the pipes of a ProxyCommand. Open already. */
export interface SshWire {
  readonly stream: Duplex;
  bytesRead(): number;
  bytesWritten(): number;
  /** Sends what is written, then ends. */
  endSoon(): void;
  /** Ends it now. */
  destroy(): void;
}

/** `stop` aborts when the session ends before the wire is there; what was opened until then is the dialer's to close. */
export type WireDialer = (stop: AbortSignal) => Promise<Result<SshWire, ConnectionFailure>>;

/** Straight over TCP, with the hop's AddressFamily, BindAddress, TCPKeepAlive and ConnectTimeout. */
export function tcpDialer(hop: SshHop, timing: SshTiming, clock: Clock): WireDialer {
  return async (stop) => {
    const limitMs = hop.connectTimeoutMs ?? timing.connectLimitMs;
    const context = (phase: 'dns' | 'connect'): SshErrorContext => ({
      phase,
      host: hop.host,
      port: hop.port,
      user: hop.user,
      dnsLimitMs: timing.dnsLimitMs,
      connectLimitMs: limitMs,
      received: Buffer.alloc(0),
      tried: [],
      offered: null,
    });
    const place = await findPlace(hop, timing.dnsLimitMs, clock);
    if (!place.ok) {
      const { error } = place;
      return err(
        error.type === 'timeout'
          ? classifyTimeout(context('dns'))
          : classifySshError(error.error, context(error.at)),
      );
    }
    return new Promise((resolve) => {
      const socket = openSshSocket(place.value);
      const timer = clock.setTimer(limitMs, () => give(err(classifyTimeout(context('connect')))));
      const onError = (error: Error): void =>
        give(err(classifySshError(error as RawSshError, context('connect'))));
      const onStop = (): void => give(err(classifyTimeout(context('connect'))));
      const give = (result: Result<SshWire, ConnectionFailure>): void => {
        timer.dispose();
        stop.removeEventListener('abort', onStop);
        socket.off('error', onError);
        // For ever: a socket without a listener for errors ends the process.
        socket.on('error', () => undefined);
        if (!result.ok) socket.destroy();
        resolve(result);
      };
      socket.once('error', onError);
      stop.addEventListener('abort', onStop, { once: true });
      socket.once('connect', () =>
        give(
          ok({
            stream: socket,
            bytesRead: () => socket.bytesRead,
            bytesWritten: () => socket.bytesWritten,
            endSoon: () => socket.destroySoon(),
            destroy: () => socket.destroy(),
          }),
        ),
      );
      if (stop.aborted) onStop();
    });
  };
}
