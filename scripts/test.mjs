// @ts-check
// npm test [-- --only unit|integration|e2e|types|lint|format] [arguments for that runner]
// Runs every suite, also after one has failed. The last line is "N passed, N failed, N skipped" over all of them.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureBuild } from './lib/build.mjs';
import { ensureDependencies, nodePath } from './lib/dependencies.mjs';
import { ensureGatewayRuntime } from './lib/gateway-runtime.mjs';
import { withSetupLock } from './lib/lock.mjs';
import { inRoot } from './lib/paths.mjs';
import { markedProcesses, run, stopAll } from './lib/processes.mjs';
import {
  exitCode,
  failed,
  fromPlaywright,
  fromVitest,
  lastLine,
  passed,
  withRunnerVerdict,
} from './lib/reports.mjs';
import { runMain, setUp } from './lib/setup.mjs';
import { describeError } from './lib/setup-error.mjs';
import { formatDuration, say } from './lib/terminal.mjs';
import { TYPE_PROJECTS, toolScript } from './lib/tools.mjs';

/** @typedef {import('./lib/reports.mjs').SuiteResult} SuiteResult */
/** @typedef {() => Promise<Omit<SuiteResult, 'durationMs'>>} Suite */

const GUARD_MS = 25 * 60_000;
const LEFTOVER_GRACE_MS = 5000;
const SUITES = /** @type {const} */ (['types', 'lint', 'format', 'unit', 'integration', 'e2e']);

/** @type {SuiteResult[]} */
const results = [];
const { only, extra } = parseArguments(process.argv.slice(2));

runMain(
  async () => {
    const startedMs = Date.now();
    const guard = delay(GUARD_MS, 'too long', { ref: false });
    if ((await Promise.race([runAll(), guard])) === 'too long') {
      await stopAll();
      const detail = `The tests were not over after ${formatDuration(GUARD_MS)}, so they were ended.`;
      results.push({ ...failed('the whole run', detail), durationMs: GUARD_MS });
    }
    summarise(Date.now() - startedMs);
    say(lastLine(results));
    return exitCode(results);
  },
  () => say(lastLine([...results, failed('set-up', '')])),
);

async function runAll() {
  await setUpFor(only);
  if (only === undefined) rmSync(inRoot('test-results', 'faults'), { recursive: true, force: true });
  const checks = [
    ...(wants('types')
      ? TYPE_PROJECTS.map((name) => check(`types: ${name}`, 'tsc', ['--project', `tsconfig.${name}.json`]))
      : []),
    ...(wants('lint')
      ? [
          check('lint', 'eslint', [
            '--max-warnings',
            '0',
            ...(only === 'lint' && extra.length > 0 ? extra : ['.']),
          ]),
        ]
      : []),
    ...(wants('format')
      ? [check('format', 'prettier', ['--check', ...(only === 'format' && extra.length > 0 ? extra : ['.'])])]
      : []),
  ];
  // Two at a time: they are work for the processor alone, and nothing is timed yet.
  const waiting = [...checks];
  const worker = async () => {
    for (let suite = waiting.shift(); suite !== undefined; suite = waiting.shift()) await measure(suite);
  };
  await Promise.all([worker(), worker()]);

  if (wants('unit')) await measure(vitest('unit'));
  if (wants('integration')) await measure(vitest('integration'));
  if (wants('e2e')) {
    if (await measure({ name: 'build', work: build })) await measure({ name: 'e2e', work: playwright });
    else results.push({ ...failed('e2e', 'Not run, because the build failed.'), durationMs: 0 });
  }
  // Last, over what the suites before it have seen.
  if (only === undefined) await measure({ name: 'fault matrix', work: faultMatrix });
  return 'over';
}

/**
 * @param {string | undefined} suite The only one to run; undefined: all.
 */
async function setUpFor(suite) {
  if (suite === undefined || suite === 'e2e') return await setUp('test', { build: false });
  await withSetupLock(async () => {
    await ensureDependencies();
    if (suite === 'integration') await ensureGatewayRuntime();
  });
}

/**
 * @param {readonly string[]} args
 * @returns {{ only: typeof SUITES[number] | undefined, extra: string[] }}
 */
function parseArguments(args) {
  const index = args.indexOf('--only');
  if (index === -1 && args.length === 0) return { only: undefined, extra: [] };
  const name = args[index + 1];
  const suite = SUITES.find((each) => each === name);
  if (suite === undefined) {
    process.stderr.write(
      `There is no suite "${name ?? ''}".\nUse --only with one of ${SUITES.join(', ')}; what follows goes to its runner.\n`,
    );
    process.exit(1);
  }
  return { only: suite, extra: [...args.slice(0, index), ...args.slice(index + 2)] };
}

/**
 * @param {typeof SUITES[number]} suite
 * @returns {boolean}
 */
function wants(suite) {
  return only === undefined || only === suite;
}

/**
 * @param {{ name: string, work: Suite }} suite
 * @returns {Promise<boolean>} Whether all of it passed.
 */
async function measure({ name, work }) {
  const startedMs = Date.now();
  /** @type {Omit<SuiteResult, 'durationMs'>} */
  let result;
  try {
    result = await work();
  } catch (error) {
    result = failed(name, describeError(error));
  }
  const durationMs = Date.now() - startedMs;
  results.push({ ...result, durationMs });
  say(`${name}: ${lastLine([result])} (${formatDuration(durationMs)})`);
  return result.failures.length === 0;
}

/**
 * A tool whose exit code is its whole verdict; it counts as one test.
 * @param {string} name
 * @param {string} tool
 * @param {readonly string[]} args
 * @returns {{ name: string, work: Suite }}
 */
function check(name, tool, args) {
  return {
    name,
    work: async () => {
      const { code, output } = await run(nodePath(), [toolScript(tool), ...args], { cwd: inRoot() });
      return code === 0 ? passed(name) : failed(name, output.trimEnd());
    },
  };
}

/**
 * @param {'unit' | 'integration'} project
 * @returns {{ name: string, work: Suite }}
 */
function vitest(project) {
  return {
    name: project,
    work: async () => {
      const path = freshReport(project);
      const { code } = await run(
        nodePath(),
        [
          toolScript('vitest'),
          'run',
          '--project',
          // A suite may have projects of its own beside (see vitest.config.ts).
          `${project}*`,
          '--reporter=default',
          `--reporter=${inRoot('scripts', 'lib', 'vitest-report.mjs')}`,
          ...extra,
        ],
        { cwd: inRoot(), env: { ...process.env, GANGWAY_VITEST_REPORT: path }, output: 'show' },
      );
      const report = readReport(path);
      if (report === undefined)
        return failed(project, `The runner ended with exit code ${code} and left no report.`);
      return await withoutLeftovers(withRunnerVerdict(fromVitest(project, report), code));
    },
  };
}

/** @type {Suite} */
async function build() {
  await withSetupLock(ensureBuild);
  return passed('build');
}

/** @type {Suite} Each row of the fault matrix counts as one test: seen in this run, or why not. */
async function faultMatrix() {
  const name = 'fault matrix';
  const { code, output, stdout } = await run(
    nodePath(),
    [inRoot('scripts', 'docs', 'faults-check-main.ts')],
    {
      cwd: inRoot(),
    },
  );
  if (code !== 0) return failed(name, output);
  /** @type {{ passed: number, missing: { name: string, unseen: string[] }[], skips: { name: string, reason: string }[] }} */
  const { passed: seen, missing, skips } = JSON.parse(stdout);
  const failures = missing.map((row) => ({
    name: `row ${row.name}`,
    detail: ['No test of this run saw it (test/support/faults).', ...row.unseen].join('\n'),
  }));
  return { name, passed: seen, failures, skips };
}

/** @type {Suite} */
async function playwright() {
  const path = freshReport('e2e');
  const { code } = await run(nodePath(), [toolScript('playwright'), 'test', ...extra], {
    cwd: inRoot(),
    env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_FILE: path },
    output: 'show',
  });
  const report = readReport(path);
  if (report === undefined)
    return failed('e2e', `The runner ended with exit code ${code} and left no report.`);
  return await withoutLeftovers(withRunnerVerdict(fromPlaywright('e2e', report), code));
}

/**
 * Nothing that a test starts may outlive it: what does is ended here and counts as a failure.
 * @param {Omit<SuiteResult, 'durationMs'>} result
 */
async function withoutLeftovers(result) {
  const endMs = Date.now() + LEFTOVER_GRACE_MS;
  let left = markedProcesses();
  while (left.length > 0 && Date.now() < endMs) {
    await delay(200);
    left = markedProcesses();
  }
  if (left.length === 0) return result;
  await stopAll();
  const detail = `These processes outlived the tests that started them:\n${left.map(({ pid, command }) => `${pid} ${command.slice(0, 200)}`).join('\n')}`;
  return {
    ...result,
    failures: [...result.failures, { name: `${result.name}: processes left running`, detail }],
  };
}

/**
 * @param {string} name
 * @returns {string} Where a runner shall write its report; an older one there is deleted.
 */
function freshReport(name) {
  const path = inRoot('test-results', `${name}.json`);
  mkdirSync(inRoot('test-results'), { recursive: true });
  rmSync(path, { force: true });
  return path;
}

/**
 * @param {string} path
 * @returns {any}
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @param {number} durationMs */
function summarise(durationMs) {
  say('');
  for (const result of results) {
    say(`  ${result.name.padEnd(18)} ${lastLine([result]).padEnd(38)} ${formatDuration(result.durationMs)}`);
  }
  say(`  ${'in all'.padEnd(18)} ${''.padEnd(38)} ${formatDuration(durationMs)}`);
  const skips = results.flatMap((result) => result.skips);
  if (skips.length > 0) say('\nSkipped:');
  for (const { name, reason } of skips) say(`  ${name}: ${reason}`);
  for (const { name, detail } of results.flatMap((result) => result.failures)) {
    say(
      `\nFailed: ${name}\n${detail
        .split('\n')
        .slice(0, 120)
        .map((line) => `  ${line}`)
        .join('\n')}`,
    );
  }
  say('');
}
