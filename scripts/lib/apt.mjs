// @ts-check
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { requireSpace } from './disk.mjs';
import { ask, run } from './processes.mjs';
import { SetupError } from './setup-error.mjs';
import { say, step } from './terminal.mjs';

const NEEDED_BYTES = 800_000_000;

/**
 * Packages that bring a server and switch it on with the system.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const SERVER_UNITS = {
  'openssh-server': ['ssh.service', 'ssh.socket'],
  tinysshd: ['tinysshd.socket'],
};

/**
 * Installs packages with apt-get where this process may (root, or sudo without a password).
 * @param {readonly string[]} wanted Package names of Debian 12.
 * @throws {SetupError} that names the command to run, where it may not.
 */
export async function installPackages(wanted) {
  const isRoot = process.getuid?.() === 0;
  const sudo = isRoot ? [] : ['sudo', '-n'];
  const mayInstall = isRoot || ask('sudo', ['-n', 'true']) !== undefined;
  if (!mayInstall) {
    const names = namesHere(wanted, (name) => ask('apt-cache', ['policy', name]));
    throw new SetupError(
      `${names.length} system package${names.length === 1 ? ' is' : 's are'} missing, and installing needs root.`,
      `Run "sudo apt-get install --no-install-recommends ${names.join(' ')}", then the same command again.`,
    );
  }
  requireSpace('/usr', NEEDED_BYTES, 'the system packages');
  await step('Updating the package lists (apt-get update)', () => apt(sudo, ['update'], () => undefined));
  const names = namesHere(wanted, (name) => ask('apt-cache', ['policy', name]));
  const undo = isRoot ? forbidServiceStart() : () => undefined;
  const servers = names.filter((name) => name in SERVER_UNITS);
  // Ends what an installation that was broken off has left half done; otherwise it does nothing.
  const [dpkg = 'dpkg', ...dpkgArgs] = [
    ...sudo,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'dpkg',
    '--configure',
    '-a',
  ];
  await run(dpkg, dpkgArgs);
  say(`Missing from this system: ${names.join(', ')}.`);
  try {
    await step(
      `Installing ${names.length} system package${names.length === 1 ? '' : 's'} (apt-get)`,
      (setDetail) => apt(sudo, ['install', '--yes', '--no-install-recommends', ...names], setDetail),
    );
  } finally {
    undo();
  }
  for (const server of servers) {
    // The tests start their own servers on loopback; the machine's must not appear on the network because of them.
    const units = SERVER_UNITS[server] ?? [];
    const [command = '', ...args] = [...sudo, 'systemctl', 'disable', '--now', ...units];
    if (existsSync('/run/systemd/system')) ask(command, args);
    say(`${server} was installed for the tests; its system service is switched off.`);
  }
}

/**
 * Newer Debian and Ubuntu releases renamed libraries for 64-bit time (libgtk-3-0t64): takes the name that exists here.
 * @param {readonly string[]} names
 * @param {(name: string) => string | undefined} policy Output of `apt-cache policy NAME`.
 * @returns {string[]}
 */
export function namesHere(names, policy) {
  /** @param {string} name */
  const exists = (name) => /^\s*Candidate: (?!\(none\))/m.test(policy(name) ?? '');
  return names.map((name) => (!exists(name) && exists(`${name}t64`) ? `${name}t64` : name));
}

/**
 * @param {readonly string[]} sudo
 * @param {readonly string[]} args
 * @param {(detail: string) => void} setDetail
 */
async function apt(sudo, args, setDetail) {
  const command = [
    ...sudo,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'LC_ALL=C',
    'apt-get',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=180',
    '-o',
    'Acquire::Retries=3',
    ...args,
  ];
  let said = '';
  const { code, output } = await run(command[0] ?? 'apt-get', command.slice(1), {
    onOutput: (text) => {
      said += text;
      const total = /(\d+) newly installed/.exec(said)?.[1];
      const ready = said.match(/^Setting up /gm)?.length ?? 0;
      const unpacked = said.match(/^Unpacking /gm)?.length ?? 0;
      if (total === undefined) return;
      setDetail(unpacked === 0 ? `fetching ${total}` : `${unpacked} of ${total} unpacked, ${ready} set up`);
    },
  });
  if (code !== 0) throw explainAptFailure(output, args[0] ?? '');
}

/**
 * @param {string} output Of apt-get.
 * @param {string} action `update` or `install`
 * @returns {SetupError}
 */
export function explainAptFailure(output, action) {
  const purpose =
    action === 'update'
      ? 'The package lists could not be updated'
      : 'The system packages could not be installed';
  if (/No space left on device|You don't have enough free space/i.test(output)) {
    return new SetupError(
      `${purpose}: the disk is full.`,
      'Free some space, then run the same command again.',
    );
  }
  if (/Could not get lock|is another process using it/i.test(output)) {
    return new SetupError(
      `${purpose}: another package manager is at work.`,
      'Wait until it has finished, then run the same command again.',
    );
  }
  const absent =
    /Unable to locate package (\S+)/.exec(output)?.[1] ??
    /Package '?(\S+?)'? has no installation candidate/.exec(output)?.[1];
  if (absent !== undefined) {
    return new SetupError(
      `${purpose}: this system's package sources have no package ${absent}.`,
      'Add the sources of your Debian or Ubuntu release (main, universe) to /etc/apt, then run the same command again.',
    );
  }
  if (
    /Temporary failure resolving|Could not connect|Failed to fetch|Unable to fetch|Connection (failed|timed out)/i.test(
      output,
    )
  ) {
    return new SetupError(
      `${purpose}: the package mirror cannot be reached.`,
      'Check the network and /etc/apt/sources.list, then run the same command again.',
    );
  }
  const errors = output
    .split('\n')
    .filter((line) => /^(E|dpkg: error)/.test(line))
    .slice(0, 3)
    .join(' ');
  return new SetupError(
    `${purpose} (${errors === '' ? output.trim().split('\n').at(-1) : errors}).`,
    'Put that right, then run the same command again.',
  );
}

/**
 * Keeps packages from starting their services while they are installed, by Debian's policy-rc.d mechanism
 * (invoke-rc.d(8)); a policy that is there already stays.
 * @returns {() => void} Takes it away again.
 */
function forbidServiceStart() {
  const path = '/usr/sbin/policy-rc.d';
  if (existsSync(path)) return () => undefined;
  writeFileSync(path, '#!/bin/sh\nexit 101\n');
  chmodSync(path, 0o755);
  const undo = () => rmSync(path, { force: true });
  process.once('exit', undo);
  return () => {
    process.off('exit', undo);
    undo();
  };
}
