import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
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
