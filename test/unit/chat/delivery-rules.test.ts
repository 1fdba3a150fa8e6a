import { describe, expect, it } from 'vitest';
import {
  afterReconcile,
  afterSendError,
  type Finding,
  nextStep,
  RESEND_LIMIT_MS,
} from '../../../src/main/core/chat/delivery-rules.ts';
import type { RpcError } from '../../../src/main/core/chat/gateway-rpc.ts';
import type { OutgoingState } from '../../../src/main/core/chat/outgoing-messages.ts';
import { outgoing } from './messages.ts';

const FIRST = { atMs: 1000, bootId: 'boot-1' };
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
  it.each<[OutgoingState['type'], string]>([
    ['queued', 'send first'],
    ['sending', 'wait'],
    ['in-doubt', 'reconcile'],
    ['sent', 'send second'],
    ['settled', 'send second'],
    ['failed', 'send second'],
    ['unconfirmed', 'wait'],
  ])('behind a message that is %s: %s', (state, expected) => {
    const step = nextStep([outgoing('first', STATES[state]), outgoing('second')]);
    expect(step.type === 'send' ? `send ${step.message.messageId}` : step.type).toBe(expected);
  });

  it('is nothing where nothing waits', () => {
    expect(nextStep([])).toEqual({ type: 'wait' });
  });
});

describe('a send that was not acknowledged', () => {
  const EARLIER = { atMs: 5, bootId: 'boot-0' };
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
    ['refused for good', refused(false), 'failed', 'failed'],
  ])('%s', (_name, error, atFirst, atSecond) => {
    expect(afterSendError(error, FIRST, null).state.type).toBe(atFirst);
    expect(afterSendError(error, FIRST, EARLIER).state.type).toBe(atSecond);
  });

  it('keeps its first send for the age that counts', () => {
    const { state } = afterSendError({ type: 'not-connected' }, FIRST, EARLIER);
    expect(state).toMatchObject({ first: EARLIER });
  });

  it('waits as long as the gateway says', () => {
    expect(afterSendError(refused(true), FIRST, null).retryAfterMs).toBe(700);
  });
});

describe('what the history decides', () => {
  const soon = { atMs: FIRST.atMs + RESEND_LIMIT_MS - 1, bootId: 'boot-1' };
  const late = { atMs: FIRST.atMs + RESEND_LIMIT_MS, bootId: 'boot-1' };
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
