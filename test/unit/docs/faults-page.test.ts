import { describe, expect, it } from 'vitest';
import { judge, readRecord, renderPage, type RecordedFault } from '../../../scripts/docs/faults-page.ts';
import { FAULT_ROWS } from '../../support/faults/catalogue.ts';

const seen = (row: number): RecordedFault => ({
  row,
  layer: 'core',
  injected: 'kill',
  shown: 'Reconnecting',
  tookMs: 10,
  limitMs: 20,
  control: 'without it nothing',
  test: 'test/x.test.ts',
});

describe('the fault matrix', () => {
  it('has every number from 1 to 80 once', () => {
    expect(FAULT_ROWS.map(({ row }) => row)).toEqual(Array.from({ length: 80 }, (_, index) => index + 1));
  });

  it('is complete in the record, but for rows that say why they are not run', () => {
    expect(judge(readRecord(), true).filter(({ status }) => status === 'missing')).toEqual([]);
  });

  it('counts a row without evidence as missing, unless it says why or this machine cannot give it', () => {
    const verdicts = judge([seen(2)], true);
    expect(verdicts[0]?.status).toBe('missing');
    expect(verdicts[1]?.status).toBe('seen');
    expect(verdicts[79]?.status).toBe('not-run');
    expect(judge([], false)[0]?.status).toBe('not-run');
  });

  it('counts a row as missing where a part of it that was recorded is not seen again', () => {
    const parts = [
      { ...seen(2), part: 'shown' },
      { ...seen(2), part: 'healed' },
    ];
    expect(judge(parts, true, parts)[1]?.status).toBe('seen');
    expect(judge(parts.slice(0, 1), true, parts)[1]).toMatchObject({
      status: 'missing',
      unseen: ['test/x.test.ts, core, healed'],
    });
    expect(judge(parts.slice(0, 1), false, parts)[1]?.status).toBe('seen');
  });

  it('is written down as it was recorded (else: npm run docs:faults)', async () => {
    const { committed, expected } = await renderPage();
    expect(committed).toBe(expected);
  });
});
