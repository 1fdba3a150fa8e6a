import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Disposable } from '../../core/lifecycle.ts';

/**
 * Joins a local socket (opened with allowHalfOpen) and an SSH channel. Bytes flow with backpressure, an end of one direction
 * is passed on and leaves the other direction open, and the end of both, or an error of either, ends the pair.
 *
 * pipeline() and finished() are of no use here: a channel of ssh2 never counts as destroyed, does not close when its link
 * dies while it is paused, and a write that waits for window then never calls back. So whoever owns the
 * link must dispose every pair when it goes.
 */
export class StreamPair implements Disposable {
  readonly #socket: Socket;
  readonly #channel: Duplex;
  readonly #onDone: () => void;
  #channelEnded = false;
  #done = false;

  constructor(socket: Socket, channel: Duplex, onDone: () => void) {
    this.#socket = socket;
    this.#channel = channel;
    this.#onDone = onDone;

    socket.on('data', (data: Buffer) => {
      if (!channel.write(data)) socket.pause();
    });
    channel.on('drain', () => socket.resume());
    channel.on('data', (data: Buffer) => {
      if (socket.writable && !socket.write(data)) channel.pause();
    });
    socket.on('drain', () => channel.resume());

    socket.on('end', () => channel.end());
    channel.on('end', () => {
      this.#channelEnded = true;
      if (socket.writable) socket.end();
    });
    // The server closed the channel: nothing that is still to be sent will be taken.
    channel.on('close', () => {
      if (!this.#channelEnded || socket.writableEnded) socket.destroySoon();
    });
    socket.on('close', () => this.dispose());
    socket.on('error', () => this.dispose());
    channel.on('error', () => this.dispose());
    socket.resume();
  }

  dispose(): void {
    if (this.#done) return;
    this.#done = true;
    this.#socket.destroy();
    this.#channel.removeAllListeners('drain');
    this.#channel.destroy();
    // What the server still sends is read away, else the channel keeps its buffer and its number.
    this.#channel.removeAllListeners('data');
    this.#channel.resume();
    this.#onDone();
  }
}
