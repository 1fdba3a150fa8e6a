import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readInboxItem } from '../../../src/main/core/chat/inbox-items.ts';
import type { InboxItemType } from '../../../src/shared/inbox.ts';

const TYPES: readonly InboxItemType[] = ['exec-approval', 'plugin-approval', 'question'];

/** As the Gateway 2026.9.6 lists it. */
const EXEC = {
  id: '0f06087d',
  request: {
    command: 'rm -rf ./build',
    cwd: '/srv/app',
    nodeId: null,
    host: 'gateway',
    resolvedPath: '/usr/bin/rm',
    envKeys: ['LANG', 'LD_PRELOAD', 7],
    warningText: 'deletes',
    scope: null,
    commandAnalysis: { commandCount: 1, warningLines: ['deletes', 'recursive'] },
    allowedDecisions: ['allow-once', 'deny'],
    agentId: 'main',
    sessionKey: 'agent:main:main',
  },
  createdAtMs: 10,
  expiresAtMs: 20,
  approvalKind: 'exec',
};
const withRequest = (changes: Readonly<Record<string, unknown>>): unknown => ({
  ...EXEC,
  request: { ...EXEC.request, ...changes },
});

describe('an approval of a command', () => {
  it('says what would run, where, and what the gateway warns of', () => {
    expect(readInboxItem('exec-approval', EXEC)).toEqual({
      type: 'exec-approval',
      id: '0f06087d',
      agentId: 'main',
      sessionKey: 'agent:main:main',
      createdAtMs: 10,
      expiresAtMs: 20,
      command: 'rm -rf ./build',
      cwd: '/srv/app',
      host: 'gateway',
      nodeId: null,
      program: '/usr/bin/rm',
      environment: ['LANG', 'LD_PRELOAD'],
      warnings: ['deletes', 'recursive'],
      scope: null,
      decisions: ['allow-once', 'deny'],
    });
  });

  it.each([
    ['too long to be shown whole', 'x'.repeat(32_001)],
    ['missing', undefined],
    ['empty', ''],
  ])('can only be denied where the command is %s', (_what, command) => {
    expect(readInboxItem('exec-approval', withRequest({ command }))).toMatchObject({ decisions: ['deny'] });
  });

  it('offers what the gateway offers, and denying always', () => {
    const decisionsFor = (allowedDecisions: unknown) => {
      const item = readInboxItem('exec-approval', withRequest({ allowedDecisions }));
      return item?.type === 'exec-approval' ? item.decisions : null;
    };
    expect(decisionsFor(['deny', 'allow-always', 'allow-once'])).toEqual([
      'allow-once',
      'allow-always',
      'deny',
    ]);
    expect(decisionsFor([])).toEqual(['deny']);
    expect(decisionsFor(undefined)).toEqual(['allow-once', 'deny']);
  });
});

describe('an approval of a plugin', () => {
  it('says what it is for, with the effect that the gateway names', () => {
    const item = readInboxItem('plugin-approval', {
      id: 'plugin:1',
      request: {
        pluginId: 'mail',
        title: 'Send mail',
        description: 'To bob',
        detail: 'Dear Bob',
        severity: 'critical',
        toolName: 'send',
        scope: { kind: 'message-send', target: 'bob@example.org', recipientCount: 3, audience: 'external' },
      },
    });
    expect(item).toMatchObject({
      title: 'Send mail',
      severity: 'critical',
      scope: {
        kind: 'message-send',
        target: 'bob@example.org',
        recipientCount: 3,
        recipients: [],
        isExternal: true,
      },
      decisions: ['allow-once', 'deny'],
    });
  });

  it('counts as a warning where it does not say how grave it is', () => {
    expect(readInboxItem('plugin-approval', { id: 'p', request: {} })).toMatchObject({ severity: 'warning' });
  });
});

it.each([
  ['a kind that is not known', { kind: 'launch' }],
  ['a part that is missing', { kind: 'payment', amount: '5' }],
  ['a count that is none', { kind: 'message-send', target: 'bob', recipientCount: 'many' }],
  ['no shape at all', 'payment'],
])('an effect with %s is said to be unknown, and cannot be allowed', (_what, scope) => {
  expect(readInboxItem('exec-approval', withRequest({ scope }))).toMatchObject({
    scope: { kind: 'unknown' },
    decisions: ['deny'],
  });
});

it('a time that no clock can show is none', () => {
  expect(readInboxItem('exec-approval', { ...EXEC, expiresAtMs: 1e300 })).toMatchObject({
    expiresAtMs: null,
  });
});

describe('a question', () => {
  const read = (question: Readonly<Record<string, unknown>>) =>
    readInboxItem('question', { id: 'q', questions: [{ questionId: 'a', question: 'Which?', ...question }] });

  it('has its options, or takes what is typed', () => {
    const options = [{ label: 'Red', description: 'warm' }];
    expect(read({ options, isOther: false })).toMatchObject({
      questions: [{ options: [{ label: 'Red', description: 'warm' }], takesOther: false }],
    });
    expect(read({ options: [] })).toMatchObject({ questions: [{ takesOther: true }] });
  });

  it('is secret where the gateway says so, or keeps the answer as a secret', () => {
    expect(read({ isSecret: true })).toMatchObject({ questions: [{ isSecret: true }] });
    expect(read({ secretStore: { name: 'K', kind: 'secret' } })).toMatchObject({
      questions: [{ isSecret: true }],
    });
  });

  it('says where the gateway keeps the answer, who may be sent it, and what it replaces', () => {
    const secretStore = {
      name: 'GITHUB_TOKEN',
      kind: 'secret',
      allowedHosts: ['evil.example'],
      reason: 'to push',
    };
    expect(read({ secretStore, secretStoreExisting: { updatedAtMs: 1 } })).toMatchObject({
      questions: [{ secretStore: { ...secretStore, replaces: true } }],
    });
  });

  it.each([
    ['an id that the protocol does not allow', { questionId: '__proto__' }],
    ['an option without a label', { options: [{ label: 'Red' }, {}] }],
    ['an option that is there twice', { options: [{ label: 'Red' }, { label: 'Red' }] }],
    ['a place for the answer that cannot be shown', { secretStore: { name: 'K', allowedHosts: ['a', 7] } }],
  ])('with %s can only be declined, with all beside it', (_what, question) => {
    const questions = [
      { questionId: 'b', question: 'Fine?' },
      { questionId: 'a', question: 'Bad?', ...question },
    ];
    expect(readInboxItem('question', { id: 'q', questions })).toMatchObject({ questions: [] });
  });
});

it('takes anything without throwing, and is bounded', () => {
  fc.assert(
    fc.property(fc.constantFrom(...TYPES), fc.anything(), fc.anything(), (type, id, request) => {
      const rows = [id, request, { id, request }, { id: 'x', request, questions: request }];
      for (const row of rows) {
        const item = readInboxItem(type, row);
        if (item !== null) expect(JSON.stringify(item).length).toBeLessThan(300_000);
      }
    }),
  );
});
