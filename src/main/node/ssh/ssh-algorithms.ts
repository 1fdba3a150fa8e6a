import type { SshHop } from '../../core/tunnel/ssh-hop.ts';

/**
 * What is offered in the key exchange. ssh2's own lists hold SHA-1 and Diffie-Hellman groups; the latter stall
 * BoringSSL's event loop for seconds. AES-GCM comes first: it is the fastest that needs no native code, and neither it nor CTR
 * is open to Terrapin (CVE-2023-48795). Names are those of the IANA registry and of OpenSSH's PROTOCOL file.
 */
export const OFFERED_ALGORITHMS = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
  ],
  cipher: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes128-ctr'],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  compress: ['none'],
} as const;

/** Host key signature algorithms, best first; `ssh-rsa` (SHA-1) is never among them. */
export const HOST_KEY_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

/** Key types (RFC 4253, section 6.6) that ssh2 reads, and signs with. */
export const SSH2_KEY_TYPES: ReadonlySet<string> = new Set([
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
]);

/** The key type, as in known_hosts, that a signature algorithm belongs to (RFC 8332: RSA's differ). */
function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm;
}

/**
 * Puts the algorithms of the key types that are on file for a host first, so that a server with several keys shows one
 * that can be checked. When the best algorithm's type is on file already the order stays (as OpenSSH's client does).
 */
export function orderHostKeyAlgorithms(
  offered: readonly string[],
  knownTypes: ReadonlySet<string>,
): readonly string[] {
  const isKnown = (algorithm: string): boolean => knownTypes.has(keyTypeOf(algorithm));
  const [best] = offered;
  if (best !== undefined && isKnown(best)) return offered;
  return [...offered.filter(isKnown), ...offered.filter((name) => !isKnown(name))];
}

/** What is offered where the user's configuration says nothing else. */
export const DEFAULT_ALGORITHMS: SshHop['algorithms'] = {
  kex: [...OFFERED_ALGORITHMS.kex],
  cipher: [...OFFERED_ALGORITHMS.cipher],
  hmac: [...OFFERED_ALGORITHMS.hmac],
  serverHostKey: [...HOST_KEY_ALGORITHMS],
};

/**
 * What the built-in SSH can do when a person's own configuration names it, beyond what is offered unasked. Left out on purpose:
 * chacha20-poly1305 (Electron's BoringSSL has no raw ChaCha20) and the groups 17 and 18, which stall its event loop for longer
 * than a server waits.
 */
export const SSH2_ALGORITHMS: { readonly [K in keyof SshHop['algorithms']]: ReadonlySet<string> } = {
  kex: new Set([
    ...OFFERED_ALGORITHMS.kex,
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group15-sha512',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha1',
    'diffie-hellman-group-exchange-sha1',
    'diffie-hellman-group1-sha1',
  ]),
  cipher: new Set([...OFFERED_ALGORITHMS.cipher, 'aes192-ctr', 'aes256-cbc', 'aes192-cbc', 'aes128-cbc']),
  hmac: new Set([
    ...OFFERED_ALGORITHMS.hmac,
    'hmac-sha1-etm@openssh.com',
    'hmac-sha1',
    'hmac-sha1-96',
    'hmac-md5',
    'hmac-md5-96',
  ]),
  serverHostKey: new Set([...HOST_KEY_ALGORITHMS, 'ssh-rsa']),
};

/** Signature algorithms of user keys that the built-in SSH makes; SHA-1 (`ssh-rsa`) is not among them. */
export const SSH2_PUBLIC_KEY_ALGORITHMS: ReadonlySet<string> = new Set(HOST_KEY_ALGORITHMS);
