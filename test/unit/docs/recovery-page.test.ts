import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { markOf, ratioOf, spreadOf, type RowResult } from '../../../bench/recovery/results.ts';
import { renderRecoveryPage } from '../../../scripts/docs/recovery-page.ts';

const PAGE = new URL('../../../docs/recovery.md', import.meta.url);

function row(number: number, what: string, unit: RowResult['unit'], ...values: number[]): RowResult {
  const names = ['Gangway', 'autossh 3 s x 3'];
  return {
    row: number,
    what,
    unit,
    sides: values.map((value, index) => ({ name: names[index] ?? '', ...spreadOf([value]) })),
  };
}

describe('the page on recovery', () => {
  it('is as it is generated from what was measured', async () => {
    expect(existsSync(PAGE)).toBe(true);
    expect(readFileSync(PAGE, 'utf8')).toBe(await renderRecoveryPage());
  });

  it('takes the median, and the worst, of the rounds', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ count: 3, p50: 2, p95: 3, min: 1, max: 3 });
  });

  it('compares with the first peer, where there is something to compare', () => {
    expect(ratioOf(row(7, 'Healed to hello and history: all cycles', 's', 1, 4))).toBe(0.25);
    expect(ratioOf(row(9, 'Of 100 messages: lost', 'messages', 0, 4))).toBeNull();
    expect(ratioOf(row(5, 'Time to notice: FIN', 's', 1))).toBeNull();
  });

  it.each([
    ['a dead link noticed in time', row(5, 'Time to notice: black hole', 's', 9.5, 10), true],
    ['a dead link noticed late', row(5, 'Time to notice: black hole', 's', 9.6, 10), false],
    ['a reset noticed late', row(5, 'Time to notice: RST', 's', 0.11, 1), false],
    ['half the time of the peer', row(7, 'Healed to hello and history: all cycles', 's', 1, 2), true],
    ['more than half of it', row(7, 'Healed to hello and history: all cycles', 's', 1.1, 2), false],
    ['one false drop', row(6, 'False drops in 5 min', 'drops', 1, 9), false],
    ['a message lost', row(9, 'Of 200 messages through random faults: lost', 'messages', 1, 9), false],
    [
      'one unconfirmed of 200',
      row(9, 'Of 200 messages through random faults: unconfirmed', 'messages', 1, 0),
      true,
    ],
    [
      'two unconfirmed of 200',
      row(9, 'Of 200 messages through random faults: unconfirmed', 'messages', 2, 0),
      false,
    ],
  ])('judges %s', (_what, result, isMet) => {
    expect(markOf(result)?.isMet).toBe(isMet);
  });

  it('asks nothing of peers', () => {
    const peer = { ...row(5, 'Time to notice: RST', 's', 1), sides: [{ name: 'autossh', ...spreadOf([1]) }] };
    expect(markOf(peer)).toBeNull();
  });
});
