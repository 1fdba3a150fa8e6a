import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { randomBytes } from 'node:crypto';

/**
 * Replaces a file so that a crash leaves the old or the new content, never a part: temporary file beside it, fsync,
 * rename, fsync of the folder. Readable by its owner only. Throws what the file system says; then the old file stands.
 */
export function writeFileAtomic(path: string, content: string): void {
  const temporaryPath = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = openSync(temporaryPath, 'wx', 0o600);
    try {
      if (process.platform !== 'win32') fchmodSync(file, 0o600);
      // Not writeSync: on a disk that fills up it writes a part and says nothing.
      writeFileSync(file, content, 'utf8');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporaryPath, path);
  } catch (error) {
    rmSync(temporaryPath, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Makes a rename in the folder survive a power cut. Windows has no such call and needs none. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** `writeFileAtomic`'s temporary files, and those of electron-store's writer (the package atomically). */
const TEMPORARY_SUFFIX = /^\.(?:[0-9a-f]{12}\.tmp|tmp-\d{10}[0-9a-f]{6})$/;

/**
 * Removes the temporary files that killed runs left of one file, and where it is a temporary one too the file itself;
 * nothing else is touched. A folder that cannot be read or changed keeps them: they only take room. Nobody may be writing
 * the file at the time.
 */
export function removeLeftovers(folder: string, fileName: string, itself = false): void {
  try {
    if (itself) rmSync(join(folder, fileName), { force: true });
    for (const name of readdirSync(folder)) {
      if (!name.startsWith(fileName) || !TEMPORARY_SUFFIX.test(name.slice(fileName.length))) continue;
      rmSync(join(folder, name), { force: true });
    }
  } catch {
    // The next start tries again.
  }
}
