import { createSecretKey, randomFillSync } from 'node:crypto';
import type { Client } from 'ssh2';

/** Private parts of ssh2 1.17.0's ciphers (lib/protocol/crypto.js). */
interface Cipher {
  /** Keys for `createCipheriv` and `createHmac`. */
  _encKey?: unknown;
  _decipherKey?: unknown;
  _macKey?: unknown;
  /** OpenSSL's name of an AEAD cipher. */
  readonly _encSSLName?: unknown;
  allocPacket?: (payloadLength: number) => Buffer;
}

/**
 * Makes the work that ssh2 does for every single packet cheap, which halves the round trip of a forward. To be called after every
 * key exchange (event `handshake`). Where ssh2 looks different inside, nothing happens.
 *
 * ssh2 makes a cipher object for every packet from raw key bytes, which Node 24 turns into a key object each time: 40 µs of the
 * 50 that a small packet costs. And it asks the system for some bytes of random padding each time.
 */
export function tunePackets(client: Client): void {
  const protocol = (client as unknown as { readonly _protocol?: { _cipher?: Cipher; _decipher?: Cipher } })
    ._protocol;
  const cipher = protocol?._cipher;
  const decipher = protocol?._decipher;
  if (cipher !== undefined) {
    cipher._encKey = toKeyObject(cipher._encKey);
    cipher._macKey = toKeyObject(cipher._macKey);
    if (isAesGcm(cipher)) cipher.allocPacket = allocAesGcmPacket;
  }
  if (decipher !== undefined) {
    decipher._decipherKey = toKeyObject(decipher._decipherKey);
    decipher._macKey = toKeyObject(decipher._macKey);
  }
}

function toKeyObject(key: unknown): unknown {
  return key instanceof Uint8Array && key.length > 0 ? createSecretKey(key) : key;
}

function isAesGcm(cipher: Cipher): boolean {
  return typeof cipher._encSSLName === 'string' && /^aes-(?:128|256)-gcm$/.test(cipher._encSSLName);
}

const LENGTH_BYTES = 4;
const PADDING_LENGTH_BYTES = 1;
const AES_BLOCK_BYTES = 16;
const MIN_PADDING_BYTES = 4;

/** An unencrypted packet with its lengths and padding in place (RFC 4253, section 6; RFC 5647, section 7.2). */
function allocAesGcmPacket(payloadLength: number): Buffer {
  const filled = PADDING_LENGTH_BYTES + payloadLength;
  let padding = AES_BLOCK_BYTES - (filled % AES_BLOCK_BYTES);
  if (padding < MIN_PADDING_BYTES) padding += AES_BLOCK_BYTES;
  const packet = Buffer.allocUnsafe(LENGTH_BYTES + filled + padding);
  packet.writeUInt32BE(filled + padding, 0);
  packet[LENGTH_BYTES] = padding;
  takeRandom(packet, LENGTH_BYTES + filled, padding);
  return packet;
}

const pool = Buffer.alloc(8 * 1024);
let poolUsed = pool.length;

/** Every byte of the pool is used once. */
function takeRandom(target: Buffer, at: number, count: number): void {
  if (poolUsed + count > pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  pool.copy(target, at, poolUsed, poolUsed + count);
  poolUsed += count;
}
