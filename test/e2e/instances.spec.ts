import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { recordFault } from '../support/faults/evidence.ts';
import { appLaunch, ownedFolder } from '../support/lab/app-user.ts';
import { startChild, type Child } from '../support/lab/child.ts';
import { waitFor } from '../support/lab/wait.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { openStage, type Stage } from './support/stage.ts';

/** The app started more than once on the same data. */
test.describe.configure({ mode: 'serial' });

/** From the second start's request to the window in front. */
const FOCUS_LIMIT_MS = 1_000;

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('instances', { gateway: 'shared' });
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

/** The app as a shortcut starts it, without Playwright. */
async function startBare(userDataDir: string): Promise<Child> {
  const launch = await appLaunch({
    userDataDir,
    home: stage.home.dir,
    env: { ...stage.desktop.env(), HOME: stage.home.dir, SSH_AUTH_SOCK: undefined },
    args: ['--password-store=gnome-libsecret'],
  });
  return startChild({
    command: launch.executablePath,
    args: launch.appArgs,
    env: launch.env,
    cwd: launch.cwd,
    name: 'the app',
  });
}

/** How often an app began to work on this data: a second instance ends before it does. */
function starts(userDataDir: string): number {
  try {
    return readFileSync(join(userDataDir, 'logs', 'main.log'), 'utf8').split(' app.starting ').length - 1;
  } catch {
    return 0;
  }
}

test('a second start brings the window of the first to the front, and there is one tunnel', async () => {
  const app = await stage.startApp(['--open=settings']);
  const settings = new SettingsScreen(await app.window('settings'));
  await settings.connectWith(stage.goodValues());
  await expectStatus(settings.page, 'Connected');

  await app.electronApp.evaluate(({ app: electron, BrowserWindow }) => {
    const times: { askedMs: number; shownMs: number } = { askedMs: 0, shownMs: 0 };
    (globalThis as unknown as { times: typeof times }).times = times;
    const look = (): void => {
      const shown = BrowserWindow.getAllWindows().some(
        (window) =>
          window.webContents.getURL().includes('window=health') && window.isVisible() && window.isFocused(),
      );
      if (shown && times.shownMs === 0) times.shownMs = performance.now();
      else if (!shown) setTimeout(look, 10);
    };
    electron.prependListener('second-instance', () => {
      times.askedMs = performance.now();
      look();
    });
  });
  const second = await startBare(app.userDataDir);
  expect(await second.waitForExit(30_000)).toEqual({ code: 0, signal: null });
  await second.close();
  const times = await waitFor(
    async () => {
      const seen = await app.electronApp.evaluate(
        () => (globalThis as unknown as { times: { askedMs: number; shownMs: number } }).times,
      );
      return seen.shownMs > 0 ? seen : null;
    },
    { what: 'the window in front' },
  );
  await expectStatus(await app.window('health'), 'Connected');
  expect(stage.sshd.sessions()).toHaveLength(1);
  expect(stage.sshd.counts().accepted).toBe(1);
  expect(starts(app.userDataDir)).toBe(1);

  // Without the lock on this data a second start lives.
  const elsewhere = ownedFolder(join(stage.home.dir, 'other-data'));
  const other = await startBare(elsewhere);
  await waitFor(() => starts(elsewhere) === 1, {
    what: 'an app on other data to start',
    detail: () => other.output(),
  });
  expect(other.exited()).toBeNull();
  await other.close();

  recordFault({
    row: 71,
    part: 'second start',
    layer: 'app',
    injected: 'the app started again on the same data',
    shown: 'the second ends with 0, the first shows its window in front, one SSH session, one log-in',
    tookMs: times.shownMs - times.askedMs,
    limitMs: FOCUS_LIMIT_MS,
    control: 'the same start on other data goes on living',
  });
});

test('after a kill the lock that is left does not block the next start, and there is one tunnel again', async () => {
  const { userDataDir } = stage.app();
  await stage.app().kill();
  const lock = join(userDataDir, 'SingletonLock');
  expect(lstatSync(lock).isSymbolicLink()).toBe(true);
  await waitFor(() => stage.sshd.sessions().length === 0, { what: 'the session of the killed app to end' });

  const { accepted } = stage.sshd.counts();
  const withLockMs = await timeToWork(userDataDir);
  await waitFor(() => stage.sshd.counts().accepted > accepted, { what: 'the tunnel' });
  expect(stage.sshd.sessions()).toHaveLength(1);
  await stopBare();
  const withoutLockMs = await timeToWork(userDataDir);
  await stopBare();
  recordFault({
    row: 71,
    part: 'stale lock',
    layer: 'app',
    injected: 'SIGKILL of the main process; SingletonLock stays',
    shown: 'the app starts and connects; the lock costs no more than a second over a start without one',
    tookMs: Math.max(0, withLockMs - withoutLockMs),
    limitMs: 1_000,
    control: 'the lock file was there before the start',
  });
});

let running: Child | null = null;

/** Starts the app and waits until it has said so in its log, in ms. */
async function timeToWork(userDataDir: string): Promise<number> {
  const before = starts(userDataDir);
  const startedMs = performance.now();
  const started = await startBare(userDataDir);
  running = started;
  await waitFor(() => starts(userDataDir) === before + 1, {
    what: 'the app to start',
    intervalMs: 10,
    detail: () => started.output(),
  });
  return performance.now() - startedMs;
}

async function stopBare(): Promise<void> {
  running?.signal('SIGTERM');
  await running?.waitForExit();
  await running?.close();
  running = null;
}

test('of two that start at the same moment exactly one lives, with one tunnel', async () => {
  const { userDataDir } = stage.app();
  for (let round = 1; round <= 3; round += 1) {
    const before = starts(userDataDir);
    const accepted = stage.sshd.counts().accepted;
    const both = await Promise.all([startBare(userDataDir), startBare(userDataDir)]);
    const loser = await waitFor(() => both.find((app) => app.exited() !== null), {
      what: 'one of both to end',
      timeoutMs: 30_000,
    });
    expect(loser.exited()).toEqual({ code: 0, signal: null });
    await waitFor(() => stage.sshd.counts().accepted > accepted, { what: 'the tunnel' });
    expect(both.filter((app) => app.exited() === null)).toHaveLength(1);
    expect(starts(userDataDir)).toBe(before + 1);
    expect(stage.sshd.counts().accepted).toBe(accepted + 1);
    expect(stage.sshd.sessions()).toHaveLength(1);
    for (const app of both) {
      app.signal('SIGTERM');
      await app.waitForExit();
      await app.close();
    }
    await waitFor(() => stage.sshd.sessions().length === 0, { what: 'the tunnel to be gone' });
  }
  recordFault({
    row: 71,
    part: 'two at once',
    layer: 'app',
    injected: 'two starts on the same data at the same moment, three times',
    shown: 'one ends with 0, the other connects: one SSH session, one log-in',
    tookMs: null,
    limitMs: null,
    control: 'one of them does live and connects each time',
  });
});
