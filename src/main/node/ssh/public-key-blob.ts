import { createHash, ECDH } from 'node:crypto';

/**
 * Public keys as on the wire (RFC 4253, section 6.6; RFC 5656; RFC 8709; PROTOCOL.u2f and PROTOCOL.certkeys of OpenSSH).
 * Read as strictly as OpenSSH's client reads a key of known_hosts, so that both skip the same lines.
 */
export interface PublicKeyBlob {
  /** Of the plain key, e.g. `ssh-ed25519`. */
  readonly keyType: string;
  /** The plain key in its one canonical form: equal keys have equal bytes. */
  readonly plain: Buffer;
  /** Whether the blob was a certificate around that key. */
  readonly isCertificate: boolean;
}

const CERTIFICATE_SUFFIX = '-cert-v01@openssh.com';
const MIN_RSA_BITS = 1024;
const MAX_MPINT_BYTES = 2048;

const CURVES: ReadonlyMap<string, { readonly openssl: string; readonly bytes: number }> = new Map([
  ['nistp256', { openssl: 'prime256v1', bytes: 32 }],
  ['nistp384', { openssl: 'secp384r1', bytes: 48 }],
  ['nistp521', { openssl: 'secp521r1', bytes: 66 }],
]);

/** Type names that OpenSSH takes in a line of known_hosts for a key of another type: names of signature algorithms. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['rsa-sha2-256', 'ssh-rsa'],
  ['rsa-sha2-512', 'ssh-rsa'],
  ['rsa-sha2-256-cert-v01@openssh.com', 'ssh-rsa-cert-v01@openssh.com'],
  ['rsa-sha2-512-cert-v01@openssh.com', 'ssh-rsa-cert-v01@openssh.com'],
  ['webauthn-sk-ecdsa-sha2-nistp256@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'],
]);

/** The type that a line of known_hosts means by this name. */
export function canonicalKeyType(name: string): string {
  return ALIASES.get(name) ?? name;
}

/** Null where it is not exactly one public key of a type that OpenSSH knows. */
export function parsePublicKeyBlob(blob: Buffer): PublicKeyBlob | null {
  const reader = new BlobReader(blob);
  const type = reader.string()?.toString('latin1');
  if (type === undefined) return null;
  const isCertificate = type.endsWith(CERTIFICATE_SUFFIX);
  // The nonce comes before the key's own fields, all else of a certificate after them.
  if (isCertificate && reader.string() === null) return null;
  const keyType = isCertificate ? plainTypeOf(type) : type;
  const fields = readFields(keyType, reader);
  if (fields === null || reader.isAtEnd === isCertificate) return null;
  return { keyType, plain: joinStrings([Buffer.from(keyType, 'latin1'), ...fields]), isCertificate };
}

/** `sk-ssh-ed25519-cert-v01@openssh.com` certifies a `sk-ssh-ed25519@openssh.com`. */
function plainTypeOf(certificateType: string): string {
  const base = certificateType.slice(0, -CERTIFICATE_SUFFIX.length);
  return base.startsWith('sk-') ? `${base}@openssh.com` : base;
}

/** First string of a public key blob: its type. Null where the blob is not one. */
export function keyTypeOfBlob(blob: Buffer): string | null {
  const type = new BlobReader(blob).string();
  return type === null || type.length === 0 || type.length > 128 ? null : type.toString('latin1');
}

/** `SHA256:` and unpadded base64, as OpenSSH prints it. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** As b64_pton of the C library: white space anywhere, padding needed, no stray bits in the last character. */
export function decodeBase64(text: string): Buffer | null {
  const packed = text.replace(/[\t\n\v\f\r ]/g, '');
  const bytes = Buffer.from(packed, 'base64');
  return bytes.toString('base64') === packed ? bytes : null;
}

function readFields(keyType: string, reader: BlobReader): Buffer[] | null {
  switch (keyType) {
    case 'ssh-ed25519':
      return all([reader.stringOf(32)]);
    case 'sk-ssh-ed25519@openssh.com':
      return all([reader.stringOf(32), reader.string()]);
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return all(readPoint(keyType.slice('ecdsa-sha2-'.length), reader));
    case 'sk-ecdsa-sha2-nistp256@openssh.com':
      return all([...readPoint('nistp256', reader), reader.string()]);
    case 'ssh-rsa': {
      const [exponent, modulus] = [reader.mpint(), reader.mpint()];
      if (modulus === null || bitsOf(modulus) < MIN_RSA_BITS) return null;
      return all([exponent, modulus]);
    }
    case 'ssh-dss':
      return all([reader.mpint(), reader.mpint(), reader.mpint(), reader.mpint()]);
    default:
      return null;
  }
}

function readPoint(curveName: string, reader: BlobReader): (Buffer | null)[] {
  const [name, point] = [reader.string(), reader.string()];
  const curve = CURVES.get(curveName);
  if (curve === undefined || name?.toString('latin1') !== curveName || point === null) return [null];
  // 0x04: uncompressed, the only form that SSH has (RFC 5656, section 3.1).
  if (point.length !== 1 + 2 * curve.bytes || point[0] !== 4) return [null];
  try {
    ECDH.convertKey(point, curve.openssl);
  } catch {
    return [null];
  }
  return [name, point];
}

function all(fields: readonly (Buffer | null)[]): Buffer[] | null {
  const present = fields.filter((field) => field !== null);
  return present.length === fields.length ? present : null;
}

function bitsOf(mpint: Buffer): number {
  const [first = 0, second = 0] = mpint;
  // A leading zero byte only keeps the number positive.
  const [top, bytes] = first === 0 ? [second, mpint.length - 1] : [first, mpint.length];
  return bytes === 0 ? 0 : (bytes - 1) * 8 + (32 - Math.clz32(top));
}

function joinStrings(strings: readonly Buffer[]): Buffer {
  return Buffer.concat(
    strings.flatMap((bytes) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** The data types of RFC 4251, section 5. Null, and nothing more to come, where the bytes end too early. */
class BlobReader {
  readonly #blob: Buffer;
  #at = 0;

  constructor(blob: Buffer) {
    this.#blob = blob;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#blob.length;
  }

  string(): Buffer | null {
    if (this.#at + 4 > this.#blob.length) return null;
    const start = this.#at + 4;
    const end = start + this.#blob.readUInt32BE(this.#at);
    if (end > this.#blob.length) return null;
    this.#at = end;
    return this.#blob.subarray(start, end);
  }

  stringOf(bytes: number): Buffer | null {
    const value = this.string();
    return value?.length === bytes ? value : null;
  }

  /** A positive number, in its shortest form. */
  mpint(): Buffer | null {
    const value = this.string();
    if (value === null || ((value[0] ?? 0) & 0x80) !== 0 || value.length > MAX_MPINT_BYTES + 1) return null;
    let start = 0;
    while (start < value.length && value[start] === 0) start += 1;
    const digits = value.subarray(start);
    return ((digits[0] ?? 0) & 0x80) === 0 ? digits : Buffer.concat([Buffer.from([0]), digits]);
  }
}
