import { expect, test } from '@playwright/test';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { freePort } from '../support/lab/ports.ts';
import { waitFor } from '../support/lab/wait.ts';
import { keepEvidence } from './support/evidence.ts';
import { openStage, type Stage } from './support/stage.ts';

/** Windows, the icon in the menu bar and what happens when windows close. */
test.describe.configure({ mode: 'serial' });

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('windows', { gateway: 'shared', desktop: { tray: true } });
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  await stage.startApp(['--open=settings']);
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

/** The tray's menu as the desktop reads it, when it satisfies `ready`. */
async function trayMenu(ready: (labels: readonly string[]) => boolean): Promise<readonly string[]> {
  const tray = stage.desktop.tray;
  return waitFor(
    async () => {
      const labels = (await tray.menu()).map((entry) => entry.label);
      return ready(labels) ? labels : null;
    },
    { what: 'the menu of the tray', intervalMs: 200, timeoutMs: 30_000 },
  );
}

function begins(word: string): (labels: readonly string[]) => boolean {
  return (labels) => labels[0]?.startsWith(word) ?? false;
}

test('the tray says Connected with its entries, once the form is filled', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.connectWith(stage.goodValues());
  await expectStatus(settings.page, 'Connected');
  const labels = await trayMenu(begins('Connected'));
  for (const label of ['Open WebChat', 'OpenClaw runs', 'Reconnect now', 'Pause', 'Settings…', 'Quit']) {
    expect(labels).toContain(label);
  }
  expect((await stage.desktop.tray.item()).tooltip).toContain('Connected');
});

test('OpenClaw runs in the tray shows the mode that is in force', async () => {
  const modes =
    (await stage.desktop.tray.menu()).find((entry) => entry.label === 'OpenClaw runs')?.children ?? [];
  expect(modes.map((entry) => [entry.label, entry.checked])).toEqual([
    ['On this computer', false],
    ['Remote over SSH', true],
    ['Remote direct', false],
  ]);
});

test('Pause in the tray ends the connection, Resume brings it back', async () => {
  const settings = await stage.app().open('settings');
  await stage.desktop.tray.click('Pause');
  await expectStatus(settings, 'Paused');
  await expect.poll(() => stage.sshd.sessions().length).toBe(0);
  const labels = await trayMenu(begins('Paused'));
  expect(labels).toContain('Resume');
  expect(labels).not.toContain('Pause');
  await stage.desktop.tray.click('Resume');
  await expectStatus(settings, 'Connected');
  await trayMenu(begins('Connected'));
});

test('Reconnect now in the tray makes a new SSH session', async () => {
  const settings = await stage.app().open('settings');
  const before = stage.sshd.counts().accepted;
  await stage.desktop.tray.click('Reconnect now');
  await expect.poll(() => stage.sshd.counts().accepted).toBe(before + 1);
  await expectStatus(settings, 'Connected');
});

test('while the server is away the tray says Reconnecting, and Connected when it is back', async () => {
  await stage.sshd.stop();
  await trayMenu(begins('Reconnecting'));
  await stage.sshd.start();
  await trayMenu(begins('Connected'));
});

test('Open WebChat and Settings in the tray open their windows', async () => {
  await stage.desktop.tray.click('Open WebChat');
  const chat = await stage.app().window('chat');
  await expect(chat.getByRole('log', { name: 'Conversation' })).toBeVisible();
  await stage.desktop.tray.click('Settings…');
  await expect(new SettingsScreen(await stage.app().window('settings')).heading).toBeVisible();
});

test('--open=NAME opens that window in the instance that already runs', async () => {
  for (const name of ['health', 'chat', 'settings'] as const) {
    const page = await stage.app().open(name);
    await expectStatus(page, 'Connected');
  }
  expect(stage.app().electronApp.windows()).toHaveLength(3);
});

test('closing all windows keeps the app and its connection running', async () => {
  const sessions = stage.sshd.sessions().map((session) => session.pid);
  for (const page of stage.app().electronApp.windows()) await page.close();
  await expect.poll(() => stage.app().electronApp.windows().length).toBe(0);
  await trayMenu(begins('Connected'));
  expect(stage.sshd.sessions().map((session) => session.pid)).toEqual(sessions);
  const health = await stage.app().open('health');
  await expectStatus(health, 'Connected');
});

test('the mode in the tray changes what the app connects to', async () => {
  const settings = await stage.app().open('settings');
  await stage.desktop.tray.click('On this computer');
  await expect(new SettingsScreen(settings).mode('On this computer')).toBeChecked();
  await expect.poll(() => stage.sshd.sessions().length).toBe(0);
  await stage.desktop.tray.click('Remote over SSH');
  await expectStatus(settings, 'Connected');
});

for (const name of ['chat', 'health', 'settings'] as const) {
  test(`--open=${name} opens that window at the start`, async () => {
    await stage.app().close();
    const app = await stage.startApp([`--open=${name}`]);
    const page = await app.window(name);
    await expectStatus(page, 'Connected');
    expect(app.electronApp.windows()).toHaveLength(1);
  });
}

test('Quit in the tray ends everything: process, port and SSH session', async () => {
  const app = stage.app();
  const { pid } = app.electronApp.process();
  if (pid === undefined) throw new Error('The app has no process id');
  const gone = new Promise<void>((resolve) => app.electronApp.once('close', () => resolve()));
  await stage.desktop.tray.click('Quit');
  await gone;
  await expect.poll(() => stage.sshd.sessions().length).toBe(0);
  await app.close();
});

test('where the desktop has no tray a window stands in for it, with the status and its actions', async () => {
  const desktop = await stage.lab.startDesktop();
  const home = await stage.lab.createAppHome();
  home.writeKey('id_ed25519', stage.sshd.clientKey);
  home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  const first = await stage.lab.startApp({ desktop, home });
  const settings = new SettingsScreen(await first.window('settings'));
  await settings.connectWith({ ...stage.goodValues(), localPort: await freePort() });
  await expectStatus(settings.page, 'Connected');
  await first.close();

  const app = await stage.lab.startApp({ desktop, home });
  const page = await waitFor(() => app.electronApp.windows()[0], {
    what: 'a window without being asked for',
  });
  await expectStatus(page, 'Connected');
  await expect(page.getByRole('button', { name: 'Pause' })).toBeVisible();
  // Closing the last window would leave nothing to come back by: it is minimised instead.
  await app.electronApp.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
  await expect
    .poll(() => app.electronApp.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length))
    .toBe(1);
  await expectStatus(page, 'Connected');
  expect(app.problems()).toEqual([]);
  await app.close();
});
