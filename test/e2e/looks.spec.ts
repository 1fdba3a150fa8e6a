import { expect, test, type Page } from '@playwright/test';
import { REPLY_LIMIT_MS } from '../support/screens/chat-screen.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { hostKeyDialog } from '../support/screens/prompts.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { expectAccessible } from './support/accessible.ts';
import { keepEvidence } from './support/evidence.ts';
import { chatPage } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';

/** What everybody needs of a screen: names, contrast, a way by keyboard, one's own language and theme. */
test.describe.configure({ mode: 'serial' });

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('looks', { gateway: 'shared' });
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  await stage.startApp();
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

test('the form is filled and sent by keyboard alone, and the question is answered by keyboard', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  const { keyboard } = settings.page;
  const values = stage.goodValues();
  await settings.heading.waitFor();
  await tabTo(settings.page, settings.target);
  await keyboard.type(values.target);
  for (const [field, value] of [
    [settings.gatewayPort, values.gatewayPort],
    [settings.localPort, values.localPort],
    [settings.token, values.token],
  ] as const) {
    await tabTo(settings.page, field);
    await keyboard.press('ControlOrMeta+A');
    await keyboard.type(String(value));
  }
  await keyboard.press('Enter');
  const { dialog, cancel, trust } = hostKeyDialog(settings.page);
  await expect(dialog).toBeVisible();
  await expect(cancel, 'the safe answer has the focus').toBeFocused();
  await expectAccessible(settings.page, 'host key dialog');
  await tabTo(settings.page, trust);
  await keyboard.press('Enter');
  await expectStatus(settings.page, 'Connected');
});

test('Escape declines an unknown host key', async () => {
  const settings = new SettingsScreen(await stage.show('settings'));
  const reconnect = settings.page.getByRole('button', { name: 'Reconnect now' });
  stage.home.writeKnownHosts([]);
  await reconnect.click();
  const { dialog } = hostKeyDialog(settings.page);
  await expect(dialog).toBeVisible();
  await settings.page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expectStatus(settings.page, 'Needs attention');
  expect(stage.home.readKnownHosts()).toBe('');
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  await reconnect.click();
  await expectStatus(settings.page, 'Connected');
});

for (const theme of ['Light', 'Dark'] as const) {
  test(`theme ${theme} takes effect at once, and every screen is without serious findings of axe`, async () => {
    const settings = new SettingsScreen(await stage.show('settings'));
    await settings.page.getByRole('radio', { name: theme, exact: true }).click();
    const chat = await chatPage(stage);
    await expect.poll(() => lightness(chat.page)).toBe(theme.toLowerCase());
    await chat.say(`looks ${theme} !markdown`);
    await expect(chat.assistant.last().getByRole('table')).toBeVisible({ timeout: REPLY_LIMIT_MS });
    await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
    const health = await stage.show('health');
    await expectStatus(health, 'Connected');
    await expectAccessible(settings.page, `settings, ${theme}`);
    await expectAccessible(chat.page, `chat, ${theme}`);
    await expectAccessible(health, `health, ${theme}`);
  });
}

test('a failure and a wrong field are without serious findings of axe', async () => {
  const settings = new SettingsScreen(await stage.show('settings'));
  await settings.fill({ gatewayPort: '0' });
  await settings.saveAndConnect.click();
  await expect(settings.gatewayPort).toHaveAttribute('aria-invalid', 'true');
  await expectAccessible(settings.page, 'settings with a wrong field');
  const { sshd } = stage;
  await settings.connectWith({ ...stage.goodValues(), target: `nobody-here@127.0.0.1:${sshd.port}` });
  await expectStatus(settings.page, 'Needs attention');
  await expectAccessible(settings.page, 'settings with a failure');
  const health = await stage.show('health');
  await expectStatus(health, 'Needs attention');
  await expectAccessible(health, 'health with a failure');
  await settings.connectWith(stage.goodValues());
  await expectStatus(settings.page, 'Connected');
});

test('Korean takes effect at once in every open window and is kept over a restart', async () => {
  const settings = new SettingsScreen(await stage.show('settings'));
  const health = await stage.show('health');
  await settings.page.getByRole('radio', { name: '한국어', exact: true }).click();
  for (const page of [settings.page, health]) {
    await expect(
      page
        .getByRole('status')
        .filter({ hasText: /^\s*연결됨/ })
        .first(),
    ).toBeVisible();
    await expect(page.locator('html')).toHaveAttribute('lang', 'ko');
  }
  await stage.app().close();
  const app = await stage.startApp(['--open=settings']);
  const again = await app.window('settings');
  await expect(again.getByRole('heading', { name: '설정', exact: true })).toBeVisible();
  await again.getByRole('radio', { name: 'English', exact: true }).click();
  await expect(new SettingsScreen(again).heading).toBeVisible();
});

/** Presses Tab until `target` has the focus; more than 60 times means that it cannot be reached. */
async function tabTo(page: Page, target: ReturnType<Page['locator']>): Promise<void> {
  for (let presses = 0; presses < 60; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error('Tab does not reach the control');
}

function lightness(page: Page): Promise<'light' | 'dark'> {
  return page.evaluate(() => {
    const [red = 0, green = 0, blue = 0] = (
      getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []
    ).map(Number);
    return red + green + blue > 384 ? 'light' : 'dark';
  });
}
