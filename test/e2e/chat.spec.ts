import { expect, test } from '@playwright/test';
import { REPLY_LIMIT_MS } from '../support/screens/chat-screen.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { chatPage, mainHistory, rowsWith } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';
import { english } from './support/words.ts';

/** The conversation window on the real Gateway: what it shows is what happened. */
let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('chat', { gateway: 'shared' });
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

test('Stop ends a reply in mid-stream: no more text comes, and the model is let go', async () => {
  const chat = await chatPage(stage);
  const text = 'stop me !slow 200 100';
  await chat.say(text);
  const reply = chat.assistant.last();
  await expect(reply).toContainText('Piece 3 of', { timeout: REPLY_LIMIT_MS });
  await chat.stop.click();
  await expect(chat.stop).toBeHidden();
  await expect(reply).toContainText(english('chat.stopped'));
  const cut = await reply.innerText();
  expect(cut).not.toContain('Piece 200 of');
  await expect
    .poll(() => stage.model.requests().find((request) => request.userText === text)?.outcome)
    .toBe('aborted');
  await expect(chat.message).toBeEditable();
  await chat.say('after the stop');
  await chat.expectReply('you said: after the stop');
});

test('a message typed while the connection is away is queued, and sent once after the recovery', async () => {
  const chat = await chatPage(stage);
  await stage.sshd.stop();
  await expectStatus(chat.page, 'Reconnecting');
  await expect(chat.message).toBeEditable();
  await chat.say('written in the dark');
  const mine = chat.you.filter({ hasText: 'written in the dark' });
  await expect(mine).toContainText(/queued/i);
  expect(stage.model.answered('written in the dark')).toBe(0);
  await stage.sshd.start();
  await expectStatus(chat.page, 'Connected', 60_000);
  await chat.expectReply('you said: written in the dark');
  await expect(mine).toHaveCount(1);
  await expect(mine).not.toContainText(/queued/i);
  expect(stage.model.answered('written in the dark')).toBe(1);
  expect(rowsWith(await mainHistory(stage), 'user', 'written in the dark')).toHaveLength(1);
});

test('a message of another client of the same session appears by itself', async () => {
  const chat = await chatPage(stage);
  await stage.withClient(async (client) => {
    const key = client.hello.snapshot.sessionDefaults?.mainSessionKey ?? 'main';
    await client.chat(key, 'hello from the other side');
  });
  await expect(chat.assistant.filter({ hasText: 'you said: hello from the other side' })).toHaveCount(1);
});

test('markdown is shown as what it means: heading, table, code, list', async () => {
  const chat = await chatPage(stage);
  await chat.say('show me !markdown');
  await expect(chat.assistant.last().getByRole('table')).toBeVisible({ timeout: REPLY_LIMIT_MS });
  const reply = chat.assistant.last();
  await expect(reply.getByRole('heading').first()).toBeVisible();
  await expect(reply.getByRole('listitem').first()).toBeVisible();
  await expect(reply.locator('pre code').first()).toBeVisible();
});

test('the gateway’s own commands are offered, and one that is taken is carried out', async () => {
  const chat = await chatPage(stage);
  await chat.message.fill('/stat');
  const commands = chat.page.getByRole('listbox', { name: 'Commands' });
  await expect(commands.getByRole('option', { name: /^\/status/ })).toBeVisible();
  await chat.message.press('Tab');
  await expect(chat.message).toHaveValue('/status ');
  await chat.message.fill('/status');
  await chat.message.press('Enter');
  await expect(chat.conversation.getByText(/OpenClaw/).last()).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await chat.message.press('ArrowUp');
  await expect(chat.message).not.toHaveValue('');
  await chat.message.fill('');
});

test('HTML in a reply is text, never markup', async () => {
  const chat = await chatPage(stage);
  await chat.say('!say <img src=x onerror="document.title=1"><script>document.title=2</script> **bold**');
  await expect(chat.assistant.last().locator('strong')).toHaveText('bold', { timeout: REPLY_LIMIT_MS });
  await expect(chat.assistant.last().locator('img, script')).toHaveCount(0);
});

test('a model that fails is said so once, in its place, and the next message works', async () => {
  const chat = await chatPage(stage);
  await chat.say('break please !error 400');
  const said = chat.conversation.getByText(/^The agent did not finish/);
  await expect(said.first()).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  await chat.say('and now a good one');
  await chat.expectReply('you said: and now a good one');
  await expect(said).toHaveCount(1);
});

test('a tool call shows its name, its end and its output', async () => {
  const chat = await chatPage(stage);
  await chat.say('use a tool !tool exec {"command":"echo from-the-$((40+2))"}');
  const call = chat.assistant.getByText('exec', { exact: true });
  await expect(call).toBeVisible({ timeout: REPLY_LIMIT_MS });
  await expect(chat.stop).toBeHidden({ timeout: REPLY_LIMIT_MS });
  const card = chat.assistant.filter({ has: chat.page.getByText('exec', { exact: true }) });
  await expect(card.getByText('done', { exact: true })).toBeVisible();
  await call.click();
  await expect(card.locator('pre').last()).toContainText('from-the-42');
});

test('no window reported an error', () => {
  expect(stage.app().problems()).toEqual([]);
});
