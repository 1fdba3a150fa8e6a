import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { findProgram } from '../../support/lab/programs.ts';

/** The committed results; scripts/docs/ssh-page.ts makes the tables of docs/ssh.md of them. */
const RECORD = fileURLToPath(new URL('../../../docs/generated/ssh-matrix.json', import.meta.url));

const recordSchema = z.strictObject({
  /** What the results were seen with, by program. */
  versions: z.record(z.string(), z.string()),
  /** Table, row, column: `works`, `works, asks …`, or a failure's code and words. */
  tables: z.record(z.string(), z.record(z.string(), z.record(z.string(), z.string()))),
});
export type MatrixRecord = z.infer<typeof recordSchema>;

export function readRecord(): MatrixRecord {
  if (!existsSync(RECORD)) return { versions: {}, tables: {} };
  return recordSchema.parse(JSON.parse(readFileSync(RECORD, 'utf8')));
}

export function writeRecord(record: MatrixRecord): void {
  writeFileSync(RECORD, `${JSON.stringify(recordSchema.parse(record), null, 2)}\n`);
}

/** Of the programs that take part, without the parts of a version that only packaging changes. */
export function versionsHere(): Record<string, string> {
  const ssh = spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr;
  const versions: Record<string, string> = { OpenSSH: /OpenSSH_([\w.]+)/.exec(ssh)?.[1] ?? 'unknown' };
  const dropbear = findProgram('dropbear');
  if (dropbear !== null) {
    const said = spawnSync(dropbear, ['-V'], { encoding: 'utf8' });
    versions['Dropbear'] = /v([\w.]+)/.exec(said.stderr + said.stdout)?.[1] ?? 'unknown';
  }
  // tinysshd does not say its version; its package does.
  if (findProgram('tinysshd') !== null) versions['TinySSH'] = packageVersion('tinysshd');
  const puttygen = findProgram('puttygen');
  if (puttygen !== null) {
    const said = execFileSync(puttygen, ['--version'], { encoding: 'utf8' });
    versions['PuTTYgen'] = /Release ([\w.]+)/.exec(said)?.[1] ?? 'unknown';
  }
  return versions;
}

function packageVersion(name: string): string {
  const asked = spawnSync('dpkg-query', ['-W', '-f', '${Version}', name], { encoding: 'utf8' });
  return /^(?:\d+:)?([^-+]+)/.exec(asked.stdout)?.[1] ?? 'unknown';
}
