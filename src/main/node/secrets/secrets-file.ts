import { readFileSync, renameSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { z } from 'zod';
import { removeLeftovers, syncFolder, writeFileAtomic } from '../atomic-file.ts';

const schema = z.strictObject({
  version: z.literal(1),
  /** Ciphertexts in base64, by name. */
  entries: z.record(z.string().max(256), z.base64().max(64 * 1024)),
});

export interface SecretsRead {
  readonly entries: ReadonlyMap<string, string>;
  /** Where a file was put that is not understood, so that a later write does not destroy it; else null. */
  readonly putAsideAs: string | null;
}

/**
 * Reads the ciphertexts, and removes what killed runs left of earlier writes. Throws what the file system says where the
 * file is there and cannot be read or put aside.
 */
export function readSecretsFile(path: string, nowMs: number): SecretsRead {
  removeLeftovers(dirname(path), basename(path));
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { entries: new Map(), putAsideAs: null };
    throw error;
  }
  try {
    return { entries: new Map(Object.entries(schema.parse(JSON.parse(text)).entries)), putAsideAs: null };
  } catch {
    const putAsideAs = asideOf(path, nowMs);
    renameSync(path, putAsideAs);
    syncFolder(dirname(path));
    return { entries: new Map(), putAsideAs };
  }
}

/** Replaces the file: afterwards it holds the old or the new ciphertexts. Throws what the file system says. */
export function writeSecretsFile(path: string, entries: ReadonlyMap<string, string>): void {
  writeFileAtomic(path, textOf(entries));
}

/** Keeps ciphertexts beside the file, of which one cannot be decrypted any more. Returns where; throws. */
export function keepSecretsAside(path: string, entries: ReadonlyMap<string, string>, nowMs: number): string {
  const aside = asideOf(path, nowMs);
  writeFileAtomic(aside, textOf(entries));
  return aside;
}

function textOf(entries: ReadonlyMap<string, string>): string {
  return `${JSON.stringify({ version: 1, entries: Object.fromEntries(entries) }, null, 2)}\n`;
}

/** `…/secrets.json.bad-2026-11-23T16-25-01-123Z` */
function asideOf(path: string, nowMs: number): string {
  return `${path}.bad-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
}
