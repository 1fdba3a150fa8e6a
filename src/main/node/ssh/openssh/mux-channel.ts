import { Duplex } from 'node:stream';

/** What a side may send before it hears that the other one has read on; as ssh(1) itself uses (64 packets of 32 KiB). */
export const WINDOW_BYTES = 2 * 1024 * 1024;
const ADJUST_AFTER_BYTES = WINDOW_BYTES / 8;

/** What a channel sends by the connection that carries it. Each returns false where the carrier's buffer is full. */
export interface MuxChannelLink {
  data(remoteId: number, bytes: Buffer): boolean;
  windowAdjust(remoteId: number, bytes: number): void;
  eof(remoteId: number): void;
  requestFailed(remoteId: number): void;
  /** A request that no server knows, and that it must answer all the same. */
  ping(remoteId: number): void;
  close(remoteId: number): void;
  /** Runs once when the carrier takes more. */
  whenDrained(run: () => void): void;
}

/** One open channel of an SSH connection (RFC 4254, section 5), as a stream: half-close passes in both directions. */
export class MuxChannel extends Duplex {
  readonly #link: MuxChannelLink;
  readonly #remoteId: number;
  readonly #maxPacketBytes: number;
  #sendWindow: number;
  #receiveWindow = WINDOW_BYTES;
  /** Handed to the reader, and not yet told to the far end. */
  #credit = 0;
  #isEofReceived = false;
  #waiting: { readonly bytes: Buffer; readonly done: (error?: Error | null) => void } | null = null;
  readonly #pings: (() => void)[] = [];
  #isRemoteClosed = false;
  #isCloseSent = false;

  constructor(link: MuxChannelLink, remoteId: number, sendWindow: number, maxPacketBytes: number) {
    super({ allowHalfOpen: true });
    this.#link = link;
    this.#remoteId = remoteId;
    this.#sendWindow = sendWindow;
    this.#maxPacketBytes = Math.max(1, maxPacketBytes);
  }

  /** False where the far end sent more than it may. */
  onData(bytes: Buffer): boolean {
    if (bytes.length > this.#receiveWindow || this.#isEofReceived) return false;
    this.#receiveWindow -= bytes.length;
    this.#credit += bytes.length;
    if (!this.destroyed && this.push(bytes)) this.#giveCredit();
    return true;
  }

  onWindowAdjust(bytes: number): void {
    this.#sendWindow = Math.min(this.#sendWindow + bytes, 0xffff_ffff);
    this.#flush();
  }

  get isOpen(): boolean {
    return !this.#isCloseSent && !this.#isRemoteClosed;
  }

  ping(onReply: () => void): void {
    this.#pings.push(onReply);
    this.#link.ping(this.#remoteId);
  }

  /** Answers come in the order of the requests (RFC 4254, section 5.4). */
  onRequestReply(): void {
    this.#pings.shift()?.();
  }

  /** Of requests nothing is known here; an answer is due all the same. */
  refuseRequest(): void {
    if (!this.#isCloseSent) this.#link.requestFailed(this.#remoteId);
  }

  onEof(): void {
    this.#isEofReceived = true;
    if (!this.destroyed) this.push(null);
  }

  /** The far end is done with both directions; what it sent before is still read. */
  onClose(): void {
    this.#isRemoteClosed = true;
    this.#isEofReceived = true;
    this.#sendClose();
    if (this.destroyed) return;
    this.#flush();
    if (this.readableEnded) {
      this.destroy();
      return;
    }
    this.once('end', () => this.destroy());
    this.push(null);
  }

  override _read(): void {
    this.#giveCredit();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#waiting = { bytes: chunk, done };
    this.#flush();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#isRemoteClosed && !this.#isCloseSent) this.#link.eof(this.#remoteId);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#sendClose();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.done(error);
    done(error);
  }

  #sendClose(): void {
    if (this.#isCloseSent) return;
    this.#isCloseSent = true;
    this.#link.close(this.#remoteId);
  }

  #giveCredit(): void {
    if (this.#credit < ADJUST_AFTER_BYTES || this.#isCloseSent) return;
    const bytes = this.#credit;
    this.#credit = 0;
    this.#receiveWindow += bytes;
    this.#link.windowAdjust(this.#remoteId, bytes);
  }

  #flush(): void {
    const waiting = this.#waiting;
    if (waiting === null) return;
    if (this.#isRemoteClosed || this.#isCloseSent) {
      // As with a socket that the peer has closed, what is still written goes nowhere.
      this.#waiting = null;
      waiting.done();
      return;
    }
    let rest = waiting.bytes;
    let hasRoom = true;
    while (rest.length > 0 && this.#sendWindow > 0 && hasRoom) {
      const part = rest.subarray(0, Math.min(rest.length, this.#sendWindow, this.#maxPacketBytes));
      rest = rest.subarray(part.length);
      this.#sendWindow -= part.length;
      hasRoom = this.#link.data(this.#remoteId, part);
    }
    if (rest.length > 0) {
      this.#waiting = { bytes: rest, done: waiting.done };
      if (!hasRoom) this.#link.whenDrained(() => this.#flush());
      return;
    }
    this.#waiting = null;
    if (hasRoom) waiting.done();
    else this.#link.whenDrained(() => waiting.done());
  }
}
