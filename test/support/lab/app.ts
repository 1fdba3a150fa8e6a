import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ConsoleMessage, ElectronApplication, Page } from '@playwright/test';
import { appLaunch, giveToAppUser, ownedFolder } from './app-user.ts';
import { descendantsOf, isAlive, runChild, sendSignal, type ProcessInfo } from './child.ts';
import type { Desktop } from './desktop.ts';
import type { KeyPair } from './keys.ts';
import { deferred, waitFor, within } from './wait.ts';

export type AppWindow = 'settings' | 'chat' | 'inbox' | 'health' | 'prompt';

/** A person's home folder, owned by the app's user. Outlives the app, so that it can be started again on the same data. */
export interface AppHome {
  readonly dir: string;
  readonly sshDir: string;
  /** Default of `AppOptions.userDataDir`. */
  readonly userDataDir: string;
  /** Writes `~/.ssh/NAME` (0600) and `NAME.pub`; returns the private key's path. */
  writeKey(name: string, key: KeyPair): string;
  /** Replaces `~/.ssh/known_hosts`. */
  writeKnownHosts(lines: readonly string[]): void;
  /** Empty when there is none. */
  readKnownHosts(): string;
  /** Writes any file below the home, with its folders. */
  writeFile(path: string, content: string, mode?: number): string;
}

export interface AppOptions {
  /** Where it runs: a desktop of the lab's, or the person's own. */
  readonly desktop: Pick<Desktop, 'env' | 'hasKeyring'>;
  readonly home: AppHome;
  readonly userDataDir?: string;
  /** Further arguments, for example `--open=settings`. */
  readonly args?: readonly string[];
  /** Over the desktop's environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For Playwright to get hold of the app, default 60 s. */
  readonly timeoutMs?: number;
}

export interface LabApp {
  readonly electronApp: ElectronApplication;
  readonly home: AppHome;
  readonly userDataDir: string;
  /** Of Electron's main process. */
  readonly pid: number;
  /** Waits for the window of this name (`?window=NAME` in its address). */
  window(name: AppWindow, timeoutMs?: number): Promise<Page>;
  /** Starts the app a second time with `--open=NAME`, as a shortcut would, and waits for the window in the first. */
  open(name: Exclude<AppWindow, 'prompt'>): Promise<Page>;
  /**
   * What no run may have: errors on a console, exceptions of pages, failed loads, crashed renderers, processes that
   * outlive the app. Each a sentence.
   */
  problems(): readonly string[];
  /** Standard output and error of the app's processes. */
  logs(): string;
  /** All living processes of the app, main first. */
  processes(): readonly ProcessInfo[];
  exited(): boolean;
  /** Waits until the app has ended by itself. */
  waitForExit(timeoutMs?: number): Promise<{ code: number | null; signal: number | null }>;
  /** SIGKILL to the main process, as a crash; resolves when all its processes are gone. */
  kill(): Promise<void>;
  /** Quits as the menu does; after 15 s by force. Resolves when all its processes are gone. */
  close(): Promise<void>;
}

/** Makes a home with an empty `.ssh` (0700) below `dir`. */
export function createAppHome(dir: string): Promise<AppHome> {
  const home = ownedFolder(join(dir, 'user'));
  const sshDir = ownedFolder(join(home, '.ssh'));
  const knownHosts = join(sshDir, 'known_hosts');

  function write(path: string, content: string, mode = 0o644): string {
    const file = join(home, path);
    const firstNew = mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, content, { mode });
    chmodSync(file, mode);
    giveToAppUser(firstNew ?? file);
    return file;
  }

  return Promise.resolve({
    dir: home,
    sshDir,
    userDataDir: join(home, 'gangway-data'),
    writeKey(name, key) {
      write(`.ssh/${name}.pub`, `${key.publicKey}\n`);
      return write(`.ssh/${name}`, key.privateKey, 0o600);
    },
    writeKnownHosts: (lines) => {
      write('.ssh/known_hosts', lines.map((line) => (line.endsWith('\n') ? line : `${line}\n`)).join(''));
    },
    readKnownHosts: () => (existsSync(knownHosts) ? readFileSync(knownHosts, 'utf8') : ''),
    writeFile: write,
  });
}

/** The built app on a desktop, with its sandbox on, driven by Playwright and guarded like every child of the lab. */
export async function startApp(dir: string, options: AppOptions): Promise<LabApp> {
  const { desktop, home } = options;
  const userDataDir = options.userDataDir ?? home.userDataDir;
  const launchOptions = {
    userDataDir,
    home: home.dir,
    env: { ...FORGOTTEN, ...desktop.env(), HOME: home.dir, ...options.env },
  };
  const storeArgument = `--password-store=${desktop.hasKeyring ? 'gnome-libsecret' : 'basic'}`;
  const launch = await appLaunch({ ...launchOptions, args: [storeArgument, ...(options.args ?? [])] });

  const lifeline = await openLifeline(join(dir, 'lifeline.sock'));
  const logFile = join(dir, 'app.log');
  writeFileSync(logFile, '');
  const logs = (): string => readFileSync(logFile, 'utf8').slice(-1_000_000);
  const executablePath = join(dir, 'electron');
  writeFileSync(executablePath, guardedScript(lifeline.path, logFile, launch.executablePath), {
    mode: 0o755,
  });

  const holdReady = join(dir, 'hold-ready.cjs');
  writeFileSync(holdReady, HOLD_READY, { mode: 0o644 });

  // Loaded here, so that labs without an app do not load Playwright.
  const { _electron } = await import('@playwright/test');
  let electronApp: ElectronApplication;
  try {
    electronApp = await _electron.launch({
      executablePath,
      args: ['-r', holdReady, ...launch.appArgs],
      env: launch.env,
      cwd: launch.cwd,
      chromiumSandbox: true,
      timeout: options.timeoutMs ?? 60_000,
    });
  } catch (error) {
    await lifeline.close();
    throw error;
  }

  const problems: string[] = [];
  const watch = (page: Page): void => watchPage(page, problems);
  electronApp.on('window', watch);
  // What these windows said before we listened; later repetitions of the same sentence tell nothing new.
  for (const page of electronApp.windows()) {
    watch(page);
    await readEarlier(page, problems);
  }

  const { pid, guardPid } = await lifeline.started;

  async function window(name: AppWindow, timeoutMs = 30_000): Promise<Page> {
    const page = await waitFor(
      () => electronApp.windows().find((candidate) => isWindow(candidate.url(), name)),
      {
        what: `the window "${name}"`,
        timeoutMs,
        detail: () =>
          `windows: ${electronApp
            .windows()
            .map((open) => open.url())
            .join(', ')}\n${logs().slice(-4_000)}`,
      },
    );
    await page.waitForLoadState('domcontentloaded');
    return page;
  }

  async function kill(): Promise<void> {
    sendSignal(pid, 'SIGKILL');
    await lifeline.ended;
    await lifeline.close();
  }

  let closing: Promise<void> | null = null;
  return {
    electronApp,
    home,
    userDataDir,
    pid,
    window,
    async open(name) {
      const second = await appLaunch({ ...launchOptions, args: [storeArgument, `--open=${name}`] });
      const run = await runChild(
        {
          command: second.executablePath,
          args: second.appArgs,
          env: second.env,
          cwd: second.cwd,
          name: `the app again with --open=${name}`,
        },
        30_000,
      );
      if (run.code !== 0)
        throw new Error(`The second instance ended with ${String(run.code)}:\n${run.output}`);
      return window(name);
    },
    problems: () => [...problems, ...lifeline.leftovers().map((left) => `left behind: ${left}`)],
    logs,
    // The guard's own copier of the output is none of the app's.
    processes: () => descendantsOf(guardPid).filter((info) => !info.command.includes(GUARD)),
    exited: () => lifeline.exit() !== null,
    waitForExit: (timeoutMs = 30_000) =>
      within(lifeline.commandEnded, timeoutMs, 'the app to end', () => logs().slice(-4_000)),
    kill,
    close() {
      closing ??= (async () => {
        if (lifeline.exit() === null) {
          await within(electronApp.close(), 15_000, 'the app to quit').catch((error: unknown) => {
            problems.push(`did not quit: ${error instanceof Error ? error.message : String(error)}`);
            sendSignal(pid, 'SIGKILL');
          });
        }
        await lifeline.close();
      })();
      return closing;
    },
  };
}

/** Of whoever runs the tests; the app must not see them. */
const FORGOTTEN: Readonly<Record<string, undefined>> = {
  SSH_AUTH_SOCK: undefined,
  SSH_AGENT_PID: undefined,
  XDG_CONFIG_HOME: undefined,
  XDG_DATA_HOME: undefined,
  XDG_CACHE_HOME: undefined,
  XDG_STATE_HOME: undefined,
  WAYLAND_DISPLAY: undefined,
  LANGUAGE: undefined,
  LC_ALL: undefined,
};

/**
 * Loaded before the app: holds `ready` back until Playwright is connected, which then calls `__playwright_run`. A window
 * that navigates at the very moment of connecting keeps Playwright waiting for ever (seen in 1 of 10 launches under
 * load). Playwright's own loader does this too, but only for an executable that it found itself, and with switches that
 * would turn the keyring off.
 */
const HOLD_READY = `'use strict';
const { app } = require('electron');
const reallyReady = app.whenReady();
const emit = app.emit.bind(app);
let readyArguments = [];
let isReleased = false;
let release;
const released = new Promise((resolve) => (release = resolve));
app.emit = (event, ...args) => {
  if (event !== 'ready' || isReleased) return emit(event, ...args);
  readyArguments = args;
  return app.listenerCount('ready') > 0;
};
app.isReady = () => isReleased;
app.whenReady = () => released;
globalThis.__playwright_run = async () => {
  await reallyReady;
  isReleased = true;
  release();
  emit('ready', ...readyArguments);
};
`;

const GUARD = fileURLToPath(new URL('./guard.pl', import.meta.url));

/** Playwright spawns the app itself; this script puts the guard in between. */
function guardedScript(socket: string, log: string, executable: string): string {
  const quoted = [GUARD, '--socket', socket, log, '--', executable].map(
    (word) => `'${word.replaceAll("'", `'\\''`)}'`,
  );
  return `#!/bin/sh\nexec perl ${quoted.join(' ')} "$@"\n`;
}

interface Lifeline {
  readonly path: string;
  readonly started: Promise<{ pid: number; guardPid: number }>;
  readonly commandEnded: Promise<{ code: number | null; signal: number | null }>;
  /** The guard has gone, and with it every process of the app. */
  readonly ended: Promise<void>;
  exit(): { code: number | null; signal: number | null } | null;
  leftovers(): readonly string[];
  close(): Promise<void>;
}

/** The lab's end of a guard that somebody else spawns; see guard.pl for its lines. */
async function openLifeline(path: string): Promise<Lifeline> {
  const sockets = new Set<Socket>();
  const leftovers: string[] = [];
  let exit: { code: number | null; signal: number | null } | null = null;
  const started = deferred<{ pid: number; guardPid: number }>();
  const commandEnded = deferred<{ code: number | null; signal: number | null }>();
  const ended = deferred<undefined>();
  let connected = false;

  const server = createServer((socket) => {
    connected = true;
    sockets.add(socket);
    let guardPid = 0;
    let buffered = '';
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('data', (text) => {
      buffered += text.toString();
      const lines = buffered.split('\n');
      buffered = lines.pop() ?? '';
      for (const line of lines) {
        const [word, first, second] = line.split(' ');
        if (word === 'guard') guardPid = Number(first);
        if (word === 'pid') started.resolve({ pid: Number(first), guardPid });
        if (word === 'left') leftovers.push(line.slice('left '.length));
        if (word === 'exit') {
          const signal = Number(second);
          exit = { code: signal === 0 ? Number(first) : null, signal: signal === 0 ? null : signal };
          commandEnded.resolve(exit);
        }
      }
    });
    socket.once('close', () => {
      sockets.delete(socket);
      exit ??= { code: null, signal: 9 };
      commandEnded.resolve(exit);
      void waitFor(() => guardPid === 0 || !isAlive(guardPid), { what: 'the guard of the app to end' })
        .catch(() => undefined)
        .then(() => ended.resolve(undefined));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });

  return {
    path,
    started: started.promise,
    commandEnded: commandEnded.promise,
    ended: ended.promise,
    exit: () => exit,
    leftovers: () => leftovers,
    async close() {
      // After an orderly quit the guard still looks for what was left behind; it then ends by itself.
      if (connected && exit !== null) await within(ended.promise, 5_000, 'the guard').catch(() => undefined);
      for (const socket of sockets) socket.end();
      if (connected) await within(ended.promise, 30_000, 'all processes of the app to end');
      server.close();
    },
  };
}

function watchPage(page: Page, problems: string[]): void {
  const where = (): string => nameOf(page.url());
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(consoleError(page, message));
  });
  page.on('pageerror', (error) => problems.push(exception(page, error)));
  page.on('requestfailed', (request) => {
    problems.push(`${where()}: ${request.url()} failed: ${request.failure()?.errorText ?? 'no reason'}`);
  });
  page.on('crash', () => problems.push(`${where()}: the renderer crashed`));
}

async function readEarlier(page: Page, problems: string[]): Promise<void> {
  const messages = (await page.consoleMessages()).filter((message) => message.type() === 'error');
  const errors = await page.pageErrors();
  const earlier = [
    ...messages.map((message) => consoleError(page, message)),
    ...errors.map((error) => exception(page, error)),
  ];
  problems.push(...earlier.filter((sentence) => !problems.includes(sentence)));
}

function consoleError(page: Page, message: ConsoleMessage): string {
  return `${nameOf(page.url())}: console error: ${message.text()}`;
}

function exception(page: Page, error: Error): string {
  return `${nameOf(page.url())}: exception: ${error.message}`;
}

function isWindow(url: string, name: AppWindow): boolean {
  return nameOf(url) === name;
}

function nameOf(url: string): string {
  return /[?&]window=([a-z]+)/.exec(url)?.[1] ?? url;
}
