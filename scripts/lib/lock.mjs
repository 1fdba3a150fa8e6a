// @ts-check
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { inRuntime, runtimeDir } from './paths.mjs';
import { say } from './terminal.mjs';

/** No set-up takes so long: by then the process id in the lock belongs to another program. */
const FORGOTTEN_MS = 60 * 60_000;

/**
 * @param {number} pid
 * @returns {boolean}
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

let depth = 0;

/**
 * Lets one set-up at a time change node_modules, .runtime and out: two commands started together would tear each
 * other's files apart. The lock of a process that has died counts as open.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetupLock(work) {
  if (depth > 0) return await work();
  const path = inRuntime('setup.lock');
  mkdirSync(runtimeDir, { recursive: true });
  let told = false;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const owner = readOwner(path);
      if (
        isOlderThan(path, owner === undefined ? 10_000 : FORGOTTEN_MS) ||
        (owner !== undefined && !isAlive(owner))
      ) {
        rmSync(path, { force: true });
        continue;
      }
      if (!told) say(`Another set-up is running here (process ${owner ?? 'unknown'}); waiting for it …`);
      told = true;
      await delay(300);
    }
  }
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  depth += 1;
  try {
    return await work();
  } finally {
    depth -= 1;
    process.off('exit', release);
    release();
  }
}

/**
 * @param {string} path
 * @returns {number | undefined} undefined while its owner is just writing it.
 */
function readOwner(path) {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {number} ageMs
 * @returns {boolean}
 */
function isOlderThan(path, ageMs) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > ageMs;
}
