import { GatewayClientRequestError } from '@openclaw/gateway-client';
import { ConnectErrorDetailCodes } from '@openclaw/gateway-protocol/connect-error-details';
import { describe, expect, it } from 'vitest';
import {
  failureOfClose,
  failureOfConnectError,
  type FailureContext,
  MAPPED_DETAIL_CODES,
} from '../../../src/main/node/gateway/gateway-errors.ts';
import { type FailureCode, failureKind } from '../../../src/shared/connection-failure.ts';

const context: FailureContext = {
  url: 'wss://gateway.example:443',
  deviceId: 'device-1',
  scopes: ['operator.read', 'operator.write'],
  limitMs: 10_000,
};

function refused(
  details: unknown,
  more: { retryable?: boolean; retryAfterMs?: number; code?: string } = {},
): Error {
  return new GatewayClientRequestError({
    code: 'INVALID_REQUEST',
    message: 'as the gateway says',
    details,
    ...more,
  });
}

const BY_DETAIL_CODE: Readonly<Record<keyof typeof ConnectErrorDetailCodes, FailureCode>> = {
  AUTH_REQUIRED: 'token-missing',
  AUTH_UNAUTHORIZED: 'gateway-rejected',
  AUTH_TOKEN_MISSING: 'token-missing',
  AUTH_TOKEN_MISMATCH: 'token-mismatch',
  AUTH_TOKEN_NOT_CONFIGURED: 'gateway-rejected',
  AUTH_PASSWORD_MISSING: 'password-missing',
  AUTH_PASSWORD_MISMATCH: 'password-mismatch',
  AUTH_PASSWORD_NOT_CONFIGURED: 'gateway-rejected',
  AUTH_BOOTSTRAP_TOKEN_INVALID: 'gateway-rejected',
  AUTH_DEVICE_TOKEN_MISMATCH: 'device-token-rejected',
  AUTH_SCOPE_MISMATCH: 'scope-missing',
  AUTH_RATE_LIMITED: 'rate-limited',
  AUTH_TAILSCALE_IDENTITY_MISSING: 'gateway-rejected',
  AUTH_TAILSCALE_PROXY_MISSING: 'gateway-rejected',
  AUTH_TAILSCALE_WHOIS_FAILED: 'gateway-rejected',
  AUTH_TAILSCALE_IDENTITY_MISMATCH: 'gateway-rejected',
  AUTH_IDENTITY_HEADER_REQUIRED: 'gateway-rejected',
  AUTH_VERIFIED_USER_REQUIRED: 'gateway-rejected',
  AUTHENTICATED_PROFILE_UNAVAILABLE: 'gateway-rejected',
  CONTROL_UI_BUILD_MISMATCH: 'gateway-rejected',
  CONTROL_UI_ORIGIN_NOT_ALLOWED: 'gateway-rejected',
  PROTOCOL_MISMATCH: 'protocol-mismatch',
  CONTROL_UI_DEVICE_IDENTITY_REQUIRED: 'device-identity-rejected',
  DEVICE_IDENTITY_REQUIRED: 'device-identity-rejected',
  DEVICE_AUTH_INVALID: 'device-identity-rejected',
  DEVICE_AUTH_DEVICE_ID_MISMATCH: 'device-identity-rejected',
  DEVICE_AUTH_SIGNATURE_EXPIRED: 'device-identity-rejected',
  DEVICE_AUTH_NONCE_REQUIRED: 'device-identity-rejected',
  DEVICE_AUTH_NONCE_MISMATCH: 'device-identity-rejected',
  DEVICE_AUTH_SIGNATURE_INVALID: 'device-identity-rejected',
  DEVICE_AUTH_PUBLIC_KEY_INVALID: 'device-identity-rejected',
  PAIRING_REQUIRED: 'pairing-required',
  CLIENT_VERSION_MISMATCH: 'protocol-mismatch',
};

describe('errors of connect', () => {
  it.each(Object.entries(BY_DETAIL_CODE))('%s is shown as %s', (code, expected) => {
    expect(failureOfConnectError(refused({ code }), context).code).toBe(expected);
  });

  it('decides every code of the protocol registry', () => {
    expect([...MAPPED_DETAIL_CODES].sort()).toEqual(Object.values(ConnectErrorDetailCodes).sort());
  });

  it('takes a code that it does not know for a refusal, with the code in it', () => {
    expect(failureOfConnectError(refused({ code: 'AUTH_SOMETHING_NEW' }), context)).toEqual({
      code: 'gateway-rejected',
      facts: { detailCode: 'AUTH_SOMETHING_NEW', detail: 'as the gateway says' },
    });
  });

  it('is not fooled by a code that is a property of every object', () => {
    expect(failureOfConnectError(refused({ code: 'constructor' }), context).code).toBe('gateway-rejected');
  });

  it('carries the request id of a pairing', () => {
    const details = {
      code: 'PAIRING_REQUIRED',
      reason: 'not-paired',
      requestId: 'req-7',
      deviceId: 'device-9',
    };
    expect(failureOfConnectError(refused(details), context)).toEqual({
      code: 'pairing-required',
      facts: { requestId: 'req-7', deviceId: 'device-9', reason: 'not-paired' },
    });
  });

  it('names our own device when the gateway does not', () => {
    expect(failureOfConnectError(refused({ code: 'PAIRING_REQUIRED' }), context)).toMatchObject({
      facts: { requestId: null, deviceId: 'device-1' },
    });
  });

  it.each([
    [{ code: 'AUTH_RATE_LIMITED', retryAfterMs: 4200 }, {}, 4200],
    [{ code: 'AUTH_RATE_LIMITED' }, { retryAfterMs: 900 }, 900],
    [{ code: 'AUTH_RATE_LIMITED', retryAfterMs: -1 }, {}, null],
    [{ code: 'AUTH_RATE_LIMITED', retryAfterMs: 1e12 }, {}, null],
    [{ code: 'AUTH_RATE_LIMITED', retryAfterMs: 'soon' }, {}, null],
  ])('reads the wait of a rate limit from %j', (details, more, retryAfterMs) => {
    const failure = failureOfConnectError(refused(details, more), context);
    expect(failure).toEqual({ code: 'rate-limited', facts: { retryAfterMs } });
    expect(failureKind(failure.code)).toBe('transient');
  });

  it('names both versions of a protocol mismatch', () => {
    expect(
      failureOfConnectError(refused({ code: 'PROTOCOL_MISMATCH', expectedProtocol: 5 }), context),
    ).toMatchObject({
      code: 'protocol-mismatch',
      facts: { ours: 4, theirs: 5 },
    });
  });

  it('knows a gateway that is still starting, and bounds its wait', () => {
    const details = { reason: 'startup-sidecars' };
    const starting = refused(details, { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 60_000 });
    expect(failureOfConnectError(starting, context)).toEqual({
      code: 'gateway-starting',
      facts: { retryAfterMs: 2000 },
    });
  });

  it('knows a gateway that is draining for a restart', () => {
    const details = { reason: 'gateway-restarting' };
    const restarting = refused(details, { code: 'UNAVAILABLE', retryable: true, retryAfterMs: 1500 });
    expect(failureOfConnectError(restarting, context)).toEqual({
      code: 'gateway-restarting',
      facts: { expectedMs: 1500 },
    });
  });

  it('names a scope that a method misses', () => {
    const details = {
      code: 'MISSING_SCOPE',
      missingScope: 'operator.write',
      requiredScopes: ['operator.write'],
    };
    const error = refused(details, { code: 'FORBIDDEN' });
    expect(failureOfConnectError(error, context)).toEqual({
      code: 'scope-missing',
      facts: { scopes: ['operator.write'] },
    });
  });

  it('keeps foreign servers apart from gateways that answer HTTP', () => {
    const upgrade = (details: object): Error =>
      refused({ reason: 'websocket-upgrade-rejected', ...details }, { code: 'UNAVAILABLE', retryable: true });
    expect(failureOfConnectError(upgrade({ httpStatus: 404 }), context)).toEqual({
      code: 'not-a-gateway',
      facts: { url: context.url, detail: 'HTTP 404' },
    });
    expect(failureOfConnectError(upgrade({ httpStatus: 503 }), context)).toEqual({
      code: 'gateway-unreachable',
      facts: { url: context.url, detail: 'HTTP 503' },
    });
    expect(
      failureOfConnectError(upgrade({ httpStatus: 503, gatewayErrorType: 'unavailable' }), context).code,
    ).toBe('gateway-starting');
    expect(
      failureOfConnectError(upgrade({ httpStatus: 429, gatewayErrorType: 'rate_limited' }), context).code,
    ).toBe('rate-limited');
    expect(
      failureOfConnectError(upgrade({ httpStatus: 403, gatewayErrorType: 'forbidden' }), context),
    ).toMatchObject({
      code: 'gateway-rejected',
      facts: { detailCode: 'forbidden' },
    });
  });

  it.each<[string, string, FailureCode]>([
    ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1', 'gateway-unreachable'],
    ['ECONNRESET', 'socket hang up', 'gateway-unreachable'],
    ['EHOSTUNREACH', 'connect EHOSTUNREACH', 'gateway-unreachable'],
    ['ENETUNREACH', 'connect ENETUNREACH', 'gateway-unreachable'],
    ['ETIMEDOUT', 'connect ETIMEDOUT', 'gateway-unreachable'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND gateway.example', 'host-not-found'],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN gateway.example', 'host-not-found'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', 'tls-rejected'],
    ['CERT_HAS_EXPIRED', 'certificate has expired', 'tls-rejected'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate', 'tls-rejected'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames", 'tls-rejected'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', 'tls-rejected'],
    ['EPROTO', 'write EPROTO', 'tls-rejected'],
    ['HPE_INVALID_CONSTANT', 'Parse Error: Expected HTTP/', 'not-a-gateway'],
    ['WS_ERR_INVALID_UTF8', 'Invalid WebSocket frame', 'not-a-gateway'],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'Max payload size exceeded', 'frame-too-large'],
    ['ERR_INVALID_URL', 'Invalid URL', 'gateway-url-invalid'],
  ])('%s of the socket is %s', (code, message, expected) => {
    expect(failureOfConnectError(Object.assign(new Error(message), { code }), context).code).toBe(expected);
  });

  it.each<[string, FailureCode]>([
    ['Opening handshake has timed out', 'gateway-silent'],
    ['gateway connect challenge timeout (waited 10001ms, limit 10000ms)', 'gateway-silent'],
    ['SECURITY ERROR: Cannot connect to "host" over plaintext ws://', 'gateway-url-insecure'],
    ['Invalid Sec-WebSocket-Accept header', 'not-a-gateway'],
    ['gateway connect challenge missing nonce', 'not-a-gateway'],
    ['something else', 'gateway-unreachable'],
  ])('"%s" is %s', (message, expected) => {
    expect(failureOfConnectError(new Error(message), context).code).toBe(expected);
  });

  it('reads the first of the errors of several addresses', () => {
    const error = new AggregateError([
      Object.assign(new Error('connect ECONNREFUSED ::1:1'), { code: 'ECONNREFUSED' }),
    ]);
    expect(failureOfConnectError(error, context).code).toBe('gateway-unreachable');
  });

  it.each([undefined, null, 'text', 7, {}, { details: 'x' }, { code: 9, message: {} }])(
    'has an answer to %j, which is no error at all',
    (value) => {
      expect(failureOfConnectError(value, context).code).toBe('gateway-unreachable');
    },
  );

  it('bounds what a hostile gateway writes', () => {
    const failure = failureOfConnectError(
      refused({ code: 'X'.repeat(5000), reason: 'y'.repeat(5000) }),
      context,
    );
    expect(JSON.stringify(failure).length).toBeLessThan(1000);
  });
});

describe('closes', () => {
  it.each<[number, string, FailureCode]>([
    [1000, '', 'gateway-closed'],
    [1001, 'going away', 'gateway-closed'],
    [1005, '', 'gateway-closed'],
    [1006, '', 'gateway-closed'],
    [1008, 'slow consumer', 'slow-consumer'],
    [1008, 'device removed', 'gateway-closed'],
    [1009, 'Max payload size exceeded', 'frame-too-large'],
    [1011, 'internal error', 'gateway-closed'],
    [1012, 'service restart', 'gateway-restarting'],
    [1013, 'gateway starting', 'gateway-starting'],
    [4000, 'tick timeout', 'gateway-closed'],
  ])('%i "%s" is %s, which is tried again', (code, reason, expected) => {
    const failure = failureOfClose(code, reason, null);
    expect(failure.code).toBe(expected);
    expect(failureKind(failure.code)).toBe('transient');
  });

  it('believes a shutdown that was announced, whatever the code says', () => {
    const shutdown = { reason: 'gateway restarting', restartExpectedMs: 1500 };
    for (const code of [1000, 1006, 1012]) {
      expect(failureOfClose(code, '', shutdown)).toEqual({
        code: 'gateway-restarting',
        facts: { expectedMs: 1500 },
      });
    }
  });
});
