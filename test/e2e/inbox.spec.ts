import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Locator, type Page } from '@playwright/test';
import type { LabGatewayClient } from '../support/lab/gateway-client.ts';
import { waitFor } from '../support/lab/wait.ts';
import { REPLY_LIMIT_MS } from '../support/screens/chat-screen.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { expectAccessible } from './support/accessible.ts';
import { keepEvidence } from './support/evidence.ts';
import { chatPage } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';

/** Approvals and questions on the real Gateway: asked for by a real exec tool call, decided in the app or elsewhere. */
test.describe.configure({ mode: 'serial' });

let stage: Stage;
let marks: string;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('inbox', {
    gatewayConfig: { tools: { exec: { host: 'gateway', security: 'full', ask: 'always' } } },
    desktop: { tray: true },
  });
  marks = stage.lab.dir;
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  await stage.startApp();
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.connectWith(stage.goodValues());
  await expectStatus(settings.page, 'Connected');
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

const approval = (page: Page, command: string): Locator =>
  page.getByRole('article', { name: 'An agent wants to run a command' }).filter({ hasText: command });
const markOf = (name: string): string => join(marks, `ran-${name}`);
const toolCall = (name: string): string =>
  `please !tool exec ${JSON.stringify({ command: `touch ${markOf(name)} && echo ran-${name}` })}`;

async function pendingIds(client: LabGatewayClient): Promise<readonly string[]> {
  const rows = await client.request<readonly { readonly id: string }[]>('exec.approval.list');
  return rows.map(({ id }) => id);
}

test('a command of an exec tool call waits in its conversation, and runs once it is allowed', async () => {
  const chat = await chatPage(stage);
  await chat.say(toolCall('allowed'));
  const card = approval(chat.page, 'ran-allowed');
  await expect(card).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await expect(card.getByLabel('Command')).toContainText(`touch ${markOf('allowed')}`);
  expect(existsSync(markOf('allowed'))).toBe(false);
  await card.getByRole('button', { name: 'Allow once' }).click();
  await expect(card).toHaveCount(0);
  await expect.poll(() => existsSync(markOf('allowed')), { timeout: 30_000 }).toBe(true);
});

test('the tray counts what waits and leads to the inbox, where it is denied and never runs', async () => {
  const chat = await chatPage(stage);
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  await chat.say(toolCall('denied'));
  await expect(approval(chat.page, 'ran-denied')).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await waitFor(
    async () =>
      (await stage.desktop.tray.menu()).some(({ label }) => label === '1 waits for you…') ? true : null,
    { what: 'the tray to count it', timeoutMs: 30_000 },
  );
  await stage.desktop.tray.click('1 waits for you…');
  const inbox = await stage.app().window('inbox');
  const card = approval(inbox, 'ran-denied');
  await expectAccessible(inbox, 'the inbox with an approval');
  await card.getByRole('button', { name: 'Deny' }).click();
  await expect(card).toHaveCount(0);
  await expect(inbox.getByText('Denied.')).toBeVisible();
  await expect(approval(chat.page, 'ran-denied')).toHaveCount(0);
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  expect(existsSync(markOf('denied'))).toBe(false);
});

test('what another client decides goes from the app by itself', async () => {
  const chat = await chatPage(stage);
  await chat.say(toolCall('elsewhere'));
  const card = approval(chat.page, 'ran-elsewhere');
  await expect(card).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await stage.withClient(async (client) => {
    const [id] = await pendingIds(client);
    await client.request('approval.resolve', { id, kind: 'exec', decision: 'deny' });
  });
  await expect(card).toHaveCount(0);
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  expect(existsSync(markOf('elsewhere'))).toBe(false);
});

test('it is there again after a reconnect, cannot be decided meanwhile, and is decided by nobody but the person', async () => {
  const chat = await chatPage(stage);
  await chat.say(toolCall('late'));
  const card = approval(chat.page, 'ran-late');
  await expect(card).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await stage.sshd.stop();
  await expectStatus(chat.page, 'Reconnecting');
  await expect(card.getByRole('button', { name: 'Allow once' })).toBeDisabled();
  await expect(chat.page.getByText(/You can decide once it is back/)).toBeVisible();
  await stage.sshd.start();
  await expectStatus(chat.page, 'Connected', 60_000);
  const allow = card.getByRole('button', { name: 'Allow once' });
  await expect(allow).toBeEnabled({ timeout: 30_000 });
  await stage.withClient(async (client) => expect(await pendingIds(client)).toHaveLength(1));
  expect(existsSync(markOf('late'))).toBe(false);
  await allow.click();
  await expect.poll(() => existsSync(markOf('late')), { timeout: 30_000 }).toBe(true);
  await expect(card).toHaveCount(0);
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
});

test('a question is answered in the inbox, and the one who asked gets the answer', async () => {
  const inbox = await stage.show('inbox');
  await stage.withClient(async (client) => {
    const { id } = await client.request<{ readonly id: string }>('question.request', {
      questions: [
        {
          questionId: 'colour',
          header: 'Colour',
          question: 'Which colour shall it be?',
          options: [{ label: 'Red', description: 'warm' }, { label: 'Blue' }],
          isOther: true,
        },
      ],
      timeoutMs: 120_000,
    });
    const card = inbox.getByRole('article', { name: 'Which colour shall it be?' });
    await expectAccessible(inbox, 'the inbox with a question');
    await card.getByRole('radio', { name: 'Blue' }).check();
    await card.getByRole('button', { name: 'Send answer' }).click();
    await expect(card).toHaveCount(0);
    const answer = await client.request<unknown>('question.waitAnswer', { id, timeoutMs: 5_000 });
    expect(JSON.stringify(answer)).toContain('"colour":["Blue"]');
  });
  await expect(inbox.getByText('Nothing waits for you')).toBeVisible();
});
