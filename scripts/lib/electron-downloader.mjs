// @ts-check
// A program of its own: electron.mjs starts it with Node 24, which @electron/get needs.
//   electron-downloader.mjs VERSION FOLDER
// Downloads the official Electron of that version (cache, mirror and proxy settings are @electron/get's), checks it
// against the checksums that the npm package electron carries, and unpacks it into FOLDER.
// Prints JSON lines: {"transferred":BYTES,"total":BYTES|null} on the way, {"failure":{"kind","reason"}} at the end.
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { inRoot } from './paths.mjs';
import { classifyDownloadFailure } from './electron-failure.mjs';

/** A host that has sent nothing by then counts as not reachable. */
const FIRST_BYTE_MS = 12_000;
/** A download that was under way and has brought nothing for so long has broken off. However slow, it may go on. */
const STALL_MS = 60_000;

const [version, target] = process.argv.slice(2);
if (version === undefined || target === undefined) throw new Error('Arguments: VERSION FOLDER');

const require = createRequire(inRoot('node_modules', 'electron', 'install.js'));
/** @type {typeof import('@electron/get')} */
const { downloadArtifact } = await import(pathToFileURL(require.resolve('@electron/get')).href);

const abort = new AbortController();
let begun = false;
let timer = setTimeout(() => abort.abort(), FIRST_BYTE_MS);
let reportedAtMs = 0;

/** @param {unknown} message */
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

try {
  const zip = await downloadArtifact({
    version,
    artifactName: 'electron',
    platform: process.platform,
    arch: process.arch,
    checksums: require('./checksums.json'),
    downloadOptions: {
      quiet: true,
      signal: abort.signal,
      getProgressCallback: async (
        /** @type {{ transferred: number, total: number | null }} */ { transferred, total },
      ) => {
        begun = true;
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), STALL_MS);
        if (Date.now() - reportedAtMs < 500) return;
        reportedAtMs = Date.now();
        print({ transferred, total });
      },
    },
  });
  clearTimeout(timer);
  await require('@electron-internal/extract-zip').extract(zip, { dir: target });
} catch (error) {
  clearTimeout(timer);
  print({ failure: classifyDownloadFailure(error, { aborted: abort.signal.aborted, begun }) });
  process.exitCode = 1;
}
