import { expect, test } from 'vitest';
import { createSnapshotStore } from '../../../src/renderer/state/snapshot-store.ts';
import { err, ok } from '../../../src/shared/result.ts';
import { aSnapshot, createFakeGangway } from './fake-gangway.ts';

test('pulls the snapshot once at the start', async () => {
  const fake = createFakeGangway(aSnapshot({ revision: 7 }));
  const store = createSnapshotStore(fake.api.app);
  expect(store.getState()).toEqual({ type: 'loading' });
  store.start();
  await Promise.resolve();
  await expect.poll(() => store.getState()).toMatchObject({ type: 'ready', snapshot: { revision: 7 } });
  expect(fake.callsOf('app.getSnapshot')).toHaveLength(1);
});

test('ignores a snapshot of a lower or the same revision, also when the pull answers late', async () => {
  const fake = createFakeGangway(aSnapshot());
  let answerPull: (() => void) | undefined;
  fake.answer(
    'app.getSnapshot',
    () => new Promise((done) => (answerPull = () => done(ok(aSnapshot({ revision: 3 }))))),
  );
  const store = createSnapshotStore(fake.api.app);
  const seen: number[] = [];
  store.subscribe(() => {
    const state = store.getState();
    if (state.type === 'ready') seen.push(state.snapshot.revision);
  });
  store.start();
  await expect.poll(() => answerPull).toBeDefined();
  fake.push('app.snapshot', aSnapshot({ revision: 5 }));
  fake.push('app.snapshot', aSnapshot({ revision: 4 }));
  fake.push('app.snapshot', aSnapshot({ revision: 5 }));
  answerPull?.();
  await new Promise(setImmediate);
  fake.push('app.snapshot', aSnapshot({ revision: 6 }));
  expect(seen).toEqual([5, 6]);
});

test('says that main did not answer, and recovers with the first push', async () => {
  const fake = createFakeGangway(aSnapshot());
  fake.answer('app.getSnapshot', () => err({ type: 'bug', detail: 'x' }));
  const store = createSnapshotStore(fake.api.app);
  store.start();
  await expect.poll(() => store.getState().type).toBe('failed');
  fake.push('app.snapshot', aSnapshot({ revision: 1 }));
  expect(store.getState().type).toBe('ready');
});

test('stops listening when the window goes', () => {
  const fake = createFakeGangway(aSnapshot());
  const stop = createSnapshotStore(fake.api.app).start();
  expect(fake.listenerCount('app.snapshot')).toBe(1);
  stop();
  expect(fake.listenerCount('app.snapshot')).toBe(0);
});
