import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { keepEvidence } from './support/evidence.ts';
import { argumentsAndEnvironment, filesWith } from './support/process-facts.ts';
import { openStage, type Stage } from './support/stage.ts';
import { english } from './support/words.ts';
import type { EmbeddedAuthenticator, EmbeddedSshServer } from '../support/lab/embedded-ssh-server.ts';
import { createKeyPair } from '../support/lab/keys.ts';
import { waitFor } from '../support/lab/wait.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import {
  hostKeyDialog,
  passphraseDialog,
  passwordDialog,
  removeHostKeyDialog,
  signInDialog,
} from '../support/screens/prompts.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';

/**
 * Everything that an SSH server or a key can ask a person, in the real app: one story, each test goes on where the one
 * before it ended.
 */
test.describe.configure({ mode: 'serial' });

const PASSPHRASE = 'opens-the-key-7Q';
const WRONG = ['not-the-passphrase-2K', 'not-the-password-9V'] as const;
const FIRST_PASSWORD = 'lets-me-in-4T';
const SECOND_PASSWORD = 'lets-me-in-8Z';
const ANSWER = 'name-of-my-cat-5M';
const CODE = '482913';
/** Everything that is typed in this story. Nothing of it may be found anywhere afterwards. */
const TYPED = [PASSPHRASE, ...WRONG, FIRST_PASSWORD, SECOND_PASSWORD, ANSWER, CODE];

const encryptedKey = createKeyPair({ passphrase: PASSPHRASE });
let stage: Stage;
/** Takes a password that can be changed. */
let passwords: EmbeddedSshServer;
let rightPassword = FIRST_PASSWORD;
/** Every password that was shown to it. */
const shown: string[] = [];
/** Asks two questions of its own. */
let questions: EmbeddedSshServer;

const takesPassword = (): EmbeddedAuthenticator => (context) => {
  if (context.method !== 'password') {
    context.reject(['password']);
    return;
  }
  shown.push(context.password);
  if (context.password === rightPassword) context.accept();
  else context.reject(['password']);
};

const asksTwice = (): EmbeddedAuthenticator => (context) => {
  if (context.method !== 'keyboard-interactive') {
    context.reject(['keyboard-interactive']);
    return;
  }
  const prompts = [
    { prompt: 'Cat: ', echo: false },
    { prompt: 'Code: ', echo: true },
  ];
  context.prompt(prompts, 'Two things', 'Your \u001b[31mcat\u001b[0m and your code.', (responses) => {
    if (responses[0] === ANSWER && responses[1] === CODE) context.accept();
    else context.reject(['keyboard-interactive']);
  });
};

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('questions', { gateway: 'shared', desktop: { tray: true } });
  stage.sshd.setAuthorizedKeys([encryptedKey]);
  passwords = await stage.lab.startEmbeddedSsh({ authenticate: takesPassword });
  questions = await stage.lab.startEmbeddedSsh({ authenticate: asksTwice });
  stage.home.writeKey('id_ed25519', encryptedKey);
  stage.home.writeKnownHosts([stage.sshd, passwords, questions].map((server) => server.knownHostsLine()));
  await stage.startApp();
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

async function keepPicture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: test.info().outputPath(`${name}.png`) });
}

async function settingsScreen(): Promise<SettingsScreen> {
  return new SettingsScreen(await stage.show('settings'));
}

/** Labels of the tray's menu, when the first one begins so. */
function trayMenu(status: string): Promise<readonly string[]> {
  const { tray } = stage.desktop;
  return waitFor(
    async () => {
      const labels = (await tray.menu()).map((entry) => entry.label);
      return labels[0]?.startsWith(status) ? labels : null;
    },
    { what: `the tray to say ${status}`, intervalMs: 200, timeoutMs: 30_000 },
  );
}

/** Pages that show any dialog. */
async function pagesWithDialog(): Promise<number> {
  const counts = await Promise.all(
    stage
      .app()
      .electronApp.windows()
      .map((page) => page.locator('dialog[open], [role="dialog"], [role="alertdialog"]').count()),
  );
  return counts.filter((count) => count > 0).length;
}

test('an encrypted key asks for its passphrase, says so of a wrong one, and connects with the right one', async () => {
  const settings = new SettingsScreen(await stage.app().window('settings'));
  await settings.connectWith(stage.goodValues());
  const { dialog, passphrase, unlock, remember } = passphraseDialog(settings.page);
  await expect(dialog).toBeVisible();
  await expectStatus(settings.page, 'Waiting for you');
  await keepPicture(settings.page, 'passphrase');
  await passphrase.fill(WRONG[0]);
  await unlock.click();
  await expect(dialog).toContainText(english('prompts.passphrase.wrong'));
  await keepPicture(settings.page, 'passphrase-wrong');
  expect(stage.sshd.counts().accepted).toBe(0);
  await passphrase.fill(PASSPHRASE);
  await remember.check();
  await unlock.click();
  await expect(dialog).toBeHidden();
  await expectStatus(settings.page, 'Connected');
});

test('a passphrase that the keychain keeps is not asked for after a restart', async () => {
  await stage.app().close();
  const kept = readFileSync(join(stage.app().userDataDir, 'secrets.json'), 'utf8');
  expect(kept).toContain('ssh-secrets:');
  expect(filesWith(stage.app().userDataDir, TYPED)).toEqual([]);

  const app = await stage.startApp(['--open=settings']);
  const page = await app.window('settings');
  await expectStatus(page, 'Connected');
  await expect(passphraseDialog(page).dialog).toBeHidden();
  expect(stage.sshd.counts().accepted).toBe(2);
});

test('a password is asked for, once more after a wrong one, and the session waits meanwhile', async () => {
  const settings = await settingsScreen();
  await settings.connectWith({ target: `${passwords.user}@127.0.0.1:${passwords.port}` });
  const { dialog, password, signIn } = passwordDialog(settings.page);
  await expect(dialog).toBeVisible();
  await keepPicture(settings.page, 'password');
  expect(passwords.counts().live).toBe(1);
  await password.fill(WRONG[1]);
  await signIn.click();
  await expect(dialog).toContainText(english('prompts.password.wrong', { host: '127.0.0.1' }));
  await password.fill(FIRST_PASSWORD);
  await signIn.click();
  await expectStatus(settings.page, 'Connected');
  expect([passwords.counts().connections, shown]).toEqual([1, [WRONG[1], FIRST_PASSWORD]]);
});

test('a lost link comes back in this run without a question, although nothing was to be remembered', async () => {
  const { page } = await settingsScreen();
  passwords.dropConnections();
  await expect.poll(() => passwords.counts().authenticated).toBe(2);
  await expectStatus(page, 'Connected');
  expect(shown.slice(2)).toEqual([FIRST_PASSWORD]);
});

test('a question in the background pops up nowhere: windows and tray say that it waits', async () => {
  const { page } = await settingsScreen();
  rightPassword = SECOND_PASSWORD;
  const before = passwords.counts().connections;
  passwords.dropConnections();
  await expectStatus(page, 'Waiting for you');
  const labels = await trayMenu('Waiting for you');
  expect(labels[1]).toBe(english('prompts.waiting.signIn.button'));
  expect((await stage.desktop.tray.item()).tooltip).toContain('Waiting for you');
  expect(await pagesWithDialog()).toBe(0);
  expect(stage.app().electronApp.windows()).toHaveLength(1);
  await keepPicture(page, 'waiting');
  // The old one was tried once, and no server is kept waiting for a person who is not there.
  expect(shown.slice(3)).toEqual([FIRST_PASSWORD]);
  expect(passwords.counts().connections).toBe(before + 1);
  await expect.poll(() => passwords.counts().live).toBe(0);
});

test('the entry of the tray leads to the question, in a window of its own', async () => {
  await stage.desktop.tray.click(english('prompts.waiting.signIn.button'));
  const page = await stage.app().window('prompt');
  const { dialog, password, signIn } = passwordDialog(page);
  await expect(dialog).toBeVisible();
  await keepPicture(page, 'prompt-window');
  await password.fill(SECOND_PASSWORD);
  // The window goes with the answer, maybe before the click is over for Playwright.
  await signIn.click().catch((error: unknown) => {
    if (!page.isClosed()) throw error;
  });
  await expectStatus((await settingsScreen()).page, 'Connected');
  await expect.poll(() => stage.app().electronApp.windows().length).toBe(1);
  expect(shown.slice(4)).toEqual([SECOND_PASSWORD]);
});

test("a server's own questions are asked in its words, hidden where it says so", async () => {
  const settings = await settingsScreen();
  await settings.connectWith({ target: `${questions.user}@127.0.0.1:${questions.port}` });
  const { dialog, answer, serverWords, signIn } = signInDialog(settings.page);
  await expect(dialog).toBeVisible();
  await expect(serverWords).toContainText('Your cat and your code.');
  await answer('Cat:').fill(ANSWER);
  await answer('Code:').fill(CODE);
  await expect(answer('Cat:')).toHaveCSS('-webkit-text-security', 'disc');
  await expect(answer('Code:')).toHaveCSS('-webkit-text-security', 'none');
  await keepPicture(settings.page, 'questions');
  await signIn.click();
  await expectStatus(settings.page, 'Connected');
});

test('a question that the server ends lets nothing that is typed on into another field', async () => {
  const settings = await settingsScreen();
  const { page } = settings;
  const before = await settings.target.inputValue();
  await settings.target.focus();
  await stage.desktop.tray.click(english('tray.reconnectNow'));
  const { dialog, answer, signIn } = signInDialog(page);
  await expect(answer('Cat:')).toBeFocused();
  await page.keyboard.type(ANSWER.slice(0, 6));
  questions.dropConnections();
  await expect(dialog).toBeHidden();
  const { connections } = questions.counts();
  await page.keyboard.type(ANSWER.slice(6));
  await page.keyboard.press('Enter');
  await expectStatus(page, 'Waiting for you');
  await expect(settings.target).toHaveValue(before);
  await keepPicture(page, 'question-ended');
  expect(questions.counts().connections, 'Enter asked for nothing').toBe(connections);

  await page.getByRole('button', { name: english('prompts.waiting.signIn.button') }).click();
  await answer('Cat:').fill(ANSWER);
  await answer('Code:').fill(CODE);
  await signIn.click();
  await expectStatus(page, 'Connected');
});

test('a changed host key is refused, and removed only by typing the name of the host', async () => {
  const { page } = await settingsScreen();
  const attempts = questions.counts().authAttempts;
  const old = questions.hostKey;
  const [fresh] = questions.rotateHostKey();
  if (fresh === undefined) throw new Error('no new host key');
  questions.dropConnections();
  await expectStatus(page, 'Needs attention');
  await expect(page.getByText(old.fingerprint).first()).toBeVisible();
  await expect(page.getByText(fresh.fingerprint).first()).toBeVisible();
  await keepPicture(page, 'host-key-changed');
  expect(questions.counts().authAttempts, 'nothing was sent to it').toBe(attempts);

  const removal = removeHostKeyDialog(page);
  await removal.open.click();
  await expect(removal.dialog).toBeVisible();
  await expect(removal.remove).toBeDisabled();
  await removal.host.fill('127.0.0.2');
  await expect(removal.remove).toBeDisabled();
  await removal.host.fill('127.0.0.1');
  await keepPicture(page, 'remove-host-key');
  await removal.remove.click();

  const { dialog, trust } = hostKeyDialog(page);
  await expect(dialog).toContainText(fresh.fingerprint);
  expect(stage.home.readKnownHosts()).not.toContain(old.publicKey.split(' ')[1]);
  expect(stage.home.readKnownHosts(), 'other hosts stay').toContain(passwords.knownHostsLine().trim());
  await trust.click();
  const { answer, signIn } = signInDialog(page);
  await answer('Cat:').fill(ANSWER);
  await answer('Code:').fill(CODE);
  await signIn.click();
  await expectStatus(page, 'Connected');
  expect(stage.home.readKnownHosts()).toContain(fresh.publicKey.split(' ')[1]);
});

test('nothing that was typed is in a log, the settings, a dump, a command line or an environment', async () => {
  const app = stage.app();
  const processes = app.processes();
  expect(processes.length).toBeGreaterThan(2);
  const texts = processes.map(({ pid }) => argumentsAndEnvironment(pid));
  expect(
    texts.some((text) => text.includes(app.userDataDir)),
    'control: arguments are found',
  ).toBe(true);
  // Chromium writes its process titles over the environment, so the control for that is this process.
  expect(argumentsAndEnvironment(process.pid), 'control: an environment is found').toContain('PATH=');
  for (const typed of TYPED) expect(texts.some((text) => text.includes(typed))).toBe(false);
  for (const typed of TYPED) expect(app.logs().includes(typed)).toBe(false);
  // Files are complete once the app has ended.
  await app.close();
  expect(app.problems()).toEqual([]);
  expect(filesWith(stage.home.dir, TYPED)).toEqual([]);
  expect(filesWith(stage.home.dir, [`127.0.0.1:${questions.port}`]), 'control: the search finds').toContain(
    join(app.userDataDir, 'settings.json'),
  );
});
