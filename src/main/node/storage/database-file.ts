import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite';
import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncFolder } from '../atomic-file.ts';

/** Marks the files of this app (`PRAGMA application_id`): "GWay". */
const APPLICATION_ID = 0x47576179;

/** What SQLite puts beside a database. */
const COMPANIONS = ['-wal', '-shm', '-journal'] as const;

/** Takes a database of one version to the next, within a transaction that also writes the new version. */
export type DatabaseStep = (database: DatabaseSync) => void;

export type OpenedFile =
  | { readonly status: 'open'; readonly database: DatabaseSync; readonly migratedFrom: number | null }
  /** Written by a newer build: it may be read, and must not be written. */
  | { readonly status: 'newer'; readonly database: DatabaseSync; readonly version: number }
  | { readonly status: 'absent' }
  | { readonly status: 'broken'; readonly detail: string }
  /** Locked, not readable, or on a disk that refuses. */
  | { readonly status: 'unavailable'; readonly detail: string };

/**
 * Opens a database that only this process may use from then on. A commit is on disk when it returns: write-ahead log,
 * fsync after each (sqlite.org/pragma.html, synchronous=FULL). The file is never created here, and never changed unless it
 * is whole and of this or an earlier version. `read` takes what it holds; where its tables are not what they should be, the
 * file is broken too.
 */
export function openDatabaseFile(
  path: string,
  steps: readonly DatabaseStep[],
  read: (database: DatabaseSync) => void,
): OpenedFile {
  let database: DatabaseSync | null = null;
  try {
    if (!existsSync(path)) return { status: 'absent' };
    // An empty file would pass for a new database, and its write-ahead log be deleted.
    if (statSync(path).size === 0) return { status: 'broken', detail: 'The file is empty' };
    const version = readVersion(path);
    if (version.status !== 'version') return version;
    if (version.value > steps.length) {
      database = new DatabaseSync(path, { readOnly: true });
      return { status: 'newer', database, version: version.value };
    }
    if (process.platform !== 'win32') chmodSync(path, 0o600);
    database = new DatabaseSync(path);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    // Takes the lock now, for as long as the database is open.
    database.exec('BEGIN IMMEDIATE; COMMIT; PRAGMA secure_delete = ON');
    // Left by the look at its version: one process alone needs no shared memory.
    rmSync(`${path}-shm`, { force: true });
    migrate(database, steps);
    read(database);
    return {
      status: 'open',
      database,
      migratedFrom: version.value === steps.length ? null : version.value,
    };
  } catch (error) {
    closeQuietly(database);
    return isDamage(error)
      ? { status: 'broken', detail: sqliteCode(error) }
      : { status: 'unavailable', detail: sqliteCode(error) };
  }
}

/**
 * Writes a new database and only then gives it its name, so that there is never a part of one. `fill` runs in the
 * transaction that makes the tables. Throws what the disk says.
 */
export function createDatabaseFile(
  path: string,
  steps: readonly DatabaseStep[],
  fill: (database: DatabaseSync) => void,
  putAside: () => void = () => undefined,
): void {
  removeUnfinished(path);
  const freshPath = freshPathOf(path);
  closeSync(openSync(freshPath, 'wx', 0o600));
  const database = new DatabaseSync(freshPath);
  try {
    database.exec(`PRAGMA synchronous = FULL; PRAGMA application_id = ${APPLICATION_ID}`);
    migrate(database, steps, fill);
    database.exec('PRAGMA journal_mode = WAL');
  } finally {
    database.close();
  }
  renameSync(freshPath, wholePathOf(path));
  putAside();
  renameSync(wholePathOf(path), path);
  syncFolder(dirname(path));
}

/** Ends what a crash left of a creation: a part is taken away, a whole one gets its name. Throws what the disk says. */
export function finishCreation(path: string): void {
  removeUnfinished(path);
  const wholePath = wholePathOf(path);
  if (!existsSync(wholePath)) return;
  // The old file goes aside only when its successor is whole.
  if (existsSync(path)) rmSync(wholePath);
  else {
    // What the old one left behind would be played into this one.
    for (const companion of COMPANIONS) rmSync(path + companion, { force: true });
    renameSync(wholePath, path);
  }
}

function removeUnfinished(path: string): void {
  for (const suffix of ['', ...COMPANIONS]) rmSync(freshPathOf(path) + suffix, { force: true });
}

/** Moves the database and what belongs to it beside itself; returns the new path. Throws what the disk says. */
export function putDatabaseAside(path: string, suffix: string): string {
  const aside = path + suffix;
  // The file first: one without its log, which may hold the newest messages, must never be found here.
  renameSync(path, aside);
  for (const companion of COMPANIONS)
    if (existsSync(path + companion)) renameSync(path + companion, aside + companion);
  syncFolder(dirname(path));
  return aside;
}

/** Runs `change` in a transaction that is on disk when this returns. Throws, and then nothing was changed. */
export function inTransaction<T>(database: DatabaseSync, change: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = change();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** True where the content is at fault, not the disk or another process. */
export function isDamage(error: unknown): boolean {
  // SQLITE_ERROR (a table that is missing), SQLITE_CORRUPT, SQLITE_FORMAT, SQLITE_NOTADB; the low byte is the kind.
  return [1, 11, 24, 26].includes(errcodeOf(error) & 0xff);
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'SQLITE_ERROR',
  3: 'SQLITE_PERM',
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  26: 'SQLITE_NOTADB',
};

/** The name of an SQLite or system error, for people who look it up: `SQLITE_FULL`, `EACCES`. */
export function sqliteCode(error: unknown): string {
  const name = NAMES[errcodeOf(error) & 0xff];
  if (name !== undefined) return name;
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? code : 'unknown error';
}

export function closeQuietly(database: DatabaseSync | null): void {
  try {
    database?.close();
  } catch {
    // What was committed is on disk; nothing else is lost by it.
  }
}

export type Row = Readonly<Record<string, SQLOutputValue>>;
export type { DatabaseSync, SQLInputValue };

function freshPathOf(path: string): string {
  return `${path}.new`;
}

function wholePathOf(path: string): string {
  return `${path}.whole`;
}

function errcodeOf(error: unknown): number {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode : 0;
}

type Version = Extract<OpenedFile, { readonly status: 'broken' }> | { status: 'version'; value: number };

/** Looks before anything may be written. Throws what SQLite says. */
function readVersion(path: string): Version {
  // Closing a database that may be written to would move its log into it.
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    if (numberOf(database, 'application_id') !== APPLICATION_ID)
      return { status: 'broken', detail: 'The file is not one of this app' };
    const check = database.prepare('PRAGMA quick_check(1)').get();
    if (check?.['quick_check'] !== 'ok') return { status: 'broken', detail: 'SQLITE_CORRUPT' };
    return { status: 'version', value: numberOf(database, 'user_version') };
  } finally {
    closeQuietly(database);
  }
}

function migrate(
  database: DatabaseSync,
  steps: readonly DatabaseStep[],
  fill?: (database: DatabaseSync) => void,
): void {
  const from = numberOf(database, 'user_version');
  if (from === steps.length && !fill) return;
  inTransaction(database, () => {
    for (const step of steps.slice(from)) step(database);
    database.exec(`PRAGMA user_version = ${steps.length}`);
    fill?.(database);
  });
}

function numberOf(database: DatabaseSync, pragma: 'application_id' | 'user_version'): number {
  const value = database.prepare(`PRAGMA ${pragma}`).get()?.[pragma];
  return typeof value === 'number' ? value : 0;
}
