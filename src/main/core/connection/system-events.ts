import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import { assertNever } from '../../../shared/result.ts';
import type { EffectEvent, Machine, TimerEvent, TimerName } from './machine.ts';
import { AWAKE_CHECK_MS, HANDSHAKE_GUARD_MS, type Work } from './work.ts';

// What the system, the timers and the probes report.

export const TIMER_OF: { readonly [T in TimerEvent['type']]: TimerName } = {
  'retry-due': 'retry',
  'attempt-timeout': 'attempt',
  'awake-check': 'awake-check',
};

export function changeNetwork(work: Work, online: boolean): void {
  work.set({ network: online ? 'online' : 'offline' });
  const { state, power, route } = work.machine;
  if (state.status === 'connected') work.probe();
  else if (power === 'asleep' || work.machine.intent !== 'connected') return;
  else if (state.status === 'backing-off') {
    if (!work.isOffline) work.retryOnHint();
    else if (route === 'down') work.leave('stay-off');
  } else if (state.status === 'paused' && !work.isOffline) work.retryOnHint();
}

export function suspend(work: Work): void {
  work.set({ power: 'asleep', attended: false });
  work.startTimer('awake-check', AWAKE_CHECK_MS);
  const { state } = work.machine;
  // A live session is left alone: after a short sleep it is often still there. A server does not wait so long.
  if (state.status === 'waiting-for-user') work.putAside(state);
  else if (state.status === 'connecting' || state.status === 'backing-off' || isPausedOffline(work))
    work.leave('sleep');
}

function isPausedOffline(work: Work): boolean {
  const { state } = work.machine;
  return state.status === 'paused' && state.reason === 'offline';
}

export function wake(work: Work): void {
  const wasAsleep = work.machine.power === 'asleep';
  work.beAwake();
  const { state } = work.machine;
  if (state.status === 'connected') work.probe();
  else if (state.status === 'backing-off') {
    // A route that stood through a sleep is not trusted, and nothing is lost with it: there is no session on it.
    work.closeAll();
    work.retryOnHint();
  } else if (state.status === 'paused' && state.reason === 'asleep' && wasAsleep) {
    if (work.isOffline) work.settle();
    else work.retryOnHint();
  }
}

export function timerFired(work: Work, event: TimerEvent): void {
  work.forgetTimer(TIMER_OF[event.type]);
  switch (event.type) {
    case 'retry-due':
      work.begin();
      return;
    case 'attempt-timeout':
      attemptTimeout(work);
      return;
    case 'awake-check':
      wake(work);
      return;
    default:
      assertNever(event);
  }
}

function attemptTimeout(work: Work): void {
  if (work.machine.session === 'opening') {
    work.closeSession();
    work.fail(failure('gateway-silent', { limitMs: HANDSHAKE_GUARD_MS }));
    return;
  }
  const reason = routeTimeout(work.machine);
  work.closeAll();
  work.fail(reason);
}

function routeTimeout({ target, state, guardMs: limitMs }: Machine): ConnectionFailure {
  if (target.mode !== 'ssh') {
    return failure('gateway-unreachable', {
      url: target.url,
      detail: `no answer within ${limitMs / 1000} s`,
    });
  }
  const stage = state.status === 'connecting' ? state.stage : 'opening-socket';
  const { host, port, gatewayPort } = target;
  // No server was asked for anything yet: the tunnel process did not start, or hangs.
  if (stage === 'opening-listener') return failure('tunnel-process-crashed', { exitCode: null });
  if (stage === 'opening-forward') return failure('forward-timeout', { host, gatewayPort, limitMs });
  if (stage === 'opening-socket') return failure('ssh-timeout', { host, port, limitMs });
  return failure('ssh-handshake-timeout', { host, port, limitMs });
}

export function probed(work: Work, event: Extract<EffectEvent, { type: 'probed' }>): void {
  work.set({ probing: false });
  // An answer of the gateway came over the route: it proves both.
  if (event.sessionAlive) return;
  const { target } = work.machine;
  if (target.mode === 'ssh' && !event.routeAlive) {
    work.closeAll();
    work.fail(failure('link-dead', { host: target.host, silentMs: event.limitMs }), true);
    return;
  }
  work.closeSession();
  if (target.mode !== 'ssh') work.closeAll();
  work.fail(failure('gateway-silent', { limitMs: event.limitMs }), true);
}
