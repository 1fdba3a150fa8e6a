import { createConnection, createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import { waitFor } from './wait.ts';

/**
 * Ports are taken below Linux's ephemeral range (32768 and up), where no outgoing connection can take one between
 * our look and the server's bind, and at random, so that labs of several processes do not meet.
 */
const FIRST_PORT = 20_000;
const PORT_COUNT = 12_000;
const given = new Set<number>();

/** A TCP port of 127.0.0.1 that is free now and that this process has not given out before. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORT_COUNT);
    if (given.has(port) || !(await canBind(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error('No free TCP port on 127.0.0.1 after 200 tries.');
}

/** True when nothing listens on this port of 127.0.0.1 (bind succeeds). */
export function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** True when something accepts connections on this port of 127.0.0.1. */
export function canConnect(port: number, timeoutMs = 2_000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Waits until something listens on the port. */
export async function waitForListening(port: number, timeoutMs = 20_000): Promise<void> {
  await waitFor(() => canConnect(port), { what: `a listener on 127.0.0.1:${port}`, timeoutMs });
}

/** Waits until nothing listens on the port any more. */
export async function waitForFree(port: number, timeoutMs = 20_000): Promise<void> {
  await waitFor(() => canBind(port), { what: `127.0.0.1:${port} to be free`, timeoutMs });
}

/** Listens on this port of 127.0.0.1, sockets with TCP_NODELAY; rejects when the port cannot be had. */
export async function listenOn(
  port: number,
  onSocket: (socket: Socket) => void,
  options: ServerOpts = {},
): Promise<Server> {
  const server = createServer({ noDelay: true, ...options }, onSocket);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, resolve);
  });
  return server;
}
