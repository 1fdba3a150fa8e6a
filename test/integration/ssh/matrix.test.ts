import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { measureCell, type CellResult } from './matrix-cell.ts';
import { MatrixCredentials } from './matrix-credentials.ts';
import { readRecord, versionsHere, writeRecord, type MatrixRecord } from './matrix-record.ts';
import { MatrixServers, serverKind } from './matrix-servers.ts';
import { MATRIX, type Cell, type MatrixParts } from './matrix-tables.ts';
import { startEcho } from './tunnel-fixture.ts';

/**
 * Every cell is a real login at a real server and bytes through a real forward. What comes of it must be what
 * docs/generated/ssh-matrix.json says, from which docs/ssh.md is made. After a wanted change:
 * `GANGWAY_WRITE_SSH_MATRIX=1 npm test -- --only integration matrix`, look at the difference, `npm run docs:ssh`.
 */
const isWriting = process.env['GANGWAY_WRITE_SSH_MATRIX'] === '1';
/** Dropbear turns away who comes while five others from the same address have not signed in. */
const AT_ONCE = 4;
/** With what "Automatic" took before it. */
const WORKS = /^(?:[^;]*; )?works/;

const record = readRecord();
const versions = versionsHere();
/** Other versions of the servers may do more or less, and say it otherwise: then what worked must still work. */
const isSameSoftware = JSON.stringify(record.versions) === JSON.stringify(versions);
const measured: Record<string, Record<string, Record<string, string>>> = {};

let lab: Lab;
let parts: MatrixParts;
let echoPort = 0;

beforeAll(async () => {
  lab = await createLab({ label: 'matrix' });
  const credentials = new MatrixCredentials(lab);
  parts = { lab, credentials, servers: new MatrixServers(lab, credentials.all) };
  echoPort = (await startEcho(lab)).port;
});

afterAll(async () => {
  await lab.close();
  if (isWriting) writeRecord({ versions, tables: inOrder(measured) });
});

async function measure(cell: Cell): Promise<CellResult> {
  if (cell.absent !== undefined) return cell.absent;
  const [at, signIn] = await Promise.all([parts.servers.get(cell.server), cell.signIn(parts)]);
  const { transport, server } = cell;
  try {
    return await measureCell(lab, { transport, server, at, signIn, echoPort });
  } catch (error) {
    return `no outcome: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function measureAll(cells: readonly Cell[]): Promise<Map<string, CellResult>> {
  const results = new Map<string, CellResult>();
  const waiting = [...cells];
  const worker = async (): Promise<void> => {
    for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
      results.set(cell.row, await measure(cell));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

function whyMissing(cell: Cell): string | null {
  return cell.missing ?? serverKind(cell.server).missing?.() ?? null;
}

/** As the tables name them, not as they were over. */
function inOrder(tables: typeof measured): MatrixRecord['tables'] {
  const ordered: MatrixRecord['tables'] = {};
  for (const { title, cells } of MATRIX) {
    for (const { row, column } of cells) {
      const result = tables[title]?.[row]?.[column];
      if (result !== undefined) ((ordered[title] ??= {})[row] ??= {})[column] = result;
    }
  }
  return ordered;
}

describe.each(MATRIX)('$title', ({ title, cells }) => {
  const columns = [...new Set(cells.map((cell) => cell.column))];

  it.for(columns)('%s', { timeout: 120_000 }, async (column, { skip }) => {
    const here = cells.filter((cell) => cell.column === column);
    const possible = here.filter((cell) => whyMissing(cell) === null);
    const reasons = new Set(here.map(whyMissing).filter((reason) => reason !== null));
    if (possible.length === 0) skip([...reasons].join('; '));
    for (const reason of reasons) console.warn(`${title}, ${column}: not all cells, for ${reason}`);

    const results = await measureAll(possible);
    for (const [row, result] of results) ((measured[title] ??= {})[row] ??= {})[column] = result;

    for (const [row, result] of results) {
      expect.soft(result, `${row}, ${column}`).not.toMatch(/^no outcome|^bug:/);
      if (isWriting) continue;
      const expected = record.tables[title]?.[row]?.[column];
      expect.soft(expected, `${row}, ${column} is in the record`).toBeDefined();
      if (isSameSoftware || WORKS.test(expected ?? '')) {
        expect.soft(result, `${row}, ${column}`).toBe(expected);
      }
    }
  });
});

describe('the record', () => {
  it('has "Automatic" working wherever the system’s OpenSSH works', () => {
    const rows = Object.entries(record.tables['Ways to sign in, and what servers allow'] ?? {});
    expect(rows.length).toBeGreaterThan(0);
    const lost = rows.filter(
      ([, cells]) =>
        cells['system OpenSSH']?.startsWith('works') === true && !WORKS.test(cells['"Automatic"'] ?? ''),
    );
    expect(lost).toEqual([]);
  });

  it('has a result for every cell, and for nothing else', ({ skip }) => {
    if (isWriting) skip('it is being written');
    const placesOf = (tables: MatrixRecord['tables']): string[] =>
      Object.entries(tables).flatMap(([title, rows]) =>
        Object.entries(rows).flatMap(([row, cells]) =>
          Object.keys(cells).map((column) => `${title} | ${row} | ${column}`),
        ),
      );
    const wanted = MATRIX.flatMap(({ title, cells }) =>
      cells.map(({ row, column }) => `${title} | ${row} | ${column}`),
    );
    expect(placesOf(record.tables).toSorted()).toEqual(wanted.toSorted());
  });
});
