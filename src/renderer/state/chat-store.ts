import type { ChatPatch, ChatRow, ChatSnapshot } from '../../shared/chat.ts';
import type { CommandError, ForSession, GangwayApi } from '../../shared/ipc-contract.ts';
import { settle } from '../settle.ts';
import { createStore, type Store } from './store.ts';

/** What a window knows of one conversation. While it opens anew after a gap, the older rows stay in view. */
export interface ChatState {
  readonly conversation: ChatSnapshot | null;
  readonly openError: CommandError | null;
}

export interface ChatStore extends Store<ChatState> {
  /** Opens the conversation and follows its patches; returns what closes it. */
  readonly start: () => () => void;
  /** Opens the conversation again, after an error. */
  readonly reopen: () => void;
}

/**
 * The conversation after a patch; null when the patch does not build on this revision, which means that something was
 * missed and the conversation must be opened anew. An older patch changes nothing.
 */
export function applyPatch(held: ChatSnapshot, patch: ChatPatch): ChatSnapshot | null {
  if (patch.revision <= held.revision) return held;
  if (patch.baseRevision !== held.revision) return null;
  const upserts = new Map(patch.upserts.map((row) => [row.id, row]));
  const rows = held.rows.map((row) => upserts.get(row.id) ?? row);
  const known = new Set(held.rows.map((row) => row.id));
  const all = [...rows, ...patch.upserts.filter((row) => !known.has(row.id))];
  return {
    ...held,
    revision: patch.revision,
    meta: patch.meta,
    rows: patch.order === null ? all : inOrder(all, patch.order),
  };
}

function inOrder(rows: readonly ChatRow[], order: readonly string[]): readonly ChatRow[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return order.flatMap((id) => byId.get(id) ?? []);
}

export function createChatStore(api: GangwayApi['chat'], session: ForSession): ChatStore {
  const { subscribe, getState, set } = createStore<ChatState>({ conversation: null, openError: null });
  /** Rises with every opening, so that the answer to an older one is dropped. */
  let opening = 0;
  let isOpening = false;
  let early: ChatPatch[] = [];

  const accept = (opened: ChatSnapshot): void => {
    let conversation: ChatSnapshot | null = opened;
    for (const patch of early) {
      conversation = conversation === null ? null : applyPatch(conversation, patch);
    }
    early = [];
    if (conversation === null) open();
    else set({ conversation, openError: null });
  };

  const open = (): void => {
    opening += 1;
    const mine = opening;
    isOpening = true;
    early = [];
    void settle(api.open(session)).then((result) => {
      if (mine !== opening) return;
      isOpening = false;
      if (result.ok) accept(result.value);
      else set({ ...getState(), openError: result.error });
    });
  };

  const receive = (patch: ChatPatch): void => {
    if (patch.gatewayId !== session.gatewayId || patch.sessionKey !== session.sessionKey) return;
    if (isOpening) {
      early.push(patch);
      return;
    }
    const { conversation } = getState();
    if (conversation === null) return;
    const next = applyPatch(conversation, patch);
    if (next === null) open();
    else if (next !== conversation) set({ conversation: next, openError: null });
  };

  return {
    subscribe,
    getState,
    start() {
      const unsubscribe = api.onPatch(receive);
      open();
      return () => {
        opening += 1;
        isOpening = false;
        unsubscribe();
        void settle(api.close(session));
      };
    },
    reopen: open,
  };
}
