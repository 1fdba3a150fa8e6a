import { describe, expect, it } from 'vitest';
import type { Effect, Machine, MachineEvent } from '../../../../src/main/core/connection/machine.ts';
import { ENDPOINT, ROUTE_FACTS } from '../../../support/fakes/fake-drivers.ts';
import { sampleFailure } from '../../../support/fakes/sample-failures.ts';
import { sampleHostKeyPrompt, sampleNoticePrompt } from '../../../support/fakes/sample-prompts.ts';
import { COMMANDS, driverEvents, Model, SYSTEM, TARGET, TIMERS } from './model.ts';

const lost = sampleFailure('link-lost');

/** One way into each status. */
const WAYS: Readonly<Record<string, (model: Model) => void>> = {
  unconfigured: (model) => model.step({ type: 'profile-changed', target: { ...TARGET, configured: false } }),
  disconnected: () => undefined,
  'paused user': (model) => model.step({ type: 'pause' }),
  'paused offline': (model) => {
    model.step({ type: 'network-changed', online: false });
    model.step({ type: 'connect', attended: true });
  },
  'paused asleep': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'suspend' });
    model.step({ type: 'closed', closeId: model.machine.closeId });
  },
  'connecting route': (model) => model.step({ type: 'connect', attended: true }),
  'connecting unattended': (model) => model.step({ type: 'connect', attended: false }),
  'connecting session': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'route-up', attempt: 1, endpoint: ENDPOINT, facts: ROUTE_FACTS });
  },
  'waiting-for-user attended': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'route-needs-user', attempt: 1, prompt: sampleHostKeyPrompt });
  },
  'waiting-for-user notice': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'route-needs-user', attempt: 1, prompt: sampleNoticePrompt });
  },
  'waiting-for-user unattended': (model) => {
    model.step({ type: 'connect', attended: false });
    model.step({ type: 'route-needs-user', attempt: 1, prompt: sampleHostKeyPrompt });
  },
  connected: (model) => {
    model.step({ type: 'connect', attended: true });
    model.goWell(false);
  },
  'backing-off': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'route-down', attempt: 1, failure: lost });
    model.step({ type: 'route-down', attempt: 2, failure: lost });
  },
  'backing-off standing': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'forward-failed', attempt: 1, failure: sampleFailure('gateway-not-listening') });
  },
  'blocked without route': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'route-down', attempt: 1, failure: sampleFailure('auth-rejected') });
  },
  'blocked with route': (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'route-up', attempt: 1, endpoint: ENDPOINT, facts: ROUTE_FACTS });
    model.step({ type: 'session-down', attempt: 1, failure: sampleFailure('token-mismatch') });
  },
  disconnecting: (model) => {
    model.step({ type: 'connect', attended: true });
    model.step({ type: 'disconnect' });
  },
};

describe('every status meets every event', () => {
  const statuses = Object.keys(WAYS);

  it.each(statuses)('%s', async (status) => {
    const events = (machine: Machine): readonly MachineEvent[] => [
      ...COMMANDS,
      ...SYSTEM,
      ...TIMERS,
      { type: 'closed', closeId: machine.closeId },
      { type: 'probed', probeId: machine.probeId, limitMs: 2_000, routeAlive: false, sessionAlive: false },
      ...driverEvents(machine.routeAttempt, lost),
      ...driverEvents(machine.routeAttempt, sampleFailure('token-mismatch')),
      ...driverEvents(machine.routeAttempt - 1, lost),
    ];
    const outcomes = enter(status).machine;
    const table = events(outcomes).map((event) => {
      const model = enter(status);
      model.nowMs += 5_000;
      const effects = model.step(event);
      return {
        event: nameOf(event, outcomes),
        to: describeState(model.machine),
        effects: effects.map(nameOfEffect),
      };
    });
    const changes = table
      .filter(({ to, effects }) => to !== describeState(outcomes) || effects.length > 0)
      .map(
        ({ event, to, effects }) => `${event} -> ${to}${effects.length > 0 ? ` [${effects.join(' ')}]` : ''}`,
      );
    await expect(`${changes.join('\n')}\n`).toMatchFileSnapshot(
      `./transition-table/${status.replaceAll(' ', '-')}.txt`,
    );
  });

  function enter(status: string): Model {
    const model = new Model(TARGET);
    WAYS[status]?.(model);
    expect(model.machine.state.status).toBe(status.split(' ')[0]);
    return model;
  }

  it('has a way into every status of the union', () => {
    expect(new Set(statuses.map((status) => status.split(' ')[0])).size).toBe(9);
  });
});

function describeState({ state }: Machine): string {
  switch (state.status) {
    case 'paused':
      return `paused:${state.reason}`;
    case 'connecting':
      return `connecting#${state.attempt}:${state.stage}`;
    case 'backing-off':
      return `backing-off:${state.lastFailure.code}`;
    case 'blocked':
      return `blocked:${state.failure.code}`;
    case 'disconnecting':
      return `disconnecting:${state.then}`;
    case 'waiting-for-user':
      return `waiting-for-user:${state.attended ? 'attended' : 'unattended'}:${state.prompt.type}`;
    case 'unconfigured':
    case 'disconnected':
    case 'connected':
      return state.status;
  }
}

function nameOf(event: MachineEvent, machine: Machine): string {
  const details: string[] = [];
  if ('attempt' in event && event.attempt !== machine.routeAttempt) details.push('late');
  if ('failure' in event) details.push(event.failure.code);
  if ('slept' in event) details.push(event.slept ? 'slept' : 'set');
  if ('online' in event) details.push(event.online ? 'online' : 'offline');
  if (event.type === 'connect') details.push(event.attended ? 'attended' : 'unattended');
  if ('limitMs' in event && event.type === 'route-stage') details.push(event.stage);
  if ('answer' in event) details.push(event.promptId, event.answer.type);
  if ('prompt' in event) details.push(event.prompt.type);
  if ('target' in event)
    details.push(event.target.mode, event.target.configured ? event.target.host : 'unconfigured');
  return details.length > 0 ? `${event.type}(${details.join(', ')})` : event.type;
}

function nameOfEffect(effect: Effect): string {
  switch (effect.type) {
    case 'open-route':
    case 'open-session':
    case 'answer-route':
      return `${effect.type}#${effect.attempt}`;
    case 'start-timer':
      return `${effect.name}=${effect.delayMs}`;
    case 'cancel-timer':
      return `!${effect.name}`;
    case 'close-route':
    case 'close-session':
    case 'replace-drivers':
    case 'report-closed':
    case 'probe-all':
      return effect.type;
  }
}
