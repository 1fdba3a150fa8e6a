import { expect, it } from 'vitest';
import { formatLatency, measureForwardLatency } from '../../../bench/forward-latency.ts';
import { withLab } from '../../support/lab/lab.ts';

const LIMIT = 1.2;
const REPETITIONS = 3;

it('takes a 200-byte round trip no longer than 1.2 times ssh -L', { timeout: 180_000 }, async () => {
  const tries: string[] = [];
  let best = Infinity;
  // Whatever else the machine does can only slow a measurement down: one good one is proof.
  for (let repetition = 0; repetition < REPETITIONS && best >= LIMIT; repetition += 1) {
    const result = await withLab('latency', (lab) => measureForwardLatency(lab));
    best = Math.min(best, result.gangwayToSsh);
    tries.push(formatLatency(result));
  }
  console.info(tries.join('\n'));
  expect(best, tries.join('\n')).toBeLessThan(LIMIT);
});
