// @ts-check
import { chownSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ask } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * The unprivileged user that runs the app where a command was started as root: Chromium refuses its sandbox to root,
 * and the app never runs without it.
 * @typedef {object} ProcessUser
 * @property {string} name
 * @property {number} uid
 * @property {number} gid
 * @property {string} home
 */

const NAME = 'gangway-test';
const HOME = '/var/lib/gangway-test';

/** @type {ProcessUser | undefined} */
let known;

/**
 * @returns {ProcessUser | undefined} The user to run the app as; undefined: the present one will do. Makes the account
 *   the first time.
 * @throws {SetupError}
 */
export function processUser() {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
  known ??= lookUp() ?? create();
  return known;
}

/** @returns {ProcessUser | undefined} */
function lookUp() {
  return parsePasswdLine(ask('getent', ['passwd', NAME]) ?? '');
}

/**
 * @param {string} line See passwd(5).
 * @returns {ProcessUser | undefined}
 */
export function parsePasswdLine(line) {
  const [name, , uid, gid, , home] = line.trim().split(':');
  if (name === undefined || name === '' || home === undefined) return undefined;
  const user = { name, uid: Number(uid), gid: Number(gid), home };
  return Number.isInteger(user.uid) && user.uid > 0 && Number.isInteger(user.gid) ? user : undefined;
}

/** @returns {ProcessUser} */
function create() {
  ask('useradd', [
    '--system',
    '--user-group',
    '--create-home',
    '--home-dir',
    HOME,
    '--shell',
    '/usr/sbin/nologin',
    NAME,
  ]);
  const user = lookUp();
  if (user === undefined) {
    throw new SetupError(
      `As root the app runs as the unprivileged user "${NAME}", and that account could not be made.`,
      `Make it with "useradd --system --user-group --create-home --home-dir ${HOME} ${NAME}" or run this as an ordinary user.`,
    );
  }
  return user;
}

/**
 * @param {ProcessUser | undefined} user
 * @returns {string[]} The beginning of a command line that runs the rest as that user, with no privilege left
 *   (setpriv(1)); empty for the present user.
 */
export function asUser(user) {
  if (user === undefined) return [];
  return [
    'setpriv',
    '--reuid',
    String(user.uid),
    '--regid',
    String(user.gid),
    '--clear-groups',
    '--inh-caps=-all',
  ];
}

/**
 * @param {ProcessUser | undefined} user
 * @param {string} path
 * @returns {boolean} Whether that user can read the file, or list and enter the folder, past every folder above it.
 */
export function canRead(user, path) {
  if (user === undefined) return true;
  const [command = '', ...args] = [...asUser(user), 'test', '-r', path];
  return ask(command, args) !== undefined;
}

/**
 * Makes a folder (0700) that belongs to the app's user.
 * @param {ProcessUser | undefined} user
 * @param {string} path The folders above it must be open to that user.
 */
export function ownFolder(user, path) {
  const first = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user === undefined) return;
  for (let folder = path; first !== undefined && folder.length >= first.length; folder = dirname(folder)) {
    chownSync(folder, user.uid, user.gid);
  }
  if (first === undefined) chownSync(path, user.uid, user.gid);
  if (!canRead(user, path)) {
    throw new SetupError(
      `The folder ${path} cannot be reached by the user "${user.name}" that runs the app.`,
      'Use one below /tmp or /var/tmp whose parents are open to others (mode 0755).',
    );
  }
}
