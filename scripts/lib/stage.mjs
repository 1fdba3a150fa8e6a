// @ts-check
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { builtHash } from './build.mjs';
import { requireSpace } from './disk.mjs';
import { inRoot, root } from './paths.mjs';
import { canRead } from './process-user.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Where the app's user finds the built app and Electron. Where it cannot reach the checkout (a clone under /root, a
 * private temporary folder), they are laid out again in a folder under /var/tmp that everybody may read: hard links
 * where possible, so that it costs no space, made anew when the build changes. The build is bundled whole, so no package
 * goes along (as in electron-builder.yml).
 * @param {import('./process-user.mjs').ProcessUser | undefined} user
 * @param {string} electronExecutable
 * @returns {{ appDir: string, electronExecutable: string }}
 * @throws {SetupError}
 */
export function stageForUser(user, electronExecutable) {
  if (canRead(user, inRoot('out', 'main', 'index.js')) && canRead(user, electronExecutable))
    return { appDir: root, electronExecutable };

  const build = builtHash();
  if (build === undefined)
    throw new SetupError('The app is not built yet.', 'Run "npm run setup", then the same command again.');
  const key = createHash('sha256').update(`${build}\0${electronExecutable}`).digest('hex').slice(0, 16);
  const place = `/var/tmp/gangway-stage-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
  requireOwnFolder(place);
  const target = join(place, key);
  if (!existsSync(target)) {
    removeUnused(place);
    requireSpace(place, 700_000_000, 'a copy of the app that an unprivileged user can read');
    const partial = join(place, `${key}.${process.pid}.partial`);
    rmSync(partial, { recursive: true, force: true });
    for (const name of ['package.json', 'out', 'assets']) {
      if (existsSync(inRoot(name))) layOut(inRoot(name), join(partial, 'app', name));
    }
    layOut(dirname(electronExecutable), join(partial, 'electron'));
    openFolders(partial);
    try {
      renameSync(partial, target);
    } catch (error) {
      // Another process was quicker; its copy is the same.
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(target)) throw error;
    }
  }
  return { appDir: join(target, 'app'), electronExecutable: join(target, 'electron', 'electron') };
}

/**
 * /var/tmp is everybody's: what lies there under our name must be a folder of ours that no other user may change.
 * @param {string} place
 */
function requireOwnFolder(place) {
  try {
    mkdirSync(place, { mode: 0o755 });
    chmodSync(place, 0o755);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const stat = lstatSync(place);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0) {
    throw new SetupError(
      `${place} belongs to somebody else.`,
      'Look at it, delete it, then run the same command again.',
    );
  }
}

/**
 * @param {string} source
 * @param {string} target Its parents are made.
 */
function layOut(source, target) {
  mkdirSync(dirname(target), { recursive: true });
  const stat = lstatSync(source);
  if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(source), target);
  } else if (stat.isDirectory()) {
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(source)) {
      layOut(join(source, name), join(target, name));
    }
  } else if (stat.isFile()) {
    linkOrCopy(source, target, stat.mode);
  }
}

/**
 * @param {string} source
 * @param {string} target
 * @param {number} mode
 */
function linkOrCopy(source, target, mode) {
  if ((mode & 0o444) === 0o444) {
    try {
      linkSync(source, target);
      return;
    } catch {
      // Another file system.
    }
  }
  copyFileSync(source, target);
  chmodSync(target, (mode & 0o111) === 0 ? 0o644 : 0o755);
}

/** @param {string} folder Made 0755 with all folders in it, whatever the umask is. */
function openFolders(folder) {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) openFolders(join(folder, entry.name));
  }
}

/** @param {string} place Copies of earlier builds in it go, unless a program still runs from them. */
function removeUnused(place) {
  const executables = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/exe`);
      } catch {
        return '';
      }
    });
  for (const name of readdirSync(place)) {
    const path = join(place, name);
    if (!executables.some((executable) => executable.startsWith(`${path}/`)))
      rmSync(path, { recursive: true, force: true });
  }
}
