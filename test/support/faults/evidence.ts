import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a test saw of one row of the fault matrix (test/support/faults/catalogue.ts). */
export interface FaultEvidence {
  /** Number of the row, 1 to 80. */
  readonly row: number;
  /** Which part of the row this is, where several tests share it; short, e.g. `uplink only`. */
  readonly part?: string;
  /** `unit`: fake clock or stand-in; `core`: everything but Electron, real servers; `app`: the real app. */
  readonly layer: 'unit' | 'core' | 'app';
  /** By what means the fault was made. */
  readonly injected: string;
  /** What a person sees of it: states, failure codes or words that the test compared. */
  readonly shown: string;
  /** Measured, in milliseconds; null where the row has no time bound. */
  readonly tookMs: number | null;
  /** The bound that was held, in milliseconds. */
  readonly limitMs: number | null;
  /** What the control run showed: that the injector bites, or that the check can fail. */
  readonly control: string;
}

const ROOT = resolve(import.meta.dirname, '..', '..', '..');
const DIR = process.env['GANGWAY_FAULT_EVIDENCE'] ?? join(ROOT, 'test-results', 'faults');

/**
 * Writes down that a row of the fault matrix was seen to hold. To be called last in a test, when everything else has passed.
 * Throws where the measured time is over its limit.
 */
export function recordFault(evidence: FaultEvidence): void {
  const { row, part = '', tookMs, limitMs } = evidence;
  if (!Number.isInteger(row) || row < 1 || row > 80) throw new Error(`There is no row ${row}`);
  if (tookMs !== null && limitMs !== null && tookMs > limitMs)
    throw new Error(`Row ${row} ${part}: took ${Math.round(tookMs)} ms, more than ${limitMs} ms`);
  const test = callerFile();
  const name = createHash('sha256').update(`${test}\n${part}\n${evidence.layer}`).digest('hex').slice(0, 12);
  mkdirSync(DIR, { recursive: true });
  const content = { ...evidence, part, tookMs: tookMs === null ? null : Math.round(tookMs), test };
  writeFileSync(
    join(DIR, `row-${String(row).padStart(2, '0')}-${name}.json`),
    `${JSON.stringify(content, null, 2)}\n`,
  );
}

function callerFile(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(1);
  for (const line of lines) {
    const place = /(?:\(|at )(?:async )?((?:file:\/\/)?\/[^()]+?):\d+:\d+\)?$/.exec(line.trim())?.[1];
    if (place === undefined) continue;
    const path = relative(ROOT, place.startsWith('file://') ? fileURLToPath(place) : place);
    if (path.startsWith('test') && !path.includes('support')) return path;
  }
  throw new Error('recordFault was called from no test');
}
