import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { problemOf } from './payloads.ts';

export interface SentFrame {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Sits between us and the Gateway at the level of frames: checks what we send, and can lose an answer. */
export interface WsProxy {
  readonly url: string;
  /** Frames of ours, in order. */
  sent(): readonly SentFrame[];
  /** What was wrong with them by the protocol's schema. */
  problems(): readonly string[];
  /** The next answer to this method is lost, and the connection with it. */
  loseAnswerTo(method: string): void;
  /** The next request of this method never reaches the Gateway, and the connection is lost. */
  loseRequest(method: string): void;
  /** Ends all connections; new ones are taken. */
  cut(): void;
  /** Waiting answers to this method do not come, the connection stays. */
  dropAnswersTo(method: string | null): void;
  close(): Promise<void>;
}

/** `shiftChallengeMs` moves the time that the Gateway's challenge names; `port` 0 is any. */
export async function startWsProxy(
  target: string,
  {
    shiftChallengeMs = 0,
    port: wanted = 0,
  }: { readonly shiftChallengeMs?: number; readonly port?: number } = {},
): Promise<WsProxy> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: wanted, maxPayload: 64 * 1024 * 1024 });
  await new Promise<void>((resolve) => server.once('listening', () => resolve()));
  const sent: SentFrame[] = [];
  const problems: string[] = [];
  let losing: string | null = null;
  let dropping: string | null = null;
  let swallowing: string | null = null;
  server.on('connection', (client) => {
    const gateway = new WebSocket(target, { maxPayload: 64 * 1024 * 1024 });
    const methods = new Map<string, string>();
    const waiting: string[] = [];
    client.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      const frame = JSON.parse(text) as { id: string; method: string; params?: Record<string, unknown> };
      const problem = problemOf(frame);
      if (problem) problems.push(problem);
      sent.push({ method: frame.method, params: frame.params ?? {} });
      methods.set(frame.id, frame.method);
      if (frame.method === swallowing) {
        swallowing = null;
        client.terminate();
        gateway.terminate();
        return;
      }
      if (gateway.readyState === WebSocket.OPEN) gateway.send(text);
      else waiting.push(text);
    });
    gateway.on('open', () => {
      for (const text of waiting.splice(0)) gateway.send(text);
    });
    gateway.on('message', (data: Buffer) => {
      const text = data.toString('utf8');
      const frame = JSON.parse(text) as {
        type: string;
        id?: string;
        event?: string;
        payload?: { ts?: number };
      };
      if (frame.event === 'connect.challenge' && shiftChallengeMs !== 0) {
        const payload = { ...frame.payload, ts: (frame.payload?.ts ?? 0) + shiftChallengeMs };
        client.send(JSON.stringify({ ...frame, payload }));
        return;
      }
      const method = frame.type === 'res' ? methods.get(frame.id ?? '') : undefined;
      if (method !== undefined && method === losing) {
        losing = null;
        client.terminate();
        gateway.terminate();
        return;
      }
      if (method !== undefined && method === dropping) return;
      client.send(text);
    });
    gateway.on('close', (code, reason) => {
      // 1005 and 1006 stand for the absence of a close frame and cannot be sent.
      if (code === 1005 || code === 1006) client.terminate();
      else client.close(code, reason);
    });
    gateway.on('error', () => client.terminate());
    client.on('close', () => gateway.terminate());
    client.on('error', () => gateway.terminate());
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    sent: () => sent,
    problems: () => problems,
    loseAnswerTo(method) {
      losing = method;
    },
    loseRequest(method) {
      swallowing = method;
    },
    cut() {
      for (const client of server.clients) client.terminate();
    },
    dropAnswersTo(method) {
      dropping = method;
    },
    close: () =>
      new Promise((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  };
}
