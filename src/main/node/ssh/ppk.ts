import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { argon2d, argon2i, argon2id } from 'hash-wasm';
import { toOpenSshKey } from './openssh-key.ts';
import { WireReader, wireString, wireUint32 } from './ssh-wire-reader.ts';

/** What PuTTY's private key file says in the clear (PuTTY manual, appendix C). */
export interface PpkFile {
  readonly version: 2 | 3;
  readonly algorithm: string;
  readonly encryption: 'none' | 'aes256-cbc';
  readonly comment: string;
  /** As on the wire. */
  readonly publicBlob: Buffer;
  readonly privateBlob: Buffer;
  readonly mac: Buffer;
  readonly argon2: Argon2 | null;
}

interface Argon2 {
  readonly flavour: 'Argon2id' | 'Argon2i' | 'Argon2d';
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
}

/** Far above what PuTTYgen writes (8 MiB, 8-50 passes), and what a hostile file could cost at most: some seconds. */
const MAX_MEMORY_KIB = 256 * 1024;
const MAX_WORK_KIB = 4 * 1024 * 1024;
const MAX_PARALLELISM = 64;
const MAX_LINES = 2_000;

/** `text`: the file's bytes as Latin-1, because a comment may be in any encoding. Null: no PPK file, or a damaged one. */
export function readPpk(text: string): PpkFile | null {
  const lines = text.split(/\r\n|\n|\r/);
  let at = 0;
  const header = (name: string): string | null => {
    const line = lines[at];
    if (line?.startsWith(`${name}: `) !== true) return null;
    at += 1;
    return line.slice(name.length + 2);
  };
  const number = (name: string): number => {
    const value = header(name);
    return value !== null && /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  };
  const blob = (name: string): Buffer | null => {
    const count = number(name);
    if (!(count <= MAX_LINES) || at + count > lines.length) return null;
    const joined = lines.slice(at, at + count).join('');
    at += count;
    return /^[A-Za-z0-9+/]*={0,2}$/.test(joined) ? Buffer.from(joined, 'base64') : null;
  };
  const version = text.startsWith('PuTTY-User-Key-File-3: ') ? 3 : 2;
  const algorithm = header(`PuTTY-User-Key-File-${version}`);
  const encryption = header('Encryption');
  const comment = header('Comment');
  const publicBlob = blob('Public-Lines');
  if (encryption !== 'none' && encryption !== 'aes256-cbc') return null;
  let argon2: Argon2 | null = null;
  if (version === 3 && encryption !== 'none') {
    const flavour = header('Key-Derivation');
    const memoryKiB = number('Argon2-Memory');
    const passes = number('Argon2-Passes');
    const parallelism = number('Argon2-Parallelism');
    const salt = header('Argon2-Salt');
    if (flavour !== 'Argon2id' && flavour !== 'Argon2i' && flavour !== 'Argon2d') return null;
    if (salt === null || !/^(?:[0-9a-f]{2}){8,64}$/i.test(salt)) return null;
    if (!(memoryKiB <= MAX_MEMORY_KIB && memoryKiB * passes <= MAX_WORK_KIB)) return null;
    if (!(
      passes >= 1 &&
      parallelism >= 1 &&
      parallelism <= MAX_PARALLELISM &&
      memoryKiB >= 8 * parallelism
    )) {
      return null;
    }
    argon2 = { flavour, memoryKiB, passes, parallelism, salt: Buffer.from(salt, 'hex') };
  }
  const privateBlob = blob('Private-Lines');
  const mac = header('Private-MAC');
  if (algorithm === null || comment === null || publicBlob === null || privateBlob === null) return null;
  if (mac === null || !/^[0-9a-f]{40,64}$/i.test(mac)) return null;
  const macBytes = Buffer.from(mac, 'hex');
  return { version, algorithm, encryption, comment, publicBlob, privateBlob, mac: macBytes, argon2 };
}

export type OpenedPpk =
  /** A private key in OpenSSH's own format (openssh/PROTOCOL.key), unencrypted. For memory only. */
  | { readonly type: 'opened'; readonly pem: string }
  /** Of an encrypted file: that, or a damaged one. The MAC does not tell them apart. */
  | { readonly type: 'wrong-passphrase' }
  | { readonly type: 'damaged' }
  | { readonly type: 'unsupported' };

/** Checks the file's MAC and turns its key into what ssh2 reads. */
export async function openPpk(file: PpkFile, passphrase: string): Promise<OpenedPpk> {
  const secrets = await deriveSecrets(file, file.encryption === 'none' ? '' : passphrase);
  const privateBlob = decrypt(file, secrets);
  if (privateBlob === null) return { type: 'damaged' };
  const { algorithm, encryption, comment, publicBlob, version } = file;
  const words = Buffer.from(comment, 'latin1');
  const parts = [algorithm, encryption, words, publicBlob, privateBlob].map((part) => wireString(part));
  const mac = createHmac(version === 3 ? 'sha256' : 'sha1', secrets.mac)
    .update(Buffer.concat(parts))
    .digest();
  if (mac.length !== file.mac.length || !timingSafeEqual(mac, file.mac)) {
    return { type: encryption === 'none' ? 'damaged' : 'wrong-passphrase' };
  }
  const fields = privateFields(algorithm, publicBlob, privateBlob);
  if (fields === 'unsupported') return { type: 'unsupported' };
  return fields === null ? { type: 'damaged' } : { type: 'opened', pem: toOpenSshKey(publicBlob, fields) };
}

interface Secrets {
  readonly key: Buffer;
  readonly iv: Buffer;
  readonly mac: Buffer;
}

const sha1 = (...parts: readonly (Buffer | string)[]): Buffer => {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

async function deriveSecrets(file: PpkFile, passphrase: string): Promise<Secrets> {
  if (file.version === 2) {
    const halves = [0, 1].map((count) => sha1(wireUint32(count), passphrase));
    const mac = sha1('putty-private-key-file-mac-key', passphrase);
    return { key: Buffer.concat(halves).subarray(0, 32), iv: Buffer.alloc(16), mac };
  }
  const { argon2 } = file;
  if (argon2 === null) return { key: Buffer.alloc(32), iv: Buffer.alloc(16), mac: Buffer.alloc(0) };
  const derive = { Argon2id: argon2id, Argon2i: argon2i, Argon2d: argon2d }[argon2.flavour];
  // hash-wasm refuses an empty password; no such file can be opened with one.
  if (passphrase === '') return { key: Buffer.alloc(32), iv: Buffer.alloc(16), mac: Buffer.alloc(32) };
  const derived = Buffer.from(
    await derive({
      password: passphrase,
      salt: argon2.salt,
      memorySize: argon2.memoryKiB,
      iterations: argon2.passes,
      parallelism: argon2.parallelism,
      hashLength: 80,
      outputType: 'binary',
    }),
  );
  return { key: derived.subarray(0, 32), iv: derived.subarray(32, 48), mac: derived.subarray(48, 80) };
}

function decrypt(file: PpkFile, { key, iv }: Secrets): Buffer | null {
  if (file.encryption === 'none') return file.privateBlob;
  if (file.privateBlob.length === 0 || file.privateBlob.length % 16 !== 0) return null;
  const decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false);
  return Buffer.concat([decipher.update(file.privateBlob), decipher.final()]);
}

/** The private section's fields after the key type, in OpenSSH's order. */
function privateFields(
  algorithm: string,
  publicBlob: Buffer,
  privateBlob: Buffer,
): readonly Buffer[] | 'unsupported' | null {
  const open = new WireReader(publicBlob);
  const secret = new WireReader(privateBlob);
  if (open.string()?.toString('latin1') !== algorithm) return null;
  switch (algorithm) {
    case 'ssh-rsa': {
      const [e, n] = [open.string(), open.string()];
      const [d, p, q, iqmp] = [secret.string(), secret.string(), secret.string(), secret.string()];
      return present([n, e, d, iqmp, p, q]);
    }
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return present([open.string(), open.string(), secret.string()]);
    case 'ssh-ed25519': {
      const point = open.string();
      const stored = secret.string();
      if (point?.length !== 32 || stored === null || stored.length > 32) return null;
      // A little-endian number, without its zeros at the end.
      const seed = Buffer.alloc(32);
      stored.copy(seed);
      return [point, Buffer.concat([seed, point])];
    }
    default:
      return 'unsupported';
  }
}

function present(fields: readonly (Buffer | null)[]): readonly Buffer[] | null {
  const found = fields.filter((field) => field !== null);
  return found.length === fields.length ? found : null;
}
