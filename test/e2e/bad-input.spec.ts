import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { failure, type ConnectionFailure } from '../../src/shared/connection-failure.ts';
import { createKeyPair } from '../support/lab/keys.ts';
import { freePort } from '../support/lab/ports.ts';
import { ChatScreen } from '../support/screens/chat-screen.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { passphraseDialog } from '../support/screens/prompts.ts';
import { holdPort } from '../support/lab/port-holder.ts';
import { SettingsScreen, type FormValues } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { chatPage } from './support/gateway-truth.ts';
import { openStage, type Stage } from './support/stage.ts';
import { english, titleOf } from './support/words.ts';

/**
 * Whatever is entered wrongly is said as what it is, and costs no data. One app and one remote host serve all of these
 * tests; each begins with the good values and ends with the check that nothing was lost.
 */
test.describe.configure({ mode: 'default' });

const DRAFT = 'half a thought, not sent yet';
let stage: Stage;
let encryptedKeyPath: string;
const PASSPHRASE = 'correct horse';

test.beforeAll(async () => {
  test.setTimeout(180_000);
  stage = await openStage('bad-input');
  const encrypted = createKeyPair({ type: 'ed25519', passphrase: PASSPHRASE });
  stage.sshd.setAuthorizedKeys([stage.sshd.clientKey, encrypted]);
  stage.home.writeKey('good_key', stage.sshd.clientKey);
  encryptedKeyPath = stage.home.writeKey('locked_key', encrypted);
  stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
  await stage.startApp();
  await connectWithGoodValues();
  const chat = await chatPage(stage);
  await chat.message.fill(DRAFT);
});

keepEvidence(() => stage);

test.afterAll(async () => {
  await stage.close();
});

function goodValues(): Required<Omit<FormValues, 'password'>> {
  return {
    target: stage.target(),
    gatewayPort: stage.gateway.port,
    localPort: stage.localPort,
    identityFile: '~/.ssh/good_key',
    token: stage.gateway.token ?? '',
  };
}

async function settingsScreen(): Promise<SettingsScreen> {
  return new SettingsScreen(await stage.show('settings'));
}

async function connectWithGoodValues(): Promise<void> {
  const settings = await settingsScreen();
  await settings.connectWith(goodValues());
  await expectStatus(settings.page, 'Connected');
}

/** Saves the good values with `wrong` over them and waits for the title of the failure that must follow. */
async function connectWrongly(wrong: FormValues, expected: ConnectionFailure): Promise<SettingsScreen> {
  const settings = await settingsScreen();
  const entered = { ...goodValues(), ...wrong };
  await settings.connectWith(entered);
  await expectFailureShown(settings, expected);
  await expectAllKept(settings, entered);
  return settings;
}

async function expectFailureShown(settings: SettingsScreen, expected: ConnectionFailure): Promise<void> {
  await expect(
    settings.page.getByText(titleOf(expected, await settings.target.inputValue())).first(),
  ).toBeVisible({ timeout: 30_000 });
}

/** The form, the settings file and the draft of the chat window hold what the person entered. */
async function expectAllKept(settings: SettingsScreen, entered: FormValues): Promise<void> {
  const shown = await settings.values();
  expect(shown).toEqual({
    target: entered.target,
    gatewayPort: String(entered.gatewayPort),
    localPort: String(entered.localPort),
    identityFile: entered.identityFile,
  });
  await expect
    .poll(() => savedSsh())
    .toMatchObject({
      target: entered.target,
      gatewayPort: Number(entered.gatewayPort),
      localPort: Number(entered.localPort),
      identityFile: entered.identityFile,
    });
  await expectDraftKept();
}

async function expectDraftKept(): Promise<void> {
  const chat = new ChatScreen(await stage.app().window('chat'));
  await expect(chat.message).toHaveValue(DRAFT);
}

interface SavedSettings {
  readonly gateways: readonly { readonly ssh: Readonly<Record<string, unknown>> }[];
}

function savedSsh(): Readonly<Record<string, unknown>> | undefined {
  const file = join(stage.app().userDataDir, 'settings.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as SavedSettings).gateways[0]?.ssh;
}

test.describe('the host', () => {
  test('a host name that does not exist is said to be unknown', async () => {
    await connectWrongly(
      { target: 'someone@no-such-host.invalid' },
      failure('host-not-found', { host: 'no-such-host.invalid' }),
    );
  });

  test('a port where something else answers is said to be no SSH server', async () => {
    const port = stage.gateway.port;
    await connectWrongly(
      { target: `${stage.sshd.user}@127.0.0.1:${port}` },
      failure('not-ssh', { host: '127.0.0.1', port, received: '' }),
    );
  });

  test('a closed port is said to refuse the connection, with its number', async () => {
    const port = await freePort();
    const settings = await connectWrongly(
      { target: `${stage.sshd.user}@127.0.0.1:${port}` },
      failure('ssh-refused', { host: '127.0.0.1', port }),
    );
    await expect(settings.page.getByText(String(port)).first()).toBeVisible();
  });

  test('a host key that changed is refused with both fingerprints, before any credential is offered', async () => {
    const before = stage.sshd.counts();
    const oldKey = stage.sshd.hostKeys[0];
    const [newKey] = await stage.sshd.rotateHostKey(['ed25519']);
    if (oldKey === undefined || newKey === undefined) throw new Error('sshd has no host key');
    const settings = await connectWrongly(
      {},
      failure('host-key-changed', {
        host: '127.0.0.1',
        port: stage.sshd.port,
        keyType: 'ssh-ed25519',
        offeredFingerprint: newKey.fingerprint,
        known: [],
      }),
    );
    await expectStatus(settings.page, 'Needs attention');
    await expect(settings.page.getByText(newKey.fingerprint).first()).toBeVisible();
    await expect(settings.page.getByText(oldKey.fingerprint).first()).toBeVisible();
    expect(stage.sshd.counts().accepted, 'logins with the changed key').toBe(before.accepted);
    expect(stage.sshd.counts().failed, 'credentials offered to the changed key').toBe(before.failed);
    // The person finds out that the server was set up anew, and takes the old line out of known_hosts.
    stage.home.writeKnownHosts([stage.sshd.knownHostsLine()]);
    await connectWithGoodValues();
  });
});

test.describe('the login', () => {
  test('a user whom the server does not let in is named', async () => {
    const settings = await connectWrongly(
      { target: `nobody-here@127.0.0.1:${stage.sshd.port}` },
      failure('auth-rejected', { user: 'nobody-here', host: '127.0.0.1', offered: ['publickey'], tried: [] }),
    );
    await expectStatus(settings.page, 'Needs attention');
    await expect(settings.page.getByText(/nobody-here/).first()).toBeVisible();
  });

  test('a key that the server rejects is named', async () => {
    stage.home.writeKey('stranger_key', createKeyPair());
    const settings = await connectWrongly(
      { identityFile: '~/.ssh/stranger_key' },
      failure('auth-rejected', {
        user: stage.sshd.user,
        host: '127.0.0.1',
        offered: ['publickey'],
        tried: [],
      }),
    );
    await expect(settings.page.getByText(/stranger_key/).first()).toBeVisible();
  });

  for (const [reason, name] of [
    ['missing', 'no_such_key'],
    ['permission', 'forbidden_key'],
    ['format', 'garbage_key'],
    ['not-a-file', 'folder_key'],
  ] as const) {
    test(`a key file that cannot be read is named with its reason: ${reason}`, async () => {
      const path = join(stage.home.sshDir, name);
      if (reason === 'permission') chmodSync(stage.home.writeKey(name, createKeyPair()), 0o000);
      if (reason === 'format') writeFileSync(path, 'this is no key\n', { mode: 0o644 });
      if (reason === 'not-a-file') mkdirSync(path, { mode: 0o755 });
      await connectWrongly({ identityFile: path }, failure('key-unreadable', { path, reason }));
    });
  }

  test('an encrypted key asks for its passphrase, says when it was wrong, and opens with the right one', async () => {
    const settings = await settingsScreen();
    await settings.connectWith({ ...goodValues(), identityFile: encryptedKeyPath });
    const { dialog, passphrase, unlock } = passphraseDialog(settings.page);
    await expect(dialog).toContainText('locked_key');
    await expectStatus(settings.page, 'Waiting for you');
    await passphrase.fill('wrong one');
    await unlock.click();
    await expect(dialog).toContainText(english('prompts.passphrase.wrong'));
    await passphrase.fill(PASSPHRASE);
    await unlock.click();
    await expect(dialog).toBeHidden();
    await expectStatus(settings.page, 'Connected');
    await expectAllKept(settings, { ...goodValues(), identityFile: encryptedKeyPath });
    expect(stage.app().logs()).not.toContain(PASSPHRASE);
  });
});

test.describe('the gateway', () => {
  // One that the gateway knows gets in with a token of its own (docs/connection.md, rule 35).
  test('a wrong token of a new device is said to be the token, and the right one connects', async () => {
    test.setTimeout(120_000);
    const { lab, desktop, sshd } = stage;
    const home = await lab.createAppHome();
    home.writeKey('good_key', sshd.clientKey);
    home.writeKnownHosts([sshd.knownHostsLine()]);
    const app = await lab.startApp({ desktop, home });
    try {
      const settings = new SettingsScreen(await app.window('settings'));
      const values = { ...goodValues(), localPort: await freePort() };
      await settings.connectWith({ ...values, token: 'not-the-token' });
      await expectFailureShown(settings, failure('token-mismatch', {}));
      await expectStatus(settings.page, 'Needs attention');
      await settings.connectWith(values);
      await expectStatus(settings.page, 'Connected');
      expect(app.logs()).not.toContain('not-the-token');
    } finally {
      await app.close();
    }
  });

  test('a gateway that is down is said to be down with its port, and once started is found by itself', async () => {
    await connectWithGoodValues();
    await stage.gateway.stop();
    const settings = await settingsScreen();
    await expectFailureShown(
      settings,
      failure('gateway-not-listening', { host: '127.0.0.1', gatewayPort: stage.gateway.port }),
    );
    await expect(settings.page.getByText(String(stage.gateway.port)).first()).toBeVisible();
    await stage.gateway.start();
    await expectStatus(settings.page, 'Connected', 60_000);
    await expectAllKept(settings, goodValues());
  });
});

test.describe('the local port', () => {
  test('a port that another program holds is left alone; the next free one is taken, told of and remembered', async () => {
    const holder = stage.lab.own(await holdPort());
    const settings = await settingsScreen();
    await settings.connectWith({ ...goodValues(), localPort: holder.port });
    await expectStatus(settings.page, 'Connected');
    await expect(settings.localPort).not.toHaveValue(String(holder.port));
    const taken = Number(await settings.localPort.inputValue());
    const owner = `${holder.command} (${holder.pid})`;
    const words = english('notices.portMovedOwner', { from: holder.port, to: taken, owner });
    const notice = settings.page.getByText(words);
    await expect(notice).toBeVisible();
    await expectAllKept(settings, { ...goodValues(), localPort: taken });
    expect(holder.alive(), 'the program that held the port still runs').toBe(true);
    expect(holder.received(), 'what it was sent').toBe('');
    const answer = await fetch(`http://127.0.0.1:${taken}/healthz`);
    expect(answer.status).toBe(200);
    await settings.page.getByRole('button', { name: english('notices.dismiss') }).click();
    await expect(notice).toBeHidden();
    await holder.close();
  });
});

test.describe('the form', () => {
  for (const [field, value, code] of [
    ['target', '', 'required'],
    ['target', 'user@host:99999', 'target-invalid'],
    ['target', '-oProxyCommand=evil', 'target-invalid'],
    ['gatewayPort', '0', 'port-range'],
    ['localPort', '65536', 'port-range'],
    ['localPort', '', 'port-range'],
  ] as const) {
    test(`says beside the field what is wrong with ${field} "${value}", and saves nothing`, async () => {
      const settings = await settingsScreen();
      await settings.fill(goodValues());
      const before = savedSsh();
      await settings.fill({ [field]: value });
      await settings.saveAndConnect.click();
      const input = settings[field];
      await expect(input).toHaveAttribute('aria-invalid', 'true');
      await expect(input).toHaveAccessibleDescription(new RegExp(escape(english(`fieldErrors.${code}`))));
      await expect(input).toBeFocused();
      await expect(input).toHaveValue(value);
      expect(savedSsh()).toEqual(before);
      await expectDraftKept();
      await settings.fill(goodValues());
    });
  }
});

test.describe('the settings file', () => {
  test('a malformed one is kept aside and said so; the app starts, and works again after the form is filled', async () => {
    await stage.app().close();
    const { userDataDir } = stage.app();
    const garbage = '{ "version": 1, "gateways": [ { "ssh": ';
    writeFileSync(join(userDataDir, 'settings.json'), garbage);
    const app = await stage.startApp(['--open=settings']);
    const settings = new SettingsScreen(await app.window('settings'));
    await expect(settings.heading).toBeVisible();
    const aside = readdirSync(userDataDir).filter((name) => /^settings.*\.bad-/.test(name));
    expect(aside).toHaveLength(1);
    const [name = ''] = aside;
    expect(readFileSync(join(userDataDir, name), 'utf8')).toBe(garbage);
    await expect(settings.page.getByText(name).first()).toBeVisible();
    await settings.connectWith({ ...goodValues(), localPort: await freePort() });
    await expectStatus(settings.page, 'Connected');
    const kept = readFileSync(join(userDataDir, name), 'utf8');
    expect(kept, 'the broken file is never overwritten').toBe(garbage);
  });
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
