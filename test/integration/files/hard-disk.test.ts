import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordFault } from '../../support/faults/evidence.ts';
import { appUser } from '../../support/lab/app-user.ts';
import { runChild } from '../../support/lab/child.ts';
import { findProgram } from '../../support/lab/programs.ts';

/** Disks that are full, read-only or forbidden. Each is a file system in a mount namespace that only the child sees. */

function missingForMounts(): string | null {
  if (process.platform !== 'linux') return 'mount namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'mount namespaces need root';
  return findProgram('unshare') === null ? 'no `unshare` program (apt install util-linux)' : null;
}

const missing = missingForMounts();
if (missing !== null) console.warn(`No disk is full or read-only here: ${missing}.`);

const MAIN = join(import.meta.dirname, 'hard-disk-main.ts');
/** The store offers a refused change again every 5 s. */
const HEALED_WITHIN_MS = 6_000;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gangway-hard-disk-'));
  chmodSync(dir, 0o755);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Seen {
  readonly control: readonly string[];
  readonly during: {
    readonly tookMs: number;
    readonly inMemory: string;
    readonly onDisk: string;
    readonly notices: readonly { readonly type: string; readonly detail: string }[];
    readonly secrets: string;
    readonly secretsOnDisk: readonly string[];
  };
  readonly after: {
    readonly tookMs: number;
    readonly onDisk: string;
    readonly notices: readonly unknown[];
    readonly secrets: string;
    readonly logHasEnd: boolean;
  };
}

async function live(command: string, args: readonly string[]): Promise<Seen> {
  const run = await runChild({ command, args, name: 'hard-disk-main' }, 40_000);
  const result = /^RESULT (.*)$/m.exec(run.stdout)?.[1];
  if (result === undefined) throw new Error(`It ended with ${String(run.code)}:\n${run.output}`);
  expect(run.code).toBe(0);
  return JSON.parse(result) as Seen;
}

function onOwnDisk(fault: string): Promise<Seen> {
  const folder = join(dir, fault);
  mkdirSync(folder);
  const script = 'mount -t tmpfs -o size=256k tmpfs "$2" && exec "$0" "$1" "$3" "$2"';
  return live('unshare', ['--mount', 'sh', '-c', script, process.execPath, MAIN, folder, fault]);
}

function expectKept({ during, after }: Seen, code: string): void {
  expect(during.notices).toMatchObject([{ type: 'settings-unwritable', detail: code }]);
  expect(during.inMemory).toBe('dark');
  expect(during.onDisk).toBe('light');
  expect(during.secrets).toBe(code);
  expect(during.secretsOnDisk).toEqual(['old']);
  expect(after.onDisk).toBe('dark');
  expect(after.notices).toEqual([]);
  expect(after.secrets).toBe('done');
  expect(after.logHasEnd).toBe(true);
  expect(after.tookMs).toBeLessThan(HEALED_WITHIN_MS);
}

const SHOWN =
  'the change is in force, the file holds the old settings, "could not be saved" names the reason and goes when the disk takes it; 2,000 log lines are lost without harm';

describe.skipIf(missing !== null).concurrent('settings, secrets and the log', () => {
  it('keep what they had on a disk that is full, say so, and catch up when there is room', async () => {
    const seen = await onOwnDisk('full');
    expectKept(seen, 'ENOSPC');
    expect(seen.control).toEqual(['done, whole', 'done, cut']);
    recordFault({
      row: 69,
      part: 'settings, disk full',
      layer: 'core',
      injected: 'tmpfs of 256 KiB with room for two pages',
      shown: SHOWN,
      tookMs: seen.during.tookMs,
      limitMs: 250,
      control: 'electron-store alone reports success on the same disk and leaves a file that is cut',
    });
  });

  it('keep what they had on a disk that became read-only, say so, and catch up when it is no longer', async () => {
    const seen = await onOwnDisk('read-only');
    expectKept(seen, 'EROFS');
    recordFault({
      row: 69,
      part: 'settings, read-only',
      layer: 'core',
      injected: 'mount -o remount,ro',
      shown: SHOWN,
      tookMs: seen.during.tookMs,
      limitMs: 250,
      control: 'the same change is on disk once the mount is writable again',
    });
  });

  it('keep what they had in a folder that may not be written, say so, and catch up when it may', async () => {
    const user = appUser();
    if (user === undefined) throw new Error('As root the lab has a user for the app');
    const folder = join(dir, 'forbidden');
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, user.uid, user.gid);
    const seen = await live(process.execPath, [MAIN, 'forbidden', folder, String(user.uid)]);
    expectKept(seen, 'EACCES');
    recordFault({
      row: 69,
      part: 'settings, EACCES',
      layer: 'core',
      injected: 'chmod 0500, as an unprivileged user',
      shown: SHOWN,
      tookMs: seen.during.tookMs,
      limitMs: 250,
      control: 'the same change is on disk once the folder is writable again',
    });
  });
});
