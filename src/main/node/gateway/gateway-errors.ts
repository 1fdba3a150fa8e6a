import {
  type ConnectErrorDetailCodes,
  readConnectErrorDetailCode,
  readPairingConnectErrorDetails,
} from '@openclaw/gateway-protocol/connect-error-details';
import { readMissingScopeError } from '@openclaw/gateway-protocol/gateway-error-details';
import { isGatewayRestartUnavailableError } from '@openclaw/gateway-protocol/restart-unavailable';
import {
  GATEWAY_STARTUP_CLOSE_CODE,
  isRetryableGatewayStartupUnavailableError,
  resolveGatewayStartupRetryAfterMs,
} from '@openclaw/gateway-protocol/startup-unavailable';
import { PROTOCOL_VERSION } from '@openclaw/gateway-protocol/version';
import { type ConnectionFailure, failure } from '../../../shared/connection-failure.ts';

/** What the words of a failure need beside the error itself. */
export interface FailureContext {
  readonly url: string;
  readonly deviceId: string;
  /** Scopes that were asked for. */
  readonly scopes: readonly string[];
  /** Limit of the handshake, in milliseconds. */
  readonly limitMs: number;
}

type DetailCode = keyof typeof ConnectErrorDetailCodes;
type Details = Readonly<Record<string, unknown>>;
type FromDetails = (details: Details, context: FailureContext, error: ErrorFacts) => ConnectionFailure;

interface ErrorFacts {
  readonly message: string;
  readonly retryAfterMs: number | null;
}

const MAX_DETAIL_CHARS = 300;

const tokenMissing: FromDetails = () => failure('token-missing', {});
const tokenMismatch: FromDetails = () => failure('token-mismatch', {});
const passwordMissing: FromDetails = () => failure('password-missing', {});
const passwordMismatch: FromDetails = () => failure('password-mismatch', {});
const deviceTokenRejected: FromDetails = (details, _context, error) =>
  failure('device-token-rejected', { reason: text(details['authReason']) ?? error.message });
const identityRejected: FromDetails = (details, _context, error) =>
  failure('device-identity-rejected', { reason: text(details['reason']) ?? error.message });
const protocolMismatch: FromDetails = (details, _context, error) =>
  failure('protocol-mismatch', {
    ours: PROTOCOL_VERSION,
    theirs: integer(details['expectedProtocol']),
    detail: error.message,
  });
const rejected: FromDetails = (details, _context, error) =>
  failure('gateway-rejected', {
    detailCode: bounded(readConnectErrorDetailCode(details) ?? 'UNKNOWN'),
    detail: error.message,
  });

/** Every code of the protocol's registry: a new one in a later version of it does not compile until it is decided here. */
const BY_DETAIL_CODE: { readonly [C in DetailCode]: FromDetails } = {
  AUTH_REQUIRED: tokenMissing,
  AUTH_UNAUTHORIZED: rejected,
  AUTH_TOKEN_MISSING: tokenMissing,
  AUTH_TOKEN_MISMATCH: tokenMismatch,
  AUTH_TOKEN_NOT_CONFIGURED: rejected,
  AUTH_PASSWORD_MISSING: passwordMissing,
  AUTH_PASSWORD_MISMATCH: passwordMismatch,
  AUTH_PASSWORD_NOT_CONFIGURED: rejected,
  AUTH_BOOTSTRAP_TOKEN_INVALID: rejected,
  AUTH_DEVICE_TOKEN_MISMATCH: deviceTokenRejected,
  AUTH_SCOPE_MISMATCH: (_details, { scopes }) => failure('scope-missing', { scopes }),
  // The official client takes it for terminal although the gateway says: wait, then retry.
  AUTH_RATE_LIMITED: (details, _context, error) =>
    failure('rate-limited', { retryAfterMs: duration(details['retryAfterMs']) ?? error.retryAfterMs }),
  AUTH_TAILSCALE_IDENTITY_MISSING: rejected,
  AUTH_TAILSCALE_PROXY_MISSING: rejected,
  AUTH_TAILSCALE_WHOIS_FAILED: rejected,
  AUTH_TAILSCALE_IDENTITY_MISMATCH: rejected,
  AUTH_IDENTITY_HEADER_REQUIRED: rejected,
  AUTH_VERIFIED_USER_REQUIRED: rejected,
  AUTHENTICATED_PROFILE_UNAVAILABLE: rejected,
  CONTROL_UI_BUILD_MISMATCH: rejected,
  CONTROL_UI_ORIGIN_NOT_ALLOWED: rejected,
  PROTOCOL_MISMATCH: protocolMismatch,
  CONTROL_UI_DEVICE_IDENTITY_REQUIRED: identityRejected,
  DEVICE_IDENTITY_REQUIRED: identityRejected,
  DEVICE_AUTH_INVALID: identityRejected,
  DEVICE_AUTH_DEVICE_ID_MISMATCH: identityRejected,
  DEVICE_AUTH_SIGNATURE_EXPIRED: identityRejected,
  DEVICE_AUTH_NONCE_REQUIRED: identityRejected,
  DEVICE_AUTH_NONCE_MISMATCH: identityRejected,
  DEVICE_AUTH_SIGNATURE_INVALID: identityRejected,
  DEVICE_AUTH_PUBLIC_KEY_INVALID: identityRejected,
  PAIRING_REQUIRED: (details, { deviceId }, error) => {
    const pairing = readPairingConnectErrorDetails(details);
    return failure('pairing-required', {
      requestId: pairing?.requestId ?? null,
      deviceId: pairing?.deviceId ?? deviceId,
      reason: pairing?.reason ?? error.message,
    });
  },
  CLIENT_VERSION_MISMATCH: protocolMismatch,
};

export const MAPPED_DETAIL_CODES = Object.keys(BY_DETAIL_CODE) as readonly DetailCode[];

/** Node's error codes of a socket that did not get through (errno(3)). */
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ETIMEDOUT',
  'EPIPE',
  'EADDRNOTAVAIL',
]);
const NAME_UNKNOWN = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_NODATA', 'EAI_NONAME']);
/** Codes of a TLS handshake or a certificate that did not pass (OpenSSL's verify(1) names, and Node's own). */
const TLS_CODES = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'EPROTO',
]);

/**
 * Why a connection did not come up: from the gateway's own structured answer where there is one, then from the HTTP
 * answer, then from the socket's error.
 */
export function failureOfConnectError(error: unknown, context: FailureContext): ConnectionFailure {
  const { message, code, details } = readError(error);
  const facts: ErrorFacts = { message, retryAfterMs: duration(record(error)?.['retryAfterMs']) };
  if (isRetryableGatewayStartupUnavailableError(error)) {
    return failure('gateway-starting', { retryAfterMs: resolveGatewayStartupRetryAfterMs(error) });
  }
  if (isGatewayRestartUnavailableError(error)) {
    return failure('gateway-restarting', { expectedMs: facts.retryAfterMs });
  }
  const missing = readMissingScopeError(error);
  if (missing) return failure('scope-missing', { scopes: [missing.missingScope] });
  const detailCode = readConnectErrorDetailCode(details);
  if (detailCode !== null) {
    const known = Object.hasOwn(BY_DETAIL_CODE, detailCode)
      ? BY_DETAIL_CODE[detailCode as DetailCode]
      : rejected;
    return known(details ?? {}, context, facts);
  }
  if (details?.['reason'] === 'websocket-upgrade-rejected') return failureOfUpgrade(details, context, facts);
  if (record(error)?.['name'] === 'GatewayClientRequestError') {
    return failure('gateway-rejected', { detailCode: code ?? 'UNKNOWN', detail: message });
  }
  return failureOfSocket(code, message, context);
}

/** The answer to the upgrade was HTTP: some other server, or a gateway that is not ready for WebSockets. */
function failureOfUpgrade(details: Details, { url }: FailureContext, facts: ErrorFacts): ConnectionFailure {
  const status = integer(details['httpStatus']);
  if (typeof details['gatewayErrorType'] === 'string') {
    if (status === 429) return failure('rate-limited', { retryAfterMs: facts.retryAfterMs });
    if (status === 503) return failure('gateway-starting', { retryAfterMs: facts.retryAfterMs });
    return failure('gateway-rejected', {
      detailCode: bounded(details['gatewayErrorType']),
      detail: facts.message,
    });
  }
  // Unavailable for now (RFC 9110, section 15.6): a gateway that shuts down, or a proxy in front of one that is away.
  if (status !== null && [502, 503, 504].includes(status))
    return failure('gateway-unreachable', { url, detail: `HTTP ${status}` });
  // What it said is not shown: the body of a foreign server is no explanation, and it may be anything.
  return failure('not-a-gateway', { url, detail: status === null ? 'HTTP' : `HTTP ${status}` });
}

function failureOfSocket(code: string | null, message: string, context: FailureContext): ConnectionFailure {
  const { url, limitMs } = context;
  if (code !== null) {
    if (NAME_UNKNOWN.has(code)) return failure('host-not-found', { host: hostOf(url) });
    if (TLS_CODES.has(code) || code.startsWith('ERR_TLS_') || code.startsWith('ERR_SSL_')) {
      return failure('tls-rejected', { url, detail: message });
    }
    if (code.startsWith('HPE_')) return failure('not-a-gateway', { url, detail: message });
    if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return failure('frame-too-large', { detail: message });
    if (code.startsWith('WS_ERR_')) return failure('not-a-gateway', { url, detail: message });
    if (UNREACHABLE.has(code)) return failure('gateway-unreachable', { url, detail: `${code}: ${message}` });
    if (code === 'ERR_INVALID_URL') return failure('gateway-url-invalid', { url });
  }
  if (message.startsWith('SECURITY ERROR')) return failure('gateway-url-insecure', { url });
  if (/timed out|timeout/i.test(message)) return failure('gateway-silent', { limitMs });
  if (/challenge|sec-websocket|upgrade header/i.test(message))
    return failure('not-a-gateway', { url, detail: message });
  if (/invalid url/i.test(message)) return failure('gateway-url-invalid', { url });
  return failure('gateway-unreachable', { url, detail: message });
}

/** The gateway's `shutdown` event, as far as it was heard before the close. */
export interface ShutdownNotice {
  readonly reason: string;
  readonly restartExpectedMs: number | null;
}

/** Why a connection that was there is gone (RFC 6455, section 7.4.1; OpenClaw docs, gateway/protocol). */
export function failureOfClose(
  code: number,
  reason: string,
  shutdown: ShutdownNotice | null,
): ConnectionFailure {
  if (shutdown) return failure('gateway-restarting', { expectedMs: shutdown.restartExpectedMs });
  switch (code) {
    case 1012: // Service restart: the gateway says it also without a shutdown event.
      return failure('gateway-restarting', { expectedMs: null });
    case GATEWAY_STARTUP_CLOSE_CODE:
      return failure('gateway-starting', { retryAfterMs: null });
    case 1009:
      return failure('frame-too-large', { detail: bounded(reason) });
    case 1008:
      return /slow consumer/i.test(reason)
        ? failure('slow-consumer', {})
        : failure('gateway-closed', { code, reason: bounded(reason) });
    default:
      // 1000, 1001, 1006 (no close frame at all), 1011 and whatever else: transient, with the gateway's own words.
      return failure('gateway-closed', { code, reason: bounded(reason) });
  }
}

function readError(error: unknown): {
  readonly message: string;
  readonly code: string | null;
  readonly details: Details | null;
} {
  const fields = record(error);
  // Happy eyeballs: every address failed; the first one's code stands for all.
  const inner = Array.isArray(fields?.['errors']) ? record(fields['errors'][0]) : null;
  return {
    message: bounded(text(fields?.['message']) ?? text(inner?.['message']) ?? ''),
    code: text(fields?.['code']) ?? text(inner?.['code']),
    details: record(fields?.['details']),
  };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : url;
}
function record(value: unknown): Details | null {
  return typeof value === 'object' && value !== null ? (value as Details) : null;
}
function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? bounded(value) : null;
}
function integer(value: unknown): number | null {
  return typeof value === 'number' && Number.isInteger(value) ? value : null;
}
/** A wait that the gateway asks for; a nonsensical or absurd one is none. */
function duration(value: unknown): number | null {
  const day = 24 * 60 * 60 * 1000;
  return typeof value === 'number' && value >= 0 && value <= day ? Math.ceil(value) : null;
}
function bounded(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, MAX_DETAIL_CHARS) : '';
}
