import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeFileAtomic } from '../../../src/main/node/atomic-file.ts';

const MODULE = join(import.meta.dirname, '../../../src/main/node/atomic-file.ts');
let dir: string;
let path: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-atomic-'));
  path = join(dir, 'secrets.json');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('a file is replaced as a whole', () => {
  writeFileAtomic(path, 'old');
  writeFileAtomic(path, 'n'.repeat(100_000));
  expect(readFileSync(path, 'utf8')).toBe('n'.repeat(100_000));
  expect(readdirSync(dir)).toEqual(['secrets.json']);
});

// A limit on the size of files cuts a write short just as a disk that fills up does; Windows has no such limit.
it.skipIf(process.platform === 'win32')(
  'a disk that takes only a part leaves the old file, and says so',
  () => {
    writeFileSync(path, 'old');
    const script = `
    import(${JSON.stringify(MODULE)}).then(({ writeFileAtomic }) => {
      try {
        writeFileAtomic(${JSON.stringify(path)}, 'n'.repeat(100_000));
        console.log('no error');
      } catch (error) {
        console.log(error.code);
      }
    });`;
    const child = spawnSync(
      '/bin/sh',
      ['-c', `trap '' XFSZ; ulimit -f 64; exec "$0" -e "$1"`, process.execPath, script],
      {
        encoding: 'utf8',
        timeout: 30_000,
      },
    );
    expect(child.stdout.trim()).toBe('EFBIG');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(dir)).toEqual(['secrets.json']);
  },
);
