import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type {
  ConnectionState,
  ConnectStage,
  PromptAnswer,
  UserPrompt,
} from '../../../shared/connection-state.ts';
import { assertNever } from '../../../shared/result.ts';
import type { ConnectionTarget } from './connection-target.ts';
import type { Work } from './work.ts';

// What the person and the program ask for.

export function connect(work: Work, attended: boolean): void {
  work.beAwake();
  const { intent, state } = work.machine;
  if (intent !== 'connected') {
    work.set({ intent: 'connected', attended, wasConnected: false, lastFailure: null });
    work.forgiveFailures();
    if (state.status === 'disconnecting') work.set({ state: { status: 'disconnecting', then: 'reconnect' } });
    else work.settle();
    return;
  }
  if (attended) work.attendAttempt();
  // Asking twice for what is under way changes nothing; waits and blocks end.
  if (state.status === 'backing-off' || state.status === 'blocked' || isUnattended(state)) {
    work.forgiveFailures();
    work.begin();
  } else if (state.status === 'paused') work.settle();
}

/** The question itself may be another one by now, or none: it is asked anew. */
export function attend(work: Work): void {
  if (isUnattended(work.machine.state)) connect(work, true);
  // The person was quicker than the attempt that is to ask.
  else if (work.machine.intent === 'connected') work.attendAttempt();
}

function isUnattended(state: ConnectionState): boolean {
  return state.status === 'waiting-for-user' && !state.attended;
}

export function stop(work: Work, intent: 'off' | 'paused'): void {
  if (work.machine.intent === intent) return;
  work.set({ intent });
  if (work.machine.state.status === 'disconnecting') {
    work.set({ state: { status: 'disconnecting', then: 'stay-off' } });
  } else work.leave('stay-off');
}

export function reconnectNow(work: Work): void {
  work.beAwake();
  if (work.machine.intent !== 'connected') work.set({ wasConnected: false, lastFailure: null });
  work.set({ intent: 'connected', attended: true });
  work.forgiveFailures();
  // Also while "offline": the person may know better than the hint.
  if (work.machine.target.configured) work.beginFresh();
}

export function answerPrompt(work: Work, answer: PromptAnswer): void {
  const { state, routeAttempt } = work.machine;
  if (state.status !== 'waiting-for-user') return;
  const { prompt } = state;
  if (answer.type === 'cancel') {
    work.beAwake();
    work.closeAll();
    work.fail(declined(prompt));
    return;
  }
  if (isUnattended(state) || !fits(prompt, answer)) return;
  work.beAwake();
  work.attendAttempt();
  work.emit({ type: 'answer-route', attempt: routeAttempt, promptId: prompt.id, answer });
  work.goOn(stageAfter(prompt));
}

function declined(prompt: UserPrompt): ConnectionFailure {
  switch (prompt.type) {
    case 'host-key':
      return failure('host-key-declined', { host: prompt.host, fingerprint: prompt.fingerprint });
    case 'passphrase':
      return failure('passphrase-declined', { path: prompt.keyPath });
    case 'password':
    case 'keyboard-interactive':
    case 'confirm':
    case 'notice':
      return failure('sign-in-declined', { host: prompt.host });
    default:
      return assertNever(prompt);
  }
}

/** False for an answer to something else: trust in another key is no trust in this one. */
function fits(prompt: UserPrompt, answer: Exclude<PromptAnswer, { type: 'cancel' }>): boolean {
  switch (answer.type) {
    case 'trust-host-key':
      return prompt.type === 'host-key' && answer.fingerprint === prompt.fingerprint;
    case 'passphrase':
    case 'password':
    case 'confirm':
      return prompt.type === answer.type;
    case 'responses':
      return prompt.type === 'keyboard-interactive' && answer.responses.length === prompt.prompts.length;
    default:
      return assertNever(answer);
  }
}

function stageAfter(prompt: UserPrompt): ConnectStage {
  if (prompt.type === 'host-key') return 'verifying-host-key';
  return prompt.type === 'passphrase' ? 'loading-keys' : 'authenticating';
}

export function changeProfile(work: Work, target: ConnectionTarget): void {
  work.cancelTimers('retry', 'attempt');
  work.closeAll();
  work.set({ target, wasConnected: false, lastFailure: null });
  work.forgiveFailures();
  work.emit({ type: 'replace-drivers' });
  if (work.machine.intent !== 'connected' && work.machine.state.status !== 'disconnecting') {
    work.settle();
    return;
  }
  // The old drivers hold the local port until they are gone.
  work.reportClosed();
  const then = work.machine.intent === 'connected' ? 'reconnect' : 'stay-off';
  work.set({ state: { status: 'disconnecting', then } });
}

export function quit(work: Work): void {
  work.cancelTimers('retry', 'attempt', 'awake-check');
  work.set({ intent: 'off', ended: true });
  work.closeAll();
  work.reportClosed();
  work.set({ state: { status: 'disconnecting', then: 'quit' } });
}
