import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type ConnectionFailure, failure } from '../../../shared/connection-failure.ts';
import { err, ok, type Result } from '../../../shared/result.ts';
import { failureOfConnectError } from './gateway-errors.ts';

const MAX_BODY_BYTES = 4096;

/**
 * Asks whether a gateway answers at this address: `GET /healthz`, which needs no credential (OpenClaw docs,
 * gateway/health). `url` is the gateway's WebSocket or HTTP URL. Resolves within `limitMs` with the round trip.
 */
export function probeHealthz(
  url: string,
  limitMs: number,
): Promise<Result<{ readonly latencyMs: number }, ConnectionFailure>> {
  const target = healthzUrl(url);
  if (!target) return Promise.resolve(err(failure('gateway-url-invalid', { url })));
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const notAGateway = (detail: string): void => resolve(err(failure('not-a-gateway', { url, detail })));
    // A connection of its own, closed at the end: a pooled one could be a dead one.
    const request = (target.protocol === 'https:' ? httpsRequest : httpRequest)(
      target,
      { agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > MAX_BODY_BYTES) request.destroy(new Error('too long'));
          else chunks.push(chunk);
        });
        response.on('error', () => notAGateway('HTTP'));
        response.on('end', () => {
          if (isHealthz(response.statusCode, Buffer.concat(chunks).toString('utf8'))) {
            resolve(ok({ latencyMs: performance.now() - startedMs }));
          } else notAGateway(`HTTP ${response.statusCode ?? ''}`.trim());
        });
      },
    );
    const timer = setTimeout(() => {
      resolve(err(failure('gateway-silent', { limitMs })));
      request.destroy();
    }, limitMs);
    request.on('error', (error) =>
      resolve(err(failureOfConnectError(error, { url, deviceId: '', scopes: [], limitMs }))),
    );
    request.on('close', () => {
      clearTimeout(timer);
      notAGateway('HTTP');
    });
    request.end();
  });
}

/** The gateway says `{"ok":true,"status":"live"}`; any web server can say 200. */
function isHealthz(status: number | undefined, body: string): boolean {
  if (status !== 200) return false;
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null && (value as { readonly ok?: unknown }).ok === true;
  } catch {
    return false;
  }
}

function healthzUrl(url: string): URL | null {
  if (!URL.canParse(url)) return null;
  const target = new URL(url);
  const protocol = { 'ws:': 'http:', 'wss:': 'https:', 'http:': 'http:', 'https:': 'https:' }[
    target.protocol
  ];
  if (protocol === undefined) return null;
  return new URL(`${protocol}//${target.host}/healthz`);
}
