import { judge, readEvidence, readRecord } from './faults-page.ts';

/** Prints, as JSON, whether each row of the fault matrix has evidence of this run; for scripts/test.mjs. */
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
const verdicts = judge(readEvidence(), isRoot, readRecord());
process.stdout.write(
  JSON.stringify({
    passed: verdicts.filter(({ status }) => status === 'seen').length,
    missing: verdicts
      .filter(({ status }) => status === 'missing')
      .map(({ row, unseen }) => ({ name: `${row.row} ${row.fault}`, unseen })),
    skips: verdicts
      .filter(({ status }) => status === 'not-run')
      .map(({ row }) => ({
        name: `${row.row} ${row.fault}`,
        reason: row.notRun ?? 'Its tests need Linux and root.',
      })),
  }),
);
