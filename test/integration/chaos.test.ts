import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeFailure, describeRun } from '../chaos/report.ts';
import { ChaosError, HEALED_LIMIT_MS, runChaos, type ChaosResult } from '../chaos/run.ts';
import { recordFault } from '../support/faults/evidence.ts';
import { withLab } from '../support/lab/lab.ts';

const MINUTES = 2;
const SEED = Number(process.env['GANGWAY_CHAOS_SEED'] ?? randomInt(1, 1_000_000));

async function chaos(): Promise<ChaosResult> {
  try {
    return await withLab('chaos', (lab) => runChaos(lab, { seed: SEED, minutes: MINUTES }));
  } catch (error) {
    if (error instanceof ChaosError) throw new Error(describeFailure(SEED, MINUTES, error), { cause: error });
    throw error;
  }
}

describe('random faults', () => {
  it(
    'neither lose nor double nor reorder a message, and the app shows what the gateway has',
    { timeout: (MINUTES + 6) * 60_000 },
    async () => {
      process.stdout.write(`Chaos with seed ${SEED}\n`);
      const result = await chaos();
      process.stdout.write(`${describeRun(result)}\n`);
      expect(result.violations, describeFailure(SEED, MINUTES, result)).toEqual([]);
      // Without progress and without losses of the connection it would have shown nothing.
      expect(result.counts.accepted).toBeGreaterThan(20);
      expect(result.reconnects).toBeGreaterThan(4);
      recordFault({
        row: 65,
        layer: 'core',
        injected: `a seeded nemesis for ${MINUTES} min (seed ${SEED}): ${Object.entries(result.faults)
          .map(([kind, count]) => `${count} ${kind}`)
          .join(', ')}`,
        shown: `${result.counts.accepted} accepted messages, each once and in order in the gateway's history and on the screen; ${result.counts.unconfirmed} unconfirmed, decided by the person`,
        tookMs: result.healedMs,
        limitMs: HEALED_LIMIT_MS,
        control: `${result.reconnects} reconnects; the checker finds planted losses, doubles and reversals (test/unit/chaos)`,
      });
    },
  );
});
