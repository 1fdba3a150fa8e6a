import { failureKind, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { ConnectStage, ConnectionState, UserPrompt } from '../../../shared/connection-state.ts';
import { assertNever } from '../../../shared/result.ts';
import type { RouteEvent, SessionEvent } from './ports.ts';
import { ROUTE_GUARD_MS, SIGN_IN_GUARD_MS, type Work } from './work.ts';

// What the route and the session report. Events of older attempts never get here.

export function routeEvent(work: Work, event: RouteEvent): void {
  const { route, state } = work.machine;
  switch (event.type) {
    case 'route-stage':
      if (route === 'opening' && state.status === 'connecting') {
        showStage(work, state.stage, event.stage, event.limitMs);
      }
      return;
    case 'route-needs-user':
      if (route === 'opening') askUser(work, event.prompt);
      return;
    case 'route-question-over':
      if (state.status !== 'waiting-for-user' || state.prompt.id !== event.promptId) return;
      work.goOn('authenticating');
      return;
    case 'route-up':
      if (route !== 'opening') return;
      work.set({ route: 'up', endpoint: event.endpoint });
      work.openSession(event.attempt);
      return;
    case 'route-down':
      work.countOnce();
      work.closeAll();
      if (isTrying(work)) work.fail(event.failure);
      else if (state.status === 'waiting-for-user') questionLost(work, state, event.failure);
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

function showStage(work: Work, from: ConnectStage, to: ConnectStage, limitMs: number | null): void {
  if (isSigningIn(to)) work.startTimer('attempt', SIGN_IN_GUARD_MS);
  else if (limitMs !== null) work.startTimer('attempt', limitMs + ROUTE_GUARD_MS);
  else if (isSigningIn(from)) work.startTimer('attempt', ROUTE_GUARD_MS);
  work.showStage(to);
}

/** One stage as far as its limit goes: sshd does not wait longer because the agent does. */
function isSigningIn(stage: ConnectStage): boolean {
  return stage === 'authenticating' || stage === 'awaiting-agent';
}

/** Where a person is there, the attempt waits for the answer. Else it ends: no server is kept waiting for nobody. */
function askUser(work: Work, prompt: UserPrompt): void {
  const { attempt, wasConnected, attended } = work.machine;
  work.cancelTimers('attempt');
  const state = {
    status: 'waiting-for-user',
    attempt,
    prompt,
    reconnecting: wasConnected,
    attended,
  } as const;
  if (attended) work.set({ state });
  else work.putAside(state);
}

/** The server did not wait for the answer (LoginGraceTime of sshd_config). Asking again by itself could go on all night. */
function questionLost(
  work: Work,
  state: Extract<ConnectionState, { status: 'waiting-for-user' }>,
  reason: ConnectionFailure,
): void {
  if (failureKind(reason.code) === 'blocked') work.fail(reason);
  else work.putAside(state);
}

function forwardFailed(work: Work, reason: ConnectionFailure): void {
  // Another client of the local port may be refused while our session lives: the session is the better witness.
  if (work.machine.session === 'up') return;
  const { state } = work.machine;
  // Nobody has signed in yet, so it says nothing of the gateway.
  if (state.status === 'waiting-for-user') return;
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
    case 'session-down': {
      work.closeSession();
      const { retry } = work.machine;
      work.fail(event.failure);
      work.set({ retryBeforeSessionLost: retry });
      return;
    }
    case 'session-alive':
      return;
    default:
      assertNever(event);
  }
}
