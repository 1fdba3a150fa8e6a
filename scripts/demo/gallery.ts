import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import type { LabApp } from '../../test/support/lab/app.ts';
import type { EmbeddedAuthenticator } from '../../test/support/lab/embedded-ssh-server.ts';
import { createKeyPair } from '../../test/support/lab/keys.ts';
import type { Lab } from '../../test/support/lab/lab.ts';
import { freePort } from '../../test/support/lab/ports.ts';
import { ChatScreen, REPLY_LIMIT_MS } from '../../test/support/screens/chat-screen.ts';
import { expectStatus } from '../../test/support/screens/connection-status.ts';
import {
  hostKeyDialog,
  passphraseDialog,
  passwordDialog,
  removeHostKeyDialog,
  signInDialog,
  waitingCard,
} from '../../test/support/screens/prompts.ts';
import { SettingsScreen } from '../../test/support/screens/settings-screen.ts';
import type { Preferences } from '../../src/shared/app-snapshot.ts';
import type { GangwayApi } from '../../src/shared/ipc-contract.ts';
import type { Timeline } from './timeline.ts';

/** English last, because the steps between two pictures find things by their English names. */
const LOOKS: readonly { readonly suffix: string; readonly preferences: Preferences }[] = [
  { suffix: 'dark', preferences: { theme: 'dark', language: 'en' } },
  { suffix: 'ko', preferences: { theme: 'light', language: 'ko' } },
  { suffix: 'light', preferences: { theme: 'light', language: 'en' } },
];
const PASSPHRASE = 'gallery';
const CODE = '482913';

const takesAnyPassword: EmbeddedAuthenticator = (context) => {
  if (context.method === 'password') context.accept();
  else context.reject(['password']);
};
const asksForCode: EmbeddedAuthenticator = (context) => {
  if (context.method !== 'keyboard-interactive') {
    context.reject(['keyboard-interactive']);
    return;
  }
  context.prompt(
    [{ prompt: 'Verification code: ', echo: true }],
    'Second factor',
    'Open your authenticator.',
    () => context.accept(),
  );
};

/** Takes a picture of every screen in every state, in each of LOOKS, of the real app on real servers. */
export async function makeGallery(lab: Lab, outputDir: string, timeline: Timeline): Promise<void> {
  rmSync(outputDir, { recursive: true, force: true });
  mkdirSync(outputDir, { recursive: true });
  const lockedKey = createKeyPair({ type: 'ed25519', passphrase: PASSPHRASE });
  const plainKey = createKeyPair();
  const model = await lab.startModel();
  const [gateway, desktop, ssh, withPassword, withCode, localPort, home] = await Promise.all([
    lab.startGateway({ modelUrl: model.url }),
    lab.startDesktop({ width: 1600, height: 1200 }),
    lab.startEmbeddedSsh({ user: 'ada', clientKeys: [plainKey, lockedKey] }),
    lab.startEmbeddedSsh({ authenticate: () => takesAnyPassword }),
    lab.startEmbeddedSsh({ authenticate: () => asksForCode }),
    freePort(),
    lab.createAppHome(),
  ]);
  home.writeKey('id_ed25519', plainKey);
  home.writeKey('locked_key', lockedKey);
  home.writeKnownHosts([withPassword.knownHostsLine(), withCode.knownHostsLine()]);
  const app = await lab.startApp({ desktop, home });
  const target = `ada@127.0.0.1:${ssh.port}`;
  timeline.mark('servers and app are up');

  const shoot = async (page: Page, name: string): Promise<void> => {
    // Out of the way, so that nothing shows as hovered.
    await page.mouse.move(0, 0);
    for (const { suffix, preferences } of LOOKS) {
      await wear(page, preferences);
      await page.screenshot({ path: join(outputDir, `${name}-${suffix}.png`), animations: 'disabled' });
    }
    timeline.mark(name);
  };

  const settings = new SettingsScreen(await app.window('settings'));
  await settings.heading.waitFor();
  await shoot(settings.page, 'settings-first-run');

  await settings.saveAndConnect.click();
  await expect(settings.target).toHaveAttribute('aria-invalid', 'true');
  await shoot(settings.page, 'settings-wrong-field');

  const good = { target, gatewayPort: gateway.port, localPort, token: gateway.token ?? '' };
  await settings.fill(good);
  await settings.field('Name').fill('homelab');
  await settings.heading.scrollIntoViewIfNeeded();
  await shoot(settings.page, 'settings-filled');
  await expect(settings.resolvedAs).toContainText(`ada@127.0.0.1:${ssh.port}`);
  await settings.resolvedAs.click();
  await settings.page.locator('.resolved').scrollIntoViewIfNeeded();
  await shoot(settings.page, 'settings-resolved');
  await settings.resolvedAs.click();

  await settings.saveAndConnect.click();
  const hostKey = hostKeyDialog(settings.page);
  await hostKey.dialog.waitFor();
  await shoot(settings.page, 'host-key');
  await hostKey.trust.click();
  await expectStatus(settings.page, 'Connected');

  await settings.testConnection.click();
  await expect(settings.page.getByText(/^The connection works/).first()).toBeVisible({
    timeout: REPLY_LIMIT_MS,
  });
  await settings.page
    .getByText(/^The connection works/)
    .first()
    .scrollIntoViewIfNeeded();
  await shoot(settings.page, 'settings-test');

  const health = await app.open('health');
  await expectStatus(health, 'Connected');
  await shoot(health, 'health-connected');

  const chat = new ChatScreen(await app.open('chat'));
  await expectStatus(chat.page, 'Connected');
  await expect(chat.message).toBeEnabled();
  await shoot(chat.page, 'chat-empty');
  await chat.say('What can you do over this connection?');
  await chat.expectReply('you said: What can you do over this connection?');
  await chat.say('Show me what replies look like. !markdown');
  await expect(chat.assistant.last().getByRole('table')).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  await shoot(chat.page, 'chat-conversation');
  await chat.say('Take your time. !slow 400 120');
  await expect(chat.assistant.last()).toContainText('Piece 5 of', { timeout: REPLY_LIMIT_MS });
  await shoot(chat.page, 'chat-streaming');
  await chat.stop.click();
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  await chat.say('What is on this host? !tool exec {"command":"uname -s"}');
  await expect(chat.assistant.getByText('exec', { exact: true }).last()).toBeVisible({
    timeout: REPLY_LIMIT_MS,
  });
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  await shoot(chat.page, 'chat-tool');
  await chat.say('And now a failure. !error 400');
  await expect(chat.conversation.getByText(/^The agent did not finish/)).toBeVisible({
    timeout: REPLY_LIMIT_MS,
  });
  await shoot(chat.page, 'chat-failure');

  await ssh.stop();
  await expectStatus(chat.page, 'Reconnecting');
  await chat.say('Written while the connection was away.');
  await shoot(chat.page, 'chat-queued');
  await shoot(health, 'health-broken');
  await ssh.start();
  await expectStatus(chat.page, 'Connected', 60_000);

  await gateway.stop();
  await expectStatus(health, 'Reconnecting');
  await shoot(health, 'health-gateway-down');
  await gateway.start();
  await expectStatus(health, 'Connected', 60_000);

  await settings.page.bringToFront();
  await settings.connectWith({ ...good, identityFile: '~/.ssh/locked_key' });
  const locked = passphraseDialog(settings.page);
  await locked.dialog.waitFor({ timeout: 30_000 });
  await shoot(settings.page, 'passphrase');
  await locked.passphrase.fill(PASSPHRASE);
  await locked.unlock.click();
  await expectStatus(settings.page, 'Connected');

  await settings.connectWith({ ...good, target: `ada@127.0.0.1:${withPassword.port}`, identityFile: '' });
  const password = passwordDialog(settings.page);
  await password.dialog.waitFor({ timeout: 30_000 });
  await shoot(settings.page, 'password');
  await password.password.fill(PASSPHRASE);
  await password.signIn.click();
  await expectStatus(settings.page, 'Connected');

  await settings.connectWith({ ...good, target: `ada@127.0.0.1:${withCode.port}` });
  const signIn = signInDialog(settings.page);
  await signIn.dialog.waitFor({ timeout: 30_000 });
  await shoot(settings.page, 'keyboard-interactive');
  await signIn.answer('Verification code:').fill(CODE);
  await signIn.signIn.click();
  await expectStatus(settings.page, 'Connected');
  withCode.dropConnections();
  const waiting = waitingCard(chat.page);
  await waiting.attend.waitFor({ timeout: 30_000 });
  await shoot(chat.page, 'waiting');

  await settings.connectWith({ ...good, identityFile: '', token: 'not-the-token' });
  await expectStatus(settings.page, 'Needs attention');
  await shoot(settings.page, 'token-mismatch');

  ssh.rotateHostKey();
  await settings.connectWith(good);
  await expect(settings.page.getByText(ssh.hostKey.fingerprint).first()).toBeVisible({
    timeout: REPLY_LIMIT_MS,
  });
  await shoot(settings.page, 'host-key-changed');
  await shoot(health, 'health-host-key-changed');
  const removal = removeHostKeyDialog(settings.page);
  await removal.open.click();
  await removal.dialog.waitFor();
  await shoot(settings.page, 'host-key-remove');
  reportProblems(app);
  await app.close();
}

/** Changes theme and language and waits until this page shows them. */
async function wear(page: Page, preferences: Preferences): Promise<void> {
  await page.evaluate(async (wanted) => {
    await (window as unknown as { gangway: GangwayApi }).gangway.app.setPreferences(wanted);
  }, preferences);
  await expect(page.locator('html')).toHaveAttribute('lang', preferences.language);
  await expect
    .poll(() =>
      page.evaluate(() => {
        const [red = 0] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(
          Number,
        );
        return red > 128 ? 'light' : 'dark';
      }),
    )
    .toBe(preferences.theme);
}

function reportProblems(app: LabApp): void {
  const problems = app.problems();
  if (problems.length > 0) throw new Error(`The windows reported problems: ${problems.join('; ')}`);
}
