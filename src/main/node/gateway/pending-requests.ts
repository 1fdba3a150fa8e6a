import type { GatewayEvent, GatewayRpc } from '../../core/chat/gateway-rpc.ts';
import type { InboxFacts, InboxItem, InboxItemType } from '../../../shared/inbox.ts';
import { readInboxItem } from '../../core/chat/inbox-items.ts';
import { fieldsOf } from '../../core/chat/message-content.ts';
import { Emitter } from '../../core/emitter.ts';
import { type Disposable, DisposableStore } from '../../core/lifecycle.ts';
import type { Logger } from '../../core/ports.ts';

/** How the gateway lists them (OpenClaw docs, gateway/clients and gateway/protocol). */
const LISTS: Readonly<
  Record<InboxItemType, { readonly method: string; readonly scope: string; readonly events: string }>
> = {
  'exec-approval': { method: 'exec.approval.list', scope: 'operator.approvals', events: 'exec.approval.' },
  'plugin-approval': {
    method: 'plugin.approval.list',
    scope: 'operator.approvals',
    events: 'plugin.approval.',
  },
  question: { method: 'question.list', scope: 'operator.questions', events: 'question.' },
};
const KINDS = Object.keys(LISTS) as readonly InboxItemType[];
const CHANGES = ['requested', 'resolved'];
/** Of each kind; a gateway that has more waiting has other problems. */
const MAX_LISTED = 200;
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
  readonly #lists = new Map<InboxItemType, readonly InboxItem[]>();
  /** Kinds that this connection has told of. */
  readonly #told = new Set<InboxItemType>();
  #missingScopes: readonly string[] = [];
  /** Lists that are being read, and whether to read them once more. */
  readonly #reading = new Map<InboxItemType, { again: boolean; done: Promise<void> }>();

  constructor(options: PendingRequestsOptions) {
    this.#options = options;
    const { rpc } = options;
    this.#store.add(
      rpc.onHello(({ missingScopes }) => {
        // What was told before stays until the new connection tells anew: it most likely still waits.
        for (const kind of KINDS) if (missingScopes.includes(LISTS[kind].scope)) this.#lists.delete(kind);
        this.#told.clear();
        this.#missingScopes = missingScopes;
        this.#changes.emit(null);
        this.refresh();
      }),
    );
    this.#store.add(rpc.onGap(() => this.refresh()));
    this.#store.add(rpc.onGatewayEvent((event) => this.#event(event)));
  }

  /** All that wait, oldest first; a kind that the gateway has not told of, or must not, is missing. */
  list(): readonly InboxItem[] {
    return [...this.#lists.values()].flat().sort((a, b) => (a.createdAtMs ?? 0) - (b.createdAtMs ?? 0));
  }

  facts(): InboxFacts {
    const missingScopes = [...new Set(KINDS.map((kind) => LISTS[kind].scope))].filter((scope) =>
      this.#missingScopes.includes(scope),
    );
    const expected = KINDS.filter((kind) => !missingScopes.includes(LISTS[kind].scope));
    return {
      total: this.list().length,
      isKnown: expected.every((kind) => this.#told.has(kind)),
      missingScopes,
    };
  }

  /** What is known came from another gateway. */
  forget(): void {
    this.#lists.clear();
    this.#told.clear();
    this.#changes.emit(null);
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

  /** Reads the list of a kind anew; resolves once it is known, or cannot be. */
  async reread(kind: InboxItemType): Promise<void> {
    this.#refresh(kind);
    await this.#reading.get(kind)?.done;
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

  #refresh(kind: InboxItemType): void {
    const reading = this.#reading.get(kind);
    if (reading) {
      reading.again = true;
      return;
    }
    const started = { again: true, done: Promise.resolve() };
    this.#reading.set(kind, started);
    started.done = this.#read(kind, started);
  }

  async #read(kind: InboxItemType, reading: { again: boolean }): Promise<void> {
    const { rpc, logger } = this.#options;
    const { method, scope } = LISTS[kind];
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

  #take(kind: InboxItemType, value: unknown): void {
    const rows = Array.isArray(value) ? value : fieldsOf(value)?.['questions'];
    if (!Array.isArray(rows)) return;
    const list = rows
      .slice(0, MAX_LISTED)
      .map((row) => readInboxItem(kind, row))
      .filter((item) => item !== null);
    const before = this.#told.has(kind) ? this.#lists.get(kind) : undefined;
    this.#lists.set(kind, list);
    this.#told.add(kind);
    if (JSON.stringify(list) !== JSON.stringify(before)) this.#changes.emit(null);
  }
}
