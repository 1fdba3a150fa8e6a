import type { TransportReason } from './ssh-resolution.ts';

/**
 * Every way in which a connection can fail, with the facts that its words need.
 * Plain data, safe for structured clone; details are already redacted and bounded.
 */
export interface FailureFacts {
  // Reaching the host
  readonly 'host-not-found': { readonly host: string };
  readonly 'dns-timeout': { readonly host: string; readonly limitMs: number };
  readonly 'ssh-refused': { readonly host: string; readonly port: number };
  readonly 'ssh-unreachable': { readonly host: string; readonly port: number; readonly detail: string };
  readonly 'ssh-timeout': { readonly host: string; readonly port: number; readonly limitMs: number };
  readonly 'not-ssh': { readonly host: string; readonly port: number; readonly received: string };
  /** The server closed before its identification line: MaxStartups, fail2ban, a full host. */
  readonly 'ssh-rejecting': { readonly host: string; readonly port: number };
  readonly 'ssh-handshake-timeout': {
    readonly host: string;
    readonly port: number;
    readonly limitMs: number;
  };
  readonly 'ssh-handshake-failed': { readonly host: string; readonly port: number; readonly detail: string };
  // Losing the link
  readonly 'link-lost': { readonly host: string; readonly detail: string };
  readonly 'link-dead': { readonly host: string; readonly silentMs: number };
  readonly 'link-corrupted': { readonly host: string };
  // Trust
  readonly 'host-key-changed': {
    readonly host: string;
    readonly port: number;
    /** The jump host whose key it is, as the user's configuration calls it; absent for the target. */
    readonly jump?: string;
    readonly keyType: string;
    /** `SHA256:…` as OpenSSH prints it. */
    readonly offeredFingerprint: string;
    readonly known: readonly KnownHostKey[];
  };
  readonly 'host-key-revoked': {
    readonly host: string;
    readonly fingerprint: string;
    readonly file: string;
    readonly line: number;
  };
  /** Not on file, and the user's StrictHostKeyChecking says not to ask. */
  readonly 'host-key-unknown': {
    readonly host: string;
    readonly port: number;
    /** As with `host-key-changed`. */
    readonly jump?: string;
    readonly keyType: string;
    readonly fingerprint: string;
    /** Where an accepted key would be. */
    readonly file: string;
  };
  readonly 'host-key-declined': { readonly host: string; readonly fingerprint: string };
  readonly 'known-hosts-unreadable': { readonly path: string; readonly detail: string };
  readonly 'known-hosts-unwritable': { readonly path: string; readonly detail: string };
  // Authentication
  readonly 'auth-rejected': {
    readonly user: string;
    readonly host: string;
    /** Methods that the server offers, as it names them (RFC 4252, section 5.1). */
    readonly offered: readonly string[];
    /** What was tried: key paths and agent keys, in order. */
    /** `password` and `keyboard-interactive` stand for what a person typed. */
    readonly tried: readonly string[];
    readonly agent?: AgentTrouble;
    /** Key files that the user's configuration names and that do not exist. */
    readonly missing?: readonly string[];
  };
  readonly 'auth-too-many': {
    readonly user: string;
    readonly host: string;
    readonly tried: readonly string[];
  };
  readonly 'no-credentials': {
    readonly user: string;
    readonly host: string;
    readonly looked: readonly string[];
    readonly agent?: AgentTrouble;
    /** Key files that the user's configuration names and that do not exist. */
    readonly missing?: readonly string[];
  };
  readonly 'key-unreadable': {
    readonly path: string;
    readonly reason: 'missing' | 'permission' | 'format' | 'ppk' | 'not-a-file' | 'unsupported';
  };
  readonly 'passphrase-declined': { readonly path: string };
  /** No passphrase that was given opened the key, and nothing else let the person in. */
  readonly 'passphrase-wrong': { readonly path: string; readonly host: string };
  /** The person cancelled a question of the server's or of ssh's. */
  readonly 'sign-in-declined': { readonly host: string };
  // Forward and local listener
  readonly 'forwarding-disabled': {
    readonly host: string;
    readonly gatewayPort: number;
    readonly detail: string;
  };
  readonly 'gateway-not-listening': { readonly host: string; readonly gatewayPort: number };
  readonly 'forward-timeout': {
    readonly host: string;
    readonly gatewayPort: number;
    readonly limitMs: number;
  };
  readonly 'port-taken': {
    readonly port: number;
    /** Who listens there, where the system tells. */
    readonly holder: { readonly pid: number; readonly command: string } | null;
    /** The next free port on 127.0.0.1 at the moment of the failure. */
    readonly nextFreePort: number | null;
  };
  readonly 'port-forbidden': { readonly port: number; readonly nextFreePort: number | null };
  readonly 'target-invalid': { readonly target: string };
  /** The user's ssh configuration asks for something for this host that would lead elsewhere without it. */
  readonly 'ssh-config-unsupported': {
    readonly target: string;
    /** As OpenSSH spells it, e.g. `ProxyJump`. */
    readonly directive: string;
    readonly value: string;
  };
  /** `ssh -G` refuses the user's configuration, in its words. */
  readonly 'ssh-config-invalid': { readonly target: string; readonly detail: string };
  /** OpenSSH is not installed, and without it this configuration cannot be read for certain. */
  readonly 'ssh-config-needs-openssh': { readonly target: string; readonly directives: readonly string[] };
  /** The OpenSSH transport is chosen or needed, and no `ssh` is there. */
  readonly 'openssh-missing': { readonly target: string; readonly reasons: readonly TransportReason[] };
  /** The same, on a system whose `ssh` cannot carry a connection for us. */
  readonly 'openssh-unavailable': {
    readonly target: string;
    readonly reasons: readonly TransportReason[];
    /** As `process.platform` names it. */
    readonly platform: string;
  };
  /** `ssh` ended, for a reason that it gave in these words. */
  readonly 'openssh-failed': {
    readonly host: string;
    readonly exitCode: number | null;
    readonly detail: string;
  };
  // The way to the SSH server
  readonly 'ssh-no-common-algorithm': {
    readonly host: string;
    readonly kind: 'key exchange' | 'host key' | 'cipher' | 'mac' | 'compression';
    /** What the server offers, where it is known. */
    readonly offered: readonly string[];
  };
  /** The jump host could not reach the next one. */
  readonly 'jump-unreachable': {
    readonly jump: string;
    readonly host: string;
    readonly port: number;
    readonly detail: string;
  };
  /** The jump host does not allow forwarding there. */
  readonly 'jump-forbidden': {
    readonly jump: string;
    readonly host: string;
    readonly port: number;
    readonly detail: string;
  };
  /** ProxyCommand ended before the connection stood; `detail` is the end of its standard error. */
  readonly 'proxy-command-failed': {
    readonly host: string;
    readonly command: string;
    readonly exitCode: number | null;
    readonly detail: string;
  };
  /** Its shell says that there is no such program, or that it may not be run (exit status 127, 126). */
  readonly 'proxy-command-not-found': {
    readonly host: string;
    readonly command: string;
    readonly detail: string;
  };
  // Reaching a gateway without a tunnel
  readonly 'gateway-unreachable': { readonly url: string; readonly detail: string };
  readonly 'gateway-url-invalid': { readonly url: string };
  readonly 'gateway-url-insecure': { readonly url: string };
  readonly 'tls-rejected': { readonly url: string; readonly detail: string };
  // The gateway's own answers
  readonly 'not-a-gateway': { readonly url: string; readonly detail: string };
  readonly 'gateway-silent': { readonly limitMs: number };
  readonly 'gateway-starting': { readonly retryAfterMs: number | null };
  readonly 'gateway-restarting': { readonly expectedMs: number | null };
  readonly 'gateway-closed': { readonly code: number; readonly reason: string };
  readonly 'token-missing': Readonly<Record<string, never>>;
  readonly 'token-mismatch': Readonly<Record<string, never>>;
  readonly 'password-missing': Readonly<Record<string, never>>;
  readonly 'password-mismatch': Readonly<Record<string, never>>;
  readonly 'device-token-rejected': { readonly reason: string };
  readonly 'device-identity-rejected': { readonly reason: string };
  readonly 'pairing-required': {
    readonly requestId: string | null;
    readonly deviceId: string;
    readonly reason: string;
  };
  readonly 'scope-missing': { readonly scopes: readonly string[] };
  readonly 'protocol-mismatch': {
    readonly ours: number;
    /** What the gateway speaks, where it says so. */
    readonly theirs: number | null;
    readonly detail: string;
  };
  readonly 'rate-limited': { readonly retryAfterMs: number | null };
  readonly 'frame-too-large': { readonly detail: string };
  readonly 'slow-consumer': Readonly<Record<string, never>>;
  readonly 'gateway-rejected': { readonly detailCode: string; readonly detail: string };
  // Ourselves
  readonly 'tunnel-process-crashed': { readonly exitCode: number | null };
  readonly 'secrets-unavailable': { readonly detail: string };
  readonly 'storage-failed': { readonly path: string; readonly detail: string };
  /** A message was not accepted, so what was typed stays in the composer: the disk did not take it, too many wait, or the file is a newer build's. */
  readonly 'message-not-kept': {
    readonly reason: 'unwritable' | 'full' | 'newer';
    /** What the disk says; empty otherwise. */
    readonly detail: string;
  };
  readonly bug: { readonly detail: string };
}

/**
 * Why the SSH agent was of no use: its socket is `missing`, it stayed `silent` or answered what cannot be read, it `refused` to list
 * or to sign, or it lists no key (`empty`), as a locked one does.
 */
export type AgentTrouble = 'missing' | 'silent' | 'refused' | 'empty';

/** A line of a known_hosts file that names a host's key. */
export interface KnownHostKey {
  readonly keyType: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

export type FailureCode = keyof FailureFacts;

/** One failure: `code` picks the words, `facts` fill them. */
export type ConnectionFailure = {
  readonly [C in FailureCode]: { readonly code: C; readonly facts: FailureFacts[C] };
}[FailureCode];

export function failure<C extends FailureCode>(
  code: C,
  facts: FailureFacts[C],
): Extract<ConnectionFailure, { readonly code: C }> {
  return { code, facts } as Extract<ConnectionFailure, { readonly code: C }>;
}

/** `transient` is tried again by itself; `blocked` waits for a person or for changed settings. */
export type FailureKind = 'transient' | 'blocked';

const KINDS: { readonly [C in FailureCode]: FailureKind } = {
  'host-not-found': 'transient',
  'dns-timeout': 'transient',
  'ssh-refused': 'transient',
  'ssh-unreachable': 'transient',
  'ssh-timeout': 'transient',
  'not-ssh': 'blocked',
  'ssh-rejecting': 'transient',
  'ssh-handshake-timeout': 'transient',
  'ssh-handshake-failed': 'blocked',
  'link-lost': 'transient',
  'link-dead': 'transient',
  'link-corrupted': 'transient',
  'host-key-changed': 'blocked',
  'host-key-revoked': 'blocked',
  'host-key-unknown': 'blocked',
  'host-key-declined': 'blocked',
  'known-hosts-unreadable': 'blocked',
  'known-hosts-unwritable': 'blocked',
  'auth-rejected': 'blocked',
  'auth-too-many': 'blocked',
  'no-credentials': 'blocked',
  'key-unreadable': 'blocked',
  'passphrase-declined': 'blocked',
  'passphrase-wrong': 'blocked',
  'sign-in-declined': 'blocked',
  'forwarding-disabled': 'blocked',
  'gateway-not-listening': 'transient',
  'forward-timeout': 'transient',
  'port-taken': 'blocked',
  'port-forbidden': 'blocked',
  'target-invalid': 'blocked',
  'ssh-config-unsupported': 'blocked',
  'ssh-config-invalid': 'blocked',
  'ssh-config-needs-openssh': 'blocked',
  'openssh-missing': 'blocked',
  'openssh-unavailable': 'blocked',
  'openssh-failed': 'transient',
  'ssh-no-common-algorithm': 'blocked',
  'jump-unreachable': 'transient',
  'jump-forbidden': 'blocked',
  'proxy-command-failed': 'transient',
  'proxy-command-not-found': 'blocked',
  'gateway-unreachable': 'transient',
  'gateway-url-invalid': 'blocked',
  'gateway-url-insecure': 'blocked',
  'tls-rejected': 'blocked',
  'not-a-gateway': 'blocked',
  'gateway-silent': 'transient',
  'gateway-starting': 'transient',
  'gateway-restarting': 'transient',
  'gateway-closed': 'transient',
  'token-missing': 'blocked',
  'token-mismatch': 'blocked',
  'password-missing': 'blocked',
  'password-mismatch': 'blocked',
  'device-token-rejected': 'blocked',
  'device-identity-rejected': 'blocked',
  'pairing-required': 'transient',
  'scope-missing': 'blocked',
  'protocol-mismatch': 'blocked',
  'rate-limited': 'transient',
  'frame-too-large': 'transient',
  'slow-consumer': 'transient',
  'gateway-rejected': 'blocked',
  'tunnel-process-crashed': 'transient',
  'secrets-unavailable': 'blocked',
  'storage-failed': 'blocked',
  'message-not-kept': 'blocked',
  bug: 'blocked',
};

export const FAILURE_CODES = Object.keys(KINDS) as readonly FailureCode[];

export function failureKind(code: FailureCode): FailureKind {
  return KINDS[code];
}
