// @ts-check

/**
 * @typedef {object} SuiteResult
 * @property {string} name `unit`
 * @property {number} passed
 * @property {{ name: string, detail: string }[]} failures
 * @property {{ name: string, reason: string }[]} skips
 * @property {number} durationMs
 */

const NO_REASON = 'no reason given';

/**
 * @param {string} name
 * @param {import('./vitest-report.mjs').VitestReport} report
 * @returns {Omit<SuiteResult, 'durationMs'>}
 */
export function fromVitest(name, report) {
  /** @type {Omit<SuiteResult, 'durationMs'>} */
  const result = { name, passed: 0, failures: [], skips: [] };
  for (const test of report.tests) {
    switch (test.state) {
      case 'passed':
        result.passed += 1;
        break;
      case 'skipped':
        result.skips.push({ name: test.name, reason: test.note ?? NO_REASON });
        break;
      case 'failed':
        result.failures.push({ name: test.name, detail: test.errors.join('\n') });
        break;
      case 'pending':
        result.failures.push({ name: test.name, detail: 'It did not run to its end.' });
        break;
    }
  }
  for (const group of report.groups)
    result.failures.push({ name: group.name, detail: group.errors.join('\n') });
  for (const error of report.unhandled)
    result.failures.push({ name: 'an error outside of any test', detail: error });
  return result;
}

/**
 * The parts of Playwright's JSON report that count (https://playwright.dev/docs/test-reporters#json-reporter).
 * @typedef {{ message?: string, stack?: string }} PlaywrightError
 * @typedef {{ type: string, description?: string }} PlaywrightAnnotation
 * @typedef {object} PlaywrightTest
 * @property {string} status `expected`, `unexpected`, `flaky` or `skipped`
 * @property {string} expectedStatus
 * @property {PlaywrightAnnotation[]} annotations
 * @property {{ status?: string, errors?: PlaywrightError[], annotations?: PlaywrightAnnotation[] }[]} results
 * @typedef {{ title: string, file?: string, tests: PlaywrightTest[] }} PlaywrightSpec
 * @typedef {{ title: string, suites?: PlaywrightSuite[], specs: PlaywrightSpec[] }} PlaywrightSuite
 * @typedef {{ suites: PlaywrightSuite[], errors: PlaywrightError[] }} PlaywrightReport
 */

/**
 * Only a test that passed at its first try counts as passed. Flaky, interrupted, timed out, and never started are all
 * failures; skipped is only what asked for it.
 * @param {string} name
 * @param {PlaywrightReport} report
 * @returns {Omit<SuiteResult, 'durationMs'>}
 */
export function fromPlaywright(name, report) {
  /** @type {Omit<SuiteResult, 'durationMs'>} */
  const result = { name, passed: 0, failures: [], skips: [] };
  /**
   * @param {PlaywrightSuite} suite
   * @param {readonly string[]} titles
   */
  const visit = (suite, titles) => {
    const path = [...titles, suite.title];
    for (const spec of suite.specs) {
      for (const test of spec.tests) count([...path, spec.title].join(' > '), test);
    }
    for (const inner of suite.suites ?? []) visit(inner, path);
  };
  /**
   * @param {string} title
   * @param {PlaywrightTest} test
   */
  const count = (title, test) => {
    const annotations = [...test.annotations, ...test.results.flatMap((each) => each.annotations ?? [])];
    const skip = annotations.find(({ type }) => type === 'skip' || type === 'fixme');
    const statuses = test.results.map(({ status }) => status ?? 'no status');
    if (test.status === 'expected' && statuses.length > 0 && !statuses.includes('interrupted')) {
      result.passed += 1;
    } else if (test.status === 'skipped' && (skip !== undefined || test.expectedStatus === 'skipped')) {
      result.skips.push({ name: title, reason: skip?.description ?? NO_REASON });
    } else {
      const errors = test.results.flatMap((each) => each.errors ?? []).map(messageOf);
      const how = explainStatus(test.status, statuses);
      result.failures.push({ name: title, detail: [how, ...errors].join('\n') });
    }
  };
  for (const suite of report.suites) visit(suite, []);
  for (const error of report.errors) {
    result.failures.push({ name: 'an error outside of any test', detail: messageOf(error) });
  }
  return result;
}

/**
 * @param {string} status
 * @param {readonly string[]} statuses One a try.
 * @returns {string}
 */
function explainStatus(status, statuses) {
  if (status === 'flaky') return 'It passed only when it was tried again.';
  if (statuses.every((each) => each === 'skipped'))
    return 'It never ran, because something before it failed.';
  return `Status: ${statuses.join(', ')}.`;
}

/**
 * @param {PlaywrightError} error
 * @returns {string}
 */
function messageOf(error) {
  return error.stack ?? error.message ?? 'no message';
}

/**
 * Adds what a report cannot say: that the runner failed without naming a failure, or ran nothing.
 * @param {Omit<SuiteResult, 'durationMs'>} result
 * @param {number} code The runner's exit code.
 * @returns {Omit<SuiteResult, 'durationMs'>}
 */
export function withRunnerVerdict(result, code) {
  const failures = [...result.failures];
  if (code !== 0 && failures.length === 0) {
    failures.push({
      name: result.name,
      detail: `The runner ended with exit code ${code}, but its report names no failure.`,
    });
  } else if (result.passed + failures.length + result.skips.length === 0) {
    failures.push({ name: result.name, detail: 'No test was found.' });
  }
  return { ...result, failures };
}

/**
 * @param {string} name
 * @param {string} detail
 * @returns {Omit<SuiteResult, 'durationMs'>} A suite that counts as one failure.
 */
export function failed(name, detail) {
  return { name, passed: 0, failures: [{ name, detail }], skips: [] };
}

/**
 * @param {string} name
 * @returns {Omit<SuiteResult, 'durationMs'>} A check that counts as one success.
 */
export function passed(name) {
  return { name, passed: 1, failures: [], skips: [] };
}

/**
 * @param {readonly Pick<SuiteResult, 'passed' | 'failures' | 'skips'>[]} results
 * @returns {string} `212 passed, 0 failed, 3 skipped`
 */
export function lastLine(results) {
  const passedCount = results.reduce((sum, each) => sum + each.passed, 0);
  const failedCount = results.reduce((sum, each) => sum + each.failures.length, 0);
  const skippedCount = results.reduce((sum, each) => sum + each.skips.length, 0);
  return `${passedCount} passed, ${failedCount} failed, ${skippedCount} skipped`;
}

/**
 * @param {readonly Pick<SuiteResult, 'passed' | 'failures' | 'skips'>[]} results
 * @returns {number} Exit code: 0 only when something passed and nothing failed.
 */
export function exitCode(results) {
  return results.some((each) => each.passed > 0) && results.every((each) => each.failures.length === 0)
    ? 0
    : 1;
}
