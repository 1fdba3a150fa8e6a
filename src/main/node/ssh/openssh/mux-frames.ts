/** Longer packets than OpenSSH ever makes (PACKET_MAX_SIZE) come from something else. */
const MAX_FRAME_BYTES = 256 * 1024;

/** Reads the fields of one message; past its end everything is empty and `isBroken`. */
export class MessageReader {
  readonly #bytes: Buffer;
  #at: number;
  #isBroken = false;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** As a call, so that the compiler does not think it cannot change between reads. */
  isBroken(): boolean {
    return this.#isBroken;
  }

  byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  uint32(): number {
    const bytes = this.#take(4);
    return bytes.length === 4 ? bytes.readUInt32BE(0) : 0;
  }

  string(): Buffer {
    return this.#take(this.uint32());
  }

  #take(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) {
      this.#isBroken = true;
      return Buffer.alloc(0);
    }
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** The body of the first whole frame (PROTOCOL.mux, section 1): a length, then that many bytes. Null: more has to come. */
export function nextFrame(received: Buffer): Buffer | 'broken' | null {
  if (received.length < 4) return null;
  const length = received.readUInt32BE(0);
  if (length < 2 || length > MAX_FRAME_BYTES) return 'broken';
  return received.length < 4 + length ? null : received.subarray(4, 4 + length);
}

/** `uint32` of RFC 4251, section 5. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** `string` of RFC 4251, section 5. */
export function string(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** The parts with their length before them. */
export function frame(...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([uint32(length), ...parts]);
}
