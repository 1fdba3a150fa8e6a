// @ts-check
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError } from './setup-error.mjs';
import { formatBytes } from './terminal.mjs';

/**
 * @param {string} path A file or folder that need not exist yet.
 * @returns {number} Bytes an ordinary process may still write on its file system.
 */
export function freeBytes(path) {
  let existing = path;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

/**
 * Asks before a big step whether the disk has room for it, so that it does not fail half way.
 * @param {string} path Where it will write.
 * @param {number} neededBytes
 * @param {string} purpose `the dependencies`
 * @param {(path: string) => number} [free] For tests.
 * @throws {SetupError}
 */
export function requireSpace(path, neededBytes, purpose, free = freeBytes) {
  const available = free(path);
  if (available >= neededBytes) return;
  throw new SetupError(
    `The disk has ${formatBytes(available)} free where ${purpose} would go (${path}), and ${formatBytes(neededBytes)} are needed.`,
    `Free at least ${formatBytes(neededBytes - available)} there, then run the same command again.`,
  );
}
