// @ts-check
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { electronRuntime } from './electron.mjs';
import { inRuntime, root } from './paths.mjs';
import { asUser, canRead, ownFolder, processUser } from './process-user.mjs';
import { stageForUser } from './stage.mjs';
import { writeAtomically } from './stamp.mjs';

/**
 * @typedef {object} AppLaunchOptions
 * @property {string} [userDataDir] `--user-data-dir`; made if need be. Without it the app takes its own default.
 * @property {string} [home] HOME of the app; made if need be. Default: the present user's, or as root that of the
 *   unprivileged user.
 * @property {readonly string[]} [args] Further arguments for the app.
 * @property {Readonly<Record<string, string | undefined>>} [env] Set over the present environment; undefined takes a
 *   variable away.
 */

/**
 * @typedef {object} AppLaunch
 * @property {string} command
 * @property {string[]} args
 * @property {Record<string, string>} env
 * @property {string} cwd
 * @property {string} appDir The folder that holds package.json and out/: the checkout, or its copy in a stage.
 * @property {string} executablePath For Playwright's `_electron.launch`: Electron itself, or on Linux a script that
 *   starts it as the right user (`electronWrapper()`).
 * @property {string[]} appArgs For Playwright's `_electron.launch`, together with `executablePath`.
 * @property {import('./process-user.mjs').ProcessUser | undefined} user
 */

/** Of the environment of npm, of Node tools and of root's own desktop session, which the app must not see. */
const NOT_FOR_THE_APP =
  /^(npm_|NODE_|ELECTRON_RUN_AS_NODE$|ELECTRON_OVERRIDE_DIST_PATH$|INIT_CWD$|VITEST|PLAYWRIGHT_|SUDO_)/;
const OF_ROOTS_SESSION =
  /^(XDG_RUNTIME_DIR|XDG_CONFIG_HOME|XDG_CACHE_HOME|XDG_DATA_HOME|XDG_STATE_HOME|DBUS_SESSION_BUS_ADDRESS|WAYLAND_DISPLAY|SSH_AUTH_SOCK|MAIL|USER|LOGNAME)$/;

/**
 * How to start the built app: with the Electron that set-up found, its sandbox on, as the unprivileged user when this
 * runs as root. The app must have been built.
 * @param {AppLaunchOptions} [options]
 * @returns {AppLaunch}
 * @throws {import('./setup-error.mjs').SetupError}
 */
export function appLaunch({ userDataDir, home, args = [], env = {} } = {}) {
  const user = processUser();
  const { appDir, electronExecutable } = stageForUser(user, electronRuntime().executablePath);

  /** @type {Record<string, string>} */
  const environment = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined || NOT_FOR_THE_APP.test(name)) continue;
    if (user !== undefined && OF_ROOTS_SESSION.test(name)) continue;
    environment[name] = value;
  }
  const appHome = home ?? user?.home;
  if (appHome !== undefined) {
    if (appHome !== user?.home) ownFolder(user, appHome);
    environment['HOME'] = appHome;
  }
  if (user !== undefined) {
    environment['USER'] = environment['LOGNAME'] = user.name;
    if (env['XDG_RUNTIME_DIR'] === undefined) {
      const runtimeFolder = join(appHome ?? user.home, '.xdg-runtime');
      ownFolder(user, runtimeFolder);
      environment['XDG_RUNTIME_DIR'] = runtimeFolder;
    }
  }
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete environment[name];
    else environment[name] = value;
  }
  if (userDataDir !== undefined) ownFolder(user, userDataDir);

  const appArgs = [appDir, ...(userDataDir === undefined ? [] : [`--user-data-dir=${userDataDir}`]), ...args];
  const [command, ...first] = [...asUser(user), electronExecutable];
  return {
    command,
    args: [...first, ...appArgs],
    env: environment,
    cwd: canRead(user, root) ? root : appDir,
    appDir,
    executablePath: electronWrapper(electronExecutable),
    appArgs,
    user,
  };
}

/**
 * Writes a script that stands for the Electron executable and starts it as the app's user: Playwright puts its own
 * arguments first, so the change of user cannot be an argument. It takes out a `--no-sandbox` (Playwright adds one
 * unless it is told `chromiumSandbox: true`), and lets the app end with the process that started it, also when that
 * crashes (prctl(2), PR_SET_PDEATHSIG).
 * @param {string} electronExecutable
 * @returns {string} Path of the script; on macOS and Windows the executable itself.
 */
export function electronWrapper(electronExecutable) {
  if (process.platform !== 'linux') return electronExecutable;
  const [setpriv = 'setpriv', ...options] = asUser(processUser());
  const words = [setpriv, '--pdeathsig', 'KILL', ...options, electronExecutable].map(quoteForShell).join(' ');
  const path = inRuntime('electron-as-user');
  mkdirSync(inRuntime(), { recursive: true });
  writeAtomically(
    path,
    `#!/bin/sh
# Written by scripts/lib/app-launch.mjs.
for argument do
  shift
  [ "$argument" = --no-sandbox ] || set -- "$@" "$argument"
done
exec ${words} "$@"
`,
    0o755,
  );
  return path;
}

/**
 * @param {string} word
 * @returns {string} The same word for sh.
 */
export function quoteForShell(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
