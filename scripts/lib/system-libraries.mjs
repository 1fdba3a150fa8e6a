// @ts-check
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { installPackages } from './apt.mjs';
import { ask } from './processes.mjs';
import { SetupError } from './setup-error.mjs';
import { say } from './terminal.mjs';

/**
 * What a command of this repository needs from the system: `start` opens the app on a desktop; `demo` adds a virtual
 * display and a keyring; `test` adds the SSH server and the tools that tests drive.
 * @typedef {'start' | 'demo' | 'test'} Need
 */

/**
 * Shared libraries of Electron on Linux and the Debian packages they are in. Those after the empty line are opened by
 * name while the app runs, so that ldd does not list them.
 * @type {Readonly<Record<string, string>>}
 */
const LIBRARY_PACKAGES = {
  'libglib-2.0.so.0': 'libglib2.0-0',
  'libgobject-2.0.so.0': 'libglib2.0-0',
  'libgio-2.0.so.0': 'libglib2.0-0',
  'libgmodule-2.0.so.0': 'libglib2.0-0',
  'libnspr4.so': 'libnspr4',
  'libnss3.so': 'libnss3',
  'libnssutil3.so': 'libnss3',
  'libsmime3.so': 'libnss3',
  'libatk-1.0.so.0': 'libatk1.0-0',
  'libatk-bridge-2.0.so.0': 'libatk-bridge2.0-0',
  'libatspi.so.0': 'libatspi2.0-0',
  'libcups.so.2': 'libcups2',
  'libdbus-1.so.3': 'libdbus-1-3',
  'libcairo.so.2': 'libcairo2',
  'libgtk-3.so.0': 'libgtk-3-0',
  'libgdk-3.so.0': 'libgtk-3-0',
  'libpango-1.0.so.0': 'libpango-1.0-0',
  'libX11.so.6': 'libx11-6',
  'libX11-xcb.so.1': 'libx11-xcb1',
  'libXcomposite.so.1': 'libxcomposite1',
  'libXcursor.so.1': 'libxcursor1',
  'libXdamage.so.1': 'libxdamage1',
  'libXext.so.6': 'libxext6',
  'libXfixes.so.3': 'libxfixes3',
  'libXi.so.6': 'libxi6',
  'libXrandr.so.2': 'libxrandr2',
  'libXrender.so.1': 'libxrender1',
  'libXss.so.1': 'libxss1',
  'libXtst.so.6': 'libxtst6',
  'libgbm.so.1': 'libgbm1',
  'libdrm.so.2': 'libdrm2',
  'libexpat.so.1': 'libexpat1',
  'libxcb.so.1': 'libxcb1',
  'libxkbcommon.so.0': 'libxkbcommon0',
  'libxshmfence.so.1': 'libxshmfence1',
  'libudev.so.1': 'libudev1',
  'libasound.so.2': 'libasound2',
  'libuuid.so.1': 'libuuid1',
  'libstdc++.so.6': 'libstdc++6',
  'libgcc_s.so.1': 'libgcc-s1',

  'libsecret-1.so.0': 'libsecret-1-0',
  'libnotify.so.4': 'libnotify4',
};
const OPENED_BY_NAME = ['libsecret-1.so.0', 'libnotify.so.4'];

/** Programs a command needs, and the Debian packages they are in. */
const DEMO_PROGRAMS = {
  Xvfb: 'xvfb',
  'dbus-daemon': 'dbus',
  'dbus-send': 'dbus',
  'gnome-keyring-daemon': 'gnome-keyring',
  'ssh-keygen': 'openssh-client',
  perl: 'perl-base',
  ps: 'procps',
  setpriv: 'util-linux',
  useradd: 'passwd',
};
const TEST_PROGRAMS = {
  ...DEMO_PROGRAMS,
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  ss: 'iproute2',
  xdotool: 'xdotool',
  'xfce4-panel': 'xfce4-panel',
};
/** What single tests need: without them those are skipped, each with its reason. */
const TEST_EXTRAS = {
  autossh: 'autossh',
  dropbear: 'dropbear-bin',
  tinysshd: 'tinysshd',
  puttygen: 'putty-tools',
  nc: 'netcat-openbsd',
  ip: 'iproute2',
  iptables: 'iptables',
  unshare: 'util-linux',
  strace: 'strace',
};
/** @type {Readonly<Record<Need, { programs: Readonly<Record<string, string>>, packages: readonly string[] }>>} */
const NEEDS = {
  start: { programs: {}, packages: [] },
  demo: { programs: DEMO_PROGRAMS, packages: ['fonts-noto-cjk', 'fonts-dejavu-core'] },
  test: { programs: TEST_PROGRAMS, packages: ['fonts-noto-cjk', 'fonts-dejavu-core', 'python3-dbus'] },
};
const PROGRAM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/**
 * Makes sure that the shared libraries of Electron and the programs of a command are on this Linux system: installs
 * what is missing with apt where it may (root, or sudo without a password), else names the exact command. Does nothing
 * on macOS and Windows.
 * @param {Need} need
 * @param {string} electronExecutable
 * @throws {SetupError}
 */
export async function ensureSystemLibraries(need, electronExecutable) {
  if (process.platform !== 'linux') return;
  await ensureNeeded(need, electronExecutable);
  if (need === 'test') await tryExtras();
}

/** Other SSH servers and tools for the tests: had where they can be had, and no reason to stop where they cannot. */
async function tryExtras() {
  const missing = Object.entries(TEST_EXTRAS).filter(([program]) => findProgram(program) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))].sort();
  try {
    if (!existsSync('/etc/debian_version')) throw new SetupError('This is not a Debian or Ubuntu.', '');
    await installPackages(packages);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`Not installed: ${packages.join(', ')}. The tests that need them will be skipped. ${error.message}`);
  }
}

/**
 * @param {Need} need
 * @param {string} electronExecutable
 */
async function ensureNeeded(need, electronExecutable) {
  const missing = findMissing(need, electronExecutable);
  if (missing.packages.length === 0 && missing.unknownLibraries.length === 0) return;
  if (!existsSync('/etc/debian_version') || findProgram('apt-get') === undefined) {
    throw new SetupError(
      `This system lacks ${missing.names.join(', ')}, and it is not a Debian or Ubuntu, so nothing can be installed for you.`,
      'Install what provides them with your package manager, then run the same command again.',
    );
  }
  if (missing.unknownLibraries.length > 0) {
    throw new SetupError(
      `Electron needs shared libraries that are not on this system: ${missing.unknownLibraries.join(', ')}.`,
      'Find their packages with "apt-file search NAME", install them, then run the same command again.',
    );
  }
  await installPackages(missing.packages);
  const still = findMissing(need, electronExecutable);
  if (still.names.length > 0) {
    throw new SetupError(
      `The packages were installed, but still missing are ${still.names.join(', ')}.`,
      'Install what provides them by hand, then run the same command again.',
    );
  }
}

/**
 * @param {Need} need
 * @param {string} electronExecutable
 * @returns {{ packages: string[], names: string[], unknownLibraries: string[] }} `names` are for people.
 */
function findMissing(need, electronExecutable) {
  const { programs, packages } = NEEDS[need];
  const libraries = [
    ...missingLibraries(ask('ldd', [electronExecutable]) ?? ''),
    ...notInLinkerCache(OPENED_BY_NAME, ask('/sbin/ldconfig', ['-p']) ?? ask('ldconfig', ['-p'])),
  ];
  const mapped = packagesFor(libraries);
  const missingPrograms = Object.keys(programs).filter((name) => findProgram(name) === undefined);
  const missingPackages = packages.filter((name) => !isProvided(name));
  return {
    packages: [
      ...new Set([
        ...mapped.packages,
        ...missingPrograms.map((name) => programs[name] ?? name),
        ...missingPackages,
      ]),
    ].sort(),
    names: [...libraries, ...missingPrograms, ...missingPackages],
    unknownLibraries: mapped.unknown,
  };
}

/**
 * @param {string} lddOutput See ldd(1).
 * @returns {string[]} The libraries it says are `not found`, each once.
 */
export function missingLibraries(lddOutput) {
  const names = [...lddOutput.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
  return [...new Set(names)];
}

/**
 * @param {readonly string[]} libraries
 * @param {string | undefined} cache Output of `ldconfig -p`; undefined when it could not be had: then none is reported.
 * @returns {string[]} Those that the dynamic linker would not find.
 */
export function notInLinkerCache(libraries, cache) {
  if (cache === undefined) return [];
  const known = new Set([...cache.matchAll(/^\s+(\S+) \(/gm)].map((match) => match[1]));
  return libraries.filter((name) => !known.has(name));
}

/**
 * @param {readonly string[]} libraries Such as `libgbm.so.1`.
 * @returns {{ packages: string[], unknown: string[] }} Debian packages, and the libraries whose package is not known.
 */
export function packagesFor(libraries) {
  const packages = new Set();
  const unknown = [];
  for (const library of libraries) {
    const name = LIBRARY_PACKAGES[library];
    if (name === undefined) unknown.push(library);
    else packages.add(name);
  }
  return { packages: [...packages], unknown };
}

/**
 * @param {string} name
 * @returns {string | undefined} Absolute path of a program on the PATH or in the usual folders (sbin is not on an
 *   ordinary user's PATH).
 */
export function findProgram(name) {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...PROGRAM_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((path) => path.startsWith('/') && existsSync(path));
}

/**
 * @param {string} name A Debian package that is asked for by name, for what it holds is no program.
 * @returns {boolean}
 */
function isProvided(name) {
  if (name === 'fonts-noto-cjk') {
    const korean = ask('fc-list', [':lang=ko', 'family']);
    if (korean !== undefined && korean.trim() !== '') return true;
  }
  return (
    ask('dpkg-query', ['-W', '-f', '${db:Status-Status}', name])?.trim() === 'installed' ||
    !existsSync('/etc/debian_version')
  );
}
