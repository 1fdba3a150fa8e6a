// @ts-check
import { ensureBuild } from './build.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ensureElectron } from './electron.mjs';
import { ensureGatewayRuntime } from './gateway-runtime.mjs';
import { withSetupLock } from './lock.mjs';
import { asUser, processUser } from './process-user.mjs';
import { stopAll } from './processes.mjs';
import { ensureSandbox } from './sandbox.mjs';
import { describeError } from './setup-error.mjs';
import { ensureSystemLibraries } from './system-libraries.mjs';

/**
 * Gets everything that a command needs, and nothing that is there already. What comes later in this list builds on
 * what comes before, so an interrupted set-up goes on where it stopped.
 * @param {import('./system-libraries.mjs').Need} need
 * @param {{ build: boolean }} options Whether the app is built too (tests do it later, as one of their checks).
 * @throws {import('./setup-error.mjs').SetupError}
 */
export async function setUp(need, { build }) {
  await withSetupLock(async () => {
    await ensureDependencies();
    const electron = await ensureElectron();
    await ensureSystemLibraries(need, electron.executablePath);
    ensureSandbox(electron.executablePath, asUser(processUser()));
    if (need !== 'start') await ensureGatewayRuntime();
    if (build) await ensureBuild();
  });
}

/**
 * Runs a command's main function; what goes wrong is printed as a sentence and its remedy, and the exit code is 1.
 * @param {() => Promise<number>} main Resolves to the exit code.
 * @param {() => void} [afterError] Prints what must come last.
 */
export function runMain(main, afterError) {
  main()
    .catch((/** @type {unknown} */ error) => {
      process.stderr.write(`${describeError(error)}\n`);
      afterError?.();
      return 1;
    })
    .then(async (code) => {
      process.exitCode = code;
      await stopAll();
      process.exit(code);
    });
}
