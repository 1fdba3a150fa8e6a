import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { withLab } from '../support/lab/lab.ts';
import { describeFailure, describeRun, keepTimeline } from './report.ts';
import { ChaosError, runChaos, type ChaosResult } from './run.ts';

/** npm run soak: chaos for longer, over several seeds. Ends with 1 when a run did not hold. */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string' },
    runs: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const minutes = positive('minutes', values.minutes);
const runs = positive('runs', values.runs);
const firstSeed = values.seed === undefined ? randomInt(1, 1_000_000) : positive('seed', values.seed);

const results: (Omit<ChaosResult, 'timeline'> | { readonly seed: number; readonly error: string })[] = [];
for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
  console.log(`Seed ${seed}: ${minutes} min of faults …`);
  try {
    const result = await withLab('soak', (lab) => runChaos(lab, { seed, minutes }));
    const { timeline, ...rest } = result;
    results.push(rest);
    console.log(describeRun(result));
    console.log(`Faults: ${JSON.stringify(rest.faults)}`);
    if (rest.violations.length > 0) {
      process.exitCode = 1;
      console.log(describeFailure(seed, minutes, result));
    } else keepTimeline(seed, timeline);
  } catch (error) {
    process.exitCode = 1;
    results.push({ seed, error: String(error) });
    console.log(error instanceof ChaosError ? describeFailure(seed, minutes, error) : error);
  }
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ minutes, runs: results }, null, 2)}\n`);
}
const held = results.filter((result) => 'violations' in result && result.violations.length === 0).length;
console.log(`${held} of ${results.length} runs held.`);

function positive(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number <= 0) {
    console.error(`--${name} wants a number above 0, not "${text}".`);
    process.exit(2);
  }
  return number;
}
