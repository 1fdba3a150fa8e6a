import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Model, TARGET, TARGETS } from './model.ts';
import { play, stories } from './stories.ts';

const RUNS = { numRuns: 300 };

// Generous, for machines that do much else at the same time.
describe('whatever happens, in whatever order', { timeout: 120_000 }, () => {
  it('never two sessions, never a retry while blocked or paused, never a wait without an end', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TARGETS), stories, (target, story) => {
        play(target, story);
      }),
      RUNS,
    );
  });

  it('gets connected by itself once all goes well, unless it waits for the person', () => {
    fc.assert(
      fc.property(stories, (story) => {
        const model = play(TARGET, story);
        const { state, intent, target } = model.machine;
        model.goWell(false);
        const waits = state.status === 'blocked' || state.status === 'waiting-for-user';
        if (intent === 'connected' && target.configured && !waits)
          expect(model.machine.state.status).toBe('connected');
      }),
      RUNS,
    );
  });

  it('gets connected from everywhere when the person asks and all goes well', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TARGETS), stories, (target, story) => {
        const model = play(target, story);
        model.goWell(true);
        expect(model.machine.state.status).toBe('connected');
      }),
      RUNS,
    );
  });

  it('closes everything on quit and never opens anything again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TARGETS), stories, stories, (target, before, after) => {
        const model = play(target, before);
        model.step({ type: 'quit' });
        expect(model.machine.state).toEqual({ status: 'disconnecting', then: 'quit' });
        expect([model.machine.route, model.machine.session, model.machine.timers]).toEqual([
          'down',
          'down',
          [],
        ]);
        model.step({ type: 'closed', closeId: model.machine.closeId });
        for (const [choice] of after) expect(model.step(choice(model.machine))).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('reaches every status by these stories', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(stories, (story) => {
        const model = new Model(TARGET);
        for (const [choice, elapsedMs] of story) {
          model.nowMs += elapsedMs;
          model.step(choice(model.machine));
          const { state } = model.machine;
          seen.add(state.status === 'paused' ? `paused ${state.reason}` : state.status);
        }
      }),
      { numRuns: 150, seed: 7 },
    );
    expect([...seen].sort()).toEqual([
      'backing-off',
      'blocked',
      'connected',
      'connecting',
      'disconnected',
      'disconnecting',
      'paused asleep',
      'paused offline',
      'paused user',
      'unconfigured',
      'waiting-for-user',
    ]);
  });
});
