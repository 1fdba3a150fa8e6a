import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../../core/ports.ts';
import { err, ok, type Result } from '../../../../shared/result.ts';
import { frame, MessageReader, nextFrame, string, uint32 } from './mux-frames.ts';
import { MuxChannel, WINDOW_BYTES, type MuxChannelLink } from './mux-channel.ts';

/** OpenSSH's PROTOCOL.mux, sections 1, 2, 4 and 11. */
const MUX_VERSION = 4;
const MUX_HELLO = 0x0000_0001;
const MUX_PROXY = 0x1000_000f;
const MUX_PROXY_OK = 0x8000_000f;
/** RFC 4254, section 9. */
const CHANNEL_OPEN = 90;
const CHANNEL_OPEN_CONFIRMATION = 91;
const CHANNEL_OPEN_FAILURE = 92;
const CHANNEL_WINDOW_ADJUST = 93;
const CHANNEL_DATA = 94;
const CHANNEL_EOF = 96;
const CHANNEL_CLOSE = 97;
const CHANNEL_REQUEST = 98;
const CHANNEL_SUCCESS = 99;
const CHANNEL_FAILURE = 100;

const MAX_PACKET_BYTES = 32 * 1024;
const MAX_DETAIL_CHARS = 200;

/** Why the server did not open a channel (RFC 4254, section 5.1); 0: the connection ended first. */
export interface ChannelRefusal {
  readonly reason: number;
  readonly message: string;
}

type Opening = (result: Result<MuxChannel, ChannelRefusal>) => void;

/** Opens channels on an SSH connection that another process holds. */
export interface ChannelSource {
  /** Between us and that process. */
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** A channel to this place as the server sees it. `cancel` gives it up: its channel, should one come, is closed. */
  openForward(
    to: { readonly host: string; readonly port: number },
    originPort: number,
    onOpened: (result: Result<Duplex, ChannelRefusal>) => void,
  ): { cancel(): void };
  /** Asks the far end for a sign of life; `onReply` may never be called. */
  ping(onReply: () => void): void;
  close(): void;
}

/**
 * Our own ssh, used by its control socket in proxy mode (`ssh -O proxy`, since OpenSSH 7.4): its SSH connection is ours to
 * open channels on, with the server's own answers. Not for an ssh of the user's: OpenSSH 9.2 ends when a proxy leaves after
 * a refused channel (see StdioForwards).
 */
export class MuxProxy implements ChannelSource {
  readonly #socket: Socket;
  readonly #onEnd: (detail: string) => void;
  readonly #openings = new Map<number, Opening>();
  readonly #channels = new Map<number, MuxChannel>();
  readonly #link: MuxChannelLink;
  #received: Buffer;
  readonly #earlyPings: (() => void)[] = [];
  #heartbeat: MuxChannel | 'opening' | null = 'opening';
  #nextId = 0;
  #isOver = false;

  private constructor(socket: Socket, received: Buffer, onEnd: (detail: string) => void) {
    this.#socket = socket;
    this.#received = received;
    this.#onEnd = onEnd;
    this.#link = {
      data: (id, bytes) => this.#send(CHANNEL_DATA, uint32(id), uint32(bytes.length), bytes),
      windowAdjust: (id, bytes) => void this.#send(CHANNEL_WINDOW_ADJUST, uint32(id), uint32(bytes)),
      eof: (id) => void this.#send(CHANNEL_EOF, uint32(id)),
      ping: (id) => void this.#send(CHANNEL_REQUEST, uint32(id), string('ping@gangway'), Buffer.from([1])),
      requestFailed: (id) => void this.#send(CHANNEL_FAILURE, uint32(id)),
      close: (id) => void this.#send(CHANNEL_CLOSE, uint32(id)),
      whenDrained: (run) => void socket.once('drain', run),
    };
    socket.setMaxListeners(0);
    socket.on('data', (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#take();
    });
    socket.on('close', () => this.#end('closed'));
    this.#openHeartbeat();
    queueMicrotask(() => this.#take());
  }

  /** The error says in a word why there is no such ssh at this path: a system's error code, `timeout`, or `protocol`. */
  static connect(
    path: string,
    limitMs: number,
    clock: Clock,
    onEnd: (detail: string) => void,
  ): Promise<Result<MuxProxy, string>> {
    return new Promise((resolve) => {
      const socket = connect(path);
      let received: Buffer = Buffer.alloc(0);
      // For ever: a socket without a listener for errors ends the process.
      socket.on('error', () => undefined);
      const settle = (error: string | null): void => {
        timer.dispose();
        socket.off('error', onError).off('close', onClose).off('data', onData);
        if (error !== null) socket.destroy();
        resolve(error === null ? ok(new MuxProxy(socket, received, onEnd)) : err(error));
      };
      const timer = clock.setTimer(limitMs, () => settle('timeout'));
      const onError = (error: NodeJS.ErrnoException): void => settle(error.code ?? 'socket');
      const onClose = (): void => settle('closed');
      const onData = (bytes: Buffer): void => {
        received = Buffer.concat([received, bytes]);
        for (let body = nextFrame(received); body !== null; body = nextFrame(received)) {
          if (body === 'broken' || body.length < 4) {
            settle('protocol');
            return;
          }
          received = received.subarray(4 + body.length);
          const type = body.readUInt32BE(0);
          if (type === MUX_HELLO && body.length >= 8 && body.readUInt32BE(4) === MUX_VERSION) continue;
          settle(type === MUX_PROXY_OK ? null : 'protocol');
          return;
        }
      };
      socket.on('error', onError).on('close', onClose).on('data', onData);
      socket.on('connect', () => {
        socket.write(frame(uint32(MUX_HELLO), uint32(MUX_VERSION)));
        socket.write(frame(uint32(MUX_PROXY), uint32(0)));
      });
    });
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  /** A direct-tcpip channel (RFC 4254, section 7.2). */
  openForward(
    to: { readonly host: string; readonly port: number },
    originPort: number,
    onOpened: Opening,
  ): { cancel(): void } {
    const place = [string(to.host), uint32(to.port), string('127.0.0.1'), uint32(originPort)];
    return this.#open('direct-tcpip', place, onOpened);
  }

  /**
   * Any answer will do. Proxy mode lets no global requests pass, so that a channel is asked: a session in which nothing is
   * ever run, another open one where the server allows no sessions, and at last one of a type that no server knows. (OpenSSH
   * keeps a little for each refused channel until the connection ends, and takes 10,000: so that comes last.)
   */
  ping(onReply: () => void): void {
    const heartbeat = this.#heartbeat;
    if (heartbeat === 'opening') {
      this.#earlyPings.push(onReply);
      return;
    }
    const channel = [heartbeat, ...this.#channels.values()].find((one) => one?.isOpen === true);
    if (channel !== undefined && channel !== null) channel.ping(onReply);
    else this.#open('ping@gangway', [], (result) => replyOf(result, onReply));
  }

  #openHeartbeat(): void {
    this.#open('session', [], (result) => {
      this.#heartbeat = result.ok ? result.value : null;
      if (result.ok) result.value.resume();
      for (const onReply of this.#earlyPings.splice(0)) replyOf(result, onReply);
    });
  }

  close(): void {
    this.#socket.destroy();
    this.#end('closed');
  }

  #open(type: string, rest: readonly Buffer[], onOpened: Opening): { cancel(): void } {
    const id = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    if (this.#isOver) {
      onOpened(err({ reason: 0, message: 'closed' }));
      return { cancel: () => undefined };
    }
    this.#openings.set(id, onOpened);
    this.#send(
      CHANNEL_OPEN,
      string(type),
      uint32(id),
      uint32(WINDOW_BYTES),
      uint32(MAX_PACKET_BYTES),
      ...rest,
    );
    return {
      cancel: () => {
        if (!this.#openings.has(id)) return;
        this.#openings.set(id, (result) => {
          if (result.ok) result.value.destroy();
        });
      },
    };
  }

  #take(): void {
    while (!this.#isOver) {
      const body = nextFrame(this.#received);
      if (body === null) return;
      if (body === 'broken') {
        this.#break('frame');
        return;
      }
      this.#received = this.#received.subarray(4 + body.length);
      // RFC 4253, section 6: the padding's length, always 0 here, then the message.
      if (!this.#onMessage(new MessageReader(body, 1))) this.#break('message');
    }
  }

  /** False where the message breaks the protocol. */
  #onMessage(message: MessageReader): boolean {
    const type = message.byte();
    const id = message.uint32();
    if (message.isBroken()) return false;
    const channel = this.#channels.get(id);
    switch (type) {
      case CHANNEL_OPEN_CONFIRMATION: {
        const [remoteId, window, maxPacket] = [message.uint32(), message.uint32(), message.uint32()];
        const opening = this.#openings.get(id);
        if (message.isBroken() || opening === undefined) return false;
        this.#openings.delete(id);
        const opened = new MuxChannel(this.#link, remoteId, window, Math.min(maxPacket, MAX_PACKET_BYTES));
        this.#channels.set(id, opened);
        opening(ok(opened));
        return true;
      }
      case CHANNEL_OPEN_FAILURE: {
        const [reason, text] = [message.uint32(), message.string()];
        const opening = this.#openings.get(id);
        if (message.isBroken() || opening === undefined) return false;
        this.#openings.delete(id);
        opening(err({ reason, message: text.toString('utf8', 0, MAX_DETAIL_CHARS) }));
        return true;
      }
      case CHANNEL_WINDOW_ADJUST:
        channel?.onWindowAdjust(message.uint32());
        return !message.isBroken();
      case CHANNEL_DATA:
        return (channel?.onData(message.string()) ?? true) && !message.isBroken();
      case CHANNEL_EOF:
        channel?.onEof();
        return true;
      case CHANNEL_CLOSE:
        this.#channels.delete(id);
        channel?.onClose();
        return true;
      case CHANNEL_SUCCESS:
      case CHANNEL_FAILURE:
        channel?.onRequestReply();
        return true;
      case CHANNEL_REQUEST: {
        // ClientAliveInterval: sshd asks one of the open channels for any answer.
        message.string();
        if (message.byte() === 1 && channel !== undefined) channel.refuseRequest();
        return !message.isBroken();
      }
      default:
        return true;
    }
  }

  #send(type: number, ...parts: readonly Buffer[]): boolean {
    if (this.#isOver) return true;
    return this.#socket.write(frame(Buffer.from([0, type]), ...parts));
  }

  #break(what: string): void {
    this.#socket.destroy();
    this.#end(`protocol: ${what}`);
  }

  #end(detail: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const openings = [...this.#openings.values()];
    this.#openings.clear();
    for (const opening of openings) opening(err({ reason: 0, message: detail }));
    for (const channel of this.#channels.values()) channel.destroy();
    this.#channels.clear();
    this.#onEnd(detail);
  }
}

/** A refusal is an answer; the end of the connection is none. */
function replyOf(result: Result<MuxChannel, ChannelRefusal>, onReply: () => void): void {
  if (result.ok || result.error.reason !== 0) onReply();
}
