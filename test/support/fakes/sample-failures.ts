import {
  FAILURE_CODES,
  type ConnectionFailure,
  type FailureCode,
  type FailureFacts,
} from '../../../src/shared/connection-failure.ts';

const host = 'homelab.example';
const gatewayPort = 18789;
const url = 'ws://127.0.0.1:18789';
const oldKey = {
  keyType: 'ssh-ed25519',
  fingerprint: 'SHA256:oldoldold',
  file: '~/.ssh/known_hosts',
  line: 3,
};

/** At least one of each code, and one of each variant that has words of its own. A new code does not compile without. */
const FACTS: { readonly [C in FailureCode]: readonly FailureFacts[C][] } = {
  'host-not-found': [{ host }],
  'dns-timeout': [{ host, limitMs: 5_000 }],
  'ssh-refused': [{ host, port: 22 }],
  'ssh-unreachable': [{ host, port: 22, detail: 'EHOSTUNREACH' }],
  'ssh-timeout': [{ host, port: 22, limitMs: 10_000 }],
  'not-ssh': [
    { host, port: 80, received: 'HTTP/1.1 400 Bad Request' },
    { host, port: 80, received: '' },
  ],
  'ssh-rejecting': [{ host, port: 22 }],
  'ssh-handshake-timeout': [{ host, port: 22, limitMs: 10_000 }],
  'ssh-handshake-failed': [{ host, port: 22, detail: 'no matching key exchange algorithm' }],
  'link-lost': [
    { host, detail: 'ECONNRESET' },
    { host, detail: '' },
  ],
  'link-dead': [{ host, silentMs: 9_000 }],
  'link-corrupted': [{ host }],
  'host-key-changed': [
    { host, port: 22, keyType: 'ssh-ed25519', offeredFingerprint: 'SHA256:newnewnew', known: [oldKey] },
    {
      host,
      port: 2222,
      keyType: 'ssh-ed25519',
      offeredFingerprint: 'SHA256:newnewnew',
      known: [oldKey, { ...oldKey, file: '/home/a b/known_hosts', line: 9 }],
    },
    {
      host,
      port: 22,
      keyType: 'ssh-ed25519',
      offeredFingerprint: 'SHA256:newnewnew',
      known: [{ ...oldKey, fingerprint: '' }],
    },
  ],
  'host-key-revoked': [
    { host, fingerprint: 'SHA256:bad', file: '~/.ssh/known_hosts', line: 7 },
    { host, fingerprint: '', file: '', line: 0 },
  ],
  'host-key-unknown': [
    { host, port: 2222, keyType: 'ssh-ed25519', fingerprint: 'SHA256:abc', file: '~/.ssh/known_hosts' },
    { host, port: 2222, keyType: '', fingerprint: '', file: '' },
  ],
  'host-key-declined': [
    { host, fingerprint: 'SHA256:abc' },
    { host, fingerprint: '' },
  ],
  'known-hosts-unreadable': [{ path: '~/.ssh/known_hosts', detail: 'EACCES' }],
  'known-hosts-unwritable': [{ path: '~/.ssh/known_hosts', detail: 'EROFS' }],
  'auth-rejected': [
    { user: 'ops', host, offered: ['publickey'], tried: ['~/.ssh/id_ed25519'] },
    { user: 'ops', host, offered: [], tried: [] },
    { user: 'ops', host, offered: ['publickey'], tried: ['~/.ssh/id_ed25519'], agent: 'empty' },
    { user: 'ops', host, offered: ['publickey'], tried: [], missing: ['~/keys/work'] },
    { user: 'ops', host, offered: ['publickey', 'password'], tried: ['~/.ssh/id_ed25519', 'password'] },
    { user: 'ops', host, offered: ['keyboard-interactive'], tried: ['keyboard-interactive'] },
  ],
  'auth-too-many': [{ user: 'ops', host, tried: ['~/.ssh/id_ed25519', 'agent: work'] }],
  'no-credentials': [
    { user: 'ops', host, looked: ['~/.ssh/id_ed25519', 'SSH agent'] },
    ...(['missing', 'silent', 'refused', 'empty'] as const).map((agent) => {
      return { user: 'ops', host, looked: ['~/.ssh/id_ed25519', 'SSH agent'], agent };
    }),
    { user: 'ops', host, looked: ['~/keys/work'], missing: ['~/keys/work'] },
  ],
  'key-unreadable': (['missing', 'permission', 'format', 'ppk', 'not-a-file', 'unsupported'] as const).map(
    (reason) => ({ path: '~/.ssh/my key', reason }),
  ),
  'passphrase-declined': [{ path: '~/.ssh/id_ed25519' }],
  'passphrase-wrong': [{ path: '~/.ssh/id_ed25519', host }],
  'sign-in-declined': [{ host }],
  'forwarding-disabled': [{ host, gatewayPort, detail: 'administratively prohibited' }],
  'gateway-not-listening': [{ host, gatewayPort }],
  'forward-timeout': [{ host, gatewayPort, limitMs: 10_000 }],
  'port-taken': [
    { port: gatewayPort, holder: { pid: 4711, command: 'ssh' }, nextFreePort: 18790 },
    { port: gatewayPort, holder: null, nextFreePort: null },
  ],
  'port-forbidden': [
    { port: 80, nextFreePort: 18789 },
    { port: 80, nextFreePort: null },
  ],
  'target-invalid': [{ target: '-oProxyCommand=x' }],
  'ssh-config-unsupported': [{ target: 'homelab', directive: 'ProxyJump', value: 'bastion' }],
  'ssh-config-invalid': [
    { target: 'homelab', detail: 'line 3: Bad configuration option: prot' },
    { target: 'homelab', detail: "line 4: Bad port 'abc'." },
  ],
  'ssh-config-needs-openssh': [{ target: 'homelab', directives: ['Match exec', 'CanonicalizeHostname'] }],
  'openssh-missing': [
    { target: 'homelab', reasons: [{ code: 'security-key', detail: '~/.ssh/id_ed25519_sk' }] },
    { target: 'homelab', reasons: [] },
  ],
  'openssh-unavailable': [
    { target: 'homelab', platform: 'win32', reasons: [{ code: 'directive', detail: 'BindInterface lo' }] },
    { target: 'homelab', platform: 'win32', reasons: [] },
  ],
  'openssh-failed': [
    { host, exitCode: 255, detail: 'kex_exchange_identification: read: Connection reset by peer' },
    { host, exitCode: null, detail: '' },
  ],
  'ssh-no-common-algorithm': [
    { host, kind: 'key exchange', offered: ['diffie-hellman-group1-sha1'] },
    { host, kind: 'host key', offered: [] },
  ],
  'jump-unreachable': [{ jump: 'bastion', host, port: 22, detail: 'Connection refused' }],
  'jump-forbidden': [{ jump: 'bastion', host, port: 22, detail: 'administratively prohibited' }],
  'proxy-command-failed': [
    { host, command: 'nc homelab 22', exitCode: 1, detail: 'nc: connect failed' },
    { host, command: 'nc homelab 22', exitCode: 1, detail: '' },
    { host, command: 'nc homelab 22', exitCode: null, detail: 'terminated' },
  ],
  'proxy-command-not-found': [{ host, command: 'cloudflared access ssh', detail: 'cloudflared: not found' }],
  'gateway-unreachable': [{ url, detail: 'ECONNREFUSED' }],
  'gateway-url-invalid': [{ url: 'http://x' }],
  'gateway-url-insecure': [{ url: 'ws://gateway.example' }],
  'tls-rejected': [{ url: 'wss://gateway.example', detail: 'self-signed certificate' }],
  'not-a-gateway': [{ url, detail: 'HTTP 404' }],
  'gateway-silent': [{ limitMs: 15_000 }],
  'gateway-starting': [{ retryAfterMs: 4_000 }, { retryAfterMs: null }],
  'gateway-restarting': [{ expectedMs: 8_000 }, { expectedMs: null }],
  'gateway-closed': [
    { code: 1006, reason: '' },
    { code: 1008, reason: 'policy' },
  ],
  'token-missing': [{}],
  'token-mismatch': [{}],
  'password-missing': [{}],
  'password-mismatch': [{}],
  'device-token-rejected': [{ reason: 'revoked' }],
  'device-identity-rejected': [{ reason: 'device-signature-stale' }],
  'pairing-required': [
    { requestId: 'a1b2-c3', deviceId: 'dev-1', reason: 'not-paired' },
    { requestId: null, deviceId: 'dev-1', reason: 'not-paired' },
    { requestId: 'x; rm -rf ~', deviceId: 'dev-1', reason: 'not-paired' },
  ],
  'scope-missing': [{ scopes: ['operator.write'] }],
  'protocol-mismatch': [
    { ours: 4, theirs: null, detail: 'PROTOCOL_MISMATCH' },
    { ours: 4, theirs: 3, detail: '' },
    { ours: 4, theirs: 5, detail: '' },
  ],
  'rate-limited': [{ retryAfterMs: 60_000 }, { retryAfterMs: null }],
  'frame-too-large': [{ detail: 'Max payload size exceeded' }],
  'slow-consumer': [{}],
  'gateway-rejected': [{ detailCode: 'ORIGIN_NOT_ALLOWED', detail: 'origin not allowed' }],
  'tunnel-process-crashed': [{ exitCode: 9 }, { exitCode: null }],
  'secrets-unavailable': [{ detail: 'locked' }],
  'message-not-kept': [
    { reason: 'unwritable', detail: 'ENOSPC' },
    { reason: 'full', detail: '' },
    { reason: 'newer', detail: '' },
  ],
  'storage-failed': [{ path: '~/.config/gangway', detail: 'ENOSPC' }],
  bug: [{ detail: 'TypeError: x' }],
};

export const SAMPLE_FAILURES: readonly ConnectionFailure[] = FAILURE_CODES.flatMap((code) =>
  FACTS[code].map((facts) => ({ code, facts }) as ConnectionFailure),
);

/** The first sample of a code. */
export function sampleFailure<C extends FailureCode>(
  code: C,
): Extract<ConnectionFailure, { readonly code: C }> {
  return { code, facts: FACTS[code][0] } as Extract<ConnectionFailure, { readonly code: C }>;
}
