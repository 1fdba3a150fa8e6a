import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type KeyType = 'ed25519' | 'rsa' | 'ecdsa';

export interface KeyPairOptions {
  /** Default ed25519. */
  readonly type?: KeyType;
  /** Default 2048 for rsa (fast to make), 256 for ecdsa. */
  readonly bits?: number;
  readonly passphrase?: string;
  readonly comment?: string;
  /** `openssh` (default, ssh-keygen's own), `pem` (PKCS#1/SEC1; not for ed25519) or `pkcs8`. */
  readonly format?: 'openssh' | 'pem' | 'pkcs8';
}

export interface KeyPair {
  readonly type: KeyType;
  /** As in a private key file, with its final newline. */
  readonly privateKey: string;
  /** One line as in authorized_keys: algorithm, base64 blob, comment. */
  readonly publicKey: string;
  /** `SHA256:` and unpadded base64, as OpenSSH shows it. */
  readonly fingerprint: string;
}

/** Makes a key pair with ssh-keygen(1), so that the files are OpenSSH's own. */
export function createKeyPair(options: KeyPairOptions = {}): KeyPair {
  const type = options.type ?? 'ed25519';
  const dir = mkdtempSync(join(tmpdir(), 'gangway-key-'));
  try {
    const file = join(dir, 'key');
    const args = [
      '-q',
      '-t',
      type,
      '-N',
      options.passphrase ?? '',
      '-C',
      options.comment ?? 'gangway-lab',
      '-f',
      file,
    ];
    const bits = options.bits ?? (type === 'rsa' ? 2048 : type === 'ecdsa' ? 256 : undefined);
    if (bits !== undefined) args.push('-b', String(bits));
    if (options.format === 'pem') args.push('-m', 'PEM');
    if (options.format === 'pkcs8') args.push('-m', 'PKCS8');
    execFileSync('ssh-keygen', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const publicKey = readFileSync(`${file}.pub`, 'utf8').trim();
    return { type, privateKey: readFileSync(file, 'utf8'), publicKey, fingerprint: fingerprintOf(publicKey) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** OpenSSH's SHA256 fingerprint of a public key line (`algorithm blob [comment]`). */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** A line of known_hosts(5) for a public key; ports other than 22 are written as `[host]:port`. */
export function knownHostsLine(publicKey: string, host: string, port: number): string {
  const [algorithm = '', blob = ''] = publicKey.split(' ');
  return `${port === 22 ? host : `[${host}]:${port}`} ${algorithm} ${blob}`;
}
