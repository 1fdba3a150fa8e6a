import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { FAULT_AREAS, FAULT_ROWS, type FaultRow } from '../../test/support/faults/catalogue.ts';
import type { FaultEvidence } from '../../test/support/faults/evidence.ts';

/** The fault matrix of docs/faults.md: the catalogue, and what the tests of one run saw of each row. */

const PAGE = fileURLToPath(new URL('../../docs/faults.md', import.meta.url));
const RECORD = fileURLToPath(new URL('../../docs/generated/fault-matrix.json', import.meta.url));
const EVIDENCE = fileURLToPath(new URL('../../test-results/faults/', import.meta.url));
const [BEGIN, END] = ['<!-- generated: matrix -->', '<!-- end of generated: matrix -->'];

/** As `recordFault` writes it. */
export type RecordedFault = FaultEvidence & { readonly test: string };

/** What the tests of the last run left, in order. */
export function readEvidence(): readonly RecordedFault[] {
  if (!existsSync(EVIDENCE)) return [];
  return readdirSync(EVIDENCE)
    .sort()
    .map((name) => JSON.parse(readFileSync(`${EVIDENCE}${name}`, 'utf8')) as RecordedFault)
    .sort((a, b) => a.row - b.row || a.test.localeCompare(b.test) || part(a).localeCompare(part(b)));
}

export function readRecord(): readonly RecordedFault[] {
  return JSON.parse(readFileSync(RECORD, 'utf8')) as readonly RecordedFault[];
}

/** The page as it should be, from the page as it is. */
export async function renderPage(
  record: readonly RecordedFault[] = readRecord(),
): Promise<{ readonly committed: string; readonly expected: string }> {
  const committed = readFileSync(PAGE, 'utf8');
  const [from, to] = [committed.indexOf(BEGIN), committed.indexOf(END)];
  if (from === -1 || to < from) throw new Error('docs/faults.md has no place for the matrix.');
  const filled = `${committed.slice(0, from + BEGIN.length)}\n\n${renderMatrix(record)}\n\n${committed.slice(to)}`;
  const options = await resolveConfig(PAGE);
  return { committed, expected: await format(filled, { ...options, parser: 'markdown' }) };
}

/** Takes what the last run saw into the record, and writes the page. */
export async function writePage(): Promise<void> {
  const evidence = readEvidence();
  if (evidence.length > 0) writeFileSync(RECORD, `${JSON.stringify(evidence, null, 2)}\n`);
  const { expected } = await renderPage();
  writeFileSync(PAGE, expected);
}

export interface RowVerdict {
  readonly row: FaultRow;
  readonly status: 'seen' | 'not-run' | 'missing';
  /** What the record holds of the row and this run did not see. */
  readonly unseen: readonly string[];
}

/**
 * Whether a run saw each row, with every part of it that the record holds. `isRoot`: whether this machine can give all of it
 * (Linux, root); elsewhere what is missing counts as not run.
 */
export function judge(
  evidence: readonly RecordedFault[],
  isRoot: boolean,
  record: readonly RecordedFault[] = [],
): readonly RowVerdict[] {
  const seenKeys = new Set(evidence.map(keyOf));
  return FAULT_ROWS.map((row) => {
    const known = record.filter((each) => each.row === row.row);
    const unseen = isRoot ? known.filter((each) => !seenKeys.has(keyOf(each))).map(keyOf) : [];
    const isSeen = evidence.some((each) => each.row === row.row) && unseen.length === 0;
    if (isSeen) return { row, status: 'seen', unseen };
    const isExcused = known.length === 0 && row.notRun !== undefined;
    return { row, status: isExcused || !isRoot ? 'not-run' : 'missing', unseen };
  });
}

function keyOf(evidence: RecordedFault): string {
  return [evidence.test, evidence.layer, part(evidence)].filter(Boolean).join(', ');
}

function renderMatrix(record: readonly RecordedFault[]): string {
  const verdicts = judge(record, true);
  const seen = verdicts.filter(({ status }) => status === 'seen').length;
  const intro = `${seen} of ${verdicts.length} rows were seen by ${record.length} tests in the run that this page was made from.`;
  const sections = FAULT_AREAS.map((area) => {
    const rows = FAULT_ROWS.filter((row) => row.area === area);
    return `### ${area}\n\n${renderRows(rows, record)}`;
  });
  return [intro, ...sections].join('\n\n');
}

function renderRows(rows: readonly FaultRow[], record: readonly RecordedFault[]): string {
  const lines = rows.flatMap((row) => {
    const evidence = record.filter((each) => each.row === row.row);
    const note =
      row.notRun === undefined ? '' : `${evidence.length === 0 ? 'not run' : 'in part'}: ${row.notRun}`;
    const head = [String(row.row), row.fault, row.shown, row.bound];
    const seen = evidence.map((each, index) => [
      ...(index === 0 ? head : ['', '', '', '']),
      [part(each), each.injected].filter(Boolean).join(': '),
      each.shown,
      took(each),
      each.control,
      `${each.layer}, ${each.test.split('/').at(-1) ?? ''}`,
    ]);
    if (note === '') return seen.length > 0 ? seen : [[...head, '', '**not seen**', '', '', '']];
    return [...seen, [...(seen.length > 0 ? ['', '', '', ''] : head), '', note, '', '', '']];
  });
  const header = ['#', 'Fault', 'A person sees', 'Within', 'Made by', 'Seen', 'Took', 'Control', 'Test'];
  return [header, header.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.map(cell).join(' | ')} |`)
    .join('\n');
}

function part(evidence: FaultEvidence): string {
  return evidence.part ?? '';
}

function took({ tookMs, limitMs }: FaultEvidence): string {
  if (tookMs === null) return '';
  const seconds = (ms: number): string => (ms < 100 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
  return limitMs === null ? seconds(tookMs) : `${seconds(tookMs)} (≤ ${seconds(limitMs)})`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}
