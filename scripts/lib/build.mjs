// @ts-check
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { nodePath } from './dependencies.mjs';
import { requireSpace } from './disk.mjs';
import { inRoot } from './paths.mjs';
import { run } from './processes.mjs';
import { SetupError } from './setup-error.mjs';
import { hashPaths, readStamp, writeAtomically } from './stamp.mjs';
import { say, step } from './terminal.mjs';
import { toolScript } from './tools.mjs';

const SOURCES = ['src', 'assets', 'package.json', 'package-lock.json', 'electron.vite.config.ts'];
const PRODUCTS = [
  'out/main/index.js',
  'out/main/tunnel-process.js',
  'out/preload/index.cjs',
  'out/renderer/index.html',
];
const stampPath = inRoot('out', '.source-hash');

/** @returns {string | undefined} Hash of the sources that out/ was built from; undefined when it is not complete. */
export function builtHash() {
  return PRODUCTS.every((name) => existsSync(inRoot(name))) ? readStamp(stampPath) : undefined;
}

/** @returns {string} Hash of everything a build depends on. */
export function sourceHash() {
  const configs = readdirSync(inRoot()).filter((name) => /^tsconfig.*\.json$/.test(name));
  return hashPaths(inRoot(), [...SOURCES, ...configs.sort()]);
}

/**
 * Builds the app into out/ with electron-vite if its sources have changed since the last build or out/ is not complete.
 * @returns {Promise<'built' | 'up to date'>}
 * @throws {SetupError} when the build fails; what it said is printed before.
 */
export async function ensureBuild() {
  const wanted = sourceHash();
  if (builtHash() === wanted) return 'up to date';
  requireSpace(inRoot('out'), 100_000_000, 'the build');
  await step('Building the app (electron-vite build)', async () => {
    rmSync(stampPath, { force: true });
    const { code, output } = await run(nodePath(), [toolScript('electron-vite'), 'build'], {
      cwd: inRoot(),
      env: { ...process.env, NO_COLOR: '1' },
    });
    if (code !== 0) {
      say(`\n${output.trimEnd()}`);
      throw new SetupError(
        'The build failed.',
        'Put right what it says above, then run the same command again.',
      );
    }
  });
  const absent = PRODUCTS.filter((name) => !existsSync(inRoot(name)));
  if (absent.length > 0) {
    throw new SetupError(
      `The build ended well, but did not write ${absent.join(', ')}.`,
      'Compare electron.vite.config.ts with scripts/lib/build.mjs.',
    );
  }
  writeAtomically(stampPath, wanted);
  return 'built';
}
