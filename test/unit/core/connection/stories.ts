import fc from 'fast-check';
import type { ConnectionTarget } from '../../../../src/main/core/connection/connection-target.ts';
import type { Machine, MachineEvent } from '../../../../src/main/core/connection/machine.ts';
import { transition } from '../../../../src/main/core/connection/transition.ts';
import { failureKind } from '../../../../src/shared/connection-failure.ts';
import { ENDPOINT, ROUTE_FACTS, SESSION_FACTS } from '../../../support/fakes/fake-drivers.ts';
import { sampleFailure, SAMPLE_FAILURES } from '../../../support/fakes/sample-failures.ts';
import { COMMANDS, driverEvents, Model, SYSTEM, TIMERS } from './model.ts';

/** An event that is chosen when its turn comes, so that it can be about the attempt that is current then, or an older one. */
export type Choice = (machine: Machine) => MachineEvent;

const DRIVER_EVENT_COUNT = driverEvents(0, sampleFailure('link-lost')).length;
// Most failures block; half of the stories' failures do not, so that waits are met often.
const failures = fc.oneof(
  fc.constantFrom(...SAMPLE_FAILURES),
  fc.constantFrom(...SAMPLE_FAILURES.filter(({ code }) => failureKind(code) === 'transient')),
);
const choices: fc.Arbitrary<Choice> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(...COMMANDS.filter(({ type }) => type !== 'quit')).map((event) => () => event),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('connect', 'attend', 'reconnect-now', 'answer-prompt').map(
      (type): Choice =>
        (machine) =>
          byPerson(type, machine),
    ),
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
export const stories = fc.array(fc.tuple(choices, fc.nat(40_000)), {
  minLength: 10,
  maxLength: 60,
  size: 'max',
});
/** What somebody does who is in front of the screen; answers the question that is shown, or one that is over. */
function byPerson(
  type: 'connect' | 'attend' | 'reconnect-now' | 'answer-prompt',
  { state }: Machine,
): MachineEvent {
  if (type === 'connect') return { type, attended: true };
  if (type !== 'answer-prompt') return { type };
  const answers = COMMANDS.filter((event) => event.type === type && event.answer.type !== 'cancel');
  const shown = state.status === 'waiting-for-user' ? state.prompt.id : '';
  const event = answers.find((answer) => answer.type === type && answer.promptId === shown) ?? answers[0];
  if (event === undefined) throw new Error('no answer');
  return event;
}

/** Plays a story from the start, and checks every promise after each of its events. */
export function play(
  target: ConnectionTarget,
  story: readonly (readonly [Choice, number])[],
  decide = transition,
): Model {
  const model = new Model(target, decide);
  for (const [choice, elapsedMs] of story) {
    model.nowMs += elapsedMs;
    model.random = (elapsedMs % 100) / 100;
    model.step(choice(model.machine));
  }
  return model;
}
