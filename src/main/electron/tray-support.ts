import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ANSWER_LIMIT_MS = 2_000;
const WATCHER = 'org.kde.StatusNotifierWatcher';

/**
 * Whether the desktop shows tray icons. macOS and Windows always do; a Linux desktop does while somebody owns the
 * StatusNotifierWatcher name on the session bus (freedesktop StatusNotifierItem). Asked with the system's own tool,
 * with a limit, and never by starting a bus.
 */
export async function hasTray(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  if (!hasSessionBus()) return false;
  const answer =
    (await ask('gdbus', [
      ...['call', '--session', '--timeout', '2', '--dest', 'org.freedesktop.DBus'],
      ...['--object-path', '/org/freedesktop/DBus', '--method', 'org.freedesktop.DBus.NameHasOwner', WATCHER],
    ])) ??
    (await ask('dbus-send', [
      ...['--session', '--print-reply', '--reply-timeout=2000', '--dest=org.freedesktop.DBus'],
      ...['/org/freedesktop/DBus', 'org.freedesktop.DBus.NameHasOwner', `string:${WATCHER}`],
    ]));
  // Without either tool nobody can tell: a window that stands in is better than an app that nobody sees.
  return answer !== null && /\btrue\b/.test(answer);
}

function hasSessionBus(): boolean {
  const runtimeDir = process.env['XDG_RUNTIME_DIR'];
  return (
    (process.env['DBUS_SESSION_BUS_ADDRESS'] ?? '') !== '' ||
    (runtimeDir !== undefined && existsSync(join(runtimeDir, 'bus')))
  );
}

function ask(command: string, args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: ANSWER_LIMIT_MS, maxBuffer: 4096 }, (error, stdout) => {
      resolve(error === null ? stdout : null);
    });
  });
}
