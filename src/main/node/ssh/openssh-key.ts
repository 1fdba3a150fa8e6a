import { WireReader, wireString, wireUint32 } from './ssh-wire-reader.ts';

const MAGIC = 'openssh-key-v1\0';

/** What a key file in OpenSSH's own format says in the clear (openssh/PROTOCOL.key); null for other files. */
export function openSshEnvelope(text: string): { readonly cipher: string; readonly blob: Buffer } | null {
  const match = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END OPENSSH PRIVATE KEY-----/.exec(text);
  const data = Buffer.from(match?.[1] ?? '', 'base64');
  if (data.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
  const reader = new WireReader(data.subarray(MAGIC.length));
  const cipher = reader.string();
  reader.string();
  reader.string();
  reader.uint32();
  const blob = reader.string();
  return cipher === null || blob === null ? null : { cipher: cipher.toString('latin1'), blob };
}

/**
 * An unencrypted private key in that format, for memory only. `fields`: the private section after the key type, in the order
 * of PROTOCOL.key (RSA: n, e, d, iqmp, p, q; ECDSA: curve, Q, d; Ed25519: public key, seed and public key).
 */
export function toOpenSshKey(publicBlob: Buffer, fields: readonly Buffer[]): string {
  const type = new WireReader(publicBlob).string() ?? Buffer.alloc(0);
  // Two equal numbers tell a right decryption from a wrong one; here nothing is encrypted.
  const check = wireUint32(0);
  const section = [check, check, ...[type, ...fields, Buffer.alloc(0)].map((field) => wireString(field))];
  const body = Buffer.concat(section);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const none = wireString('none');
  const file = Buffer.concat([
    Buffer.from(MAGIC, 'latin1'),
    none,
    none,
    wireString(''),
    wireUint32(1),
    wireString(publicBlob),
    wireString(Buffer.concat([body, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}
