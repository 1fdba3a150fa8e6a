import { assertNever } from '../../../shared/result.ts';
import { answerPrompt, attend, changeProfile, connect, quit, reconnectNow, stop } from './command-events.ts';
import { routeEvent, sessionEvent } from './driver-events.ts';
import type { Machine, MachineEvent, Moment, Transition } from './machine.ts';
import { changeNetwork, probed, suspend, TIMER_OF, timerFired, wake } from './system-events.ts';
import { Work } from './work.ts';

/**
 * What a connection does next. Pure: the same machine, event and moment give the same result. The rules and their
 * reasons are in docs/connection.md.
 */
export function transition(machine: Machine, event: MachineEvent, at: Moment): Transition {
  if (isStale(machine, event)) return { machine, effects: [] };
  const work = new Work(machine, at);
  apply(work, event);
  return work.result();
}

/** True for whatever belongs to an attempt, a timer, a probe or a question that is over. */
export function isStale(machine: Machine, event: MachineEvent): boolean {
  if (machine.ended && event.type !== 'closed') return true;
  switch (event.type) {
    case 'route-stage':
    case 'route-needs-user':
    case 'route-question-over':
    case 'route-up':
    case 'route-down':
    case 'forward-failed':
    case 'route-alive':
      return event.attempt !== machine.routeAttempt || machine.route === 'down';
    case 'session-up':
    case 'session-down':
    case 'session-alive':
      return event.attempt !== machine.sessionAttempt || machine.session === 'down';
    case 'retry-due':
    case 'attempt-timeout':
    case 'awake-check':
      return !machine.timers.includes(TIMER_OF[event.type]);
    case 'probed':
      return !machine.probing || event.probeId !== machine.probeId;
    case 'closed':
      return machine.state.status !== 'disconnecting' || event.closeId !== machine.closeId;
    case 'answer-prompt':
      return machine.state.status !== 'waiting-for-user' || machine.state.prompt.id !== event.promptId;
    case 'connect':
    case 'attend':
    case 'disconnect':
    case 'pause':
    case 'resume':
    case 'reconnect-now':
    case 'profile-changed':
    case 'quit':
    case 'network-changed':
    case 'suspend':
    case 'resume-from-sleep':
    case 'clock-jumped':
      return false;
    default:
      return assertNever(event);
  }
}

function apply(work: Work, event: MachineEvent): void {
  switch (event.type) {
    case 'connect':
      connect(work, event.attended);
      return;
    case 'resume':
      if (work.machine.intent === 'paused') connect(work, true);
      return;
    case 'attend':
      attend(work);
      return;
    case 'disconnect':
      stop(work, 'off');
      return;
    case 'pause':
      stop(work, 'paused');
      return;
    case 'reconnect-now':
      reconnectNow(work);
      return;
    case 'answer-prompt':
      answerPrompt(work, event.answer);
      return;
    case 'profile-changed':
      changeProfile(work, event.target);
      return;
    case 'quit':
      quit(work);
      return;
    case 'network-changed':
      changeNetwork(work, event.online);
      return;
    case 'suspend':
      suspend(work);
      return;
    case 'resume-from-sleep':
      wake(work);
      return;
    case 'clock-jumped':
      if (event.slept) wake(work);
      else work.probe();
      return;
    case 'retry-due':
    case 'attempt-timeout':
    case 'awake-check':
      timerFired(work, event);
      return;
    case 'probed':
      probed(work, event);
      return;
    case 'closed':
      work.settle();
      return;
    case 'route-stage':
    case 'route-needs-user':
    case 'route-question-over':
    case 'route-up':
    case 'route-down':
    case 'forward-failed':
    case 'route-alive':
      routeEvent(work, event);
      return;
    case 'session-up':
    case 'session-down':
    case 'session-alive':
      sessionEvent(work, event);
      return;
    default:
      assertNever(event);
  }
}
