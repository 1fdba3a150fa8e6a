import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ChaosError, type ChaosResult } from './run.ts';

const DIR = resolve(import.meta.dirname, '..', '..', 'test-results', 'chaos');

/** Writes the whole timeline of a run; gives the file's path. */
export function keepTimeline(seed: number, timeline: string): string {
  mkdirSync(DIR, { recursive: true });
  const file = join(DIR, `seed-${seed}.log`);
  writeFileSync(file, `${timeline}\n`);
  return file;
}

/** What to read and to do when a run failed. */
export function describeFailure(seed: number, minutes: number, failure: ChaosResult | ChaosError): string {
  const file = keepTimeline(seed, failure.timeline);
  const why = failure instanceof ChaosError ? [failure.message] : failure.violations;
  return [
    `Chaos with seed ${seed} over ${minutes} min:`,
    ...why.map((sentence) => `- ${sentence}`),
    'What happened (seconds since the start):',
    ...failure.timeline.split('\n').filter((line) => /^ *[\d.]+ (fault|heal|state|person|run) /.test(line)),
    `The whole of it, with every message and log line: ${file}`,
    `Once more: GANGWAY_CHAOS_SEED=${seed} npm test -- --only integration chaos`,
    `or: npm run soak -- --seed ${seed} --minutes ${minutes} --runs 1`,
  ].join('\n');
}

/** One line of a run for the terminal. */
export function describeRun(result: ChaosResult): string {
  const { counts, faults, recoveryMs } = result;
  const seconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1_000).toFixed(1)} s`);
  const sum = Object.values(faults).reduce((total, count) => total + count, 0);
  return [
    `seed ${result.seed}: ${result.violations.length === 0 ? 'held' : `${result.violations.length} violations`}`,
    `${counts.written} written (${counts.accepted} accepted, ${counts.unanswered} unanswered, ${counts.refused} refused)`,
    `${counts.lost} lost, ${counts.doubled} doubled, ${counts.reordered} out of order`,
    `${counts.unconfirmed} unconfirmed, ${counts.failed} failed, ${counts.discarded} discarded by the person`,
    `${counts.doubledByPerson} doubled by the person, ${counts.resumedByGateway} resumed by the gateway`,
    `${sum} faults, ${result.reconnects} reconnects: p50 ${seconds(recoveryMs.p50)}, p95 ${seconds(recoveryMs.p95)}, max ${seconds(recoveryMs.max)}`,
    `all well ${seconds(result.healedMs)} after the last fault`,
  ].join('; ');
}
