import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
  /**
   * `openssh` (default, ssh-keygen's own), `pem` (PKCS#1/SEC1; not for ed25519), `pkcs8` (not for ed25519), or PuTTY's
   * version 3 or 2, which need puttygen (putty-tools).
   */
  readonly format?: 'openssh' | 'pem' | 'pkcs8' | 'ppk' | 'ppk2';
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
    if (options.format === 'ppk' || options.format === 'ppk2') {
      convertToPpk(dir, file, options.format === 'ppk' ? 3 : 2, options.passphrase ?? '');
    }
    return { type, privateKey: readFileSync(file, 'utf8'), publicKey, fingerprint: fingerprintOf(publicKey) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The same key in another file format, with another passphrase. `key` is in OpenSSH's format and not encrypted. */
export function reformatKey(
  key: KeyPair,
  to: { readonly format: NonNullable<KeyPairOptions['format']>; readonly passphrase?: string },
): KeyPair {
  const dir = mkdtempSync(join(tmpdir(), 'gangway-key-'));
  try {
    const file = join(dir, 'key');
    writeFileSync(file, key.privateKey, { mode: 0o600 });
    const passphrase = to.passphrase ?? '';
    if (to.format === 'ppk' || to.format === 'ppk2') {
      convertToPpk(dir, file, to.format === 'ppk' ? 3 : 2, passphrase);
    } else {
      const format = { openssh: 'RFC4716', pem: 'PEM', pkcs8: 'PKCS8' }[to.format];
      const args = ['-q', '-p', '-P', '', '-N', passphrase, '-m', format, '-f', file];
      execFileSync('ssh-keygen', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    }
    return { ...key, privateKey: readFileSync(file, 'utf8') };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Rewrites a private key in OpenSSH's format as PuTTY's; its passphrase, if any, stays. */
function convertToPpk(dir: string, file: string, version: 2 | 3, passphrase: string): void {
  const passphraseFile = join(dir, 'passphrase');
  writeFileSync(passphraseFile, `${passphrase}\n`, { mode: 0o600 });
  const converted = `${file}.ppk`;
  execFileSync(
    'puttygen',
    [
      ...[file, '-q', '-O', 'private', '-o', converted, '--ppk-param', `version=${version}`],
      ...['--old-passphrase', passphraseFile, '--new-passphrase', passphraseFile],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  renameSync(converted, file);
}

export interface CertificateOptions {
  /** Whose public key is certified: a line as in authorized_keys. */
  readonly publicKey: string;
  readonly authority: KeyPair;
  /** User names, or host names for a host certificate. */
  readonly principals: readonly string[];
  readonly host?: boolean;
  /** As `ssh-keygen -V`; default for ever. */
  readonly validity?: string;
}

/** An OpenSSH certificate (PROTOCOL.certkeys), one line as in `id_ed25519-cert.pub`. */
export function createCertificate(options: CertificateOptions): string {
  const dir = mkdtempSync(join(tmpdir(), 'gangway-cert-'));
  try {
    const authority = join(dir, 'ca');
    writeFileSync(authority, options.authority.privateKey, { mode: 0o600 });
    const subject = join(dir, 'subject.pub');
    writeFileSync(subject, `${options.publicKey}\n`);
    execFileSync(
      'ssh-keygen',
      [
        ...['-q', '-s', authority, '-I', 'gangway-lab', '-n', options.principals.join(',')],
        ...(options.host === true ? ['-h'] : []),
        ...(options.validity === undefined ? [] : ['-V', options.validity]),
        subject,
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    return readFileSync(join(dir, 'subject-cert.pub'), 'utf8').trim();
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
