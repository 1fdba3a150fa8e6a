// @ts-check
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/**
 * A hash over files and folders that changes when a file is added, removed, renamed or edited (times do not matter).
 * @param {string} base Names are taken relative to it.
 * @param {readonly string[]} paths Files and folders; one that does not exist counts as absent.
 * @returns {string} sha256, hex
 */
export function hashPaths(base, paths) {
  const hash = createHash('sha256');
  /** @param {string} path */
  const add = (path) => {
    const name = relative(base, path).split(sep).join('/');
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) {
      hash.update(`absent ${name}\0`);
    } else if (stat.isDirectory()) {
      for (const entry of readdirSync(path).sort()) add(join(path, entry));
    } else {
      const content = readFileSync(path);
      hash.update(`file ${name} ${content.length}\0`).update(content);
    }
  };
  for (const path of paths) add(join(base, path));
  return hash.digest('hex');
}

/**
 * @param {string} path
 * @returns {string | undefined} What the last success left there; undefined when there was none.
 */
export function readStamp(path) {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Writes a file so that readers see the old text or the new one, never half of it.
 * @param {string} path
 * @param {string} text
 * @param {number} [mode]
 */
export function writeAtomically(path, text, mode = 0o644) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}
