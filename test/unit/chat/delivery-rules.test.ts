import { describe, expect, it } from 'vitest';
import {
  afterReconcile,
  afterSendError,
  type Finding,
  isSafeToResend,
  nextStep,
  RESEND_LIMIT_MS,
} from '../../../src/main/core/chat/delivery-rules.ts';
import type { RpcError } from '../../../src/main/core/chat/gateway-rpc.ts';
import type { FirstSend, OutgoingState } from '../../../src/main/core/chat/outgoing-messages.ts';
import { outgoing } from './messages.ts';

const FIRST = { atMs: 1000, uptimeMs: 500, runId: 'run-1', bootId: 'boot-1' };
const FAILURE = { type: 'gateway', code: 'X', detail: '' } as const;
const STATES: Readonly<Record<OutgoingState['type'], OutgoingState>> = {
  queued: { type: 'queued', first: null },
  sending: { type: 'sending', first: FIRST },
  'in-doubt': { type: 'in-doubt', first: FIRST, insisted: false },
  sent: { type: 'sent', first: FIRST },
  settled: { type: 'settled' },
  failed: { type: 'failed', failure: FAILURE },
  unconfirmed: { type: 'unconfirmed', failure: FAILURE },
};

describe('what goes next', () => {
  const noRow = (): boolean => false;

  it.each<[OutgoingState['type'], string]>([
    ['queued', 'send first'],
    ['sending', 'wait'],
    ['in-doubt', 'reconcile'],
    ['sent', 'await-row'],
    ['settled', 'send second'],
    ['failed', 'send second'],
    ['unconfirmed', 'wait'],
  ])('behind a message that is %s: %s', (state, expected) => {
    const step = nextStep([outgoing('first', STATES[state]), outgoing('second')], noRow);
    expect(step.type === 'send' ? `send ${step.message.messageId}` : step.type).toBe(expected);
  });

  it('is the next once the acknowledged one before it has its row', () => {
    const list = [outgoing('first', STATES.sent), outgoing('second')];
    expect(nextStep(list, (messageId) => messageId === 'first')).toMatchObject({ type: 'send' });
  });

  it('is a /stop at once: it is about what the gateway has', () => {
    const stop = { ...outgoing('second'), text: ' /Stop\n' };
    expect(nextStep([outgoing('first', STATES.sent), stop], noRow)).toMatchObject({ type: 'send' });
    expect(nextStep([outgoing('first', STATES.unconfirmed), stop], noRow)).toEqual({ type: 'wait' });
  });

  it('is nothing where nothing waits', () => {
    expect(nextStep([], noRow)).toEqual({ type: 'wait' });
  });
});

describe('a send that was not acknowledged', () => {
  const EARLIER = { ...FIRST, uptimeMs: 5, bootId: 'boot-0' };
  const refused = (retryable: boolean): RpcError => ({
    type: 'refused',
    code: 'UNAVAILABLE',
    message: 'later',
    reason: null,
    retryable,
    retryAfterMs: retryable ? 700 : null,
  });

  it.each<[string, RpcError, OutgoingState['type'], OutgoingState['type']]>([
    ['without a connection', { type: 'not-connected' }, 'queued', 'in-doubt'],
    ['lost before it left', { type: 'connection-lost', sent: false }, 'queued', 'in-doubt'],
    ['lost after it left', { type: 'connection-lost', sent: true }, 'in-doubt', 'in-doubt'],
    ['too late before it left', { type: 'timeout', sent: false, limitMs: 1 }, 'queued', 'in-doubt'],
    ['too late after it left', { type: 'timeout', sent: true, limitMs: 1 }, 'in-doubt', 'in-doubt'],
    ['too large', { type: 'too-large', bytes: 9, maxBytes: 8 }, 'failed', 'failed'],
    ['refused for now', refused(true), 'queued', 'queued'],
    ['refused for good', refused(false), 'failed', 'unconfirmed'],
  ])('%s', (_name, error, atFirst, atSecond) => {
    expect(afterSendError(error, FIRST, null).state.type).toBe(atFirst);
    expect(afterSendError(error, FIRST, EARLIER).state.type).toBe(atSecond);
  });

  it('keeps its first send for the age that counts', () => {
    const { state } = afterSendError({ type: 'not-connected' }, FIRST, EARLIER);
    expect(state).toMatchObject({ first: EARLIER });
  });

  it.each([
    'SessionMutationAuthorizationChangedError: session changed before chat.send; retry the request',
    'Error: Session "agent:main:x" changed while starting work. Retry.',
    'Error: Session "agent:main:x" was deleted while starting work. Retry.',
    'Session "agent:main:x" is still initializing. Retry after initialization completes.',
    'GatewayDrainingError: Gateway is draining; new tasks are not accepted',
  ])('is tried again in its place where the gateway asks for it in words alone: %s', (message) => {
    const error = { ...refused(false), code: 'INVALID_REQUEST', message } as RpcError;
    expect(afterSendError(error, FIRST, null)).toEqual({
      state: { type: 'queued', first: null },
      retryAfterMs: 1000,
    });
    expect(afterSendError(error, FIRST, EARLIER).state).toEqual({ type: 'queued', first: EARLIER });
  });

  it.each([
    ['send blocked by session policy', null],
    ['Session settings changed before send. Retry.', 'session-settings-changed'],
  ])('is not tried again for a reason that stays: %s', (message, reason) => {
    const error = { ...refused(false), code: 'INVALID_REQUEST', message, reason } as RpcError;
    expect(afterSendError(error, FIRST, null).state.type).toBe('failed');
  });

  it('waits as long as the gateway says', () => {
    expect(afterSendError(refused(true), FIRST, null).retryAfterMs).toBe(700);
  });
});

describe('what the history decides', () => {
  const soon = { ...FIRST, uptimeMs: FIRST.uptimeMs + RESEND_LIMIT_MS - 1 };
  const late = { ...FIRST, uptimeMs: FIRST.uptimeMs + RESEND_LIMIT_MS };
  const restarted = { ...soon, bootId: 'boot-2' };
  const unknownBoot = { ...soon, bootId: null };
  const doubt = STATES['in-doubt'];

  it.each<[string, OutgoingState, Finding, typeof soon | typeof unknownBoot, string | null]>([
    ['in doubt, found', doubt, 'in-history', late, null],
    ['in doubt, accepted', doubt, 'accepted', restarted, 'sent'],
    ['in doubt, dropped by the gateway', doubt, 'cancelled', soon, 'failed'],
    ['in doubt, unknown, in time', doubt, 'unknown', soon, 'queued'],
    ['in doubt, unknown, too late', doubt, 'unknown', late, 'unconfirmed'],
    ['in doubt, unknown, after a restart', doubt, 'unknown', restarted, 'unconfirmed'],
    ['in doubt, unknown, by a gateway that does not say', doubt, 'unknown', unknownBoot, 'unconfirmed'],
    ['insisted on, unknown', { type: 'in-doubt', first: FIRST, insisted: true }, 'unknown', late, 'queued'],
    ['insisted on, found', { type: 'in-doubt', first: FIRST, insisted: true }, 'in-history', late, null],
    ['acknowledged, found', STATES.sent, 'in-history', soon, null],
    ['acknowledged, still waiting', STATES.sent, 'accepted', soon, 'sent'],
    ['acknowledged, unknown to the same process', STATES.sent, 'unknown', late, 'settled'],
    ['acknowledged, unknown after a restart', STATES.sent, 'unknown', restarted, 'unconfirmed'],
    ['not handed over', STATES.queued, 'unknown', soon, 'queued'],
    ['failed', STATES.failed, 'in-history', soon, 'failed'],
  ])('%s', (_name, state, finding, now, expected) => {
    expect(afterReconcile(state, finding, now)?.type ?? null).toBe(expected);
  });
});

describe('whether the gateway still knows a key', () => {
  const DAY_MS = 86_400_000;
  const HOUR_MS = 3_600_000;

  it.each<[string, Partial<FirstSend>, boolean]>([
    ['a moment later', {}, true],
    ['just in time', { uptimeMs: FIRST.uptimeMs + RESEND_LIMIT_MS - 1 }, true],
    ['just too late', { uptimeMs: FIRST.uptimeMs + RESEND_LIMIT_MS }, false],
    ['after a sleep, which the uptime counts', { uptimeMs: FIRST.uptimeMs + 8 * HOUR_MS }, false],
    ['after the wall clock went a day ahead', { atMs: FIRST.atMs + DAY_MS }, true],
    ['after the wall clock went a day back', { atMs: FIRST.atMs - DAY_MS }, true],
    ['in another process of the gateway', { bootId: 'boot-2' }, false],
    ['in a gateway that does not say', { bootId: null }, false],
    ['after a restart of the app', { runId: 'run-2' }, true],
    ['after a restart of the computer: less uptime', { runId: 'run-2', uptimeMs: 10 }, false],
    [
      'after a restart of the computer that is up as long again',
      { runId: 'run-2', atMs: FIRST.atMs + HOUR_MS },
      false,
    ],
    ['after a restart of the app with the wall clock set back', { runId: 'run-2', atMs: 0 }, false],
  ])('%s', (_name, now, expected) => {
    expect(isSafeToResend(FIRST, { ...FIRST, ...now })).toBe(expected);
  });
});
