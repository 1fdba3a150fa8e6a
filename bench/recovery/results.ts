/** Figures of the recovery bench, and how they are shown. */

export interface RecoveryPlan {
  /** Of row 5, for each fault. */
  readonly rounds: number;
  readonly cycles: number;
  readonly wakes: number;
  readonly minutes: number;
  readonly messages: number;
  readonly seed: number;
}

export interface Spread {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly min: number;
  readonly max: number;
}

export interface SideResult extends Spread {
  readonly name: string;
  readonly note?: string;
}

export interface RowResult {
  /** 5 to 9, as in docs/recovery.md. */
  readonly row: number;
  readonly what: string;
  readonly unit: 's' | 'drops' | 'messages';
  /** Measured in a run of its own (`--row N`), after the others. */
  readonly isApart?: true;
  /** Gangway first, where it is among them. */
  readonly sides: readonly SideResult[];
}

export interface RecoveryResult {
  readonly machine: { readonly platform: string; readonly arch: string; readonly cpus: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly measuredAt: string;
  readonly plan: RecoveryPlan;
  readonly rows: readonly RowResult[];
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), min: at(0), max: at(1) };
}

/** Gangway's median of the first peer's; null where there is nothing to compare, or nothing to divide by. */
export function ratioOf({ sides, unit }: RowResult): number | null {
  const [ours, theirs] = sides;
  if (unit !== 's' || ours === undefined || theirs === undefined || theirs.p50 === 0) return null;
  return ours.p50 / theirs.p50;
}

interface Mark {
  readonly row: number;
  /** Beginning of what it is of; empty for the whole row. */
  readonly of: string;
  readonly words: string;
  isMet(row: RowResult): boolean;
}

function ours(row: RowResult): SideResult | undefined {
  return row.sides[0]?.name === 'Gangway' ? row.sides[0] : undefined;
}

function atMost(row: number, of: string, words: string, limit: number): Mark {
  return { row, of, words, isMet: (result) => (ours(result)?.max ?? Infinity) <= limit };
}

/** What is asked of Gangway. */
const MARKS: readonly Mark[] = [
  atMost(5, 'Time to notice: RST', 'at most 0.1 s', 0.1),
  atMost(5, 'Time to notice: FIN', 'at most 0.1 s', 0.1),
  atMost(5, 'Time to notice: black hole', 'at most 9.5 s', 9.5),
  atMost(5, 'Time to notice: SIGSTOP', 'at most 9.5 s', 9.5),
  // A way that carried nothing proves nothing.
  { row: 6, of: '', words: 'none, under load', isMet: (row) => ours(row)?.max === 0 && !isWithoutLoad(row) },
  { row: 7, of: 'all cycles', words: 'at most 0.5 x', isMet: (row) => (ratioOf(row) ?? Infinity) <= 0.5 },
  atMost(8, '', 'at most 3 s', 3),
  { row: 9, of: 'lost', words: 'none', isMet: (row) => ours(row)?.max === 0 },
  { row: 9, of: 'doubled', words: 'none', isMet: (row) => ours(row)?.max === 0 },
  { row: 9, of: 'unconfirmed', words: 'under 1 %', isMet: isUnderOnePercent },
];

function isWithoutLoad(row: RowResult): boolean {
  return row.sides.some(({ note }) => note === '0 MB passed');
}

function isUnderOnePercent(row: RowResult): boolean {
  const total = Number(/^Of (\d+) /.exec(row.what)?.[1] ?? Number.NaN);
  return (ours(row)?.max ?? Infinity) < total / 100;
}

/** The mark of a row and whether it is met; null where only peers were measured. */
export function markOf(row: RowResult): { readonly words: string; readonly isMet: boolean } | null {
  if (ours(row) === undefined) return null;
  const mark = MARKS.find(
    ({ row: number, of }) => number === row.row && (of === '' || row.what.includes(of)),
  );
  return mark === undefined ? null : { words: mark.words, isMet: mark.isMet(row) };
}

function figure(value: number, unit: RowResult['unit']): string {
  if (unit !== 's') return String(value);
  return value < 1 ? value.toFixed(3) : value.toFixed(2);
}

export function formatRecovery({ rows }: Pick<RecoveryResult, 'rows'>): string {
  return rows.map(formatRow).join('');
}

function formatRow(row: RowResult): string {
  const mark = markOf(row);
  const ratio = ratioOf(row);
  const verdict = mark === null ? '' : `  mark ${mark.words}: ${mark.isMet ? 'met' : 'MISSED'}`;
  const lines = row.sides.map((side) => {
    const values = (['p50', 'p95', 'max'] as const).map((name) => `${name} ${figure(side[name], row.unit)}`);
    const shown = row.unit === 's' ? `${values.join('  ')} s  (${side.count})` : figure(side.p50, row.unit);
    return `   ${side.name.padEnd(34)}${shown}${side.note === undefined ? '' : `  ${side.note}`}`;
  });
  const comparison = ratio === null ? '' : `  ${ratio.toFixed(2)} x`;
  return `${row.row}  ${row.what}${comparison}${verdict}\n${lines.join('\n')}\n`;
}

/** Rows of a Markdown table: one for each row and side. */
export function tableOf({ rows }: Pick<RecoveryResult, 'rows'>): string {
  const lines = rows.flatMap((row) => {
    const mark = markOf(row);
    return row.sides.map((side, index) => {
      const isOurs = index === 0 && mark !== null;
      const ratio = isOurs ? ratioOf(row) : null;
      const cells = [
        String(row.row),
        index === 0 ? `${row.what}${row.isApart ? ' \\*' : ''}` : '',
        side.name,
        ...(['p50', 'p95', 'max'] as const).map((name) => figure(side[name], row.unit)),
        row.unit === 's' ? String(side.count) : (side.note ?? ''),
        ratio === null ? '' : ratio.toFixed(2),
        isOurs ? `${mark.words}: ${mark.isMet ? 'met' : '**missed**'}` : '',
      ];
      return `| ${cells.join(' | ')} |`;
    });
  });
  return [
    '| # | What | Who | Median | p95 | Most | Rounds | Of the peer | Mark |',
    '| - | - | - | - | - | - | - | - | - |',
    ...lines,
  ].join('\n');
}
