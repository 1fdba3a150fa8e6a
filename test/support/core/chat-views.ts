import type { ChatPatch, ChatRow, ChatSnapshot } from '../../../src/shared/chat.ts';
import { waitFor } from '../lab/wait.ts';

/** What a window would show: snapshots with the patches applied, by session key. */
export class ChatViews {
  readonly patches: ChatPatch[] = [];
  readonly #views = new Map<string, ChatSnapshot>();

  start(snapshot: ChatSnapshot): void {
    this.#views.set(snapshot.sessionKey, snapshot);
  }

  /** As a window does: a patch on another revision is a bug, since nothing is lost in one process. */
  apply(patch: ChatPatch): void {
    this.patches.push(patch);
    const view = this.#views.get(patch.sessionKey);
    if (!view) return;
    if (view.revision !== patch.baseRevision) throw new Error('A patch on another revision');
    const rows = new Map(view.rows.map((row) => [row.id, row]));
    for (const row of patch.upserts) rows.set(row.id, row);
    const order = patch.order ?? view.rows.map((row) => row.id);
    this.#views.set(patch.sessionKey, {
      ...view,
      revision: patch.revision,
      meta: patch.meta,
      rows: order.map((id) => {
        const row = rows.get(id);
        if (!row) throw new Error('A patch names a row that nobody sent');
        return row;
      }),
    });
  }

  view(sessionKey: string): ChatSnapshot {
    const view = this.#views.get(sessionKey);
    if (!view) throw new Error(`${sessionKey} is not shown`);
    return view;
  }

  texts(sessionKey: string): readonly string[] {
    return this.view(sessionKey).rows.map((row) => `${row.role}: ${textOf(row)}`);
  }

  async until(
    sessionKey: string,
    what: string,
    holds: (view: ChatSnapshot) => boolean,
    timeoutMs = 40_000,
  ): Promise<ChatSnapshot> {
    await waitFor(() => holds(this.view(sessionKey)), {
      what,
      timeoutMs,
      detail: () => this.texts(sessionKey).join('\n') + JSON.stringify(this.view(sessionKey).meta),
    });
    return this.view(sessionKey);
  }

  /** Idle, and the last row is a finished reply. */
  async untilAnswered(sessionKey: string, rows: number, timeoutMs = 60_000): Promise<ChatSnapshot> {
    return await this.until(
      sessionKey,
      `${rows} rows, the last an answer`,
      (view) =>
        view.rows.length >= rows &&
        view.meta.activeRun === null &&
        view.rows.at(-1)?.role === 'assistant' &&
        view.rows.at(-1)?.streaming === false,
      timeoutMs,
    );
  }
}

export function textOf(row: ChatRow): string {
  return row.parts.map((part) => (part.type === 'text' ? part.text : `[${part.type}]`)).join('');
}
