import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLITE_BUSY (sqlite.org/rescode.html). */
const BUSY = 5;

/**
 * Makes this process the only one on this data folder, until it ends in whatever way: the system lets go of the lock then, so
 * that none is ever stale. Chromium's own (a symbolic link) lets two processes live that replace a stale one at the same
 * moment. False: another process has it. Where the folder takes no lock at all (read-only), nobody is kept out.
 */
export function takeInstanceLock(userDataDir: string): boolean {
  try {
    const database = new DatabaseSync(join(userDataDir, 'instance.lock'), { timeout: 0 });
    held.push(database);
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    return (error as { readonly errcode?: number }).errcode !== BUSY;
  }
}

/** For as long as the process lives. */
const held: DatabaseSync[] = [];
