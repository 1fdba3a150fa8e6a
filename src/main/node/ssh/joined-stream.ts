import { Duplex, type Readable, type Writable } from 'node:stream';
import type { SshWire } from './ssh-wire.ts';

/** What a JoinedStream is made of. */
export interface StreamEnds {
  readonly source: Readable;
  readonly sink: Writable;
  /** Lets go of both at once. Called once. */
  release(): void;
}

/**
 * One stream of two that ssh2 can run on: a jump host's channel, or the pipes of a process. It counts its bytes, and it closes when
 * it is destroyed, which a channel of ssh2 does not. What is written in one turn of the event loop goes on in one piece: ssh2
 * writes a packet's parts one by one, and each would become a packet of the connection below.
 */
export class JoinedStream extends Duplex implements SshWire {
  readonly #ends: StreamEnds;
  #bytesRead = 0;
  #bytesWritten = 0;
  #isCorked = false;

  constructor(ends: StreamEnds) {
    // One direction alone is of no use to SSH.
    super({ allowHalfOpen: false });
    this.#ends = ends;
    const { source, sink } = ends;
    // For ever: an error after the end would end the process.
    this.on('error', () => undefined);
    source.on('data', (data: Buffer) => {
      this.#bytesRead += data.length;
      if (!this.destroyed && !this.push(data)) source.pause();
    });
    source.on('end', () => this.#endReading());
    source.on('close', () => this.#endReading());
    source.on('error', (error: Error) => this.destroy(error));
    sink.on('error', (error: Error) => this.destroy(error));
  }

  get stream(): Duplex {
    return this;
  }

  bytesRead(): number {
    return this.#bytesRead;
  }

  bytesWritten(): number {
    return this.#bytesWritten;
  }

  endSoon(): void {
    this.end();
  }

  override write(chunk: unknown, ...rest: unknown[]): boolean {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        this.uncork();
      });
    }
    return (super.write as (chunk: unknown, ...rest: unknown[]) => boolean)(chunk, ...rest);
  }

  override _read(): void {
    this.#ends.source.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#pass(chunk, done);
  }

  override _writev(chunks: readonly { readonly chunk: unknown }[], done: () => void): void {
    this.#pass(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), done);
  }

  override _final(done: () => void): void {
    this.#ends.sink.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#ends.release();
    done(error);
  }

  #pass(data: Buffer, done: () => void): void {
    this.#bytesWritten += data.length;
    if (this.#ends.sink.write(data)) done();
    else this.#ends.sink.once('drain', done);
  }

  #endReading(): void {
    if (!this.destroyed && !this.readableEnded) this.push(null);
  }
}
