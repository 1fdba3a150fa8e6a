import { createPrivateKey } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import ssh2, { type ParsedKey } from 'ssh2';
import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';

/** What a private key file turned out to be. */
export type KeyFile =
  | { readonly type: 'usable'; readonly path: string; readonly key: ParsedKey }
  /** `blob` is its public key where that can be read without the passphrase. */
  | {
      readonly type: 'encrypted';
      readonly path: string;
      readonly blob: Buffer | null;
      readonly wasWrong: boolean;
    }
  | { readonly type: 'unreadable'; readonly path: string; readonly failure: KeyUnreadable };

export type KeyUnreadable = Extract<ConnectionFailure, { readonly code: 'key-unreadable' }>;

const MAX_KEY_FILE_BYTES = 1024 * 1024;

/**
 * Private keys of one process, parsed once: opening an encrypted one costs up to a second of computing. An entry holds as
 * long as the file's size and time of change do; nothing is ever written anywhere.
 */
export class KeyRing {
  readonly #opened = new Map<string, { readonly stamp: string; readonly key: ParsedKey }>();

  /** Reads and parses; `passphrase` is tried on an encrypted key only. */
  async load(path: string, passphrase: string | null): Promise<KeyFile> {
    const file = await readKeyFile(path);
    if ('failure' in file) {
      this.#opened.delete(path);
      return { type: 'unreadable', path, failure: file.failure };
    }
    const cached = this.#opened.get(path);
    if (cached !== undefined && cached.stamp === file.stamp) return { type: 'usable', path, key: cached.key };
    const parsed = parsePrivateKey(file.text, passphrase);
    switch (parsed.type) {
      case 'usable':
        refuseSha1(parsed.key);
        this.#opened.set(path, { stamp: file.stamp, key: parsed.key });
        return { type: 'usable', path, key: parsed.key };
      case 'encrypted': {
        const blob = publicBlobOf(file.text) ?? (await siblingPublicBlob(path));
        return { type: 'encrypted', path, blob, wasWrong: passphrase !== null };
      }
      case 'unreadable':
        return {
          type: 'unreadable',
          path,
          failure: failure('key-unreadable', { path, reason: parsed.reason }),
        };
    }
  }
}

async function readKeyFile(
  path: string,
): Promise<{ readonly text: string; readonly stamp: string } | { readonly failure: KeyUnreadable }> {
  const unreadable = (reason: KeyUnreadable['facts']['reason']): { failure: KeyUnreadable } => ({
    failure: failure('key-unreadable', { path, reason }),
  });
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return unreadable('not-a-file');
    if (stats.size > MAX_KEY_FILE_BYTES) return unreadable('format');
    const text = await readFile(path, 'utf8');
    return { text, stamp: `${stats.ino}:${stats.size}:${stats.mtimeMs}` };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return unreadable('missing');
    return unreadable(code === 'EISDIR' ? 'not-a-file' : 'permission');
  }
}

type Parsed =
  | { readonly type: 'usable'; readonly key: ParsedKey }
  | { readonly type: 'encrypted' }
  | { readonly type: 'unreadable'; readonly reason: KeyUnreadable['facts']['reason'] };

function parsePrivateKey(text: string, passphrase: string | null): Parsed {
  const pkcs8 = fromPkcs8(text, passphrase);
  if (pkcs8 === 'encrypted') return { type: 'encrypted' };
  const parsed = ssh2.utils.parseKey(pkcs8?.pem ?? text, passphrase ?? undefined) as
    ParsedKey | ParsedKey[] | Error;
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key instanceof Error || key === undefined) {
    const message = key?.message ?? '';
    if (isEncrypted(text) && !/not supported|unsupported/i.test(message)) return { type: 'encrypted' };
    if (text.startsWith('PuTTY-User-Key-File-')) return { type: 'unreadable', reason: 'ppk' };
    const isKnownKind = /PRIVATE KEY-----/.test(text) && /unsupported|not supported/i.test(message);
    return { type: 'unreadable', reason: isKnownKind ? 'unsupported' : 'format' };
  }
  return key.isPrivateKey() ? { type: 'usable', key } : { type: 'unreadable', reason: 'format' };
}

/** ssh2 does not read PKCS#8; Node turns it into what ssh2 reads. Null for files of other formats. */
function fromPkcs8(text: string, passphrase: string | null): { readonly pem: string } | 'encrypted' | null {
  const match = /-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.exec(text);
  if (match === null) return null;
  const isProtected = match[1] !== undefined;
  if (isProtected && passphrase === null) return 'encrypted';
  try {
    const key = createPrivateKey({ key: text, ...(passphrase === null ? {} : { passphrase }) });
    if (key.asymmetricKeyType === 'rsa')
      return { pem: key.export({ type: 'pkcs1', format: 'pem' }).toString() };
    if (key.asymmetricKeyType === 'ec')
      return { pem: key.export({ type: 'sec1', format: 'pem' }).toString() };
    return null;
  } catch {
    return isProtected ? 'encrypted' : null;
  }
}

function isEncrypted(text: string): boolean {
  if (/^Proc-Type: 4,ENCRYPTED/m.test(text)) return true;
  if (/^Encryption: (?!none)\S/m.test(text)) return true;
  const envelope = openSshEnvelope(text);
  return envelope !== null && envelope.cipher !== 'none';
}

/** The public key that OpenSSH's own format keeps in the clear (openssh/PROTOCOL.key). */
function publicBlobOf(text: string): Buffer | null {
  return openSshEnvelope(text)?.blob ?? null;
}

const OPENSSH_MAGIC = 'openssh-key-v1\0';

function openSshEnvelope(text: string): { readonly cipher: string; readonly blob: Buffer } | null {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(text);
  const data = Buffer.from(match?.[1] ?? '', 'base64');
  if (data.toString('latin1', 0, OPENSSH_MAGIC.length) !== OPENSSH_MAGIC) return null;
  let at = OPENSSH_MAGIC.length;
  const readString = (): Buffer | null => {
    if (at + 4 > data.length) return null;
    const end = at + 4 + data.readUInt32BE(at);
    if (end > data.length) return null;
    const value = data.subarray(at + 4, end);
    at = end;
    return value;
  };
  const cipher = readString();
  readString();
  readString();
  at += 4;
  const blob = readString();
  return cipher === null || blob === null ? null : { cipher: cipher.toString('latin1'), blob };
}

async function siblingPublicBlob(path: string): Promise<Buffer | null> {
  try {
    const key = ssh2.utils.parseKey(await readFile(`${path}.pub`, 'utf8'));
    return key instanceof Error ? null : key.getPublicSSH();
  } catch {
    return null;
  }
}

/** ssh2 falls back to SHA-1 signatures where a server names no algorithms: a key that refuses makes it go on. */
function refuseSha1(key: ParsedKey): void {
  if (key.type !== 'ssh-rsa') return;
  const sign = key.sign.bind(key);
  const guarded = (data: Buffer | string, algorithm?: string): Buffer | Error =>
    algorithm === undefined || algorithm === 'sha1'
      ? new Error('The server takes RSA keys with SHA-1 signatures only')
      : sign(data, algorithm);
  (key as { sign: unknown }).sign = guarded;
}
