import ssh2, { type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';
import type { Result } from '../../../shared/result.ts';

/**
 * One public key as an agent of its own, which is how ssh2 lets a key be offered before anybody can sign with it: the server says
 * first whether it would take the key (RFC 4252, section 7), and only then is a passphrase asked for or an agent bothered.
 *
 * It also decides the signature algorithm. ssh2 knows a single one for RSA and falls back to SHA-1 without being asked; a key
 * whose `type` is the algorithm's name goes out under that name (RFC 8332).
 */
export class KeyOffer extends ssh2.BaseAgent<ParsedKey> {
  readonly #key: ParsedKey;
  readonly #sign: (data: Buffer) => Promise<Result<Buffer, string> | null>;

  /** `sign` gives null when the session is over. */
  private constructor(key: ParsedKey, sign: (data: Buffer) => Promise<Result<Buffer, string> | null>) {
    super();
    this.#key = key;
    this.#sign = sign;
  }

  /** Null for a blob that is no key of a known type. */
  static of(
    blob: Buffer,
    algorithm: string,
    sign: (data: Buffer) => Promise<Result<Buffer, string> | null>,
  ): KeyOffer | null {
    const parsed = ssh2.utils.parseKey(blob);
    if (parsed instanceof Error) return null;
    const key = Object.create(parsed, { type: { value: algorithm } }) as ParsedKey;
    return new KeyOffer(key, sign);
  }

  override getIdentities(callback: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    callback(undefined, [this.#key]);
  }

  override sign(
    _key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback;
    void this.#sign(data).then((result) => {
      if (result === null) return;
      if (result.ok) done?.(undefined, result.value);
      else done?.(new Error(result.error));
    });
  }
}

/** Signature algorithms for a key type, best first; never SHA-1. */
export function algorithmsFor(keyType: string): readonly string[] {
  return keyType === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [keyType];
}

/** What ssh2's `sign` calls the hash of an algorithm; undefined: the key's own. */
export function hashOf(algorithm: string): 'sha256' | 'sha512' | undefined {
  if (algorithm === 'rsa-sha2-512') return 'sha512';
  return algorithm === 'rsa-sha2-256' ? 'sha256' : undefined;
}
