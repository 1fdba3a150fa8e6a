import { failureKind, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage, UserPrompt } from '../../../shared/connection-state.ts';
import { assertNever } from '../../../shared/result.ts';
import type { RouteEvent, SessionEvent } from './ports.ts';
import { ROUTE_GUARD_MS, SIGN_IN_GUARD_MS, type Work } from './work.ts';

// What the route and the session report. Events of older attempts never get here.

export function routeEvent(work: Work, event: RouteEvent): void {
  const { route, state } = work.machine;
  switch (event.type) {
    case 'route-stage':
      if (route === 'opening' && state.status === 'connecting') showStage(work, state.stage, event.stage);
      return;
    case 'route-needs-user':
      if (route === 'opening') askUser(work, event.prompt);
      return;
    case 'route-up':
      if (route !== 'opening') return;
      work.set({ route: 'up', endpoint: event.endpoint });
      work.openSession(event.attempt);
      return;
    case 'route-down':
      work.closeAll();
      if (isTrying(work)) work.fail(event.failure);
      return;
    case 'forward-failed':
      forwardFailed(work, event.failure);
      return;
    case 'route-alive':
      return;
    default:
      assertNever(event);
  }
}

function showStage(work: Work, from: ConnectStage, to: ConnectStage): void {
  if (to === 'authenticating') work.startTimer('attempt', SIGN_IN_GUARD_MS);
  else if (from === 'authenticating') work.startTimer('attempt', ROUTE_GUARD_MS);
  work.showStage(to);
}

/** The attempt ends with its question, so that no server waits for a person (LoginGraceTime of sshd_config). */
function askUser(work: Work, prompt: UserPrompt): void {
  work.cancelTimers('attempt');
  work.closeAll();
  const { attempt, wasConnected } = work.machine;
  work.set({ state: { status: 'waiting-for-user', attempt, prompt, reconnecting: wasConnected } });
}

function forwardFailed(work: Work, reason: ConnectionFailure): void {
  // Another client of the local port may be refused while our session lives: the session is the better witness.
  if (work.machine.session === 'up') return;
  const { state } = work.machine;
  work.closeSession();
  if (failureKind(reason.code) === 'blocked') work.closeAll();
  else work.set({ route: 'standing', endpoint: null });
  // Clients of the local port that try again and again must not push the retry before them.
  const isKnown = state.status === 'backing-off' && state.lastFailure.code === reason.code;
  if (isTrying(work) && !isKnown) work.fail(reason);
}

function isTrying(work: Work): boolean {
  const { status } = work.machine.state;
  return status === 'connected' || status === 'connecting' || status === 'backing-off';
}

export function sessionEvent(work: Work, event: SessionEvent): void {
  switch (event.type) {
    case 'session-up':
      if (work.machine.session === 'opening') work.sessionUp();
      return;
    case 'session-down':
      work.closeSession();
      work.fail(event.failure);
      return;
    case 'session-alive':
      return;
    default:
      assertNever(event);
  }
}
