import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { appUser, asAppUser, ownedFolder } from './app-user.ts';
import { runChild, startChild, type Child } from './child.ts';
import { waitFor } from './wait.ts';

export interface DesktopOptions {
  /** Default 1400 x 1000. */
  readonly width?: number;
  readonly height?: number;
  /** An unlocked gnome-keyring for safeStorage; default true. */
  readonly keyring?: boolean;
  /** xfce4-panel with its StatusNotifierWatcher, so that the tray icon has a place; default false. */
  readonly tray?: boolean;
}

const itemSchema = z.object({
  service: z.string(),
  pid: z.number(),
  id: z.string(),
  title: z.string(),
  status: z.string(),
  tooltip: z.string(),
  tooltipText: z.string(),
  iconName: z.string(),
  icons: z.array(z.object({ width: z.number(), height: z.number(), bytes: z.number() })),
  menuPath: z.string(),
});
export type TrayItem = z.infer<typeof itemSchema>;

export interface TrayMenuEntry {
  readonly id: number;
  readonly label: string;
  readonly type: string;
  readonly enabled: boolean;
  readonly visible: boolean;
  /** `checkmark`, `radio` or empty. */
  readonly toggle: string;
  readonly checked: boolean;
  readonly children: readonly TrayMenuEntry[];
}
const entrySchema: z.ZodType<TrayMenuEntry> = z.lazy(() =>
  z.object({
    id: z.number(),
    label: z.string(),
    type: z.string(),
    enabled: z.boolean(),
    visible: z.boolean(),
    toggle: z.string(),
    checked: z.boolean(),
    children: z.array(entrySchema),
  }),
);

/** The tray as the desktop's panel sees it. With `pids` only items of those processes are looked at. */
export interface DesktopTray {
  items(): Promise<readonly TrayItem[]>;
  item(pids?: readonly number[]): Promise<TrayItem>;
  menu(pids?: readonly number[]): Promise<readonly TrayMenuEntry[]>;
  /** Clicks the first menu entry with exactly this label, at any depth. */
  click(label: string, pids?: readonly number[]): Promise<void>;
}

export interface Desktop {
  /** `:N` */
  readonly display: string;
  readonly hasKeyring: boolean;
  /** What a program on this desktop needs in its environment, over a minimal one. */
  env(): Readonly<Record<string, string>>;
  /** The whole display as PNG. */
  screenshot(file: string): Promise<void>;
  readonly tray: DesktopTray;
  /** Runs a program on the desktop as the app's user, to its end. */
  run(
    command: string,
    args: readonly string[],
    stdin?: string,
  ): Promise<{ code: number | null; stdout: string; output: string }>;
  logs(): string;
  close(): Promise<void>;
}

/** A desktop of the test's own: X display, session bus, keyring, and a panel if wanted. Linux only. */
export async function startDesktop(dir: string, options: DesktopOptions = {}): Promise<Desktop> {
  const keyring = options.keyring ?? true;
  const home = ownedFolder(join(dir, 'home'));
  const runtimeDir = ownedFolder(join(dir, 'run'));
  const user = appUser();
  const children: Child[] = [];
  const env: Record<string, string> = {
    HOME: home,
    PATH: '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin',
    LANG: 'C.UTF-8',
    XDG_RUNTIME_DIR: runtimeDir,
    // Chromium leaves folders there when it is killed.
    TMPDIR: ownedFolder(join(dir, 'tmp')),
    XDG_SESSION_TYPE: 'x11',
    XDG_CURRENT_DESKTOP: 'XFCE',
    // Without an accessibility bus on this desktop GTK would look for one at every start.
    NO_AT_BRIDGE: '1',
    ...(user === undefined ? {} : { USER: user.name, LOGNAME: user.name }),
  };

  async function startPart(name: string, command: readonly string[], stdin?: string): Promise<Child> {
    const [first = name, ...rest] = [...asAppUser(), ...command];
    const child = await startChild({
      command: first,
      args: rest,
      env,
      cwd: home,
      name,
      ...(stdin === undefined ? {} : { stdin }),
    });
    children.push(child);
    return child;
  }

  async function close(): Promise<void> {
    for (let child = children.pop(); child !== undefined; child = children.pop()) await child.close();
  }

  async function ask<T>(request: Record<string, unknown>, answer: z.ZodType<T>): Promise<T> {
    // The interpreter of the system: python3-dbus is a Debian package, another python3 in the PATH lacks it.
    // Its text, not its path: the desktop's user need not be able to read this checkout.
    const script = readFileSync(TRAY, 'utf8');
    const result = await run('/usr/bin/python3', ['-c', script], JSON.stringify(request));
    const parsed = z
      .union([z.object({ ok: answer }), z.object({ error: z.string() })])
      .safeParse(parseJson(result.stdout));
    if (!parsed.success)
      throw new Error(`The tray client failed (${result.code ?? 'killed'}): ${result.output}`);
    if ('error' in parsed.data) throw new Error(`Tray: ${parsed.data.error}`);
    return parsed.data.ok;
  }

  async function run(command: string, args: readonly string[], stdin?: string): ReturnType<Desktop['run']> {
    const [first = command, ...rest] = [...asAppUser(), command, ...args];
    return runChild({
      command: first,
      args: rest,
      env,
      cwd: home,
      name: command,
      ...(stdin === undefined ? {} : { stdin }),
    });
  }

  async function waitForName(name: string): Promise<void> {
    await waitFor(
      async () => {
        const args = [
          '--session',
          '--dest=org.freedesktop.DBus',
          '--print-reply=literal',
          '/org/freedesktop/DBus',
        ];
        const reply = await run('dbus-send', [
          ...args,
          'org.freedesktop.DBus.NameHasOwner',
          `string:${name}`,
        ]);
        return /boolean true/.test(reply.stdout);
      },
      { what: `${name} on the session bus`, intervalMs: 100, timeoutMs: 30_000, detail: logs },
    );
  }

  function logs(): string {
    return children.map((child) => `--- ${child.name}\n${child.output().slice(-3_000)}`).join('\n');
  }

  // Xvfb of an ordinary user cannot make it, and without it serves only the abstract socket.
  if (process.getuid?.() === 0) makeSocketFolder('/tmp/.X11-unix');
  try {
    const screen = `${options.width ?? 1_400}x${options.height ?? 1_000}x24`;
    const x = await startPart('Xvfb', [
      'Xvfb',
      '-displayfd',
      '1',
      '-screen',
      '0',
      screen,
      '-nolisten',
      'tcp',
      '-noreset',
    ]);
    const number = await x.waitForLine(/^(\d+)$/);
    env['DISPLAY'] = `:${number[1] ?? '0'}`;

    const socket = join(runtimeDir, 'bus');
    const config = join(dir, 'session-bus.conf');
    writeFileSync(config, busConfig(socket, options.tray === true));
    chmodSync(config, 0o644);
    const bus = await startPart('dbus-daemon', [
      'dbus-daemon',
      `--config-file=${config}`,
      '--nofork',
      '--nopidfile',
      '--print-address=1',
    ]);
    await bus.waitForLine(/^unix:/);
    env['DBUS_SESSION_BUS_ADDRESS'] = `unix:path=${socket}`;

    if (keyring) {
      await startPart(
        'gnome-keyring-daemon',
        ['gnome-keyring-daemon', '--foreground', '--unlock', '--components=secrets'],
        'gangway-lab',
      );
      await waitForName('org.freedesktop.secrets');
    }
    if (options.tray === true) {
      await startPart('xfce4-panel', ['xfce4-panel', '--disable-wm-check']);
      await waitForName('org.kde.StatusNotifierWatcher');
    }
  } catch (error) {
    await close();
    throw error;
  }

  const byPid = (pids: readonly number[] | undefined): Record<string, unknown> =>
    pids === undefined ? {} : { pid: pids };
  return {
    display: env['DISPLAY'],
    hasKeyring: keyring,
    env: () => ({ ...env }),
    async screenshot(file) {
      const shot = await startChild({
        command: 'import',
        args: ['-display', env['DISPLAY'] ?? '', '-window', 'root', file],
        env,
        name: 'import (ImageMagick)',
      });
      const exit = await shot.waitForExit(30_000);
      await shot.close();
      if (exit.code !== 0) throw new Error(`No picture of the display: ${shot.output()}`);
    },
    tray: {
      items: () => ask({ action: 'items' }, z.array(itemSchema)),
      item: (pids) => ask({ action: 'item', ...byPid(pids) }, itemSchema),
      menu: (pids) => ask({ action: 'menu', ...byPid(pids) }, z.array(entrySchema)),
      async click(label, pids) {
        await ask({ action: 'click', label, ...byPid(pids) }, z.literal(true));
      },
    },
    run,
    logs,
    close,
  };
}

function makeSocketFolder(path: string): void {
  if (existsSync(path)) return;
  mkdirSync(path);
  chmodSync(path, 0o1777);
}

const TRAY = fileURLToPath(new URL('./tray.py', import.meta.url));

/** Services are started by name only where a panel needs its own (xfconf): a keyring of the bus's would be locked. */
function busConfig(socket: string, activation: boolean): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  ${activation ? '<servicedir>/usr/share/dbus-1/services</servicedir>' : ''}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
