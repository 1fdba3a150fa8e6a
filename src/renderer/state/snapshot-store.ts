import type { AppSnapshot } from '../../shared/app-snapshot.ts';
import type { GangwayApi } from '../../shared/ipc-contract.ts';
import { settle } from '../settle.ts';
import { createStore, type Store } from './store.ts';

/** What a window knows of the app: nothing yet, the newest snapshot, or that main did not answer. */
export type SnapshotState =
  | { readonly type: 'loading' }
  | { readonly type: 'ready'; readonly snapshot: AppSnapshot }
  | { readonly type: 'failed' };

export interface SnapshotStore extends Store<SnapshotState> {
  /** Subscribes to pushes and pulls once; returns what undoes it. */
  readonly start: () => () => void;
}

/**
 * Holds the newest AppSnapshot. Main pushes them whole with a rising revision; one pull at the start closes the gap
 * before the first push, and a pull that comes after a newer push is ignored.
 */
export function createSnapshotStore(api: GangwayApi['app']): SnapshotStore {
  const { subscribe, getState, set } = createStore<SnapshotState>({ type: 'loading' });

  const offer = (snapshot: AppSnapshot): void => {
    const state = getState();
    if (state.type === 'ready' && snapshot.revision <= state.snapshot.revision) return;
    set({ type: 'ready', snapshot });
  };

  return {
    subscribe,
    getState,
    start() {
      let stopped = false;
      const unsubscribe = api.onSnapshot(offer);
      void settle(api.getSnapshot(null)).then((result) => {
        if (stopped) return;
        if (result.ok) offer(result.value);
        else if (getState().type === 'loading') set({ type: 'failed' });
      });
      return () => {
        stopped = true;
        unsubscribe();
      };
    },
  };
}
