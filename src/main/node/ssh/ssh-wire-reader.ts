/** Reads the data types of RFC 4251, section 5. Nothing is thrown: whatever is too short is null. */
export class WireReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Buffer) {
    this.#data = data;
  }

  byte(): number | null {
    const value = this.#data[this.#at];
    if (value === undefined) return null;
    this.#at += 1;
    return value;
  }

  uint32(): number | null {
    if (this.#at + 4 > this.#data.length) return null;
    const value = this.#data.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  /** The bytes of a `string` or an `mpint`; a view, not a copy. */
  string(): Buffer | null {
    const length = this.uint32();
    if (length === null || this.#at + length > this.#data.length) return null;
    const value = this.#data.subarray(this.#at, this.#at + length);
    this.#at += length;
    return value;
  }
}

/** A `string` of RFC 4251: its length, then its bytes. */
export function wireString(value: Buffer | string): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([wireUint32(bytes.length), bytes]);
}

export function wireUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
