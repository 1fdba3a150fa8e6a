import { chmodSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Locator, type Page } from '@playwright/test';
import { recordFault } from '../support/faults/evidence.ts';
import { waitFor } from '../support/lab/wait.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { openStage, type Stage } from './support/stage.ts';

/** What a person sees when files are broken, the disk refuses, or the keyring is locked. */
test.describe.configure({ mode: 'serial' });

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('data-on-disk', { gateway: 'shared' });
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

function notice(page: Page, words: RegExp): Locator {
  return page.getByRole('region', { name: 'Notices' }).getByText(words);
}

async function chooseTheme(page: Page, theme: 'Light' | 'Dark'): Promise<void> {
  // A click on the word: the button itself is drawn.
  await page.getByRole('radiogroup', { name: 'Theme' }).getByText(theme, { exact: true }).click();
}

/** The marks of Chromium at the beginning of every stored ciphertext: v10 is a key that everybody knows. */
function marks(userDataDir: string): readonly string[] {
  const { entries } = JSON.parse(readFileSync(join(userDataDir, 'secrets.json'), 'utf8')) as {
    entries: Record<string, string>;
  };
  return Object.values(entries).map((text) => Buffer.from(text, 'base64').toString('latin1').slice(0, 3));
}

async function setKeyring(locked: boolean): Promise<void> {
  const { code, output } = await stage.desktop.run('/usr/bin/python3', ['-c', locked ? LOCK : UNLOCK]);
  if (code !== 0) throw new Error(output);
}
const SERVICE = `
import dbus
bus = dbus.SessionBus()
service = bus.get_object('org.freedesktop.secrets', '/org/freedesktop/secrets')
login = dbus.ObjectPath('/org/freedesktop/secrets/collection/login')
`;
const LOCK = `${SERVICE}
dbus.Interface(service, 'org.freedesktop.Secret.Service').Lock([login])
`;
// As the desktop's log-in does it (gnome-keyring, daemon/dbus/org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.xml).
const UNLOCK = `${SERVICE}
_, session = dbus.Interface(service, 'org.freedesktop.Secret.Service').OpenSession('plain', dbus.String('', variant_level=1))
secret = dbus.Struct((session, dbus.ByteArray(b''), dbus.ByteArray(b'gangway-lab'), 'text/plain'), signature='oayays')
dbus.Interface(service, 'org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface').UnlockWithMasterPassword(login, secret)
`;

test('settings and secrets that are garbage are put aside and said, and everything can be set up anew', async () => {
  for (const name of ['settings.json', 'secrets.json'])
    stage.home.writeFile(join('gangway-data', name), '{ garbage', 0o600);
  const app = await stage.startApp(['--open=settings']);
  const settings = new SettingsScreen(await app.window('settings'));
  const shownSinceMs = performance.now();
  await expect(notice(settings.page, /settings file could not be read.*settings\.json\.bad-/)).toBeVisible();
  await expect(notice(settings.page, /could not be read.*secrets\.json\.bad-/)).toBeVisible();
  const tookMs = performance.now() - shownSinceMs;
  for (const name of ['settings.json', 'secrets.json']) {
    const aside = readdirSync(app.userDataDir).filter((file) => file.startsWith(`${name}.bad-`));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(app.userDataDir, aside[0] ?? ''), 'utf8')).toBe('{ garbage');
  }
  await settings.connectWith(stage.goodValues());
  await expectStatus(settings.page, 'Connected');
  // Proof that the keyring is behind it: the control of the locked one below.
  await waitFor(() => marks(app.userDataDir).length >= 3, {
    what: 'token, identity and device token on disk',
  });
  expect(new Set(marks(app.userDataDir))).toEqual(new Set(['v11']));
  await app.close();
  await stage.startApp(['--open=settings']);
  const again = await stage.app().window('settings');
  await expectStatus(again, 'Connected');
  await expect(again.getByRole('region', { name: 'Notices' })).toHaveCount(0);
  recordFault({
    row: 68,
    part: 'settings and secrets',
    layer: 'app',
    injected: 'settings.json and secrets.json hold garbage at the start',
    shown: 'both files are kept as .bad-TIME and named in notices; set-up and connection work',
    tookMs,
    limitMs: 2_000,
    control: 'the next start, with good files, connects and has no notice',
  });
});

test('a folder that may not be written is said at once, the change is in force, and the notice goes when it may', async () => {
  const { userDataDir } = stage.app();
  const settings = new SettingsScreen(await stage.show('settings'));
  const theme = (): string =>
    (
      JSON.parse(readFileSync(join(userDataDir, 'settings.json'), 'utf8')) as {
        preferences: { theme: string };
      }
    ).preferences.theme;
  const themeInForce = (): Promise<string> =>
    stage.app().electronApp.evaluate(({ nativeTheme }) => nativeTheme.themeSource);
  const unwritable = notice(settings.page, /could not be saved.*EACCES/);
  await chooseTheme(settings.page, 'Light');
  await expect.poll(theme).toBe('light');
  await expect.poll(themeInForce).toBe('light');
  await expect(unwritable).toHaveCount(0);

  chmodSync(userDataDir, 0o500);
  const startedMs = performance.now();
  await chooseTheme(settings.page, 'Dark');
  await expect(unwritable).toBeVisible();
  const tookMs = performance.now() - startedMs;
  expect(theme()).toBe('light');
  await expect.poll(themeInForce).toBe('dark');
  await expectStatus(settings.page, 'Connected');

  chmodSync(userDataDir, 0o700);
  await expect(unwritable).toHaveCount(0, { timeout: 8_000 });
  expect(theme()).toBe('dark');
  recordFault({
    row: 69,
    part: 'settings in the app',
    layer: 'app',
    injected: 'chmod 0500 of the data folder while the app runs',
    shown: 'notice "could not be saved … EACCES", theme changes, connection stays; the notice goes by itself',
    tookMs,
    limitMs: 1_000,
    control: 'the same change before was on disk without a notice',
  });
});

test('a locked keyring keeps secrets in memory and says so; nothing is written under a key that everybody knows', async () => {
  const { userDataDir } = stage.app();
  const before = readFileSync(join(userDataDir, 'secrets.json'), 'utf8');
  await stage.app().close();
  await setKeyring(true);
  const startedMs = performance.now();
  const app = await stage.startApp(['--open=settings']);
  const settings = new SettingsScreen(await app.window('settings'));
  const windowMs = performance.now();
  await expect(notice(settings.page, /cannot use the keychain.*or it is locked/)).toBeVisible();
  const tookMs = performance.now() - windowMs;
  expect(windowMs - startedMs).toBeLessThan(60_000);
  await settings.token.fill(stage.goodValues().token);
  await settings.saveAndConnect.click();
  await expectStatus(settings.page, 'Connected');
  expect(readFileSync(join(userDataDir, 'secrets.json'), 'utf8')).toBe(before);
  await app.close();

  await setKeyring(false);
  await stage.startApp(['--open=settings']);
  const after = await stage.app().window('settings');
  await expectStatus(after, 'Connected');
  await expect(notice(after, /cannot use the keychain/)).toHaveCount(0);
  expect(existsSync(join(userDataDir, 'secrets.json'))).toBe(true);
  recordFault({
    row: 70,
    part: 'locked keyring',
    layer: 'app',
    injected: 'gnome-keyring’s login collection locked before the start',
    shown: 'banner, a token that is typed works for the run, secrets.json stays as it was',
    tookMs,
    limitMs: 2_000,
    control:
      'unlocked, before and after: no banner, ciphertexts of the keyring’s key, connection with the stored token',
  });
});
