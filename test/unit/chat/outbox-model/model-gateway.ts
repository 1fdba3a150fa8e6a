import { err, ok, type Result } from '../../../../src/shared/result.ts';
import type { RpcError } from '../../../../src/main/core/chat/gateway-rpc.ts';
import { userMessage } from '../messages.ts';

/** As the gateway's own: dist/server-constants, DEDUPE_TTL_MS. */
const DEDUPE_TTL_MS = 300_000;
/** Rows of a page, few so that stories reach the second one. */
const PAGE_ROWS = 3;

type Pending = 'queued' | 'interrupted' | 'cancelled';
interface Session {
  /** Ids of rows, the newest last. */
  rows: string[];
  running: string | null;
  readonly waiting: Map<string, Pending>;
}
type Answer = Result<unknown, RpcError>;

/**
 * A gateway as far as delivery goes, after what the real one (2026.9.6) does: a key is remembered for 300 s and by one process;
 * an input behind a running one is kept on disk and handed over again under its key after a restart, a cancelled one is not;
 * several inputs that wait are not carried out in any order that it promises;
 * a run that has no row yet when the process dies leaves none.
 */
export class ModelGateway {
  /** Texts in the order in which they were carried out, by session. */
  readonly executed = new Map<string, string[]>();
  readonly #sessions = new Map<string, Session>();
  readonly #dedupe = new Map<string, number>();
  readonly #texts = new Map<string, string>();
  #process = 1;

  get bootId(): string {
    return `boot-${this.#process}`;
  }

  /** `nowMs`: true time. */
  request(method: string, params: Readonly<Record<string, unknown>>, nowMs: number): Answer {
    const sessionKey = String(params['sessionKey']);
    if (method === 'chat.send')
      return this.#send(sessionKey, String(params['idempotencyKey']), String(params['message']), nowMs);
    const ids = (params['inputRunIds'] ?? []) as readonly string[];
    return ok(this.#history(this.#session(sessionKey), Number(params['offset']), ids));
  }

  /** The run that is active gets its row, ends, and the next one begins. */
  progress(): void {
    for (const [sessionKey, session] of this.#sessions) {
      if (session.running !== null) session.rows.push(session.running);
      session.running = null;
      // What waits together is not taken up in the order in which it came.
      const next = [...session.waiting].findLast(([, state]) => state === 'queued')?.[0];
      if (next === undefined) continue;
      session.waiting.delete(next);
      this.#execute(sessionKey, session, next);
    }
  }

  /** A person stops everything: what waits is dropped. */
  abort(): void {
    for (const session of this.#sessions.values()) {
      if (session.running !== null) session.rows.push(session.running);
      session.running = null;
      for (const [id, state] of session.waiting) if (state === 'queued') session.waiting.set(id, 'cancelled');
    }
  }

  /** Somebody begins the session anew: its history does not show what was before. */
  reset(): void {
    for (const session of this.#sessions.values()) session.rows = [];
  }

  restart(): void {
    this.#process += 1;
    this.#dedupe.clear();
    for (const session of this.#sessions.values()) {
      session.running = null;
      for (const [id, state] of session.waiting)
        if (state === 'queued') session.waiting.set(id, 'interrupted');
    }
  }

  get isBusy(): boolean {
    return [...this.#sessions.values()].some(
      ({ running, waiting }) => running !== null || [...waiting.values()].includes('queued'),
    );
  }

  #send(sessionKey: string, id: string, text: string, nowMs: number): Answer {
    const session = this.#session(sessionKey);
    const known = this.#dedupe.get(id);
    const waits = session.waiting.get(id);
    if (waits === 'cancelled' || waits === 'queued' || session.running === id)
      return ok({ runId: id, status: 'in_flight' });
    if (waits === undefined && known !== undefined && nowMs - known < DEDUPE_TTL_MS)
      return ok({ runId: id, status: 'ok' });
    this.#dedupe.set(id, nowMs);
    this.#texts.set(id, text);
    if (session.running === null && ![...session.waiting.values()].includes('queued')) {
      session.waiting.delete(id);
      this.#execute(sessionKey, session, id);
    } else {
      session.waiting.delete(id);
      session.waiting.set(id, 'queued');
    }
    return ok({ runId: id, status: 'started' });
  }

  #execute(sessionKey: string, session: Session, id: string): void {
    session.running = id;
    const list = this.executed.get(sessionKey) ?? [];
    list.push(this.#texts.get(id) ?? '');
    this.executed.set(sessionKey, list);
  }

  #history({ rows, running, waiting }: Session, offset: number, ids: readonly string[]): unknown {
    const end = Math.max(0, rows.length - offset);
    const start = Math.max(0, end - PAGE_ROWS);
    return {
      messages: rows.slice(start, end).map((id, index) => userMessage(start + index, '', id)),
      hasMore: start > 0,
      ...(start > 0 ? { nextOffset: rows.length - start } : {}),
      pendingInputs: { items: [...waiting].map(([runId, state]) => ({ runId, state })) },
      inputReceipts: ids.filter((id) => waiting.has(id)).map((runId) => ({ runId, state: 'pending' })),
      ...(running === null ? {} : { inFlightRun: { runId: running } }),
    };
  }

  #session(key: string): Session {
    const session = this.#sessions.get(key) ?? { rows: [], running: null, waiting: new Map() };
    this.#sessions.set(key, session);
    return session;
  }
}

/** One connection's requests on their way, so that each can be lost before it arrives or with its answer. */
export class ModelLine {
  readonly #gateway: ModelGateway;
  #sent: {
    readonly method: string;
    readonly params: Readonly<Record<string, unknown>>;
    readonly resolve: (answer: Answer) => void;
  }[] = [];
  #answered: { readonly resolve: (answer: Answer) => void; readonly answer: Answer }[] = [];
  #late: { readonly run: () => void; readonly untilMs: number }[] = [];

  constructor(gateway: ModelGateway) {
    this.#gateway = gateway;
  }

  ask(method: string, params: Readonly<Record<string, unknown>>): Promise<Answer> {
    return new Promise((resolve) => this.#sent.push({ method, params, resolve }));
  }

  /** The oldest request arrives; false when there is none. */
  arrive(nowMs: number): boolean {
    const request = this.#sent.shift();
    if (!request) return false;
    const answer = this.#gateway.request(request.method, request.params, nowMs);
    this.#answered.push({ resolve: request.resolve, answer });
    return true;
  }

  /** The oldest answer comes back; false when there is none. */
  answer(): boolean {
    const answered = this.#answered.shift();
    answered?.resolve(answered.answer);
    return answered !== undefined;
  }

  /**
   * The connection is lost. Requests on their way never left (`unsent`), are gone (`lost`), or still arrive within the time that
   * the gateway keeps a silent connection (`late`).
   */
  cut(how: 'unsent' | 'lost' | 'late', nowMs: number): void {
    const [sent, answered] = [this.#sent, this.#answered];
    this.#sent = [];
    this.#answered = [];
    if (how === 'late')
      for (const { method, params } of sent)
        this.#late.push({
          run: () => this.#gateway.request(method, params, this.#lateAtMs),
          untilMs: nowMs + 45_000,
        });
    for (const { resolve } of sent) resolve(err({ type: 'connection-lost', sent: how !== 'unsent' }));
    for (const { resolve } of answered) resolve(err({ type: 'connection-lost', sent: true }));
  }

  #lateAtMs = 0;

  /** What was late arrives now, where the gateway still listens. */
  arriveLate(nowMs: number): void {
    this.#lateAtMs = nowMs;
    for (const { run, untilMs } of this.#late.splice(0)) if (nowMs < untilMs) run();
  }

  /** The gateway's process is gone, and its sockets with it. */
  dropLate(): void {
    this.#late = [];
  }
}
