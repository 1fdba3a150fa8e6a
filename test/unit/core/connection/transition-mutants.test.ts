import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Effect, Machine, Transition } from '../../../../src/main/core/connection/machine.ts';
import { FRESH_RETRY } from '../../../../src/main/core/connection/retry-policy.ts';
import { transition } from '../../../../src/main/core/connection/transition.ts';
import { TARGETS } from './model.ts';
import { play, stories } from './stories.ts';

// The checks of the model are checked: each defect that is planted into the transition function must be found.

type Decide = typeof transition;

function withoutEffects(drop: (effect: Effect, all: readonly Effect[]) => boolean): Decide {
  return (machine, event, at) => {
    const result = transition(machine, event, at);
    return { ...result, effects: result.effects.filter((effect) => !drop(effect, result.effects)) };
  };
}

function afterwards(change: (before: Machine, result: Transition, type: string) => Transition): Decide {
  return (machine, event, at) => change(machine, transition(machine, event, at), event.type);
}

const DEFECTS: Readonly<Record<string, Decide>> = {
  'takes results of superseded attempts of the route': (machine, event, at) =>
    'attempt' in event && !event.type.startsWith('session')
      ? transition(machine, { ...event, attempt: machine.routeAttempt }, at)
      : transition(machine, event, at),
  'takes results of superseded sessions': (machine, event, at) =>
    'attempt' in event && event.type.startsWith('session')
      ? transition(machine, { ...event, attempt: machine.sessionAttempt }, at)
      : transition(machine, event, at),
  'takes the result of an older probe': (machine, event, at) =>
    transition(machine, event.type === 'probed' ? { ...event, probeId: machine.probeId } : event, at),
  'takes an older closing for the current one': (machine, event, at) =>
    transition(machine, event.type === 'closed' ? { ...event, closeId: machine.closeId } : event, at),
  'gives the answer to an older question': (machine, event, at) =>
    event.type === 'answer-prompt' && machine.state.status === 'waiting-for-user'
      ? transition(machine, { ...event, promptId: machine.state.prompt.id }, at)
      : transition(machine, event, at),
  'opens a route before the old one is closed': withoutEffects(
    ({ type }, all) => type === 'close-route' && all.some((other) => other.type === 'open-route'),
  ),
  'opens a session before the old one is closed': withoutEffects(
    ({ type }, all) => type === 'close-session' && all.some((other) => other.type === 'open-session'),
  ),
  'forgets to close the route when it stops': withoutEffects(
    ({ type }, all) => type === 'close-route' && all.some((other) => other.type === 'report-closed'),
  ),
  'forgets to close the session when it stops': withoutEffects(
    ({ type }, all) => type === 'close-session' && all.some((other) => other.type === 'report-closed'),
  ),
  'does not ask to be told that all is closed': withoutEffects(({ type }) => type === 'report-closed'),
  'retries by itself while blocked': (machine, event, at) =>
    machine.state.status === 'blocked' && event.type === 'network-changed'
      ? transition(machine, { type: 'connect', attended: false }, at)
      : transition(machine, event, at),
  'asks again by itself while a question was put aside': (machine, event, at) =>
    machine.state.status === 'waiting-for-user' && event.type === 'resume-from-sleep'
      ? transition(machine, { type: 'connect', attended: false }, at)
      : transition(machine, event, at),
  'goes on by itself while paused by the person': (machine, event, at) =>
    machine.state.status === 'paused' && machine.state.reason === 'user' && event.type === 'network-changed'
      ? transition(machine, { type: 'resume' }, at)
      : transition(machine, event, at),
  'backs off without a timer': withoutEffects(
    (effect) => effect.type === 'start-timer' && effect.name === 'retry',
  ),
  'tries without a guard': withoutEffects(
    (effect) => effect.type === 'start-timer' && effect.name === 'attempt',
  ),
  'sleeps without a check that it does': withoutEffects(
    (effect) => effect.type === 'start-timer' && effect.name === 'awake-check',
  ),
  'starts the ladder anew with every connection': afterwards((before, result, type) =>
    type === 'session-up' && result.machine !== before
      ? { ...result, machine: { ...result.machine, retry: FRESH_RETRY } }
      : result,
  ),
  'starts the ladder anew with every loss': (machine, event, at) =>
    transition(machine.session === 'up' ? { ...machine, retry: FRESH_RETRY } : machine, event, at),
  'forgets a connection that ended': afterwards((_before, result) =>
    result.machine.session === 'up'
      ? result
      : { ...result, machine: { ...result.machine, connectedSinceMs: 1 } },
  ),
  'spends attempts while offline': afterwards((before, result) =>
    before.state.status !== 'paused' && result.machine.state.status === 'paused'
      ? { ...result, machine: { ...result.machine, retry: { ...FRESH_RETRY, failures: 9 } } }
      : result,
  ),
  'tries while asleep': (machine, event, at) =>
    machine.power === 'asleep' && event.type === 'network-changed' && machine.intent === 'connected'
      ? transition(
          { ...machine, timers: [], power: 'awake', state: { status: 'paused', reason: 'offline' } },
          { type: 'network-changed', online: true },
          at,
        )
      : transition(machine, event, at),
  'ignores "Reconnect now" while it backs off': (machine, event, at) =>
    machine.state.status === 'backing-off' && event.type === 'reconnect-now'
      ? { machine, effects: [] }
      : transition(machine, event, at),
  'says connected before the gateway answered': afterwards((before, result, type) =>
    type === 'route-up' && result.machine !== before && result.machine.endpoint !== null
      ? {
          ...result,
          machine: {
            ...result.machine,
            state: { status: 'connected', generation: 1, endpoint: result.machine.endpoint, sinceAtMs: 0 },
          },
        }
      : result,
  ),
  'decides by something else than its input': (() => {
    let calls = 0;
    return (machine, event, at) => {
      calls += 1;
      return transition(machine, event, calls % 2 === 0 ? at : { ...at, monotonicMs: at.monotonicMs + 1 });
    };
  })(),
};

describe('a transition function that', { timeout: 120_000 }, () => {
  it.each(Object.keys(DEFECTS))('%s is found out', (name) => {
    const decide = DEFECTS[name];
    if (decide === undefined) throw new Error('no such defect');
    const seen = fc.check(
      fc.property(fc.constantFrom(...TARGETS), stories, (target, story) => {
        play(target, story, decide);
      }),
      { numRuns: 1_000, seed: 7, endOnFailure: true },
    );
    expect(seen.failed, `not found in ${seen.numRuns} stories`).toBe(true);
  });

  it('is the real one passes the same checks', () => {
    fc.assert(
      fc.property(fc.constantFrom(...TARGETS), stories, (target, story) => {
        play(target, story, transition);
      }),
      { numRuns: 300 },
    );
  });
});
