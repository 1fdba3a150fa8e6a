import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedQuestion } from '../../../src/main/node/tunnel/bounded-question.ts';
import { OpenQuestions } from '../../../src/main/node/tunnel/open-questions.ts';
import type { TunnelReport } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import type { Question } from '../../../src/main/node/tunnel/tunnel-session.ts';

type Interactive = Extract<Question, { type: 'keyboard-interactive' }>;
function question(change: Partial<Interactive> = {}): Interactive {
  const prompts = [{ text: 'Password: ', echo: false }];
  const fixed = {
    type: 'keyboard-interactive',
    jump: null,
    user: 'ops',
    host: 'homelab',
    wasWrong: false,
  } as const;
  return { ...fixed, name: '', instructions: '', prompts, ...change };
}

describe("a server's own words", () => {
  it('come without terminal sequences, control characters and turned directions', () => {
    const hostile = '\u001b[2J\u001b]0;title\u0007a\u0000b\r\nc\u202ed\u2066e\u009bf';
    const bounded = boundedQuestion(question({ name: hostile, instructions: hostile }));
    expect(bounded).toMatchObject({ name: ']0;titleab cdef', instructions: ']0;titleab\ncdef' });
    const notice = boundedQuestion({ type: 'notice', host: 'homelab', text: 'Touch\u0007 it' });
    expect(notice).toMatchObject({ text: 'Touch it' });
  });

  it('are bounded, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 9_000 }), (text) => {
        const prompts = Array.from({ length: 32 }, () => ({ text, echo: true }));
        const bounded = boundedQuestion(question({ name: text, instructions: text, prompts }));
        const all = JSON.stringify(bounded);
        expect(all.length).toBeLessThan(64_000);
        expect(all).not.toMatch(/\\u00(?!0a)[01]|\u202e/);
      }),
      { numRuns: 50 },
    );
  });

  it('that ask for nothing, or for more than anybody answers, are no question', async () => {
    const prompt = { text: 'x', echo: true };
    const reports: TunnelReport[] = [];
    const questions = new OpenQuestions(1, (report) => reports.push(report));
    for (const prompts of [[], Array.from({ length: 33 }, () => prompt)])
      expect(await questions.ask(question({ prompts }))).toBeNull();
    expect(reports).toEqual([]);
  });
});

describe('the questions of an attempt', () => {
  function open() {
    const reports: TunnelReport[] = [];
    return { reports, questions: new OpenQuestions(4, (report) => reports.push(report)) };
  }

  it('have ids of their own, and a late answer hits nothing', async () => {
    const { reports, questions } = open();
    const first = questions.ask(question());
    questions.answer('4.1', { type: 'responses', responses: ['a'] });
    expect(await first).toEqual({ type: 'responses', responses: ['a'] });
    const second = questions.ask(question());
    questions.answer('4.1', { type: 'responses', responses: ['late'] });
    questions.answer('4.2', { type: 'responses', responses: ['b'] });
    expect(await second).toMatchObject({ responses: ['b'] });
    expect(reports).toMatchObject([{ prompt: { id: '4.1' } }, { prompt: { id: '4.2' } }]);
  });

  it('are over when they are withdrawn, and when the attempt ends', async () => {
    const { reports, questions } = open();
    const withdraw = new AbortController();
    const touched = questions.ask({ type: 'notice', host: 'homelab', text: 'Touch' }, withdraw.signal);
    const waiting = questions.ask(question());
    withdraw.abort();
    expect(await touched).toBeNull();
    questions.dispose();
    expect([await waiting, await questions.ask(question())]).toEqual([null, null]);
    expect(await questions.ask(question(), AbortSignal.abort())).toBeNull();
    expect(reports.map(({ type }) => type)).toEqual(['needs-user', 'needs-user', 'question-over']);
  });
});
