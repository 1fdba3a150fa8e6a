import { generateKeyPairSync, createHash, createPublicKey, randomUUID, sign } from 'node:crypto';
import { GatewayClient, type DeviceIdentity, type GatewayClientOptions } from '@openclaw/gateway-client';
import { waitFor, within } from './wait.ts';

type GatewayEvent = Parameters<NonNullable<GatewayClientOptions['onEvent']>>[0];
type Hello = Parameters<NonNullable<GatewayClientOptions['onHelloOk']>>[0];

export interface LabGatewayClientOptions {
  /** `ws://127.0.0.1:PORT` */
  readonly url: string;
  readonly token?: string;
  readonly password?: string;
  /** Default: operator.read, .write, .approvals and .admin. */
  readonly scopes?: readonly string[];
  readonly caps?: readonly string[];
  /** Default a fresh one, as a device that was never seen. */
  readonly identity?: DeviceIdentity;
  /** For the hello, default 20 s. */
  readonly timeoutMs?: number;
}

export interface HistoryRow {
  readonly role: string;
  readonly text: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface LabGatewayClient {
  readonly hello: Hello;
  readonly identity: DeviceIdentity;
  events(): readonly GatewayEvent[];
  request<T = Record<string, unknown>>(method: string, params?: unknown, timeoutMs?: number): Promise<T>;
  waitForEvent(
    what: string,
    matches: (event: GatewayEvent) => boolean,
    timeoutMs?: number,
  ): Promise<GatewayEvent>;
  /** Sends a message and resolves with the text of its final reply. */
  chat(sessionKey: string, text: string, timeoutMs?: number): Promise<string>;
  history(sessionKey: string): Promise<readonly HistoryRow[]>;
  close(): Promise<void>;
}

/** Connects the official client with an Ed25519 device identity; rejects when the Gateway refuses. */
export async function connectGatewayClient(options: LabGatewayClientOptions): Promise<LabGatewayClient> {
  const identity = options.identity ?? createDeviceIdentity();
  const events: GatewayEvent[] = [];
  let client: GatewayClient | null = null;
  const connected = new Promise<Hello>((resolve, reject) => {
    client = new GatewayClient({
      url: options.url,
      ...(options.token === undefined ? {} : { token: options.token }),
      ...(options.password === undefined ? {} : { password: options.password }),
      clientName: 'gateway-client',
      clientDisplayName: 'Gangway lab',
      clientVersion: '0.0.0',
      platform: process.platform,
      mode: 'ui',
      role: 'operator',
      scopes: [...(options.scopes ?? DEFAULT_SCOPES)],
      caps: [...(options.caps ?? DEFAULT_CAPS)],
      deviceIdentity: identity,
      hostDeps: deviceHostDeps,
      onHelloOk: resolve,
      onConnectError: reject,
      onEvent: (event) => events.push(event),
    });
    client.start();
  });
  // Assigned by the promise's executor, which runs at once.
  const started = client as unknown as GatewayClient;
  let hello: Hello;
  try {
    hello = await within(connected, options.timeoutMs ?? 20_000, `hello-ok from ${options.url}`);
  } catch (error) {
    await started.stopAndWait({ timeoutMs: 2_000 }).catch(() => undefined);
    throw error;
  }

  const request = <T>(method: string, params?: unknown, timeoutMs = 30_000): Promise<T> =>
    started.request<T>(method, params ?? {}, { timeoutMs });

  async function waitForEvent(
    what: string,
    matches: (event: GatewayEvent) => boolean,
    timeoutMs = 60_000,
  ): Promise<GatewayEvent> {
    return waitFor(() => events.find(matches), {
      what,
      timeoutMs,
      detail: () => `events: ${JSON.stringify(events.slice(-10)).slice(0, 4_000)}`,
    });
  }

  return {
    hello,
    identity,
    events: () => events,
    request,
    waitForEvent,
    async chat(sessionKey, text, timeoutMs = 60_000) {
      const idempotencyKey = randomUUID();
      const sent = await request<{ runId?: string }>('chat.send', {
        sessionKey,
        message: text,
        idempotencyKey,
      });
      const runId = sent.runId ?? idempotencyKey;
      const event = await waitForEvent(
        `the reply to "${text}"`,
        (candidate) => {
          const payload = asRecord(candidate.payload);
          return (
            candidate.event === 'chat' &&
            payload['runId'] === runId &&
            ['final', 'error', 'aborted'].includes(String(payload['state']))
          );
        },
        timeoutMs,
      );
      const payload = asRecord(event.payload);
      if (payload['state'] !== 'final') {
        throw new Error(`The run ended as ${String(payload['state'])}: ${String(payload['errorMessage'])}`);
      }
      return textOf(payload['message']);
    },
    async history(sessionKey) {
      const answer = await request<{ messages?: readonly unknown[] }>('chat.history', {
        sessionKey,
        limit: 200,
      });
      return (answer.messages ?? []).map((message) => {
        const raw = asRecord(message);
        return { role: String(raw['role']), text: textOf(raw), raw };
      });
    },
    async close() {
      await started.stopAndWait({ timeoutMs: 5_000 });
    },
  };
}

const DEFAULT_SCOPES = ['operator.read', 'operator.write', 'operator.approvals', 'operator.admin'];
const DEFAULT_CAPS = ['tool-events', 'approvals', 'exec-approvals'];

/** A device as the protocol knows it: an Ed25519 pair whose id is the hex SHA-256 of the raw public key. */
export function createDeviceIdentity(): DeviceIdentity {
  const pair = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const deviceId = createHash('sha256').update(rawPublicKey(pair.publicKey)).digest('hex');
  return { deviceId, publicKeyPem: pair.publicKey, privateKeyPem: pair.privateKey };
}

function rawPublicKey(pem: string): Buffer {
  const jwk = createPublicKey(pem).export({ format: 'jwk' });
  return Buffer.from(jwk.x ?? '', 'base64url');
}

function signDevicePayload(privateKeyPem: string, payload: string): string {
  return sign(null, Buffer.from(payload, 'utf8'), privateKeyPem).toString('base64url');
}

function publicKeyRawBase64UrlFromPem(pem: string): string {
  return rawPublicKey(pem).toString('base64url');
}

/** What the official client wants of its host for a device identity. */
export const deviceHostDeps = { signDevicePayload, publicKeyRawBase64UrlFromPem };

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(message: unknown): string {
  const { content, text } = asRecord(message);
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) {
    return content
      .map((part: unknown) => asRecord(part))
      .filter((part) => part['type'] === 'text')
      .map((part) => String(part['text']))
      .join('');
  }
  return typeof text === 'string' ? text : '';
}
