// @ts-check
import { writeFileSync } from 'node:fs';

/**
 * What `test.mjs` reads of a vitest run. Vitest's own JSON reporter leaves out why a test was skipped and errors
 * outside of tests.
 * @typedef {object} VitestReport
 * @property {{ name: string, state: 'passed' | 'failed' | 'skipped' | 'pending', note?: string, errors: string[] }[]} tests
 * @property {{ name: string, errors: string[] }[]} groups Files and suites that failed as such (an import, a hook).
 * @property {string[]} unhandled Errors of no test.
 */

/** A vitest reporter (https://vitest.dev/api/advanced/reporters) that writes a VitestReport to GANGWAY_VITEST_REPORT. */
export default class ReportWriter {
  /**
   * @param {readonly import('vitest/node').TestModule[]} modules
   * @param {readonly unknown[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    /** @type {VitestReport} */
    const report = { tests: [], groups: [], unhandled: unhandled.map(describe) };
    for (const module of modules) {
      const file = module.relativeModuleId;
      const add = (/** @type {string} */ name, /** @type {readonly unknown[]} */ errors) => {
        if (errors.length > 0) report.groups.push({ name, errors: errors.map(describe) });
      };
      add(file, module.errors());
      for (const suite of module.children.allSuites()) add(`${file} > ${suite.fullName}`, suite.errors());
      for (const test of module.children.allTests()) {
        const result = test.result();
        const note = 'note' in result ? result.note : undefined;
        report.tests.push({
          name: `${file} > ${test.fullName}`,
          state: result.state,
          ...(note === undefined ? {} : { note }),
          errors: (result.errors ?? []).map(describe),
        });
      }
    }
    const path = process.env['GANGWAY_VITEST_REPORT'];
    if (path !== undefined) writeFileSync(path, JSON.stringify(report));
  }
}

/**
 * @param {unknown} error
 * @returns {string}
 */
function describe(error) {
  if (typeof error !== 'object' || error === null) return String(error);
  const { message, stack, diff } = /** @type {{ message?: string, stack?: string, diff?: string }} */ (error);
  return [stack ?? message ?? JSON.stringify(error), diff].filter((part) => part !== undefined).join('\n');
}
