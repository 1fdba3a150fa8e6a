import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConnectionTarget } from '../../../../src/main/core/connection/connection-target.ts';
import type { Machine, MachineEvent } from '../../../../src/main/core/connection/machine.ts';
import { ENDPOINT, ROUTE_FACTS, SESSION_FACTS } from '../../../support/fakes/fake-drivers.ts';
import { sampleFailure, SAMPLE_FAILURES } from '../../../support/fakes/sample-failures.ts';
import { COMMANDS, driverEvents, Model, SYSTEM, TARGET, TARGETS, TIMERS } from './model.ts';

/** An event that is chosen when its turn comes, so that it can be about the attempt that is current then, or an older one. */
type Choice = (machine: Machine) => MachineEvent;

const DRIVER_EVENT_COUNT = driverEvents(0, sampleFailure('link-lost')).length;
const failures = fc.constantFrom(...SAMPLE_FAILURES);
const choices: fc.Arbitrary<Choice> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...COMMANDS.filter(({ type }) => type !== 'quit')).map((event) => () => event),
  },
  { weight: 3, arbitrary: fc.constantFrom(...SYSTEM).map((event) => () => event) },
  { weight: 2, arbitrary: fc.constantFrom(...TIMERS).map((event) => () => event) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(0, 1)
      .map((age): Choice => (machine) => ({ type: 'closed', closeId: machine.closeId - age })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.boolean(), fc.boolean(), fc.constantFrom(0, 1))
      .map(([routeAlive, sessionAlive, age]): Choice => (machine) => ({
        type: 'probed',
        probeId: machine.probeId - age,
        limitMs: 2_000,
        routeAlive,
        sessionAlive,
      })),
  },
  {
    weight: 10,
    arbitrary: fc
      .tuple(failures, fc.nat(DRIVER_EVENT_COUNT - 1), fc.constantFrom(0, 0, 0, 0, 1))
      .map(([failure, index, age]): Choice => {
        return (machine) => {
          const isSession = driverEvents(0, failure)[index]?.type.startsWith('session') ?? false;
          const attempt = (isSession ? machine.sessionAttempt : machine.routeAttempt) - age;
          const event = driverEvents(attempt, failure)[index];
          if (!event) throw new Error('no such event');
          return event;
        };
      }),
  },
  // The good way, so that long runs do reach a connection.
  {
    weight: 6,
    arbitrary: fc.constant<Choice>((machine) =>
      machine.session === 'opening'
        ? { type: 'session-up', attempt: machine.sessionAttempt, facts: SESSION_FACTS }
        : { type: 'route-up', attempt: machine.routeAttempt, endpoint: ENDPOINT, facts: ROUTE_FACTS },
    ),
  },
);
const stories = fc.array(fc.tuple(choices, fc.nat(40_000)), { maxLength: 60, size: 'max' });
const RUNS = { numRuns: 300 };

function play(target: ConnectionTarget, story: readonly (readonly [Choice, number])[]): Model {
  const model = new Model(target);
  for (const [choice, elapsedMs] of story) {
    model.nowMs += elapsedMs;
    model.random = (elapsedMs % 100) / 100;
    model.step(choice(model.machine));
  }
  return model;
}

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
