import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { keepEvidence } from './support/evidence.ts';
import { chatPage, mainHistory, rowsWith } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';
import { english } from './support/words.ts';
import { ChatScreen } from '../support/screens/chat-screen.ts';
import { expectStatus, recordStatus } from '../support/screens/connection-status.ts';
import { hostKeyDialog } from '../support/screens/prompts.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { canConnect } from '../support/lab/ports.ts';

/**
 * The story of the product, told once from end to end: one person, one remote host, one Gateway behind it. Each test
 * goes on where the one before it ended.
 */
test.describe.configure({ mode: 'serial' });

let stage: Stage;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('story');
  stage.home.writeKey('id_ed25519', stage.sshd.clientKey);
  await stage.startApp();
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

test('first run opens the settings with the form for Remote over SSH', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await expect(settings.heading).toBeVisible();
  await expect(settings.mode('Remote over SSH')).toBeChecked();
  await expect(settings.target).toHaveValue('');
  await expect(settings.gatewayPort).toHaveValue('18789');
  await expect(settings.localPort).toHaveValue('18789');
  await expectStatus(settings.page, 'Disconnected');
});

test('an unknown host is asked about with the fingerprint that ssh-keygen prints, and is not trusted before the answer', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.connectWith({
    target: stage.target(),
    gatewayPort: stage.gateway.port,
    localPort: stage.localPort,
    token: stage.gateway.token ?? '',
  });
  const { dialog } = hostKeyDialog(settings.page);
  await expect(dialog).toBeVisible();
  await expectStatus(settings.page, 'Waiting for you');
  await expect(dialog).toContainText(fingerprintBySshKeygen(stage));
  await expect(dialog).toContainText('127.0.0.1');
  expect(stage.sshd.counts().accepted, 'logins before the answer').toBe(0);
  expect(stage.sshd.counts().failed, 'credentials offered before the answer').toBe(0);
});

test('trusting it connects, and the key is in known_hosts as ssh finds it', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  const { dialog, trust } = hostKeyDialog(settings.page);
  await trust.click();
  await expect(dialog).toBeHidden();
  await expectStatus(settings.page, 'Connected');
  const found = execFileSync(
    'ssh-keygen',
    ['-F', `[127.0.0.1]:${stage.sshd.port}`, '-f', join(stage.home.sshDir, 'known_hosts')],
    { encoding: 'utf8' },
  );
  expect(found).toContain(publicHostKey(stage));
});

test('health shows every layer as it is, with the version that the Gateway runs', async () => {
  const health = await stage.show('health');
  await expectStatus(health, 'Connected');
  const { hello } = await stage.withClient((client) => Promise.resolve(client));
  const rungs = health.getByRole('region', { name: english('health.ladder') }).getByRole('listitem');
  await expect(rungs).toHaveCount(5);
  // The lab's remote host is on this computer's loopback, so no network is needed for it, and health says so.
  for (const [index, layer, verdict] of [
    [0, 'network', 'not-applicable'],
    [1, 'ssh', 'ok'],
    [2, 'forward', 'ok'],
    [3, 'gateway', 'ok'],
  ] as const) {
    await expect(rungs.nth(index)).toContainText(english(`health.layers.${layer}`));
    await expect(rungs.nth(index)).toContainText(english(`health.verdicts.${verdict}`));
  }
  await expect(health.getByRole('main')).toContainText(hello.server.version);
});

test('a message is answered, and its reply streams', async () => {
  const chat = new ChatScreen(await stage.show('chat'));
  await expectStatus(chat.page, 'Connected');
  const growth = await chat.recordGrowth();
  await chat.say('first light !slow 10 120');
  await expect(chat.you.filter({ hasText: 'first light' })).toHaveCount(1);
  await expect(chat.stop).toBeVisible();
  await chat.expectReply('Piece 10 of 10');
  const lengths = await growth.lengths();
  expect(lengths.length, `lengths seen: ${lengths.join(', ')}`).toBeGreaterThanOrEqual(4);
  expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
});

test('the openclaw command line reaches the Gateway at the configured local port', async () => {
  const settings = new SettingsScreen(await stage.show('settings'));
  expect((await settings.values()).localPort).toBe(String(stage.localPort));
  const answer = await stage.gateway.cli([
    'gateway',
    'health',
    '--url',
    `ws://127.0.0.1:${stage.localPort}`,
    '--token',
    stage.gateway.token ?? '',
  ]);
  expect(answer.output).toMatch(/ok/i);
  expect(answer.code, answer.output).toBe(0);
});

test('an SSH session that the server kills is replaced by itself, at the same port', async () => {
  const chat = await chatPage(stage);
  const record = await recordStatus(chat.page);
  expect(await stage.sshd.killSessions()).toBeGreaterThan(0);
  await expect
    .poll(async () => (await record.texts()).some((text) => /^(Reconnecting|Connecting)/.test(text)))
    .toBe(true);
  await expectStatus(chat.page, 'Connected');
  expect(await canConnect(stage.localPort)).toBe(true);
  expect(stage.sshd.counts().accepted).toBe(2);
});

test('after the recovery a message is answered exactly once, and the earlier conversation is still there', async () => {
  const chat = await chatPage(stage);
  await chat.say('second light');
  await chat.expectReply('you said: second light');
  await expect(chat.you.filter({ hasText: 'second light' })).toHaveCount(1);
  await expect(chat.you.filter({ hasText: 'first light' })).toHaveCount(1);
  expect(stage.model.answered('second light')).toBe(1);
  const history = await mainHistory(stage);
  expect(rowsWith(history, 'user', 'second light')).toHaveLength(1);
  expect(rowsWith(history, 'assistant', 'you said: second light')).toHaveLength(1);
  expect(rowsWith(history, 'user', 'first light')).toHaveLength(1);
});

test('closed and started again, it is connected without a question and the history is there', async () => {
  await stage.app().close();
  await expect
    .poll(() => canConnect(stage.localPort), { message: 'the local port is free after quitting' })
    .toBe(false);
  await expect.poll(() => stage.sshd.sessions().length, { message: 'SSH sessions after quitting' }).toBe(0);

  const app = await stage.startApp(['--open=chat']);
  const chat = new ChatScreen(await app.window('chat'));
  await expectStatus(chat.page, 'Connected');
  await expect(hostKeyDialog(chat.page).dialog).toBeHidden();
  await expect(chat.you.filter({ hasText: 'first light' })).toHaveCount(1);
  await expect(chat.assistant.filter({ hasText: 'you said: second light' })).toHaveCount(1);
  expect(stage.model.answered('second light'), 'nothing is sent again by a restart').toBe(1);
});

test('nothing secret and no error was left behind', async () => {
  const app = stage.app();
  expect(app.problems()).toEqual([]);
  const settingsFile = readFileSync(join(app.userDataDir, 'settings.json'), 'utf8');
  expect(settingsFile).toContain(stage.target());
  for (const text of [settingsFile, app.logs()])
    expect(text).not.toContain(stage.gateway.token ?? 'no token');
  await Promise.resolve();
});

function publicHostKey({ sshd }: Stage): string {
  const key = sshd.hostKeys[0]?.publicKey.split(' ')[1];
  if (key === undefined) throw new Error('sshd has no host key');
  return key;
}

function fingerprintBySshKeygen({ sshd, lab }: Stage): string {
  const file = join(lab.folder('fingerprint'), 'host-key.pub');
  writeFileSync(file, sshd.hostKeys[0]?.publicKey ?? '');
  const printed = execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' });
  const fingerprint = /SHA256:\S+/.exec(printed)?.[0];
  if (fingerprint === undefined) throw new Error(`ssh-keygen printed no fingerprint: ${printed}`);
  return fingerprint;
}
