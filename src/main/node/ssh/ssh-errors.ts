import {
  failure,
  type AgentTrouble,
  type ConnectionFailure,
  type FailureFacts,
} from '../../../shared/connection-failure.ts';
import { readServerKexInit } from './server-kex-init.ts';

/** How far an attempt had come; the same error means different things at different times. */
export type SshPhase = 'dns' | 'connect' | 'banner' | 'key-exchange' | 'auth' | 'up';

/** What is known when something fails. */
export interface SshErrorContext {
  readonly phase: SshPhase;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Limits in force, in milliseconds. */
  readonly dnsLimitMs: number;
  readonly connectLimitMs: number;
  /** First bytes from the server, until its identification line; empty when it sent none. */
  readonly received: Buffer;
  /** Credentials offered so far. */
  readonly tried: readonly string[];
  /** Methods that the server said it takes; null when it never said. */
  readonly offered: readonly string[] | null;
  readonly agent?: AgentTrouble | null;
  /** Named key files that do not exist. */
  readonly missing?: readonly string[];
  /** A person was being asked. */
  readonly isAsking?: boolean;
}

/** The fields of Node's and ssh2's errors that decide. `code` is a system code or an SSH disconnect reason. */
export interface RawSshError {
  readonly message: string;
  readonly code?: string | number | undefined;
  readonly level?: string | undefined;
  /** Of an AggregateError: one for each address tried. */
  readonly errors?: readonly RawSshError[] | undefined;
}

interface Rule {
  readonly phases: readonly SshPhase[] | 'any';
  readonly matches: (error: RawSshError, context: SshErrorContext) => boolean;
  readonly failure: (context: SshErrorContext, error: RawSshError) => ConnectionFailure;
}

const MAX_DETAIL_CHARS = 200;
const MAX_SHOWN_BYTES = 80;

const hasCode =
  (...codes: readonly (string | number)[]) =>
  (error: RawSshError): boolean =>
    error.code !== undefined && codes.includes(error.code);
const says =
  (pattern: RegExp) =>
  (error: RawSshError): boolean =>
    pattern.test(error.message);

const corrupted = (context: SshErrorContext): ConnectionFailure =>
  failure('link-corrupted', { host: context.host });
const lost = (context: SshErrorContext, error: RawSshError): ConnectionFailure =>
  failure('link-lost', { host: context.host, detail: detailOf(error) });
const handshakeFailed = (context: SshErrorContext, error: RawSshError): ConnectionFailure =>
  failure('ssh-handshake-failed', { host: context.host, port: context.port, detail: detailOf(error) });

/** First match wins. Texts are those of ssh2 1.17.0, Node's crypto (OpenSSL and BoringSSL) and OpenSSH's sshd. */
const RULES: readonly Rule[] = [
  {
    phases: ['dns'],
    matches: hasCode('EAI_AGAIN', 'ETIMEOUT', 'ESERVFAIL', 'EREFUSED'),
    failure: ({ host, dnsLimitMs }) => failure('dns-timeout', { host, limitMs: dnsLimitMs }),
  },
  { phases: ['dns'], matches: () => true, failure: ({ host }) => failure('host-not-found', { host }) },
  {
    phases: ['connect'],
    matches: hasCode('ECONNREFUSED'),
    failure: ({ host, port }) => failure('ssh-refused', { host, port }),
  },
  {
    phases: ['connect'],
    matches: hasCode('ETIMEDOUT'),
    failure: ({ host, port, connectLimitMs }) =>
      failure('ssh-timeout', { host, port, limitMs: connectLimitMs }),
  },
  {
    phases: ['connect'],
    matches: hasCode('ECONNRESET'),
    failure: ({ host, port }) => failure('ssh-rejecting', { host, port }),
  },
  {
    phases: ['connect'],
    matches: () => true,
    failure: ({ host, port }, error) => failure('ssh-unreachable', { host, port, detail: detailOf(error) }),
  },
  {
    phases: ['banner'],
    matches: says(/Invalid identification string/),
    failure: handshakeFailed,
  },
  {
    phases: ['banner'],
    matches: (_error, { received }) => isNotSsh(received),
    failure: ({ host, port, received }) => failure('not-ssh', { host, port, received: printable(received) }),
  },
  {
    phases: ['banner'],
    matches: () => true,
    failure: ({ host, port }) => failure('ssh-rejecting', { host, port }),
  },
  {
    // A flipped bit: our MAC or AEAD check, an impossible length, or the server's own check.
    phases: ['auth', 'up'],
    matches: says(
      /Invalid MAC|Bad packet length|unable to authenticate data|Unsupported state|Packet corrupt|message authentication code|Corrupted MAC|Bad packet|Inbound: Malformed/i,
    ),
    failure: corrupted,
  },
  {
    phases: ['key-exchange'],
    matches: says(/signature verification failed|Invalid MAC|Bad packet length|unable to authenticate data/i),
    failure: corrupted,
  },
  {
    phases: ['key-exchange'],
    matches: (error) => noMatchKind(error) !== null,
    failure: ({ host, received }, error) => {
      const kind = noMatchKind(error) ?? 'key exchange';
      return failure('ssh-no-common-algorithm', {
        host,
        kind,
        offered: readServerKexInit(received)?.[kind] ?? [],
      });
    },
  },
  {
    phases: ['key-exchange'],
    matches: hasCode('ECONNRESET', 'EPIPE', 'ETIMEDOUT'),
    failure: lost,
  },
  { phases: ['key-exchange'], matches: says(/^$/), failure: lost },
  { phases: ['key-exchange'], matches: () => true, failure: handshakeFailed },
  {
    phases: ['auth'],
    matches: says(/too many authentication failures/i),
    failure: ({ user, host, tried }) => failure('auth-too-many', { user, host, tried }),
  },
  {
    phases: ['auth'],
    matches: (error) => error.level === 'client-authentication' || hasCode(14, 15)(error),
    failure: ({ user, host, tried, offered, agent, missing = [] }) =>
      failure('auth-rejected', {
        user,
        host,
        tried,
        offered: offered ?? [],
        ...(agent == null ? {} : { agent }),
        ...(missing.length === 0 ? {} : { missing }),
      }),
  },
  {
    // sshd ends a login after LoginGraceTime, without a word.
    phases: ['auth'],
    matches: (_error, { isAsking }) => isAsking === true,
    failure: ({ host }) => failure('link-lost', { host, detail: 'The server did not wait for the answer' }),
  },
  { phases: 'any', matches: () => true, failure: lost },
];

type AlgorithmKind = FailureFacts['ssh-no-common-algorithm']['kind'];

const NO_MATCH: readonly (readonly [RegExp, AlgorithmKind])[] = [
  [/no matching key exchange/i, 'key exchange'],
  [/no matching host key/i, 'host key'],
  [/no matching [CS]->[CS] cipher/i, 'cipher'],
  [/no matching [CS]->[CS] MAC/i, 'mac'],
  [/no matching [CS]->[CS] compression/i, 'compression'],
];

function noMatchKind(error: RawSshError): AlgorithmKind | null {
  return NO_MATCH.find(([pattern]) => pattern.test(error.message))?.[1] ?? null;
}

/** The failure that an error means at this point of an attempt. */
export function classifySshError(error: RawSshError, context: SshErrorContext): ConnectionFailure {
  const decisive = mostTelling(error);
  for (const rule of RULES) {
    if (rule.phases !== 'any' && !rule.phases.includes(context.phase)) continue;
    if (rule.matches(decisive, context)) return rule.failure(context, decisive);
  }
  return lost(context, decisive);
}

/** The socket closed and nobody said why. */
export function classifyClose(context: SshErrorContext): ConnectionFailure {
  return classifySshError({ message: '' }, context);
}

/** The limit for reaching the end of the key exchange passed. */
export function classifyTimeout(context: SshErrorContext): ConnectionFailure {
  const { host, port, connectLimitMs, received } = context;
  switch (context.phase) {
    case 'dns':
      return failure('dns-timeout', { host, limitMs: context.dnsLimitMs });
    case 'connect':
      return failure('ssh-timeout', { host, port, limitMs: connectLimitMs });
    case 'banner':
      return isNotSsh(received)
        ? failure('not-ssh', { host, port, received: printable(received) })
        : failure('ssh-handshake-timeout', { host, port, limitMs: connectLimitMs });
    case 'key-exchange':
      return failure('ssh-handshake-timeout', { host, port, limitMs: connectLimitMs });
    case 'auth':
    case 'up':
      return failure('link-dead', { host, silentMs: connectLimitMs });
  }
}

/** SSH_MSG_CHANNEL_OPEN_FAILURE reasons, RFC 4254 section 5.1. */
const ADMINISTRATIVELY_PROHIBITED = 1;
const UNKNOWN_CHANNEL_TYPE = 3;

/** Of a channel that was not opened; `reason` is missing where the connection ended first. */
export interface ForwardError {
  readonly message: string;
  readonly reason?: unknown;
}

/** Why the server did not open a direct-tcpip channel. */
export function classifyForwardError(
  error: ForwardError,
  host: string,
  gatewayPort: number,
): ConnectionFailure {
  if (error.reason === ADMINISTRATIVELY_PROHIBITED || error.reason === UNKNOWN_CHANNEL_TYPE) {
    return failure('forwarding-disabled', { host, gatewayPort, detail: detailOf(error) });
  }
  if (error.reason === undefined) return failure('link-lost', { host, detail: detailOf(error) });
  return failure('gateway-not-listening', { host, gatewayPort });
}

/** Why a jump host did not open the channel to the next hop. */
export function classifyJumpError(
  error: ForwardError,
  jump: string,
  next: { readonly host: string; readonly port: number },
): ConnectionFailure {
  const { host, port } = next;
  const detail = detailOf({ message: error.message.replace(/^\(SSH\) Channel open failure:\s*/, '') });
  if (error.reason === undefined) return failure('link-lost', { host, detail });
  const isForbidden = error.reason === ADMINISTRATIVELY_PROHIBITED || error.reason === UNKNOWN_CHANNEL_TYPE;
  return failure(isForbidden ? 'jump-forbidden' : 'jump-unreachable', { jump, host, port, detail });
}

/** Protocols in which the server speaks first or answers our identification line, recognised before the limit. */
const OTHER_PROTOCOLS = /^(?:HTTP\/|220[ -]|\* OK|\+OK|RFB \d|\x15\x03|<\?xml|<html|-ERR)/i; // eslint-disable-line no-control-regex

/** Whether these first bytes can be judged at once: some servers leave the connection open after their answer. */
export function isClearlyNotSsh(received: Buffer): boolean {
  return OTHER_PROTOCOLS.test(received.toString('latin1', 0, 16));
}

/** sshd's own words when it turns a client away before its identification (MaxStartups, PerSourcePenalties). */
const REJECTING = /^(?:Exceeded MaxStartups|Not allowed at this time)/;

function isNotSsh(received: Buffer): boolean {
  const text = received.toString('latin1');
  if (text === '' || REJECTING.test(text)) return false;
  return !/(?:^|\n)SSH-/.test(text) && !'SSH-'.startsWith(text);
}

/** Foreign bytes for showing: bounded, control characters escaped. */
export function printable(bytes: Buffer): string {
  const text = bytes.toString('latin1', 0, MAX_SHOWN_BYTES);
  // eslint-disable-next-line no-control-regex -- control characters are what is escaped
  const escaped = text.replace(/[\x00-\x1f\x7f-\xff]/g, (char) => {
    if (char === '\r') return '\\r';
    if (char === '\n') return '\\n';
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return bytes.length > MAX_SHOWN_BYTES ? `${escaped}…` : escaped;
}

/** Of several addresses the one that answered "no" tells more than those that stayed silent. */
function mostTelling(error: RawSshError): RawSshError {
  if (error.errors === undefined || error.errors.length === 0) return error;
  return error.errors.find(hasCode('ECONNREFUSED')) ?? error.errors[0] ?? error;
}

function detailOf(error: RawSshError | { readonly message: string; readonly code?: unknown }): string {
  const text = typeof error.code === 'string' ? error.code : error.message;
  return printable(Buffer.from(text, 'latin1')).slice(0, MAX_DETAIL_CHARS);
}
