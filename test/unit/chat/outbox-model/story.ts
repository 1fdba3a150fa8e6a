import fc from 'fast-check';
import type { GatewayHello, GatewayRpc } from '../../../../src/main/core/chat/gateway-rpc.ts';
import { OutgoingQueue } from '../../../../src/main/core/chat/outgoing-queue.ts';
import { Emitter } from '../../../../src/main/core/emitter.ts';
import type { Clock } from '../../../../src/main/core/ports.ts';
import { err } from '../../../../src/shared/result.ts';
import { FakeClock, settle } from '../../../support/fakes/fake-clock.ts';
import { MemoryLogger } from '../../../support/fakes/fake-system.ts';
import { type Disk, DiskMessages } from './model-disk.ts';
import { ModelGateway, ModelLine } from './model-gateway.ts';

export type Op =
  | { readonly type: 'write'; readonly session: number }
  | { readonly type: 'connect' | 'arrive' | 'answer' | 'progress' | 'abort' | 'reset' | 'late' }
  | { readonly type: 'cut'; readonly how: 'unsent' | 'lost' | 'late' }
  | { readonly type: 'restart-gateway' | 'kill-app' | 'power-cut' | 'disk-refuses' | 'disk-recovers' }
  | { readonly type: 'die-at'; readonly writes: number; readonly after: boolean }
  | { readonly type: 'wait' | 'sleep' | 'set-clock'; readonly ms: number }
  | { readonly type: 'retry' | 'discard'; readonly index: number };

const only = <T extends Op['type']>(...types: T[]) => fc.constantFrom(...types).map((type) => ({ type }));

/** One step of a story; the frequent ones are those of every day. */
export const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: fc.constant('write' as const), session: fc.nat(1) }) },
  { weight: 10, arbitrary: only('arrive', 'answer') },
  { weight: 8, arbitrary: only('connect', 'connect', 'progress') },
  { weight: 3, arbitrary: only('abort', 'reset', 'late') },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('cut' as const),
      how: fc.constantFrom('unsent' as const, 'lost' as const, 'late' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: only('restart-gateway', 'kill-app', 'power-cut', 'disk-refuses', 'disk-recovers'),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('die-at' as const), writes: fc.nat(4), after: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('wait' as const),
      ms: fc.constantFrom(1000, 5000, 30_000, 200_000, 400_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('sleep' as const), ms: fc.constantFrom(20_000, 28_800_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('set-clock' as const),
      ms: fc.constantFrom(-86_400_000, 86_400_000, -100_000),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('retry' as const, 'discard' as const),
      index: fc.nat(3),
    }),
  },
);

/** `stands-still` is the mistake that the control makes: an age by a clock that a sleep stops. */
export type StoryClock = 'true' | 'stands-still';

const SESSIONS = ['agent:main:a', 'agent:main:b'] as const;
/** A connection over which nothing comes for this long is dead, on either side. */
const SILENCE_MS = 16_000;

interface Written {
  readonly sessionKey: string;
  /** How often the person asked for it again although it might have been carried out. */
  insisted: number;
  /** Asked for again at all: it is not in its old place then. */
  isRetried: boolean;
  isDiscarded: boolean;
}

/** The app's queue, a disk, a line and a gateway, with the person before them; everything that happens is an `Op`. */
export class Story {
  readonly #time = new FakeClock();
  readonly #gateway = new ModelGateway();
  readonly #line = new ModelLine(this.#gateway);
  readonly #disk: Disk = new Map();
  readonly #clock: Clock;
  /** Everything that was accepted, by its text. */
  readonly #written = new Map<string, Written>();
  #run = 0;
  #bootedAtMs = 0;
  #app: App;

  constructor(clock: StoryClock) {
    const time = this.#time;
    const elapsedMs = (): number => (clock === 'true' ? time.uptimeMs() : time.monotonicMs());
    this.#clock = {
      nowMs: () => time.nowMs(),
      monotonicMs: () => time.monotonicMs(),
      uptimeMs: () => elapsedMs() - this.#bootedAtMs,
      setTimer: (delayMs, run) => time.setTimer(delayMs, run),
    };
    this.#app = this.#start();
    this.#app.connect(this.#gateway.bootId);
  }

  async run(step: Op): Promise<void> {
    switch (step.type) {
      case 'write':
        await this.#write(SESSIONS[step.session] ?? SESSIONS[0]);
        break;
      case 'connect':
        this.#app.connect(this.#gateway.bootId);
        break;
      case 'arrive':
        this.#line.arrive(this.#trueMs);
        break;
      case 'answer':
        this.#line.answer();
        break;
      case 'progress':
        this.#gateway.progress();
        break;
      case 'abort':
        this.#gateway.abort();
        break;
      case 'reset':
        this.#gateway.reset();
        break;
      case 'late':
        this.#line.arriveLate(this.#trueMs);
        break;
      case 'cut':
        this.#cut(step.how);
        break;
      case 'restart-gateway':
        this.#cut('lost');
        this.#line.dropLate();
        this.#gateway.restart();
        break;
      case 'kill-app':
        this.#restartApp();
        break;
      case 'power-cut':
        this.#bootedAtMs = this.#time.uptimeMs();
        this.#restartApp();
        break;
      case 'disk-refuses':
        this.#app.messages.refuses = { type: 'unwritable', detail: 'SQLITE_FULL' };
        break;
      case 'disk-recovers':
        this.#app.messages.recover();
        break;
      case 'die-at':
        this.#app.messages.dieAt = { writes: step.writes, after: step.after };
        break;
      case 'wait':
        if (step.ms >= SILENCE_MS) this.#cut('lost');
        await this.#time.advance(step.ms);
        break;
      case 'sleep':
        if (step.ms >= SILENCE_MS) this.#cut('lost');
        this.#time.sleep(step.ms);
        break;
      case 'set-clock':
        this.#time.jumpWall(step.ms);
        break;
      case 'retry':
      case 'discard':
        await this.#decide(step.type, step.index);
        break;
    }
    await settle();
    this.#buryTheDead();
  }

  /** All faults end, and the person decides about everything that is left to them. */
  async settle(): Promise<void> {
    this.#app.messages.dieAt = null;
    for (let round = 0; round < 60; round += 1) {
      if (this.#app.messages.refuses) this.#app.messages.recover();
      this.#app.connect(this.#gateway.bootId);
      await this.#time.advance(3000);
      while (this.#line.arrive(this.#trueMs) || this.#line.answer() || this.#gateway.isBusy) {
        this.#gateway.progress();
        await settle();
      }
      if (round % 3 !== 2) continue;
      // A new connection looks up what was acknowledged.
      this.#cut('lost');
      const open = this.#app.open();
      if (open.length === 0) return;
      if (open.some(({ state }) => state.type === 'failed' || state.type === 'unconfirmed'))
        await this.#decide('retry', 0);
    }
    throw new Error(`Stuck: ${JSON.stringify(this.#app.open())}`);
  }

  check(): void {
    const executed = new Map(SESSIONS.map((key) => [key, this.#gateway.executed.get(key) ?? []]));
    for (const [text, { sessionKey, insisted, isDiscarded }] of this.#written) {
      const times = (executed.get(sessionKey as (typeof SESSIONS)[number]) ?? []).filter(
        (other) => other === text,
      ).length;
      if (times > 1 + insisted) throw new Error(`${text} was carried out twice`);
      if (times === 0 && !isDiscarded) throw new Error(`${text} was lost`);
    }
    for (const [key, texts] of executed) {
      const unknown = texts.filter((text) => !this.#written.has(text));
      if (unknown.length > 0) throw new Error(`${unknown.join()} was never accepted`);
      const undisturbed = texts.filter((text) => this.#written.get(text)?.isRetried === false);
      const written = [...this.#written.keys()].filter((text) => undisturbed.includes(text));
      if (undisturbed.join() !== written.join()) throw new Error(`Order in ${key}: ${undisturbed.join()}`);
    }
  }

  get #trueMs(): number {
    return this.#time.uptimeMs();
  }

  async #write(sessionKey: string): Promise<void> {
    const text = `text ${this.#written.size + 1} of run ${this.#run}`;
    const written = { sessionKey, insisted: 0, isRetried: false, isDiscarded: false };
    const message = { messageId: `id of ${text}`, sessionKey, text, createdAtMs: this.#clock.nowMs() };
    const accepted = this.#app.queue.send(message).then((result) => result.ok);
    await settle();
    // Killed before it could say so: it may be kept, and was not promised.
    const isKept =
      (await Promise.race([accepted, Promise.resolve(false)])) || this.#disk.has(message.messageId);
    if (isKept) this.#written.set(text, written);
  }

  async #decide(what: 'retry' | 'discard', index: number): Promise<void> {
    const message = this.#app.open().filter(({ state }) => ['failed', 'unconfirmed'].includes(state.type))[
      index
    ];
    const written = message && this.#written.get(message.text);
    if (!message || !written) return;
    if (what === 'retry') {
      written.isRetried = true;
      // What failed was certainly not carried out: asking for that again doubles nothing.
      if (message.state.type === 'unconfirmed') written.insisted += 1;
      void this.#app.queue.retry(message.messageId);
    } else {
      written.isDiscarded = true;
      // Discarded is what the disk forgot, or will: a crash before that brings it back, for the person to decide again.
      void this.#app.queue.discard(message.messageId);
    }
    await settle();
  }

  #cut(how: 'unsent' | 'lost' | 'late'): void {
    this.#app.disconnect();
    this.#line.cut(how, this.#trueMs);
  }

  #start(): App {
    this.#run += 1;
    return new App(this.#disk, `run-${this.#run}`, this.#clock, this.#line);
  }

  #restartApp(): void {
    this.#app.die();
    this.#line.cut('late', this.#trueMs);
    this.#app = this.#start();
  }

  #buryTheDead(): void {
    if (this.#app.isDead) this.#restartApp();
  }
}

/** One run of the app. */
class App {
  readonly messages: DiskMessages;
  readonly queue: OutgoingQueue;
  isDead = false;
  readonly #hellos = new Emitter<GatewayHello>();
  #hello: GatewayHello | null = null;

  constructor(disk: Disk, runId: string, clock: Clock, line: ModelLine) {
    this.messages = new DiskMessages(disk, runId, () => this.die());
    const idle = { dispose: () => undefined };
    const hello = (): GatewayHello | null => this.#hello;
    const rpc: GatewayRpc = {
      get hello() {
        return hello();
      },
      request: (method, params) =>
        hello() === null ? Promise.resolve(err({ type: 'not-connected' })) : line.ask(method, params),
      onHello: (listener) => this.#hellos.on(listener),
      onDown: () => idle,
      onGatewayEvent: () => idle,
      onGap: () => idle,
    };
    this.queue = new OutgoingQueue({
      rpc,
      messages: this.messages,
      clock,
      logger: new MemoryLogger(),
      onChange: () => undefined,
      isShown: () => false,
    });
  }

  /** Messages that are not at their end. */
  open() {
    const { messages } = this;
    return messages
      .sessionKeys()
      .flatMap((key) => messages.list(key))
      .filter(({ state }) => state.type !== 'settled');
  }

  connect(bootId: string): void {
    if (this.#hello !== null || this.isDead) return;
    this.#hello = {
      gatewayVersion: null,
      bootId,
      mainSessionKey: SESSIONS[0],
      scopes: [],
      missingScopes: [],
      maxPayloadBytes: 1,
      health: undefined,
    };
    this.#hellos.emit(this.#hello);
  }

  disconnect(): void {
    this.#hello = null;
  }

  die(): void {
    this.isDead = true;
    this.messages.isDead = true;
    this.#hello = null;
    this.queue.dispose();
    this.#hellos.dispose();
  }
}
