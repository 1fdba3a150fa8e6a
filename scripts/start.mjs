// @ts-check
// npm start [-- arguments for the app]: sets up what is missing, builds if sources changed, starts the app.
import { chownSync, copyFileSync, chmodSync, existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { appLaunch } from './lib/app-launch.mjs';
import { run } from './lib/processes.mjs';
import { runMain, setUp } from './lib/setup.mjs';
import { SetupError } from './lib/setup-error.mjs';
import { say } from './lib/terminal.mjs';

/** An app that is ended by a signal within this time never came to show a window. */
const EARLY_MS = 5_000;

runMain(async () => {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env;
  if (process.platform === 'linux' && !DISPLAY && !WAYLAND_DISPLAY) {
    throw new SetupError(
      'There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set), and Gangway has windows.',
      'Run "npm start" in a desktop session, or see it at work without a display with "npm run demo".',
    );
  }
  await setUp('start', { build: true });
  const launch = appLaunch({ args: process.argv.slice(2) });
  if (launch.user !== undefined) {
    say(`You are root, so Gangway runs as the unprivileged user "${launch.user.name}", with its sandbox on.`);
    shareDisplay(launch.user, launch.env);
  }
  say('Gangway is starting; Ctrl-C ends it.');
  const startedAtMs = Date.now();
  const { code } = await run(launch.command, launch.args, {
    cwd: launch.cwd,
    env: launch.env,
    output: 'show',
  });
  if (code > 128 && Date.now() - startedAtMs < EARLY_MS && process.platform === 'linux') {
    throw new SetupError(
      `Gangway ended at once (exit code ${code}); most often the display "${WAYLAND_DISPLAY ?? DISPLAY}" cannot be opened.`,
      'Check that the display is running and that you may use it ("xset q" says so), then run "npm start" again.',
    );
  }
  return code;
});

/**
 * Lets the unprivileged user talk to root's X display, whose cookie only root can read (Xsecurity(7)).
 * @param {import('./lib/process-user.mjs').ProcessUser} user
 * @param {Record<string, string>} env Of the app.
 */
function shareDisplay(user, env) {
  const cookie = process.env['XAUTHORITY'] ?? join(homedir(), '.Xauthority');
  if (!existsSync(cookie)) return;
  const copy = join(user.home, '.Xauthority');
  copyFileSync(cookie, copy);
  chmodSync(copy, 0o600);
  chownSync(copy, user.uid, user.gid);
  env['XAUTHORITY'] = copy;
}
