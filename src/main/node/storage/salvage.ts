import { DatabaseSync } from 'node:sqlite';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { StoredContent } from '../../core/chat/stored-messages.ts';
import { closeQuietly, createDatabaseFile, type Row } from './database-file.ts';
import { MESSAGES_STEPS, readContent, type Table } from './messages-schema.ts';

/** Rows between two damaged places are tried one by one, this many at most. */
const MAX_TRIED_ROWS = 2000;

/**
 * What can still be read of a damaged file, row by row, of a copy: the file itself stays as it was found. Its first page,
 * which says what the file is and where its tables begin, is the same in every file of this app, so that a file without it
 * is read with that of an empty one. Throws what the disk says.
 */
export function salvageMessages(path: string): StoredContent {
  const folder = `${path}.salvage`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { mode: 0o700 });
  try {
    const copy = join(folder, 'copy.db');
    makeCopy(path, copy);
    const asFound = readCopy(copy);
    makeCopy(path, copy);
    replaceFirstPage(copy, join(folder, 'empty.db'));
    const repaired = readCopy(copy);
    // The order of the fuller one holds.
    return asFound.messages.length >= repaired.messages.length
      ? union(asFound, repaired)
      : union(repaired, asFound);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const EMPTY: StoredContent = { messages: [], drafts: [], gateways: [] };

function makeCopy(path: string, copy: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true });
  copyFileSync(path, copy);
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
}

function replaceFirstPage(copy: string, emptyPath: string): void {
  createDatabaseFile(emptyPath, MESSAGES_STEPS, () => undefined);
  const empty = readFileSync(emptyPath);
  // Its page size, and the count of pages that SQLite believes (sqlite.org/fileformat2.html, the database header).
  const pageSize = empty.readUInt16BE(16);
  const firstPage = empty.subarray(0, pageSize);
  const pages = Math.max(empty.length / pageSize, Math.ceil(readFileSync(copy).length / pageSize));
  firstPage.writeUInt32BE(pages, 28);
  const file = openSync(copy, 'r+');
  try {
    writeSync(file, firstPage, 0, pageSize, 0);
  } finally {
    closeSync(file);
  }
}

function readCopy(copy: string): StoredContent {
  let database: DatabaseSync | null = null;
  try {
    const opened = new DatabaseSync(copy);
    database = opened;
    return readContent((table) => readableRows(opened, table));
  } catch {
    return EMPTY;
  } finally {
    closeQuietly(database);
  }
}

/** From the beginning as far as it goes, from the end as far as it goes, and what answers in between. */
function readableRows(database: DatabaseSync, table: Table): readonly Row[] {
  const rows = new Map<number, Row>();
  const isWhole = take(database, `SELECT * FROM ${table} ORDER BY position`, rows);
  if (isWhole) return [...rows.values()];
  const before = Math.max(0, ...rows.keys());
  const fromEnd = new Map<number, Row>();
  take(database, `SELECT * FROM ${table} ORDER BY position DESC`, fromEnd);
  // Nothing from either side: the way in is gone, and it is the same for each of its rows.
  if (rows.size === 0 && fromEnd.size === 0) return [];
  for (const [position, row] of fromEnd) rows.set(position, row);
  const after = Math.min(...fromEnd.keys(), before + MAX_TRIED_ROWS);
  for (let position = before + 1; position < after; position += 1)
    take(database, `SELECT * FROM ${table} WHERE position = ${position}`, rows);
  return [...rows.entries()].sort(([a], [b]) => a - b).map(([, row]) => row);
}

/** False when it ended in damage. */
function take(database: DatabaseSync, sql: string, rows: Map<number, Row>): boolean {
  try {
    for (const row of database.prepare(sql).iterate()) {
      const { position } = row;
      if (typeof position === 'number') rows.set(position, row);
    }
    return true;
  } catch {
    return false;
  }
}

function union(a: StoredContent, b: StoredContent): StoredContent {
  return {
    messages: distinct([...a.messages, ...b.messages], (item) => `${item.gatewayId} ${item.messageId}`),
    drafts: distinct([...a.drafts, ...b.drafts], (item) => `${item.gatewayId} ${item.sessionKey}`),
    gateways: distinct([...a.gateways, ...b.gateways], (item) => item.gatewayId),
  };
}

function distinct<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const seen = new Map<string, T>();
  for (const item of items) if (!seen.has(keyOf(item))) seen.set(keyOf(item), item);
  return [...seen.values()];
}
