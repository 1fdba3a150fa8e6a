import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PendingRequests } from '../../../src/main/node/gateway/pending-requests.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';

const QUESTION = {
  id: 'q1',
  sessionKey: 'agent:main:other',
  questions: [{ questionId: 'a', header: 'Colour', question: 'Which?', options: [{ label: 'Red' }] }],
};

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe('approvals and questions that wait', () => {
  let rpc: FakeRpc;
  let pending: PendingRequests;
  let changes = 0;

  beforeEach(() => {
    rpc = new FakeRpc();
    pending = new PendingRequests({ rpc, logger: new MemoryLogger() });
    changes = 0;
    pending.onChange(() => (changes += 1));
    rpc.always('exec.approval.list', () => [
      { id: 'e1', createdAtMs: 1, expiresAtMs: 2, request: { command: 'ls', sessionKey: 'agent:main:main' } },
    ]);
    rpc.always('plugin.approval.list', () => [{ id: 'p1' }]);
    rpc.always('question.list', () => ({ questions: [QUESTION] }));
  });
  afterEach(() => pending.dispose());

  it('are unknown before a connection, and read with each one', async () => {
    expect(pending.counts()).toEqual({ pendingApprovals: null, pendingQuestions: null });
    rpc.connect();
    await settle();
    expect(
      pending.list().map(({ type, id, sessionKey, expiresAtMs }) => [type, id, sessionKey, expiresAtMs]),
    ).toEqual([
      ['plugin-approval', 'p1', null, null],
      ['question', 'q1', 'agent:main:other', null],
      ['exec-approval', 'e1', 'agent:main:main', 2],
    ]);
    expect(pending.counts()).toEqual({ pendingApprovals: 2, pendingQuestions: 1 });
    rpc.disconnect();
    rpc.always('exec.approval.list', () => []);
    rpc.connect();
    await settle();
    expect(pending.counts()).toEqual({ pendingApprovals: 1, pendingQuestions: 1 });
  });

  it('are read again after lost events, and after an event only where it says that something changed', async () => {
    rpc.connect();
    await settle();
    rpc.gap();
    await settle();
    expect(rpc.of('question.list')).toHaveLength(2);
    rpc.event('question.resolved', { id: 'q1' });
    rpc.event('question.unheard-of', {});
    await settle();
    expect(rpc.of('question.list')).toHaveLength(3);
    expect(rpc.of('exec.approval.list')).toHaveLength(2);
  });

  it('cost two questions for a burst of events, the last one after it', async () => {
    rpc = new FakeRpc();
    pending.dispose();
    pending = new PendingRequests({ rpc, logger: new MemoryLogger() });
    rpc.connect();
    for (let event = 0; event < 100; event++) rpc.event('exec.approval.requested', {});
    const [first] = rpc.of('exec.approval.list');
    first?.answer([]);
    await settle();
    expect(rpc.of('exec.approval.list')).toHaveLength(2);
    rpc.of('exec.approval.list')[1]?.answer([{ id: 'late' }]);
    await settle();
    expect(pending.list().map(({ id }) => id)).toEqual(['late']);
  });

  it('are not asked for where the right to it is missing', async () => {
    rpc.connect({ missingScopes: ['operator.approvals'] });
    await settle();
    expect(rpc.of('exec.approval.list')).toHaveLength(0);
    expect(pending.counts()).toEqual({ pendingApprovals: null, pendingQuestions: 1 });
  });

  it('are bounded, and entries without an id are none', async () => {
    rpc.always('exec.approval.list', () => [
      null,
      { id: 7 },
      { id: 'x'.repeat(300) },
      ...Array.from({ length: 500 }, (_, index) => ({
        id: `e${index}`,
        request: { sessionKey: 'k'.repeat(600) },
      })),
    ]);
    rpc.always('question.list', () => 'none');
    rpc.connect();
    await settle();
    const approvals = pending.list().filter(({ type }) => type === 'exec-approval');
    expect(approvals).toHaveLength(197);
    expect(approvals.every(({ sessionKey }) => sessionKey === null)).toBe(true);
    expect(pending.counts().pendingQuestions).toBeNull();
  });

  it('are known to the one who asked for them once they were read', async () => {
    rpc.connect();
    await settle();
    rpc.always('exec.approval.list', () => []);
    await pending.reread('exec-approval');
    expect(pending.counts().pendingApprovals).toBe(1);
  });

  it('are gone where the next connection has no right to them', async () => {
    rpc.connect();
    await settle();
    const before = changes;
    rpc.connect({ missingScopes: ['operator.approvals', 'operator.questions'] });
    await settle();
    expect(pending.list()).toEqual([]);
    expect(changes).toBeGreaterThan(before);
  });

  it('stay while a new connection is asked, and are known again once it told', async () => {
    rpc.connect();
    await settle();
    expect(pending.facts()).toEqual({ total: 3, isKnown: true, missingScopes: [] });
    rpc.disconnect();
    expect(pending.list()).toHaveLength(3);
    rpc.connect({ missingScopes: ['operator.questions'] });
    expect(pending.list().map(({ id }) => id)).toEqual(['p1', 'e1']);
    expect(pending.facts()).toEqual({ total: 2, isKnown: false, missingScopes: ['operator.questions'] });
    await settle();
    expect(pending.facts().isKnown).toBe(true);
    pending.forget();
    expect(pending.facts()).toMatchObject({ total: 0, isKnown: false });
  });

  it('say nothing when nothing changed', async () => {
    rpc.connect();
    await settle();
    const before = changes;
    rpc.gap();
    await settle();
    expect(changes).toBe(before);
  });
});
