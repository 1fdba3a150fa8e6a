import { failure, type ConnectionFailure } from '../../../shared/connection-failure.ts';
import type { PromptAnswer, UserPrompt } from '../../../shared/connection-state.ts';
import { assertNever } from '../../../shared/result.ts';
import type { ConnectionTarget } from './connection-target.ts';
import { NO_ANSWERS, type RouteAnswers } from './ports.ts';
import type { Work } from './work.ts';

// What the person and the program ask for.

export function connect(work: Work): void {
  work.beAwake();
  const { intent, state } = work.machine;
  if (intent !== 'connected') {
    work.set({ intent: 'connected', wasConnected: false, lastFailure: null });
    work.forgiveFailures();
    if (state.status === 'disconnecting') work.set({ state: { status: 'disconnecting', then: 'reconnect' } });
    else work.settle();
    return;
  }
  // Asking twice for what is under way changes nothing; waits and blocks end.
  if (state.status === 'backing-off' || state.status === 'blocked') {
    work.forgiveFailures();
    work.begin();
  } else if (state.status === 'paused') work.settle();
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
  work.set({ intent: 'connected' });
  work.forgiveFailures();
  // Also while "offline": the person may know better than the hint.
  if (work.machine.target.configured) work.beginFresh();
}

export function answerPrompt(work: Work, answer: PromptAnswer): void {
  const { state } = work.machine;
  if (state.status !== 'waiting-for-user') return;
  work.beAwake();
  if (answer.type === 'cancel') {
    work.fail(declined(state.prompt));
    return;
  }
  const answers = answersTo(state.prompt, answer);
  if (answers) work.begin(answers);
}

function declined(prompt: UserPrompt): ConnectionFailure {
  switch (prompt.type) {
    case 'host-key':
      return failure('host-key-declined', { host: prompt.host, fingerprint: prompt.fingerprint });
    case 'passphrase':
      return failure('passphrase-declined', { path: prompt.keyPath });
    default:
      return assertNever(prompt);
  }
}

/** Null for an answer that does not fit the question: trust in another key is no trust in this one. */
function answersTo(
  prompt: UserPrompt,
  answer: Exclude<PromptAnswer, { type: 'cancel' }>,
): RouteAnswers | null {
  if (prompt.type === 'host-key' && answer.type === 'trust-host-key') {
    if (answer.fingerprint !== prompt.fingerprint) return null;
    return { ...NO_ANSWERS, trustedFingerprint: answer.fingerprint };
  }
  if (prompt.type === 'passphrase' && answer.type === 'passphrase') {
    return { ...NO_ANSWERS, passphrase: { keyPath: prompt.keyPath, passphrase: answer.passphrase } };
  }
  return null;
}

export function changeProfile(work: Work, target: ConnectionTarget): void {
  work.cancelTimers('retry', 'stable', 'attempt');
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
  work.cancelTimers('retry', 'stable', 'attempt', 'awake-check');
  work.set({ intent: 'off', ended: true });
  work.closeAll();
  work.reportClosed();
  work.set({ state: { status: 'disconnecting', then: 'quit' } });
}
