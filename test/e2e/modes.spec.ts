import { expect, test } from '@playwright/test';
import { expectStatus } from '../support/screens/connection-status.ts';
import { recordFault } from '../support/faults/evidence.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { chatPage } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';

/** The two ways without SSH, against the real Gateway. */
let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('modes', { gateway: 'shared' });
  await stage.startApp();
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

async function settingsScreen(): Promise<SettingsScreen> {
  return new SettingsScreen(await stage.show('settings'));
}

test('Remote direct connects to a URL with a token, and a message is answered', async () => {
  const settings = await settingsScreen();
  await settings.mode('Remote direct (ws/wss)').check();
  await settings.field('Gateway URL').fill(stage.gateway.url);
  await settings.token.fill(stage.gateway.token ?? '');
  await settings.saveAndConnect.click();
  await expectStatus(settings.page, 'Connected');
  const chat = await chatPage(stage);
  await chat.say('directly');
  await chat.expectReply('you said: directly');
});

test('Remote direct refuses an unencrypted URL to another machine, beside the field', async () => {
  const settings = await settingsScreen();
  await settings.mode('Remote direct (ws/wss)').check();
  const url = settings.field('Gateway URL');
  await url.fill('ws://gateway.example:18789');
  await settings.saveAndConnect.click();
  await expect(url).toHaveAttribute('aria-invalid', 'true');
  await expect(url).toHaveValue('ws://gateway.example:18789');
  await url.fill(stage.gateway.url);
});

test('On this computer attaches to the gateway that runs here, and leaves it running when the app quits', async () => {
  const settings = await settingsScreen();
  await settings.mode('On this computer').check();
  await settings.field('Gateway port').fill(String(stage.gateway.port));
  await settings.token.fill(stage.gateway.token ?? '');
  await settings.saveAndConnect.click();
  await expectStatus(settings.page, 'Connected');
  const chat = await chatPage(stage);
  await chat.say('from the same computer');
  await chat.expectReply('you said: from the same computer');
  const pid = stage.gateway.pid();
  await stage.app().close();
  const answer = await fetch(`http://127.0.0.1:${stage.gateway.port}/healthz`);
  expect(answer.status).toBe(200);
  expect(stage.gateway.pid()).toBe(pid);
  recordFault({
    row: 77,
    part: 'one that runs already',
    layer: 'app',
    injected: 'a real Gateway on this computer, before the app starts',
    shown: 'Connected and answered over it; the same process answers after the app quit',
    tookMs: null,
    limitMs: null,
    control: 'the app that attached to it is gone',
  });
});

test('switching the mode forgets nothing of the other modes', async () => {
  const app = await stage.startApp(['--open=settings']);
  const settings = new SettingsScreen(await app.window('settings'));
  await expect(settings.mode('On this computer')).toBeChecked();
  await settings.mode('Remote direct (ws/wss)').check();
  await expect(settings.field('Gateway URL')).toHaveValue(stage.gateway.url);
  await settings.mode('Remote over SSH').check();
  await expect(settings.gatewayPort).toHaveValue('18789');
});
