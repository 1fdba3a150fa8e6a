import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChatModel, MAX_ROWS } from '../../../src/main/core/chat/chat-model.ts';
import { MAX_TOOL_TEXT_CHARS } from '../../../src/main/core/chat/message-content.ts';
import {
  agentEvent,
  assistantMessage,
  brief,
  commentaryMessage,
  delta,
  end,
  finalText,
  history,
  outgoing,
  stored,
  toolCallMessage,
  toolResultMessage,
  userMessage,
} from './messages.ts';

function loaded(messages: readonly unknown[] = [], more: Record<string, unknown> = {}): ChatModel {
  const model = new ChatModel();
  model.setConnected(true);
  model.loadSnapshot(history(messages, more), model.mark());
  return model;
}
const lines = (model: ChatModel): readonly string[] => model.rows().map(brief);
const FIRST = { atMs: 0, uptimeMs: 0, runId: 'run-1', bootId: 'boot-1' };

describe('history', () => {
  it('is shown in its order, with stable ids', () => {
    const messages = [userMessage(1, 'hi'), assistantMessage(2, 'hello', 'send-1'), userMessage(3, 'bye')];
    const model = loaded(messages);
    expect(lines(model)).toEqual(['user | hi', 'assistant | hello', 'user | bye']);
    const ids = model.rows().map(({ id }) => id);
    model.loadSnapshot(history(messages), model.mark());
    expect(model.rows().map(({ id }) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(3);
  });

  it('is not doubled by stored messages that are announced again', () => {
    const model = loaded([userMessage(1, 'hi'), assistantMessage(2, 'hello', 'send-1')]);
    model.applySessionMessage(stored(assistantMessage(2, 'hello', 'send-1')));
    model.applySessionMessage(stored(userMessage(1, 'hi')));
    expect(lines(model)).toEqual(['user | hi', 'assistant | hello']);
  });

  it('takes a message that was announced before an older snapshot came', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.applySessionMessage(stored(assistantMessage(2, 'hello', 'send-1')));
    model.loadSnapshot(history([userMessage(1, 'hi')]), model.mark());
    expect(lines(model)).toEqual(['user | hi', 'assistant | hello']);
  });

  it('puts messages that are announced out of order in their place', () => {
    const model = loaded([userMessage(1, 'one')]);
    model.applySessionMessage(stored(userMessage(3, 'three')));
    model.applySessionMessage(stored(assistantMessage(2, 'two', 'send-1')));
    expect(lines(model)).toEqual(['user | one', 'assistant | two', 'user | three']);
  });

  it('begins anew when the session was reset', () => {
    const model = loaded([userMessage(1, 'old')]);
    model.applySessionMessage(stored(userMessage(2, 'old too')));
    model.loadSnapshot(history([userMessage(1, 'new')], { sessionId: 'session-2' }), model.mark());
    expect(lines(model)).toEqual(['user | new']);
  });

  it('joins tool calls and their results', () => {
    const model = loaded([
      userMessage(1, 'run'),
      toolCallMessage(2, 'c1', 'send-1'),
      toolResultMessage(3, 'c1', 'hello'),
      toolCallMessage(4, 'c2', 'send-1'),
      toolResultMessage(5, 'c2', 'no', true),
      toolResultMessage(6, 'lost', 'whose?'),
    ]);
    expect(lines(model)).toEqual([
      'user | run',
      'assistant | [exec done hello]',
      'assistant | [exec failed no]',
      'assistant | [exec done whose?]',
    ]);
  });

  it('shows two rows of one record, and the same row once', () => {
    const model = loaded([
      commentaryMessage(2, 'item-1', 'Let me look.', 'send-1'),
      toolCallMessage(2, 'c1', 'send-1'),
      toolCallMessage(2, 'c1', 'send-1'),
    ]);
    expect(lines(model)).toEqual(['assistant | Let me look.', 'assistant | [exec failed ]']);
    expect(new Set(model.rows().map(({ id }) => id)).size).toBe(2);
  });

  it('shows a failed turn with its reason', () => {
    const message = {
      ...assistantMessage(2, '', 'send-1'),
      content: [],
      stopReason: 'error',
      errorMessage: 'no model',
    };
    const [row] = loaded([message]).rows();
    expect(row?.failure).toEqual({ type: 'agent', kind: 'unknown', detail: 'no model' });
  });

  it('shows markers as what they are', () => {
    const marker = {
      role: 'system',
      content: 'secret words',
      __openclaw: { id: 'm', seq: 4, kind: 'compaction' },
    };
    expect(lines(loaded([marker]))).toEqual(['system | [compaction]']);
  });

  it('knows nothing until it is loaded, and says so', () => {
    const model = new ChatModel();
    expect(model.meta()).toMatchObject({ load: 'loading', activeRun: null, hasMore: false });
    model.setLoadFailed({ type: 'gateway', code: 'X', detail: '' });
    expect(model.meta().load).toBe('failed');
  });

  it('keeps its rows in sight when a later load fails', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.setLoadFailed({ type: 'gateway', code: 'X', detail: '' });
    expect(model.meta()).toMatchObject({ load: 'cached', loadFailure: { code: 'X' } });
    expect(lines(model)).toEqual(['user | hi']);
  });
});

describe('older pages', () => {
  const message = (seq: number): Record<string, unknown> => userMessage(seq, `m${seq}`);
  const range = (from: number, to: number): readonly unknown[] =>
    Array.from({ length: to - from + 1 }, (_, index) => message(from + index));

  it('come before what is there, without doubles where they overlap', () => {
    const model = loaded(range(6, 10), { hasMore: true });
    expect(model.meta().hasMore).toBe(true);
    model.prependOlder(history(range(1, 7)));
    expect(lines(model)).toEqual(range(1, 10).map((_, index) => `user | m${index + 1}`));
    expect(model.meta().hasMore).toBe(false);
  });

  it('are not what a long conversation keeps by itself', () => {
    const model = loaded(range(1, 200));
    for (let seq = 201; seq <= 900; seq++) model.applySessionMessage(stored(message(seq)));
    expect(model.rows().length).toBeLessThanOrEqual(MAX_ROWS + 50);
    expect(model.rows().at(-1)?.parts).toEqual([{ type: 'text', text: 'm900' }]);
    expect(model.meta().hasMore).toBe(true);
  });
});

describe('running replies', () => {
  it('grow with their deltas and give way to the stored message', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.applyChatEvent({ runId: 'send-1', seq: 1, state: 'status', phase: 'starting_model' });
    expect(model.meta().activeRun).toEqual({ runId: 'send-1', phase: 'running' });
    expect(lines(model)).toEqual(['user | hi']);
    model.applyChatEvent(delta('send-1', 2, 'Hel'));
    model.applyChatEvent(delta('send-1', 3, 'Hello'));
    expect(lines(model)).toEqual(['user | hi', 'assistant | Hello | …']);
    model.applySessionMessage(stored(assistantMessage(2, 'Hello there ', 'send-1')));
    expect(lines(model)).toEqual(['user | hi', 'assistant | Hello there ']);
    // A late delta of what is stored by now.
    model.applyChatEvent(delta('send-1', 4, 'Hello there'));
    expect(lines(model)).toEqual(['user | hi', 'assistant | Hello there ']);
    model.applyChatEvent(end('send-1', 4, 'final', finalText('Hello there')));
    expect(lines(model)).toEqual(['user | hi', 'assistant | Hello there ']);
    expect(model.meta().activeRun).toBeNull();
    expect(model.hasUnstoredReply()).toBe(false);
  });

  it('follow deltas that carry no snapshot, and replacements', () => {
    const model = loaded();
    const bare = (seq: number, deltaText: string, replace = false): Record<string, unknown> => ({
      ...delta('r', seq, ''),
      deltaText,
      message: undefined,
      ...(replace ? { replace } : {}),
    });
    model.applyChatEvent(bare(1, 'Hel'));
    model.applyChatEvent(bare(2, 'lo'));
    expect(lines(model)).toEqual(['assistant | Hello | …']);
    model.applyChatEvent(bare(3, 'Bye', true));
    expect(lines(model)).toEqual(['assistant | Bye | …']);
  });

  it('ignore deltas that come again, or too late', () => {
    const model = loaded();
    model.applyChatEvent(delta('r', 5, 'long text'));
    model.applyChatEvent(delta('r', 3, 'long'));
    expect(lines(model)).toEqual(['assistant | long text | …']);
    model.applyChatEvent(end('r', 6, 'final', finalText('long text')));
    model.applyChatEvent(delta('r', 7, 'again'));
    model.applyChatEvent(end('r', 6, 'final', finalText('long text')));
    expect(lines(model)).toEqual(['assistant | long text']);
    expect(model.meta().activeRun).toBeNull();
  });

  it('show each message of a run with tools once, whether deltas carry all of it or the last one', () => {
    for (const cumulative of [false, true]) {
      const model = loaded([userMessage(1, 'run')]);
      model.applyChatEvent(delta('send-1', 2, 'First.'));
      model.applySessionMessage(stored(assistantMessage(2, 'First.', 'send-1')));
      model.applyChatEvent(delta('send-1', 3, cumulative ? 'First.\n\nSecond' : 'Second'));
      expect(lines(model).map((line) => line.replaceAll('\n', ''))).toEqual([
        'user | run',
        'assistant | First.',
        'assistant | Second | …',
      ]);
    }
  });

  it('show tools, their output and commentary as they come, and the same after a reload', () => {
    const model = loaded([userMessage(1, 'run')]);
    const item = { kind: 'preamble', itemId: 'item-1', phase: 'update', progressText: 'Let me look.' };
    model.applyAgentEvent(agentEvent('send-1', 2, 'item', item));
    expect(lines(model)).toEqual(['user | run', 'assistant | Let me look. | …']);
    const tool = { name: 'exec', toolCallId: 'c1' };
    model.applyAgentEvent(
      agentEvent('send-1', 3, 'tool', { ...tool, phase: 'start', args: { command: 'x' } }),
    );
    expect(lines(model)[1]).toBe('assistant | Let me look. + [exec running ] | …');
    model.applySessionMessage(stored(toolCallMessage(2, 'c1', 'send-1')));
    expect(lines(model)).toEqual(['user | run', 'assistant | Let me look.', 'assistant | [exec running ]']);
    const partialResult = { content: [{ type: 'text', text: 'hel' }] };
    model.applyAgentEvent(agentEvent('send-1', 4, 'tool', { ...tool, phase: 'update', partialResult }));
    expect(lines(model)[2]).toBe('assistant | [exec running hel]');
    const result = { content: [{ type: 'text', text: 'hello' }] };
    model.applyAgentEvent(
      agentEvent('send-1', 6, 'tool', { ...tool, phase: 'result', result, isError: false }),
    );
    // Replayed: older than what was heard.
    model.applyAgentEvent(agentEvent('send-1', 4, 'tool', { ...tool, phase: 'update', partialResult }));
    const before = model.rows();
    expect(before.map(brief)[2]).toBe('assistant | [exec done hello]');
    model.loadSnapshot(
      history([
        userMessage(1, 'run'),
        commentaryMessage(2, 'item-1', 'Let me look.', 'send-1'),
        toolCallMessage(2, 'c1', 'send-1'),
        toolResultMessage(3, 'c1', 'hello'),
      ]),
      model.mark(),
    );
    expect(lines(model)).toEqual(before.map(brief));
    expect(model.rows().map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  });

  it('show thinking only while they run', () => {
    const model = loaded();
    model.applyAgentEvent(agentEvent('r', 1, 'thinking', { text: 'hmm', delta: 'hmm' }));
    expect(lines(model)).toEqual(['assistant | (hmm) | …']);
    model.applyChatEvent(end('r', 2, 'final', finalText('done')));
    expect(lines(model)).toEqual(['assistant | done']);
  });

  it('are not made by heartbeats', () => {
    const model = loaded();
    model.applyAgentEvent({
      ...agentEvent('r', 1, 'tool', { phase: 'start', toolCallId: 'c', name: 'x' }),
      isHeartbeat: true,
    });
    expect(model.meta().activeRun).toBeNull();
  });

  it('that were stopped keep what they said, and say that they were stopped', () => {
    const model = loaded([userMessage(1, 'count')]);
    model.applyChatEvent(delta('send-1', 2, 'one two'));
    model.setStopping('send-1', true);
    expect(model.meta().activeRun).toEqual({ runId: 'send-1', phase: 'stopping' });
    model.applyChatEvent(end('send-1', 3, 'aborted', { stopReason: 'rpc', ...finalText('one two') }));
    expect(model.meta().activeRun).toBeNull();
    expect(lines(model)).toEqual(['user | count', 'assistant | one two | stopped']);
    const partial = {
      ...assistantMessage(2, 'one two', 'send-1'),
      openclawAbort: { aborted: true, origin: 'rpc', runId: 'send-1' },
    };
    model.applySessionMessage(stored(partial));
    expect(lines(model)).toEqual(['user | count', 'assistant | one two | stopped']);
    model.loadSnapshot(history([userMessage(1, 'count'), partial]), model.mark());
    expect(lines(model)).toEqual(['user | count', 'assistant | one two | stopped']);
  });

  it('that failed say why, in their place, until the history says it', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.applyChatEvent(end('send-1', 2, 'error', { errorKind: 'rate_limit', errorMessage: 'too many' }));
    const [, row] = model.rows();
    expect(row?.failure).toEqual({ type: 'agent', kind: 'rate_limit', detail: 'too many' });
    model.applySessionMessage(stored(userMessage(2, 'again')));
    expect(lines(model)).toEqual(['user | hi', 'assistant | !agent', 'user | again']);
    model.loadSnapshot(history([userMessage(1, 'hi'), userMessage(2, 'again')]), model.mark());
    expect(lines(model)).toEqual(['user | hi', 'assistant | !agent', 'user | again']);
    const failed = {
      ...assistantMessage(3, '', 'send-1'),
      content: [],
      stopReason: 'error',
      errorMessage: 'too many',
    };
    model.loadSnapshot(history([userMessage(1, 'hi'), failed]), model.mark());
    expect(lines(model)).toEqual(['user | hi', 'assistant | !agent']);
  });

  it('is shown once when the gateway stores it too, before or after it is heard', () => {
    const told = { ...assistantMessage(2, 'It failed.', 'send-1'), stopReason: 'error' };
    for (const storedFirst of [true, false]) {
      const model = loaded([userMessage(1, 'hi', 'send-1')]);
      if (storedFirst) model.applySessionMessage(stored(told));
      model.applyChatEvent(end('send-1', 9, 'error', { errorMessage: 'no model' }));
      if (!storedFirst) model.applySessionMessage(stored(told));
      expect(model.rows().filter(({ failure }) => failure !== null)).toHaveLength(1);
      expect(model.rows().at(-1)?.parts).toEqual([{ type: 'text', text: 'It failed.' }]);
    }
  });

  it('of commands stay although the history never has them', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.setOutgoing([outgoing('cmd', { type: 'sent', first: FIRST })]);
    model.applyChatEvent(end('cmd', 1, 'final', finalText('All is well.')));
    expect(lines(model)).toEqual(['user | hi', 'user | text of cmd', 'assistant | All is well.']);
    expect(model.hasUnstoredReply()).toBe(true);
    model.applySessionMessage(stored(userMessage(2, 'next')));
    model.loadSnapshot(history([userMessage(1, 'hi'), userMessage(2, 'next')]), model.mark());
    expect(lines(model)).toEqual([
      'user | hi',
      'user | text of cmd',
      'assistant | All is well.',
      'user | next',
    ]);
  });

  it('that were injected without a run id are not doubled by the history', () => {
    const model = loaded();
    model.applyChatEvent(end('inject', 1, 'final', finalText('A note.')));
    expect(lines(model)).toEqual(['assistant | A note.']);
    model.loadSnapshot(history([assistantMessage(1, 'A note.')]), model.mark());
    expect(lines(model)).toEqual(['assistant | A note.']);
  });
});

describe('after a reconnect', () => {
  it('the run that is under way goes on, its text taken over', () => {
    const model = loaded([userMessage(1, 'count')]);
    model.applyChatEvent(delta('send-1', 2, 'one'));
    model.setConnected(false);
    expect(lines(model)).toEqual(['user | count', 'assistant | one']);
    expect(model.meta()).toMatchObject({ activeRun: null, load: 'cached' });
    model.setConnected(true);
    const inFlightRun = { runId: 'send-1', text: 'one two three', startedAt: 77 };
    model.loadSnapshot(
      history([userMessage(1, 'count')], {
        inFlightRun,
        sessionInfo: { hasActiveRun: true, activeRunIds: ['send-1'] },
      }),
      model.mark(),
    );
    expect(lines(model)).toEqual(['user | count', 'assistant | one two three | …']);
    model.applyChatEvent(delta('send-1', 9, 'one two three four'));
    expect(lines(model)[1]).toBe('assistant | one two three four | …');
  });

  it('a run that began meanwhile is adopted, also without text and with its tools', () => {
    const events = [
      agentEvent('other', 1, 'tool', { phase: 'start', toolCallId: 'c', name: 'exec', args: {} }),
    ];
    const model = loaded([userMessage(1, 'x')], { inFlightRun: { runId: 'other', text: '', events } });
    expect(model.meta().activeRun).toEqual({ runId: 'other', phase: 'running' });
    expect(lines(model)).toEqual(['user | x', 'assistant | [exec running ] | …']);
  });

  it('a run that ended meanwhile is shown once, from the history', () => {
    const model = loaded([userMessage(1, 'count')]);
    model.applyChatEvent(delta('send-1', 2, 'one'));
    model.setConnected(false);
    model.setConnected(true);
    model.loadSnapshot(
      history([userMessage(1, 'count'), assistantMessage(2, 'one two', 'send-1')]),
      model.mark(),
    );
    expect(lines(model)).toEqual(['user | count', 'assistant | one two']);
    expect(model.meta().activeRun).toBeNull();
  });

  it('a run that died with its gateway is over, and what it said stays', () => {
    const model = loaded([userMessage(1, 'count')]);
    model.applyChatEvent(delta('send-1', 2, 'one'));
    model.setConnected(false);
    model.setConnected(true);
    model.loadSnapshot(history([userMessage(1, 'count')]), model.mark());
    expect(lines(model)).toEqual(['user | count', 'assistant | one']);
    expect(model.meta().activeRun).toBeNull();
  });

  it('a run that began after the history was asked for is not ended by it', () => {
    const model = loaded([userMessage(1, 'hi')]);
    const mark = model.mark();
    model.applyChatEvent(delta('late', 1, 'I am here'));
    model.loadSnapshot(history([userMessage(1, 'hi')]), mark);
    expect(model.meta().activeRun).toEqual({ runId: 'late', phase: 'running' });
  });

  it('a run whose end was heard before an older history came is over, also where nothing of it is left to show', () => {
    const model = loaded([userMessage(1, 'hi')]);
    const mark = model.mark();
    model.applyChatEvent(delta('send-1', 1, 'hello'));
    model.applyChatEvent(end('send-1', 2, 'final', finalText('hello')));
    const inFlightRun = { runId: 'send-1', text: 'hel' };
    const older = history([userMessage(1, 'hi'), assistantMessage(2, 'hello', 'send-1')], { inFlightRun });
    model.loadSnapshot(older, mark);
    expect(model.meta().activeRun).toBeNull();
    expect(lines(model)).toEqual(['user | hi', 'assistant | hello']);
  });

  it('what comes of a run after its end begins it no second time', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.applyChatEvent(delta('send-1', 1, 'hello'));
    model.applyChatEvent(end('send-1', 2, 'final', finalText('hello')));
    model.loadSnapshot(history([userMessage(1, 'hi'), assistantMessage(2, 'hello', 'send-1')]), model.mark());
    model.applyAgentEvent(agentEvent('send-1', 9, 'tool', { phase: 'start', toolCallId: 'c', name: 'exec' }));
    model.applyChatEvent(delta('send-1', 9, 'hello'));
    expect(model.meta().activeRun).toBeNull();
    expect(lines(model)).toEqual(['user | hi', 'assistant | hello']);
  });

  it('does not fall behind deltas that overtook the history', () => {
    const model = loaded();
    const mark = model.mark();
    model.applyChatEvent(delta('r', 5, 'one two three'));
    model.loadSnapshot(history([], { inFlightRun: { runId: 'r', text: 'one two' } }), mark);
    expect(lines(model)).toEqual(['assistant | one two three | …']);
  });
});

describe('our messages', () => {
  it('stand at the end while they are on their way, and before their reply', () => {
    const model = loaded([userMessage(1, 'hi')]);
    model.setOutgoing([outgoing('m1', { type: 'sent', first: FIRST }), outgoing('m2')]);
    expect(lines(model)).toEqual(['user | hi', 'user | text of m1 | sent', 'user | text of m2 | queued']);
    expect(model.meta().activeRun).toEqual({ runId: 'm1', phase: 'running' });
    model.applyChatEvent(delta('m1', 1, 'Yes'));
    expect(lines(model)).toEqual([
      'user | hi',
      'user | text of m1 | running',
      'assistant | Yes | …',
      'user | text of m2 | queued',
    ]);
  });

  it('become the stored row under the same id', () => {
    const model = loaded([]);
    model.setOutgoing([outgoing('m1', { type: 'sent', first: FIRST })]);
    const [before] = model.rows();
    model.applySessionMessage(stored(userMessage(1, 'text of m1', 'm1')));
    const rows = model.rows();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ id: before?.id, delivery: null });
    expect(model.storedSendIds()).toContain('m1');
  });

  it.each([
    [{ type: 'in-doubt', first: FIRST, insisted: false }, 'sending'],
    [{ type: 'unconfirmed', failure: { type: 'gateway', code: 'UNCONFIRMED', detail: '' } }, 'unconfirmed'],
    [{ type: 'failed', failure: { type: 'gateway', code: 'NO', detail: '' } }, 'failed'],
  ] as const)('in state %j are shown as %s', (state, delivery) => {
    const model = loaded([]);
    model.setOutgoing([outgoing('m1', state)]);
    expect(model.rows()[0]?.delivery).toBe(delivery);
  });
});

describe('hostile input', () => {
  it('is bounded', () => {
    const huge = 'x'.repeat(5 * 1024 * 1024);
    const model = loaded([
      assistantMessage(1, huge),
      toolCallMessage(2, 'c', 'r'),
      toolResultMessage(3, 'c', huge),
    ]);
    const [text, tool] = model.rows();
    expect(JSON.stringify(text).length).toBeLessThan(2.1 * 1024 * 1024);
    expect(JSON.stringify(tool).length).toBeLessThan(MAX_TOOL_TEXT_CHARS * 1.1);
  });

  it('never throws, whatever events and histories look like', () => {
    const anything = fc.anything({ maxDepth: 4, withNullPrototype: true });
    const key = fc.constantFrom(
      'runId',
      'seq',
      'state',
      'message',
      'role',
      'content',
      'type',
      'text',
      'id',
      '__openclaw',
      'messages',
      'inFlightRun',
      'sessionInfo',
      'activeRunIds',
      'stream',
      'data',
      'phase',
      'toolCallId',
      '__proto__',
    );
    const value = fc.oneof(
      anything,
      fc.constantFrom(
        'delta',
        'final',
        'error',
        'aborted',
        'user',
        'assistant',
        'toolResult',
        'tool',
        'r1',
        1,
        -1,
      ),
    );
    const fields = fc.dictionary(
      key,
      fc.oneof(value, fc.dictionary(key, value), fc.array(fc.dictionary(key, value))),
    );
    const step = fc.tuple(fc.constantFrom('history', 'older', 'stored', 'chat', 'agent'), fields);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const model = new ChatModel();
        model.setConnected(true);
        for (const [kind, payload] of steps) {
          if (kind === 'history') model.loadSnapshot(payload, model.mark());
          else if (kind === 'older') model.prependOlder(payload);
          else if (kind === 'stored') model.applySessionMessage(payload);
          else if (kind === 'chat') model.applyChatEvent(payload);
          else model.applyAgentEvent(payload);
          const rows = model.rows();
          expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
          expect(() => structuredClone(rows)).not.toThrow();
        }
      }),
      { numRuns: 150 },
    );
  });

  it('a flood of deltas costs little', () => {
    const model = loaded([userMessage(1, 'x')]);
    const startedMs = performance.now();
    for (let seq = 1; seq <= 20_000; seq++) model.applyChatEvent(delta('r', seq, `text ${seq}`));
    expect(model.rows()).toHaveLength(2);
    expect(performance.now() - startedMs).toBeLessThan(2000);
  });
});
