import { expect, test } from '@playwright/test';
import { failure } from '../../src/shared/connection-failure.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { openStage, type Stage } from './support/stage.ts';
import { english, titleOf } from './support/words.ts';

/** "Test connection" tries a form that is not saved, step by step, and changes nothing. */
let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('test-connection', { gateway: 'shared' });
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  await stage.startApp();
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

function stepList(settings: SettingsScreen) {
  return settings.page.getByRole('region', { name: english('settings.testTitle') }).getByRole('listitem');
}

test('shows every step with its time, and neither saves nor connects', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.fill(stage.goodValues());
  await settings.testConnection.click();
  await expect(settings.page.getByText(/^The connection works\. It took/).first()).toBeVisible({
    timeout: 30_000,
  });
  const steps = stepList(settings);
  expect(await steps.count()).toBeGreaterThanOrEqual(7);
  const timed = steps.filter({ hasText: /\d+(\.\d+)?\s?(ms|s)\b/ });
  expect(await timed.count()).toBeGreaterThanOrEqual(6);
  await expectStatus(settings.page, 'Disconnected');
  await expect.poll(() => stage.sshd.sessions().length, { message: 'SSH sessions after the test' }).toBe(0);
});

test('stops at the step that fails and says why', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.fill({ ...stage.goodValues(), token: 'not-the-token' });
  await settings.testConnection.click();
  await expect(
    settings.page.getByText(titleOf(failure('token-mismatch', {}), stage.target())).first(),
  ).toBeVisible({
    timeout: 30_000,
  });
  await settings.fill(stage.goodValues());
});

test('can be cancelled while a server keeps it waiting', async () => {
  const silent = await stage.lab.startFaultProxy({ targetPort: stage.sshd.port });
  // What the app sends arrives, so that its hanging up is seen; what the server says does not.
  silent.freeze('down');
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.fill({ ...stage.goodValues(), target: `${stage.sshd.user}@127.0.0.1:${silent.port}` });
  await settings.testConnection.click();
  await expect.poll(() => silent.counts().live).toBe(1);
  await settings.page.getByRole('button', { name: 'Stop test' }).click();
  await expect(settings.page.getByText(english('settings.testCancelled')).first()).toBeVisible();
  await expect
    .poll(() => stage.sshd.sessions().length, { message: 'SSH connections after the cancel' })
    .toBe(0);
  await expect(settings.testConnection).toBeEnabled();
  await settings.fill(stage.goodValues());
});
