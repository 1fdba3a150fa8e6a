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

export type HostKeyAlgorithm = (typeof HOST_KEY_ALGORITHMS)[number];

/** The key type, as in known_hosts, that a signature algorithm belongs to (RFC 8332: RSA's differ). */
function keyTypeOf(algorithm: HostKeyAlgorithm): string {
  return algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm;
}

/**
 * Puts the algorithms of the key types that are on file for a host first, so that a server with several keys shows one
 * that can be checked. When the best algorithm's type is on file already the order stays (as OpenSSH's client does).
 */
export function orderHostKeyAlgorithms(knownTypes: ReadonlySet<string>): readonly HostKeyAlgorithm[] {
  if (knownTypes.has(keyTypeOf(HOST_KEY_ALGORITHMS[0]))) return HOST_KEY_ALGORITHMS;
  const isKnown = (algorithm: HostKeyAlgorithm): boolean => knownTypes.has(keyTypeOf(algorithm));
  return [...HOST_KEY_ALGORITHMS.filter(isKnown), ...HOST_KEY_ALGORITHMS.filter((name) => !isKnown(name))];
}
