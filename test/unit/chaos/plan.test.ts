import { describe, expect, it } from 'vitest';
import { LANES, planFaults } from '../../chaos/plan.ts';
import { quantile, recoveries } from '../../chaos/timeline.ts';

describe('the plan of a chaos run', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(planFaults(7, 2)).toEqual(planFaults(7, 2));
    expect(planFaults(7, 2)).not.toEqual(planFaults(8, 2));
  });

  it('begins alike however long it is', () => {
    for (const lane of LANES) {
      const [short, long] = [2, 30].map((minutes) =>
        planFaults(7, minutes).filter((planned) => planned.lane === lane),
      );
      expect(long?.slice(0, short?.length)).toEqual(short);
    }
  });

  it('has every kind of fault in half an hour, and the gateway is not always down', () => {
    const plan = planFaults(7, 30);
    expect(new Set(plan.map(({ fault }) => fault.kind)).size).toBe(20);
    expect(plan.filter(({ lane }) => lane === 'gateway').length).toBeLessThan(75);
  });

  it('ends every storm of clicks with a wish for a connection', () => {
    const storms = planFaults(7, 60).flatMap(({ fault }) => (fault.kind === 'toggles' ? [fault.steps] : []));
    expect(storms.length).toBeGreaterThan(0);
    for (const steps of storms) expect(steps.at(-1)?.press).toBe('connect');
  });
});

describe('the recovery times of a chaos run', () => {
  it('count from the last fault that lay in a loss, or from the loss', () => {
    const moments = [
      { atMs: 0, isConnected: true },
      { atMs: 1_000, isConnected: false },
      { atMs: 4_000, isConnected: true },
      { atMs: 10_000, isConnected: false },
      { atMs: 10_500, isConnected: true },
    ];
    expect(recoveries(moments, [{ fromMs: 900, toMs: 3_000 }])).toEqual([1_000, 500]);
    expect(quantile([1_000, 500], 1)).toBe(1_000);
    expect(quantile([], 0.5)).toBeNull();
  });
});
