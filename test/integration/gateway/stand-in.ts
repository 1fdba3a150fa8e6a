import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { problemOf } from './payloads.ts';

/** What the real Gateway cannot be made to do: other protocols, broken frames, floods. */
export interface StandInScript {
  /** Sent before anything else; default a proper `connect.challenge`. Null: nothing, ever. */
  readonly challenge?: unknown;
  /** The answer to `connect`: a hello, an error, or anything else; default a proper hello-ok. */
  readonly onConnect?: (send: (frame: unknown) => void, id: string, socket: WebSocket) => void;
  readonly onRequest?: (
    method: string,
    id: string,
    send: (frame: unknown) => void,
    params: Readonly<Record<string, unknown>>,
  ) => void;
}

export interface StandIn {
  readonly url: string;
  connections(): number;
  problems(): readonly string[];
  /** Sends a frame, or raw text, to whoever is connected. */
  push(frame: unknown): void;
  pushRaw(text: string): void;
  /** Most bytes of one connection that wait to be sent: what the real Gateway limits to 50 MiB. */
  bufferedBytes(): number;
  closeAll(code: number, reason: string): void;
  close(): Promise<void>;
}

export function helloOk(more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    type: 'hello-ok',
    protocol: 4,
    server: { version: '9999.1.1', connId: 'c', bootId: 'b' },
    features: { methods: [], events: [] },
    snapshot: { sessionDefaults: { mainSessionKey: 'agent:main:main' } },
    auth: {
      role: 'operator',
      scopes: ['operator.read', 'operator.write', 'operator.approvals', 'operator.questions'],
    },
    policy: { maxPayload: 1_000_000, maxBufferedBytes: 2_000_000, tickIntervalMs: 30_000 },
    ...more,
  };
}

export async function startStandIn(script: StandInScript = {}): Promise<StandIn> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  const problems: string[] = [];
  let connections = 0;
  let seq = 0;
  server.on('connection', (socket) => {
    connections += 1;
    const send = (frame: unknown): void => {
      // A text that is there as bytes already costs this process no second copy.
      if (Buffer.isBuffer(frame)) socket.send(frame, { binary: false });
      else socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    };
    const {
      challenge = { type: 'event', event: 'connect.challenge', payload: { nonce: 'n', ts: Date.now() } },
    } = script;
    if (challenge !== null) send(challenge);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString('utf8')) as {
        id: string;
        method: string;
        params?: Record<string, unknown>;
      };
      const problem = problemOf(frame);
      if (problem) problems.push(problem);
      const { id, method } = frame;
      if (method !== 'connect') {
        if (script.onRequest) script.onRequest(method, id, send, frame.params ?? {});
        else send({ type: 'res', id, ok: true, payload: {} });
      } else if (script.onConnect) script.onConnect(send, id, socket);
      else send({ type: 'res', id, ok: true, payload: helloOk() });
    });
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    connections: () => connections,
    problems: () => problems,
    push(frame) {
      seq += 1;
      for (const client of server.clients) client.send(JSON.stringify({ seq, ...(frame as object) }));
    },
    pushRaw(text) {
      for (const client of server.clients) client.send(text);
    },
    bufferedBytes: () => Math.max(0, ...[...server.clients].map(({ bufferedAmount }) => bufferedAmount)),
    closeAll(code, reason) {
      for (const client of server.clients) client.close(code, reason);
    },
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
}

export function connectError(
  id: string,
  details: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    type: 'res',
    id,
    ok: false,
    error: { code: 'INVALID_REQUEST', message: 'refused', details, ...more },
  };
}

export interface Listener {
  readonly url: string;
  close(): Promise<void>;
}

/** A web server that is no gateway. */
export async function startWebServer(status: number, body: string): Promise<Listener> {
  const server = createServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end(body);
  });
  return await listening(server);
}

/** Takes connections and says nothing, or something that is no HTTP. */
export async function startTcpServer(greeting: string | null): Promise<Listener> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    if (greeting !== null) socket.end(greeting);
  });
  return await listening(server as unknown as Server);
}

async function listening(server: Server): Promise<Listener> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
