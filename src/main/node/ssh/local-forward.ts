import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import type { Clock } from '../../core/ports.ts';
import type { Disposable } from '../../core/lifecycle.ts';
import type { PortMove } from '../../core/tunnel/tunnel-protocol.ts';
import { findPortHolder, nextFreePort, type PortHolder } from './port-holder.ts';
import { StreamPair } from './stream-pair.ts';

const LOOPBACK = '127.0.0.1';
/** Clients that may wait for SSH to come back, and for how long. */
const MAX_HELD = 64;
const HOLD_LIMIT_MS = 10_000;
const MAX_CONNECTIONS = 512;
/** A tunnel process that was killed may hold the port for a moment longer. */
const SECOND_TRY_AFTER_MS = 300;
/** Ports that another program took between the look and the listening. */
const MAX_MOVES = 3;

/** Opens channels to the gateway's port; there is one while an SSH session stands. */
export interface ForwardOpener {
  openForward(originPort: number): Promise<Result<Duplex, ConnectionFailure>>;
}

interface Held {
  readonly socket: Socket;
  readonly timer: Disposable;
  readonly untilAtMs: number;
}

/**
 * The listener on this computer. It stays while SSH comes and goes, so that nothing that points at it ever has to change.
 * A client that comes while SSH is away is held, unread, and served when SSH is back; after 10 s it is let go.
 */
export class LocalForward {
  readonly port: number;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #onForwardFailed: (failure: ConnectionFailure) => void;
  readonly #held = new Set<Held>();
  readonly #pairs = new Set<StreamPair>();
  /** Accepted, their channel being opened. */
  readonly #opening = new Set<Socket>();
  #opener: ForwardOpener | null = null;

  private constructor(
    server: Server,
    port: number,
    clock: Clock,
    onForwardFailed: (failure: ConnectionFailure) => void,
  ) {
    this.#server = server;
    this.port = port;
    this.#clock = clock;
    this.#onForwardFailed = onForwardFailed;
    server.on('connection', (socket: Socket) => this.#accept(socket));
    // After listening only accept() can fail (out of descriptors): that client is lost, the listener is not.
    server.on('error', () => undefined);
  }

  /** Listens on 127.0.0.1 only. */
  static async listen(
    port: number,
    clock: Clock,
    onForwardFailed: (failure: ConnectionFailure) => void,
  ): Promise<Result<LocalForward, ConnectionFailure>> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    server.maxConnections = MAX_CONNECTIONS;
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once('error', resolve);
      server.listen({ port, host: LOOPBACK, exclusive: true }, () => resolve(null));
    });
    if (error === null) {
      server.removeAllListeners('error');
      return ok(new LocalForward(server, port, clock, onForwardFailed));
    }
    switch (error.code) {
      case 'EADDRINUSE':
        return err(
          failure('port-taken', {
            port,
            holder: await findPortHolder(port),
            nextFreePort: await nextFreePort(port),
          }),
        );
      case 'EACCES':
      case 'EPERM':
        return err(failure('port-forbidden', { port, nextFreePort: await nextFreePort(port) }));
      case undefined:
      default:
        return err(failure('bug', { detail: `listen on ${LOOPBACK}:${port}: ${error.message}` }));
    }
  }

  /**
   * Listens on that port or, where another program keeps it, on the next free one. The other program is left alone: it is
   * neither connected to nor ended. Fails with `port-taken` where no other port is free either.
   */
  static async listenNear(
    port: number,
    clock: Clock,
    onForwardFailed: (failure: ConnectionFailure) => void,
  ): Promise<Result<{ readonly forward: LocalForward; readonly moved: PortMove | null }, ConnectionFailure>> {
    const listen = (candidate: number): ReturnType<typeof LocalForward.listen> =>
      LocalForward.listen(candidate, clock, onForwardFailed);
    let listening = await listen(port);
    if (listening.ok) return ok({ forward: listening.value, moved: null });
    if (listening.error.code !== 'port-taken') return listening;
    await new Promise<void>((resolve) => clock.setTimer(SECOND_TRY_AFTER_MS, resolve));
    listening = await listen(port);
    if (listening.ok) return ok({ forward: listening.value, moved: null });
    const taken = listening.error;
    if (taken.code !== 'port-taken') return listening;
    let candidate = taken.facts.nextFreePort;
    for (let move = 0; move < MAX_MOVES && candidate !== null; move += 1) {
      listening = await listen(candidate);
      if (listening.ok) {
        const moved = { from: port, to: candidate, owner: ownerOf(taken.facts.holder) };
        return ok({ forward: listening.value, moved });
      }
      candidate = listening.error.code === 'port-taken' ? listening.error.facts.nextFreePort : null;
    }
    return err(taken);
  }

  /** SSH stands: serves whoever waits, and all that come. */
  attach(opener: ForwardOpener): void {
    this.#opener = opener;
    for (const held of [...this.#held]) {
      this.#release(held);
      void this.#serve(held.socket, held.untilAtMs);
    }
  }

  /** SSH is gone: ends every joined connection. Clients that were not joined yet are held. */
  detach(): void {
    this.#opener = null;
    for (const pair of [...this.#pairs]) pair.dispose();
  }

  /** Ends the listener and everything on it; resolves when the port is free. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.detach();
    for (const held of [...this.#held]) {
      this.#release(held);
      held.socket.destroy();
    }
    for (const socket of this.#opening) socket.destroy();
    return closed;
  }

  #accept(socket: Socket): void {
    socket.on('error', () => undefined);
    const untilAtMs = this.#clock.monotonicMs() + HOLD_LIMIT_MS;
    if (this.#opener === null) this.#hold(socket, untilAtMs);
    else void this.#serve(socket, untilAtMs);
  }

  #hold(socket: Socket, untilAtMs: number): void {
    const restMs = untilAtMs - this.#clock.monotonicMs();
    if (this.#held.size >= MAX_HELD || restMs <= 0 || !this.#server.listening) {
      socket.destroy();
      return;
    }
    const timer = this.#clock.setTimer(restMs, () => {
      this.#release(held);
      socket.destroy();
    });
    const held: Held = { socket, timer, untilAtMs };
    this.#held.add(held);
    socket.once('close', () => this.#release(held));
  }

  #release(held: Held): void {
    this.#held.delete(held);
    held.timer.dispose();
  }

  async #serve(socket: Socket, untilAtMs: number): Promise<void> {
    const opener = this.#opener;
    if (opener === null || socket.destroyed) return;
    this.#opening.add(socket);
    const opened = await opener.openForward(socket.remotePort ?? 0);
    this.#opening.delete(socket);
    const isStill = this.#isAttached(opener);
    if (opened.ok) {
      const pair: StreamPair = new StreamPair(socket, opened.value, () => this.#pairs.delete(pair));
      this.#pairs.add(pair);
      if (isGone(socket) || !isStill) pair.dispose();
    } else if (!isStill && !isGone(socket)) {
      // Nothing was read from this client yet: when only SSH went away it can simply wait for the next one.
      if (this.#isAttached(null)) this.#hold(socket, untilAtMs);
      else void this.#serve(socket, untilAtMs);
    } else {
      socket.destroy();
      if (opened.error.code !== 'link-lost') this.#onForwardFailed(opened.error);
    }
  }

  /** As a call, so that the compiler does not think it cannot change across an await. */
  #isAttached(opener: ForwardOpener | null): boolean {
    return this.#opener === opener;
  }
}

function ownerOf(holder: PortHolder | null): string | null {
  return holder === null || holder.command === '' ? null : `${holder.command} (${holder.pid})`;
}

function isGone(socket: Socket): boolean {
  return socket.destroyed;
}
