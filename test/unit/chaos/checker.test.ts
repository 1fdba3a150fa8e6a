import { describe, expect, it } from 'vitest';
import { checkRun, type RunRecord, type WrittenMessage } from '../../chaos/checker.ts';

const SESSION = 'agent:main:a';
const tokenOf = (number: number): string => number.toString(16).padStart(32, '0');

function written(number: number, more: Partial<WrittenMessage> = {}): WrittenMessage {
  return {
    token: tokenOf(number),
    sessionKey: SESSION,
    writtenAtMs: number * 1_000,
    answer: 'accepted',
    decisions: [],
    ...more,
  };
}

/** A run in which these messages, by number, are in the history and on the screen. */
function run(messages: readonly WrittenMessage[], stored: readonly number[], more: Partial<RunRecord> = {}) {
  const history = new Map([[SESSION, stored.map(tokenOf)]]);
  const asked = stored.map((number) => ({ token: tokenOf(number), atMs: number * 1_000 + 100 }));
  return { written: messages, history, shown: history, asked, gatewayDown: [], ...more };
}

const three = [written(1), written(2), written(3)];

describe('the accounts of a chaos run', () => {
  it('balance when each accepted message is there once and in order', () => {
    expect(checkRun(run(three, [1, 2, 3])).violations).toEqual([]);
  });

  it('find a message that was lost', () => {
    const { counts, violations } = checkRun(run(three, [1, 3]));
    expect(counts.lost).toBe(1);
    expect(violations).toEqual([expect.stringContaining('is not in the gateway')]);
  });

  it('find a message that is there twice', () => {
    const { counts, violations } = checkRun(run(three, [1, 2, 2, 3], { asked: [] }));
    expect(counts.doubled).toBe(1);
    expect(violations).toHaveLength(1);
  });

  it('find two messages that changed places', () => {
    const { counts, violations } = checkRun(run(three, [1, 3, 2]));
    expect(counts.reordered).toBe(1);
    expect(violations).toHaveLength(1);
  });

  it('find what nobody wrote, or wrote elsewhere', () => {
    const elsewhere = written(4, { sessionKey: 'agent:main:b' });
    const { counts } = checkRun(run([...three, elsewhere], [1, 2, 3, 4, 9]));
    expect(counts.unexpected).toBe(2);
  });

  it('find that the app shows something else than the gateway has', () => {
    const shown = new Map([[SESSION, [1, 3].map(tokenOf)]]);
    expect(checkRun(run(three, [1, 2, 3], { shown })).violations).toEqual([
      expect.stringContaining('the app shows'),
    ]);
  });

  it('find that one gateway process answered a message twice', () => {
    const asked = [1_100, 1_900].map((atMs) => ({ token: tokenOf(1), atMs }));
    expect(checkRun(run([written(1)], [1], { asked })).counts.doubled).toBe(1);
    const gatewayDown = [{ fromMs: 1_200, toMs: 1_800 }];
    const resumed = checkRun(run([written(1)], [1], { asked, gatewayDown }));
    expect(resumed.violations).toEqual([]);
    expect(resumed.counts.resumedByGateway).toBe(1);
  });

  it('find a refused message that was sent all the same', () => {
    expect(checkRun(run([written(1, { answer: 'refused' })], [1])).counts.doubled).toBe(1);
  });

  it('let a message be missing that was discarded, or whose acceptance nobody heard', () => {
    const discarded = written(1, { decisions: [{ atMs: 1_500, about: 'unconfirmed', choice: 'discard' }] });
    const unheard = written(2, { answer: 'unknown' });
    expect(checkRun(run([discarded, unheard], [])).violations).toEqual([]);
    expect(checkRun(run([discarded, unheard], [1, 2])).violations).toEqual([]);
    expect(checkRun(run([unheard], [2, 2], { asked: [] })).counts.doubled).toBe(1);
  });

  it('excuse a double only where the person insisted and the gateway had forgotten', () => {
    const insisted = written(1, { decisions: [{ atMs: 5_000, about: 'unconfirmed', choice: 'retry' }] });
    const twice = run([insisted], [1, 1], { asked: [] });
    expect(checkRun(twice).counts.doubled).toBe(1);
    const excused = checkRun({ ...twice, gatewayDown: [{ fromMs: 2_000, toMs: 3_000 }] });
    expect(excused.violations).toEqual([]);
    expect(excused.counts.doubledByPerson).toBe(1);
    const notInsisted = run([written(1)], [1, 1], {
      asked: [],
      gatewayDown: [{ fromMs: 2_000, toMs: 3_000 }],
    });
    expect(checkRun(notInsisted).counts.doubled).toBe(1);
  });

  it('let a failed message that was sent again stand later', () => {
    const again = written(1, { decisions: [{ atMs: 2_500, about: 'failed', choice: 'retry' }] });
    expect(checkRun(run([again, written(2), written(3)], [2, 3, 1])).violations).toEqual([]);
  });
});
