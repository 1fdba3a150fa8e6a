import { describe, expect, it } from 'vitest';
import {
  exitCode,
  failed,
  fromPlaywright,
  fromVitest,
  lastLine,
  passed,
  withRunnerVerdict,
} from '../../../scripts/lib/reports.mjs';

type PlaywrightTest = Parameters<
  typeof fromPlaywright
>[1]['suites'][number]['specs'][number]['tests'][number];

function playwrightReport(...tests: readonly PlaywrightTest[]) {
  const specs = tests.map((test, index) => ({ title: `test ${index}`, tests: [test] }));
  return {
    suites: [{ title: 'chat.spec.ts', specs: [], suites: [{ title: 'chat', specs }] }],
    errors: [],
  };
}

function playwrightTest(
  status: string,
  resultStatus: string | undefined,
  more: Partial<PlaywrightTest> = {},
): PlaywrightTest {
  return {
    status,
    expectedStatus: 'passed',
    annotations: [],
    results: resultStatus === undefined ? [] : [{ status: resultStatus }],
    ...more,
  };
}

describe('totals of a vitest run', () => {
  it('counts each state, and a test that never ended as failed', () => {
    const result = fromVitest('unit', {
      tests: [
        { name: 'a', state: 'passed', errors: [] },
        { name: 'b', state: 'failed', errors: ['expected 1'] },
        { name: 'c', state: 'skipped', note: 'needs root', errors: [] },
        { name: 'd', state: 'pending', errors: [] },
      ],
      groups: [],
      unhandled: [],
    });
    expect(lastLine([result])).toBe('1 passed, 2 failed, 1 skipped');
    expect(result.skips).toEqual([{ name: 'c', reason: 'needs root' }]);
    expect(result.failures[0]).toEqual({ name: 'b', detail: 'expected 1' });
  });

  it('counts a file that cannot be loaded and an error outside of any test', () => {
    const result = fromVitest('unit', {
      tests: [{ name: 'a', state: 'passed', errors: [] }],
      groups: [{ name: 'x.test.ts', errors: ['SyntaxError'] }],
      unhandled: ['a rejection'],
    });
    expect(lastLine([result])).toBe('1 passed, 2 failed, 0 skipped');
  });
});

describe('totals of a Playwright run', () => {
  it.each([
    ['expected', 'passed', '1 passed, 0 failed, 0 skipped'],
    ['unexpected', 'failed', '0 passed, 1 failed, 0 skipped'],
    ['unexpected', 'timedOut', '0 passed, 1 failed, 0 skipped'],
    ['unexpected', 'interrupted', '0 passed, 1 failed, 0 skipped'],
    ['flaky', 'passed', '0 passed, 1 failed, 0 skipped'],
    ['skipped', undefined, '0 passed, 1 failed, 0 skipped'],
    ['expected', undefined, '0 passed, 1 failed, 0 skipped'],
  ])('counts status %s with result %s as %s', (status, resultStatus, line) => {
    expect(lastLine([fromPlaywright('e2e', playwrightReport(playwrightTest(status, resultStatus)))])).toBe(
      line,
    );
  });

  it('counts what asked to be skipped as skipped, with its reason', () => {
    const result = fromPlaywright(
      'e2e',
      playwrightReport(
        playwrightTest('skipped', 'skipped', {
          expectedStatus: 'skipped',
          annotations: [{ type: 'skip', description: 'needs root' }],
        }),
      ),
    );
    expect(lastLine([result])).toBe('0 passed, 0 failed, 1 skipped');
    expect(result.skips).toEqual([{ name: 'chat.spec.ts > chat > test 0', reason: 'needs root' }]);
  });

  it('counts an error outside of any test', () => {
    const report = { suites: [], errors: [{ message: 'globalSetup threw' }] };
    expect(fromPlaywright('e2e', report).failures).toEqual([
      { name: 'an error outside of any test', detail: 'globalSetup threw' },
    ]);
  });
});

describe('the verdict over a run', () => {
  const nothing = { name: 'unit', passed: 0, failures: [], skips: [] };

  it('fails a runner that ended badly without naming a failure', () => {
    expect(lastLine([withRunnerVerdict(passed('unit'), 1)])).toBe('1 passed, 1 failed, 0 skipped');
  });

  it('fails a runner that found no test', () => {
    expect(lastLine([withRunnerVerdict(nothing, 0)])).toBe('0 passed, 1 failed, 0 skipped');
  });

  it('adds nothing to a failure that has a name', () => {
    expect(lastLine([withRunnerVerdict(failed('unit', 'why'), 1)])).toBe('0 passed, 1 failed, 0 skipped');
  });

  it('sums all suites in one line', () => {
    const skipping = { name: 'e2e', passed: 2, failures: [], skips: [{ name: 'a', reason: 'b' }] };
    expect(lastLine([passed('lint'), failed('unit', ''), skipping])).toBe('3 passed, 1 failed, 1 skipped');
  });

  it('is success only when something passed and nothing failed', () => {
    expect(exitCode([])).toBe(1);
    expect(exitCode([nothing])).toBe(1);
    expect(exitCode([passed('lint'), failed('unit', '')])).toBe(1);
    expect(exitCode([passed('lint')])).toBe(0);
  });
});
