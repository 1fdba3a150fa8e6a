import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inbox } from '../../../src/main/node/gateway/inbox.ts';
import { PendingRequests } from '../../../src/main/node/gateway/pending-requests.ts';
import { ok } from '../../../src/shared/result.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};
const APPLIED = ok({ type: 'applied' });
const over = (how: string | null) => ok({ type: 'over', how });
const REFUSED = {
  type: 'refused',
  code: 'INVALID_REQUEST',
  message: 'unknown question',
  reason: null,
  retryable: false,
  retryAfterMs: null,
} as const;

describe('deciding what waits', () => {
  let rpc: FakeRpc;
  let pending: PendingRequests;
  let inbox: Inbox;

  beforeEach(async () => {
    rpc = new FakeRpc();
    pending = new PendingRequests({ rpc, logger: new MemoryLogger() });
    inbox = new Inbox(rpc, pending);
    rpc.always('exec.approval.list', () => [
      { id: 'e1', request: { command: 'ls', allowedDecisions: ['allow-once', 'deny'] } },
    ]);
    rpc.always('plugin.approval.list', () => [{ id: 'p1', request: {} }]);
    rpc.always('question.list', () => ({
      questions: [
        {
          id: 'q1',
          questions: [
            { questionId: 'colour', question: 'Which?', options: [{ label: 'Red' }] },
            { questionId: 'key', question: 'Key?', options: [], isSecret: true },
          ],
        },
      ],
    }));
    rpc.connect();
    await settle();
  });
  afterEach(() => pending.dispose());

  it('tells the gateway the decision once, under the kind of the approval', async () => {
    rpc.always('approval.resolve', ({ decision }) => ({
      applied: true,
      approval: decision === 'deny' ? { status: 'denied' } : { status: 'allowed', decision },
    }));
    expect(await inbox.decide('exec-approval', 'e1', 'allow-once')).toEqual(APPLIED);
    expect(await inbox.decide('plugin-approval', 'p1', 'deny')).toEqual(APPLIED);
    expect(rpc.of('approval.resolve').map(({ params }) => params)).toEqual([
      { id: 'e1', kind: 'exec', decision: 'allow-once' },
      { id: 'p1', kind: 'plugin', decision: 'deny' },
    ]);
  });

  it('asks for nothing that was not offered, or is not there', async () => {
    expect(await inbox.decide('exec-approval', 'e1', 'allow-always')).toMatchObject({
      ok: false,
      error: { code: 'NOT_OFFERED' },
    });
    expect(await inbox.decide('plugin-approval', 'e1', 'deny')).toEqual(over(null));
    expect(await inbox.answer('q2', {})).toEqual(over(null));
    expect(await inbox.dismiss('q2')).toEqual(over(null));
    expect(rpc.of('approval.resolve')).toEqual([]);
    expect(rpc.of('question.resolve')).toEqual([]);
  });

  it.each(['allowed', 'denied', 'expired', 'cancelled'])('says that it was %s before', async (status) => {
    rpc.always('approval.resolve', () => ({ applied: false, approval: { status } }));
    expect(await inbox.decide('exec-approval', 'e1', 'deny')).toEqual(over(status));
  });

  it('reads the list after a decision, so that it goes at once', async () => {
    rpc.always('approval.resolve', () => {
      rpc.always('exec.approval.list', () => []);
      return { applied: true, approval: { status: 'denied' } };
    });
    await inbox.decide('exec-approval', 'e1', 'deny');
    await settle();
    expect(inbox.items.map(({ id }) => id)).toEqual(['p1', 'q1']);
  });

  it('answers only what was asked, and names what is secret of it', async () => {
    rpc.always('question.resolve', () => ({ status: 'answered' }));
    const answers = { colour: ['Red'], key: ['hunter2'], more: ['x'] };
    expect(inbox.secretsAmong('q1', answers)).toEqual(['hunter2']);
    expect(await inbox.answer('q1', answers)).toEqual(APPLIED);
    expect(rpc.of('question.resolve')[0]?.params).toEqual({
      id: 'q1',
      answers: { answers: { colour: ['Red'], key: ['hunter2'] } },
    });
    expect(await inbox.dismiss('q1')).toEqual(APPLIED);
    expect(rpc.of('question.resolve')[1]?.params).toEqual({ id: 'q1', cancel: true });
  });

  it('takes a refusal for the end of what is no longer listed, and for a failure where it still waits', async () => {
    const first = inbox.answer('q1', { colour: ['Red'] });
    await settle();
    rpc.of('question.resolve')[0]?.refuse(REFUSED);
    expect(await first).toEqual({ ok: false, error: REFUSED });
    const second = inbox.answer('q1', { colour: ['Red'] });
    await settle();
    rpc.always('question.list', () => ({ questions: [] }));
    rpc.of('question.resolve')[1]?.refuse({ ...REFUSED, reason: 'QUESTION_ALREADY_TERMINAL' });
    expect(await second).toEqual(over(null));
  });

  it('keeps what the gateway says of an answer that it took in part', async () => {
    const answering = inbox.answer('q1', { colour: ['Red'], key: ['hunter2'] });
    await settle();
    rpc.always('question.list', () => ({ questions: [] }));
    rpc.of('question.resolve')[0]?.refuse({ ...REFUSED, message: 'saved, but runtime refresh failed' });
    expect(await answering).toEqual(ok({ type: 'gone', detail: 'saved, but runtime refresh failed' }));
  });

  it('does not call its own what the gateway recorded otherwise', async () => {
    rpc.always('approval.resolve', () => ({ applied: true, approval: { status: 'denied' } }));
    expect(await inbox.decide('exec-approval', 'e1', 'allow-once')).toEqual(over('denied'));
  });

  it('tries nothing again when the connection is lost over it: the next list tells', async () => {
    const deciding = inbox.decide('exec-approval', 'e1', 'allow-once');
    await settle();
    rpc.disconnect();
    expect(await deciding).toEqual({ ok: false, error: { type: 'connection-lost', sent: true } });
    rpc.connect();
    await settle();
    expect(rpc.of('approval.resolve')).toHaveLength(1);
    expect(inbox.items.map(({ id }) => id)).toContain('e1');
  });
});
