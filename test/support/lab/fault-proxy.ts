import { createConnection, type Server, type Socket } from 'node:net';
import { freePort, listenOn } from './ports.ts';

/** `up` is from the client to the server. */
export type Direction = 'up' | 'down';
export type Directions = Direction | 'both';

export interface FaultSettings {
  /** Added to each direction; the round trip grows by twice that. */
  readonly delayMs?: number;
  /** Per connection and direction; 0 is unlimited. */
  readonly bytesPerSecond?: number;
  /** Largest piece handed on at once; 0 is unlimited. */
  readonly sliceBytes?: number;
  /** Ends a connection (RST to both sides) after this many bytes of both directions together; 0 is never. */
  readonly cutAfterBytes?: number;
  /** New connections get an RST; live ones stay. */
  readonly refuse?: boolean;
}

export interface FaultProxyOptions extends FaultSettings {
  readonly targetPort: number;
  readonly targetHost?: string;
  readonly port?: number;
}

interface Faults {
  /** Nothing passes and nothing is read, so that the sender's window fills: a black hole. Bytes are kept for `thaw`. */
  freeze(directions?: Directions): void;
  thaw(): void;
  /** RST to both sides. */
  reset(): void;
  /** FIN to both sides. */
  closeAll(): void;
  /** Inverts one byte, `afterBytes` further on in this direction. */
  flipByte(direction: Direction, afterBytes?: number): void;
}

export interface ProxyConnection extends Faults {
  readonly id: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

export interface FaultProxyCounts {
  readonly accepted: number;
  readonly refused: number;
  readonly live: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** How many bytes were really inverted. */
  readonly flipped: number;
}

/** Faults given here hold for all live connections and, but for reset, closeAll and flipByte, for later ones too. */
export interface FaultProxy extends Faults {
  readonly port: number;
  readonly host: '127.0.0.1';
  set(settings: FaultSettings): void;
  setTarget(port: number, host?: string): void;
  /** Back to a faithful proxy: no settings, nothing frozen. */
  clear(): void;
  connections(): readonly ProxyConnection[];
  counts(): FaultProxyCounts;
  /** Stops listening (connections are refused by the system) and resets what is live. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

/** A TCP proxy in this process whose link can be spoiled at will. */
export async function startFaultProxy(options: FaultProxyOptions): Promise<FaultProxy> {
  const port = options.port ?? (await freePort());
  let target = { port: options.targetPort, host: options.targetHost ?? '127.0.0.1' };
  let settings: Required<FaultSettings> = { ...faithful, ...settingsOf(options) };
  let frozen: readonly Direction[] = [];
  const totals = { accepted: 0, refused: 0, bytesUp: 0, bytesDown: 0, flipped: 0 };
  const live = new Set<Link>();
  let listener: Server | null = null;

  function accept(client: Socket): void {
    client.on('error', () => undefined);
    if (settings.refuse) {
      totals.refused += 1;
      client.resetAndDestroy();
      return;
    }
    totals.accepted += 1;
    const server = createConnection({ ...target, noDelay: true, allowHalfOpen: true });
    const link = new Link(totals.accepted, client, server, () => settings, totals);
    live.add(link);
    link.whenClosed(() => live.delete(link));
    for (const direction of frozen) link.freeze(direction);
  }

  async function start(): Promise<void> {
    if (listener !== null) return;
    listener = await listenOn(port, accept, { allowHalfOpen: true });
  }

  async function stop(): Promise<void> {
    const ending = listener;
    listener = null;
    if (ending === null) return;
    const closed = new Promise<void>((resolve) => ending.close(() => resolve()));
    for (const link of live) link.reset();
    await closed;
  }

  function thaw(): void {
    frozen = [];
    for (const link of live) link.thaw();
  }

  await start();
  return {
    port,
    host: '127.0.0.1',
    set(change) {
      settings = { ...settings, ...settingsOf(change) };
    },
    setTarget(toPort, host = '127.0.0.1') {
      target = { port: toPort, host };
    },
    clear() {
      settings = faithful;
      thaw();
    },
    freeze(directions = 'both') {
      frozen = [...new Set([...frozen, ...expand(directions)])];
      for (const link of live) link.freeze(directions);
    },
    thaw,
    reset() {
      for (const link of live) link.reset();
    },
    closeAll() {
      for (const link of live) link.closeAll();
    },
    flipByte(direction, afterBytes) {
      for (const link of live) link.flipByte(direction, afterBytes);
    },
    connections: () => [...live],
    counts: () => ({ ...totals, live: live.size }),
    stop,
    start,
    close: stop,
  };
}

const faithful: Required<FaultSettings> = {
  delayMs: 0,
  bytesPerSecond: 0,
  sliceBytes: 0,
  cutAfterBytes: 0,
  refuse: false,
};

function settingsOf(from: FaultSettings): Partial<Required<FaultSettings>> {
  const { delayMs, bytesPerSecond, sliceBytes, cutAfterBytes, refuse } = from;
  return {
    ...(delayMs === undefined ? {} : { delayMs }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
    ...(sliceBytes === undefined ? {} : { sliceBytes }),
    ...(cutAfterBytes === undefined ? {} : { cutAfterBytes }),
    ...(refuse === undefined ? {} : { refuse }),
  };
}

function expand(directions: Directions): readonly Direction[] {
  return directions === 'both' ? ['up', 'down'] : [directions];
}

interface Totals {
  bytesUp: number;
  bytesDown: number;
  flipped: number;
}

/** One client's connection: two pipes that share a fate. */
class Link implements ProxyConnection {
  readonly id: number;
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #pipes: Record<Direction, Pipe>;
  readonly #onClosed: (() => void)[] = [];
  #closed = false;

  constructor(
    id: number,
    client: Socket,
    server: Socket,
    settings: () => Required<FaultSettings>,
    totals: Totals,
  ) {
    this.id = id;
    this.#client = client;
    this.#server = server;
    let passed = 0;
    const pass = (direction: Direction, bytes: number): void => {
      passed += bytes;
      if (direction === 'up') totals.bytesUp += bytes;
      else totals.bytesDown += bytes;
      const limit = settings().cutAfterBytes;
      if (limit > 0 && passed >= limit) this.reset();
    };
    const flipped = (): void => {
      totals.flipped += 1;
    };
    this.#pipes = {
      up: new Pipe(client, server, settings, (bytes) => pass('up', bytes), flipped),
      down: new Pipe(server, client, settings, (bytes) => pass('down', bytes), flipped),
    };
    for (const socket of [client, server]) {
      socket.on('error', () => this.reset());
      socket.once('close', () => this.#close(client.destroyed && server.destroyed));
    }
  }

  get bytesUp(): number {
    return this.#pipes.up.bytes;
  }

  get bytesDown(): number {
    return this.#pipes.down.bytes;
  }

  whenClosed(tell: () => void): void {
    this.#onClosed.push(tell);
  }

  freeze(directions: Directions = 'both'): void {
    for (const direction of expand(directions)) this.#pipes[direction].setFrozen(true);
  }

  thaw(): void {
    this.#pipes.up.setFrozen(false);
    this.#pipes.down.setFrozen(false);
  }

  reset(): void {
    for (const socket of [this.#client, this.#server]) if (!socket.destroyed) socket.resetAndDestroy();
    this.#close(true);
  }

  closeAll(): void {
    for (const socket of [this.#client, this.#server]) {
      socket.end();
      socket.destroySoon();
    }
  }

  flipByte(direction: Direction, afterBytes = 0): void {
    this.#pipes[direction].flipAfter(afterBytes);
  }

  #close(both: boolean): void {
    if (!both || this.#closed) return;
    this.#closed = true;
    this.#pipes.up.stop();
    this.#pipes.down.stop();
    for (const tell of this.#onClosed) tell();
  }
}

interface Piece {
  readonly data: Buffer;
  readonly dueAtMs: number;
}

const MAX_QUEUED_BYTES = 4 * 1024 * 1024;

/** One direction: reads, holds back as the settings say, writes in order. */
class Pipe {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #settings: () => Required<FaultSettings>;
  readonly #onPassed: (bytes: number) => void;
  readonly #onFlipped: () => void;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  #frozen = false;
  #ended = false;
  #stopped = false;
  #waitingForDrain = false;
  #timer: NodeJS.Timeout | null = null;
  #nextWriteAtMs = 0;
  #flipAt: number[] = [];
  bytes = 0;

  constructor(
    from: Socket,
    to: Socket,
    settings: () => Required<FaultSettings>,
    onPassed: (bytes: number) => void,
    onFlipped: () => void,
  ) {
    this.#from = from;
    this.#to = to;
    this.#settings = settings;
    this.#onPassed = onPassed;
    this.#onFlipped = onFlipped;
    from.on('data', (data: Buffer) => {
      this.#queue.push({ data, dueAtMs: performance.now() + this.#settings().delayMs });
      this.#queuedBytes += data.length;
      this.#flow();
      this.#pump();
    });
    from.once('end', () => {
      this.#ended = true;
      this.#pump();
    });
    to.on('drain', () => {
      this.#waitingForDrain = false;
      this.#pump();
    });
  }

  setFrozen(frozen: boolean): void {
    this.#frozen = frozen;
    this.#flow();
    this.#pump();
  }

  flipAfter(bytes: number): void {
    this.#flipAt.push(this.bytes + bytes);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#queue.length = 0;
  }

  /** Reading stops while frozen or far behind, so that the sender feels it through TCP's window. */
  #flow(): void {
    if (this.#stopped) return;
    if (this.#frozen || this.#queuedBytes > MAX_QUEUED_BYTES) this.#from.pause();
    else this.#from.resume();
  }

  #pump(): void {
    if (this.#timer !== null) return;
    while (!this.#stopped && !this.#frozen && !this.#waitingForDrain) {
      const piece = this.#queue[0];
      if (piece === undefined) {
        if (this.#ended && this.#to.writable) this.#to.end();
        return;
      }
      const waitMs = Math.max(piece.dueAtMs, this.#nextWriteAtMs) - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => {
          this.#timer = null;
          this.#pump();
        }, Math.ceil(waitMs));
        return;
      }
      this.#writeOne(piece);
    }
  }

  #writeOne(piece: Piece): void {
    const { sliceBytes, bytesPerSecond } = this.#settings();
    // Without slices a limited link still hands on small pieces, so that it trickles instead of jumping.
    const largest =
      sliceBytes > 0 ? sliceBytes : bytesPerSecond > 0 ? Math.max(1, bytesPerSecond / 50) : Infinity;
    const size = Math.min(piece.data.length, Math.ceil(largest));
    const data = this.#spoil(piece.data.subarray(0, size));
    if (size === piece.data.length) this.#queue.shift();
    else this.#queue[0] = { data: piece.data.subarray(size), dueAtMs: piece.dueAtMs };
    this.#queuedBytes -= size;
    if (bytesPerSecond > 0) {
      this.#nextWriteAtMs =
        Math.max(this.#nextWriteAtMs, performance.now() - 50) + (size * 1_000) / bytesPerSecond;
    }
    if (this.#to.writable) this.#waitingForDrain = !this.#to.write(data);
    this.bytes += size;
    this.#onPassed(size);
    this.#flow();
  }

  #spoil(data: Buffer): Buffer {
    const hits = this.#flipAt.filter((at) => at < this.bytes + data.length);
    if (hits.length === 0) return data;
    this.#flipAt = this.#flipAt.filter((at) => at >= this.bytes + data.length);
    const spoiled = Buffer.from(data);
    for (const at of hits) {
      const index = Math.max(0, at - this.bytes);
      spoiled[index] = (spoiled[index] ?? 0) ^ 0xff;
      this.#onFlipped();
    }
    return spoiled;
  }
}
