// @ts-check
import { chmodSync, chownSync, lstatSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask } from './processes.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Makes sure that Chromium's sandbox can work for the app (Linux): by user namespaces, else by the set-uid helper that
 * Electron brings (root may prepare it). The app never runs without its sandbox.
 * @param {string} executablePath Electron's.
 * @param {readonly string[]} userPrefix Command that runs what follows as the app's user; empty for the present user.
 * @throws {SetupError}
 */
export function ensureSandbox(executablePath, userPrefix) {
  if (process.platform !== 'linux') return;
  if (hasUserNamespaces(userPrefix)) return;
  const helper = join(dirname(executablePath), 'chrome-sandbox');
  const stat = lstatSync(helper, { throwIfNoEntry: false });
  if (stat?.isFile() === true && stat.uid === 0 && (stat.mode & 0o4777) === 0o4755) return;
  if (stat?.isFile() === true && process.getuid?.() === 0) {
    chownSync(helper, 0, 0);
    chmodSync(helper, 0o4755);
    return;
  }
  throw new SetupError(
    'This system does not let ordinary users make user namespaces, which the sandbox of the app needs.',
    `Run "sudo chown root:root ${helper} && sudo chmod 4755 ${helper}" (or allow user namespaces), then the same command again.`,
  );
}

/**
 * @param {readonly string[]} userPrefix
 * @returns {boolean}
 */
function hasUserNamespaces(userPrefix) {
  const [command, ...args] = [...userPrefix, 'unshare', '--user', '--map-root-user', 'true'];
  return command !== undefined && ask(command, args) !== undefined;
}
