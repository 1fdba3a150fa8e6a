import type { GatewayEvent, GatewayRpc } from '../../core/chat/gateway-rpc.ts';
import { fieldsOf, numberOf, stringOf } from '../../core/chat/message-content.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, DisposableStore } from '../../core/lifecycle.ts';
import type { Logger } from '../../core/ports.ts';

export type PendingKind = 'exec-approval' | 'plugin-approval' | 'question';

/** Something that an agent may not do, or cannot know, without the person. */
export interface PendingRequest {
  readonly kind: PendingKind;
  readonly id: string;
  /** Conversation that it came from, where the gateway says so. */
  readonly sessionKey: string | null;
  /** Epoch milliseconds of the gateway's clock. */
  readonly createdAtMs: number | null;
  readonly expiresAtMs: number | null;
}

/** How the gateway lists them (OpenClaw docs, gateway/clients and gateway/protocol). */
const LISTS: Readonly<
  Record<PendingKind, { readonly method: string; readonly scope: string; readonly events: string }>
> = {
  'exec-approval': { method: 'exec.approval.list', scope: 'operator.approvals', events: 'exec.approval.' },
  'plugin-approval': {
    method: 'plugin.approval.list',
    scope: 'operator.approvals',
    events: 'plugin.approval.',
  },
  question: { method: 'question.list', scope: 'operator.questions', events: 'question.' },
};
const KINDS = Object.keys(LISTS) as readonly PendingKind[];
const CHANGES = ['requested', 'resolved'];
/** Of each kind; a gateway that has more waiting has other problems. */
const MAX_LISTED = 200;
const MAX_ID_CHARS = 256;
const MAX_SESSION_KEY_CHARS = 512;
const LIMIT_MS = 10_000;

export interface PendingRequestsOptions {
  readonly rpc: GatewayRpc;
  readonly logger: Logger;
}

/**
 * Approvals and questions that wait at the gateway. Its own lists are the truth: read with every connection, after lost
 * events, and whenever an event says that one of them changed, so that no order of events can leave a wrong entry.
 */
export class PendingRequests implements Disposable {
  readonly #options: PendingRequestsOptions;
  readonly #store = new DisposableStore();
  readonly #changes = this.#store.add(new Emitter<null>());
  readonly #lists = new Map<PendingKind, readonly PendingRequest[]>();
  /** Lists that are being read, and whether to read them once more. */
  readonly #reading = new Map<PendingKind, { again: boolean }>();

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
    const { rpc } = options;
    this.#store.add(
      rpc.onHello(() => {
        // Another connection, perhaps another process: what was known says nothing.
        this.#lists.clear();
        this.refresh();
      }),
    );
    this.#store.add(rpc.onGap(() => this.refresh()));
    this.#store.add(rpc.onGatewayEvent((event) => this.#event(event)));
  }

  /** All that wait, by kind; a kind that the gateway has not told of, or must not, is missing. */
  list(): readonly PendingRequest[] {
    return [...this.#lists.values()].flat();
  }

  /** Null where the gateway has not told, or must not. */
  counts(): { readonly pendingApprovals: number | null; readonly pendingQuestions: number | null } {
    const [exec, plugin] = [this.#lists.get('exec-approval'), this.#lists.get('plugin-approval')];
    return {
      pendingApprovals: exec || plugin ? (exec?.length ?? 0) + (plugin?.length ?? 0) : null,
      pendingQuestions: this.#lists.get('question')?.length ?? null,
    };
  }

  onChange(listener: () => void): Disposable {
    return this.#changes.on(() => listener());
  }

  /** Reads all lists anew. */
  refresh(): void {
    for (const kind of KINDS) this.#refresh(kind);
  }

  dispose(): void {
    this.#store.dispose();
  }

  #event({ event }: GatewayEvent): void {
    for (const kind of KINDS) {
      const { events } = LISTS[kind];
      if (CHANGES.some((change) => event === events + change)) this.#refresh(kind);
    }
  }

  #refresh(kind: PendingKind): void {
    const reading = this.#reading.get(kind);
    if (reading) reading.again = true;
    else void this.#read(kind);
  }

  async #read(kind: PendingKind): Promise<void> {
    const { rpc, logger } = this.#options;
    const { method, scope } = LISTS[kind];
    const reading = { again: true };
    this.#reading.set(kind, reading);
    while (reading.again) {
      reading.again = false;
      const { hello } = rpc;
      if (!hello || hello.missingScopes.includes(scope)) break;
      const answer = await rpc.request(method, {}, { timeoutMs: LIMIT_MS });
      if (rpc.hello !== hello) continue;
      if (answer.ok) this.#take(kind, answer.value);
      else logger.log('info', 'pending.not-listed', { method, reason: answer.error.type });
    }
    this.#reading.delete(kind);
  }

  #take(kind: PendingKind, value: unknown): void {
    const rows = Array.isArray(value) ? value : fieldsOf(value)?.['questions'];
    if (!Array.isArray(rows)) return;
    const list = rows.slice(0, MAX_LISTED).flatMap((row) => readPending(kind, row));
    const before = this.#lists.get(kind);
    this.#lists.set(kind, list);
    if (JSON.stringify(list) !== JSON.stringify(before)) this.#changes.emit(null);
  }
}

function readPending(kind: PendingKind, value: unknown): readonly PendingRequest[] {
  const fields = fieldsOf(value);
  const id = stringOf(fields?.['id']);
  if (!fields || id === null || id === '' || id.length > MAX_ID_CHARS) return [];
  const sessionKey = stringOf(fields['sessionKey']) ?? stringOf(fieldsOf(fields['request'])?.['sessionKey']);
  return [
    {
      kind,
      id,
      sessionKey: sessionKey !== null && sessionKey.length <= MAX_SESSION_KEY_CHARS ? sessionKey : null,
      createdAtMs: numberOf(fields['createdAtMs']),
      expiresAtMs: numberOf(fields['expiresAtMs']),
    },
  ];
}
