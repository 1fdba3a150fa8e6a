import type { CommandError, ForSession, GangwayApi } from '../../shared/ipc-contract.ts';
import { settle } from '../settle.ts';
import { createStore, type Store } from '../state/store.ts';

/** At the latest this long after a change main has it; also while somebody types without a pause. */
const WRITE_AFTER_MS = 300;

export interface DraftState {
  /** What is in the box. */
  readonly text: string;
  /** Why the last message was not accepted; its text is in the box again. */
  readonly refusal: CommandError | null;
}

/**
 * What is being written in one session. Main keeps it (`chat.writeDraft`), so that it survives the window, its crash and
 * the app's; here is only what is newer than that.
 */
export interface Draft extends Store<DraftState> {
  /** Reads what main kept and writes what changes; returns what ends it, with everything written. */
  readonly start: () => () => void;
  readonly write: (text: string) => void;
  /** Hands what is in the box to main as a message, and empties the box. Until main accepts, the text stays the draft. */
  readonly send: () => void;
  readonly dismissRefusal: () => void;
  /** Writes at once what is not written yet. */
  readonly flush: () => void;
}

export function createDraft(api: GangwayApi['chat'], session: ForSession): Draft {
  const { subscribe, getState, set } = createStore<DraftState>({ text: '', refusal: null });
  /** Handed to main and not answered yet, oldest first. */
  const underWay = new Map<string, string>();
  let isAsked = false;
  let isLoaded = false;
  let isChanged = false;
  let timer: ReturnType<typeof setTimeout> | null = null;

  /** Everything that would be lost with this page. */
  const unkept = (): string => joined([...underWay.values(), getState().text]);

  const flush = (): void => {
    // Before the answer it is not known what would be overwritten.
    if (!isLoaded || !isChanged) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    isChanged = false;
    // Where the disk does not take it, main says so by its notice.
    void settle(api.writeDraft({ ...session, text: unkept() }));
  };
  const changed = (): void => {
    isChanged = true;
    timer ??= setTimeout(() => {
      timer = null;
      flush();
    }, WRITE_AFTER_MS);
  };

  const load = async (): Promise<void> => {
    if (isAsked) return;
    isAsked = true;
    const kept = await settle(api.readDraft(session));
    isLoaded = true;
    if (kept.ok && kept.value.text !== '') {
      // What was typed meanwhile comes after what was there.
      set({ ...getState(), text: joined([kept.value.text, getState().text]) });
    }
    if (isChanged && timer === null) flush();
  };

  return {
    subscribe,
    getState,
    flush,
    write(text) {
      set({ ...getState(), text });
      changed();
    },
    dismissRefusal: () => set({ ...getState(), refusal: null }),
    send() {
      const { text } = getState();
      const messageId = crypto.randomUUID();
      flush();
      underWay.set(messageId, text);
      set({ text: '', refusal: null });
      void settle(api.send({ ...session, messageId, text })).then((result) => {
        underWay.delete(messageId);
        // Not accepted: what was typed comes back, before whatever was typed meanwhile.
        if (!result.ok) set({ text: joined([text, getState().text]), refusal: result.error });
        isChanged = true;
        flush();
      });
    },
    start() {
      void load();
      // Closing, reloading and hiding a page come without another chance to write.
      window.addEventListener('pagehide', flush);
      document.addEventListener('visibilitychange', flush);
      return () => {
        window.removeEventListener('pagehide', flush);
        document.removeEventListener('visibilitychange', flush);
        flush();
      };
    },
  };
}

function joined(texts: readonly string[]): string {
  return texts.filter((text) => text !== '').join('\n');
}
