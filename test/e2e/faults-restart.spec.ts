import { expect, test, type Page } from '@playwright/test';
import { recordFault } from '../support/faults/evidence.ts';
import type { LabApp } from '../support/lab/app.ts';
import { sendSignal } from '../support/lab/child.ts';
import { canBind } from '../support/lab/ports.ts';
import { ChatScreen } from '../support/screens/chat-screen.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { keptDraft, mainHistory, rowsWith } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';

/** The app ends at the worst moment: rows 66 and 78 of the fault matrix. */

const RESTART_LIMIT_MS = 5_000;
const QUIT_LIMIT_MS = 2_000;

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('faults-restart', { gateway: 'shared' });
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  const app = await stage.startApp(['--open=settings']);
  const settings = new SettingsScreen(await app.window('settings'));
  await settings.connectWith(stage.goodValues());
  await expectStatus(settings.page, 'Connected');
  const chat = new ChatScreen(await stage.show('chat'));
  await chat.say('warm up');
  await chat.expectReply('you said: warm up');
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

test('a message that was being sent when the app was killed is executed exactly once (row 66)', async () => {
  test.setTimeout(180_000);
  const text = 'sent while the app dies';
  const chat = new ChatScreen(await stage.show('chat'));
  await expectStatus(chat.page, 'Connected');
  await sendAndForget(chat.page, text);
  await stage.app().kill();

  const app = await stage.startApp(['--open=chat']);
  const startedMs = performance.now();
  const again = new ChatScreen(await app.window('chat'));
  const mine = again.you.filter({ hasText: text });
  await expect(mine).toHaveCount(1);
  await expectStatus(again.page, 'Connected');
  await expect(mine.locator('[data-delivery="sending"], [data-delivery="queued"]')).toHaveCount(0);
  const tookMs = performance.now() - startedMs;
  await again.expectReply(`you said: ${text}`);
  await expect(mine).toHaveCount(1);
  expect(stage.model.answered(text)).toBe(1);
  const rows = rowsWith(await mainHistory(stage), 'user', text);
  expect(rows).toHaveLength(1);
  // The counting itself: under another id the same words are another message.
  await sendAndForget(again.page, text);
  await expect.poll(() => stage.model.answered(text), { message: 'control: it is answered again' }).toBe(2);
  await expect(again.stop).toBeHidden();
  recordFault({
    row: 66,
    part: 'while sending',
    layer: 'app',
    injected: 'SIGKILL of the app the moment main has accepted a message, connected',
    shown: 'after the start the message stands in the conversation once, delivered, with one answer',
    tookMs,
    limitMs: RESTART_LIMIT_MS,
    control: 'the same words under another id were answered a second time',
  });
});

test('a queued message and a draft are there after the app was killed, also without a connection (row 66)', async () => {
  test.setTimeout(180_000);
  const text = 'queued when the app died';
  const draft = 'and this was only begun';
  const chat = new ChatScreen(await stage.show('chat'));
  await expectStatus(chat.page, 'Connected');
  await stage.sshd.stop();
  await expectStatus(chat.page, 'Reconnecting');
  await chat.say(text);
  await expect(chat.you.filter({ hasText: text })).toContainText('Queued');
  await chat.message.fill(draft);
  await expect.poll(() => keptDraft(chat.page), { message: 'the draft in main' }).toBe(draft);
  await stage.app().kill();

  const app = await stage.startApp(['--open=chat']);
  const startedMs = performance.now();
  const again = new ChatScreen(await app.window('chat'));
  const mine = again.you.filter({ hasText: text });
  await expect(mine).toContainText('Queued');
  await expect(again.message).toHaveValue(draft);
  const tookMs = performance.now() - startedMs;
  await expect(again.message).toBeEditable();
  expect(stage.model.answered(text), 'control: without a connection nothing is executed').toBe(0);

  await stage.sshd.start();
  await again.page.getByRole('button', { name: 'Reconnect now' }).click();
  await expectStatus(again.page, 'Connected');
  await again.expectReply(`you said: ${text}`);
  await expect(mine).toHaveCount(1);
  await expect(again.message).toHaveValue(draft);
  expect(stage.model.answered(text)).toBe(1);
  expect(rowsWith(await mainHistory(stage), 'user', text)).toHaveLength(1);
  await again.message.fill('');
  recordFault({
    row: 66,
    part: 'queued, and a draft',
    layer: 'app',
    injected: 'SIGKILL of the app while the server is away, a message is queued and another is being written',
    shown:
      'without a connection the chat opens with the message (Queued) and the draft; connected, one answer',
    tookMs,
    limitMs: RESTART_LIMIT_MS,
    control: 'before the server was back the model was asked 0 times, afterwards once',
  });
});

for (const [how, part] of [
  ['SIGTERM', 'SIGTERM, server away'],
  ['quit', 'quit, server silent'],
] as const) {
  test(`ended by ${how} while it reconnects, the app is gone within 2 s with all that was its own (row 78)`, async () => {
    test.setTimeout(120_000);
    const app = stage.runningApp()?.exited() === false ? stage.app() : await stage.startApp(['--open=chat']);
    const page = await app.window('chat');
    await expectStatus(page, 'Connected');
    expect(await canBind(stage.localPort), 'control: the port is taken while it runs').toBe(false);
    const before = app.processes().length;
    if (how === 'quit') {
      // Silent, not gone: whoever waits for an answer waits for ever.
      stage.sshd.pause();
      await page.getByRole('button', { name: 'Reconnect now' }).click();
    } else await stage.sshd.stop();
    await expectStatus(page, 'Reconnecting');
    const startedMs = performance.now();
    if (how === 'SIGTERM') sendSignal(app.pid, 'SIGTERM');
    else await quit(app);
    const { code } = await app.waitForExit();
    const tookMs = performance.now() - startedMs;
    expect(code).toBe(0);
    await expect.poll(() => canBind(stage.localPort), { message: 'the local port is free' }).toBe(true);
    await app.close();
    expect(app.processes()).toEqual([]);
    expect(app.problems().filter((problem) => problem.startsWith('left behind'))).toEqual([]);
    if (how === 'quit') stage.sshd.resume();
    else await stage.sshd.start();
    recordFault({
      row: 78,
      part,
      layer: 'app',
      injected: how === 'quit' ? 'app.quit() while sshd is stopped (SIGSTOP)' : 'SIGTERM while sshd is down',
      shown: 'exit status 0, no process left, the local port free',
      tookMs,
      limitMs: QUIT_LIMIT_MS,
      control: `before it ${before} processes ran and the local port was taken`,
    });
  });
}

/** As the menu does; the answer is lost with the process. */
async function quit(app: LabApp): Promise<void> {
  await app.electronApp.evaluate(({ app: electron }) => electron.quit()).catch(() => undefined);
}

/** Hands a message to main and resolves when it is accepted, so that the kill comes at that moment and not before. */
async function sendAndForget(page: Page, text: string): Promise<void> {
  await page.evaluate(async (message) => {
    const answer = await window.gangway.app.getSnapshot(null);
    const gateway = answer.ok ? answer.value.gateways[0] : undefined;
    if (gateway === undefined) throw new Error('There is no gateway');
    const sent = await window.gangway.chat.send({
      gatewayId: gateway.profile.id,
      sessionKey: gateway.mainSessionKey ?? '',
      messageId: crypto.randomUUID(),
      text: message,
    });
    if (!sent.ok) throw new Error('The message was not accepted');
  }, text);
}
