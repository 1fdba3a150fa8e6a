import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { commandNames } from '../../src/shared/ipc-contract.ts';
import { CONTENT_SECURITY_POLICY } from '../../src/shared/content-security-policy.ts';
import { appLaunch } from '../support/lab/app-user.ts';
import { startChild } from '../support/lab/child.ts';
import { createKeyPair } from '../support/lab/keys.ts';
import { ChatScreen } from '../support/screens/chat-screen.ts';
import { expectStatus } from '../support/screens/connection-status.ts';
import { hostKeyDialog, passphraseDialog } from '../support/screens/prompts.ts';
import { SettingsScreen } from '../support/screens/settings-screen.ts';
import { keepEvidence } from './support/evidence.ts';
import { startHitCounter, type HitCounter } from './support/hit-counter.ts';
import {
  argumentsAndEnvironment,
  confinement,
  filesWith,
  listeningSockets,
  modeOf,
} from './support/process-facts.ts';
import { openStage, type Stage } from './support/stage.ts';

/**
 * The Electron checklist on the running app, connected over SSH with a passphrase and a token that must appear nowhere.
 * Every check that something does not happen stands beside one that shows that it would have been noticed.
 */

const PASSPHRASE = 'canary-passphrase-5d1f0c';
const KEY_MARKER = 'PRIVATE KEY-----';
/** A link in the folder that pages are served from, leading out of it. */
const LINK = join(import.meta.dirname, '../../out/renderer/link.html');

let stage: Stage;
let outside: HitCounter;
let settingsPage: Page;
let chatPage: Page;

test.beforeAll(async () => {
  test.setTimeout(240_000);
  outside = await startHitCounter();
  rmSync(LINK, { force: true });
  symlinkSync('/etc/passwd', LINK);
  stage = await openStage('hardening', { gateway: 'shared' });
  const key = createKeyPair({ passphrase: PASSPHRASE });
  stage.sshd.setAuthorizedKeys([key]);
  stage.home.writeKey('id_ed25519', key);
  await stage.startApp(['--use-fake-device-for-media-stream']);
  settingsPage = await stage.app().window('settings');
  await new SettingsScreen(settingsPage).connectWith(stage.goodValues());
  await hostKeyDialog(settingsPage).trust.click();
  const unlock = passphraseDialog(settingsPage);
  await unlock.passphrase.fill(PASSPHRASE);
  await unlock.unlock.click();
  await expectStatus(settingsPage, 'Connected');
  chatPage = await stage.show('chat');
  await expectStatus(chatPage, 'Connected');
});

keepEvidence(() => stage);

test.afterAll(async () => {
  rmSync(LINK, { force: true });
  await stage.close();
  await outside.close();
});

test.describe('windows', () => {
  test('every window has the locked-down settings, and nothing else shows web content (1)', async () => {
    const found = await stage.app().electronApp.evaluate(({ BrowserWindow, webContents }) => ({
      windows: BrowserWindow.getAllWindows().length,
      contents: webContents.getAllWebContents().map((contents) => {
        // Undocumented, and the only way to read what is in force.
        const { getLastWebPreferences } = contents as unknown as {
          getLastWebPreferences?: () => Record<string, unknown>;
        };
        return getLastWebPreferences?.call(contents) ?? {};
      }),
    }));
    expect(found.windows).toBe(2);
    expect(found.contents).toHaveLength(2);
    for (const preferences of found.contents) {
      expect(preferences).toMatchObject({
        sandbox: true,
        contextIsolation: true,
        webSecurity: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        webviewTag: false,
        experimentalFeatures: false,
        allowRunningInsecureContent: false,
      });
      // Left out of what is in force while it is off.
      expect(preferences['nodeIntegrationInWorker'] ?? false).toBe(false);
      expect(preferences['enableBlinkFeatures'] ?? '').toBe('');
    }
  });

  test('a page has nothing of Node (1)', async () => {
    const types = await chatPage.evaluate(() =>
      ['require', 'process', 'module', 'Buffer', 'global', 'ipcRenderer'].map(
        (name) => typeof (globalThis as unknown as Record<string, unknown>)[name],
      ),
    );
    expect(new Set(types)).toEqual(new Set(['undefined']));
  });

  test('every renderer runs in the system’s sandbox (2)', async () => {
    test.skip(process.platform !== 'linux', 'reads /proc');
    const metrics = await stage
      .app()
      .electronApp.evaluate(({ app }) => app.getAppMetrics().map(({ pid, type }) => ({ pid, type })));
    const renderers = metrics.filter(({ type }) => type === 'Tab');
    expect(renderers.length).toBeGreaterThan(0);
    for (const { pid } of renderers) expect(confinement(pid)).toEqual({ seccomp: 2, noNewPrivs: 1 });
    expect(confinement(stage.app().pid).seccomp, 'control: the main process is not confined').toBe(0);
  });

  test('the preload shows the contract’s members and nothing else, frozen (3)', async () => {
    const surface = await chatPage.evaluate(() => {
      const api = window.gangway as unknown as Record<string, Record<string, unknown>>;
      const members = Object.entries(api).flatMap(([group, functions]) =>
        Object.entries(functions).map(([name, value]) => `${group}.${name}:${typeof value}`),
      );
      const frozen = [api, ...Object.values(api)].every((value) => Object.isFrozen(value));
      return { members: members.sort(), frozen };
    });
    const commands = commandNames().map((name) => `${name}:function`);
    const events = ['app.onSnapshot', 'chat.onPatch', 'settings.onTestProgress'].map(
      (name) => `${name}:function`,
    );
    expect(surface).toEqual({ members: [...commands, ...events].sort(), frozen: true });
  });

  test('a listener gets the payload and no event object (3)', async () => {
    const counts = await chatPage.evaluate(async () => {
      const argumentCount = new Promise<number>((resolve) => {
        const stop = window.gangway.app.onSnapshot((...received: unknown[]) => {
          stop();
          resolve(received.length);
        });
      });
      const answer = await window.gangway.app.getSnapshot(null);
      if (answer.ok) await window.gangway.app.setPreferences({ ...answer.value.preferences, theme: 'light' });
      return argumentCount;
    });
    expect(counts).toBe(1);
  });

  test('a page that reloads itself comes back, which is the one navigation that is let through', async () => {
    await settingsPage.evaluate(() => {
      Object.assign(window, { beforeReload: true });
      location.reload();
    });
    await settingsPage.waitForFunction(() => !('beforeReload' in window));
    await expectStatus(settingsPage, 'Connected');
  });
});

test.describe('IPC', () => {
  test('a window that the factory did not make is refused on every channel, also at our own address (4)', async () => {
    const answers = await stage.app().electronApp.evaluate(async ({ app, BrowserWindow, ipcMain }, names) => {
      const path = `${app.getAppPath()}/out/preload/index.cjs`;
      const foreign = new BrowserWindow({
        show: false,
        webPreferences: { preload: path, sandbox: true, contextIsolation: true },
      });
      try {
        await foreign.loadURL('app://gangway/index.html?window=chat&gateway=x');
        const results = (await foreign.webContents.executeJavaScript(
          `Promise.all(${JSON.stringify(names)}.map((name) => {
              const [group, member] = name.split('.');
              return window.gangway[group][member](null).then((answer) => JSON.stringify(answer));
            }))`,
        )) as string[];
        return { results, listeners: ipcMain.eventNames().map(String) };
      } finally {
        foreign.destroy();
      }
    }, commandNames());
    expect(new Set(answers.results)).toEqual(
      new Set([JSON.stringify({ ok: false, error: { type: 'refused', reason: 'sender' } })]),
    );
    expect(answers.results).toHaveLength(commandNames().length);
    const own = answers.listeners.filter((name) => name !== 'error');
    expect(own, 'channels beside the contract’s').toEqual([]);
  });

  test('a frame of ours, a missing frame and a foreign address are refused before the payload is looked at (4)', async () => {
    const answers = await stage.app().electronApp.evaluate(async ({ BrowserWindow, ipcMain }) => {
      const internals = ipcMain as unknown as {
        _invokeHandlers: Map<string, (event: unknown, ...values: unknown[]) => Promise<unknown>>;
      };
      const call = internals._invokeHandlers.get('gangway:app.getSnapshot');
      const sender = BrowserWindow.getAllWindows()[0]?.webContents;
      const main = sender?.mainFrame;
      /** As if the window showed another address: then its main frame says so. */
      const showing = async (url: string): Promise<string> => {
        const frame: object = Object.defineProperty({}, 'url', { value: url });
        Object.defineProperty(sender, 'mainFrame', { value: frame, configurable: true });
        try {
          return await ask({ sender, senderFrame: frame });
        } finally {
          Reflect.deleteProperty(sender ?? {}, 'mainFrame');
        }
      };
      const ask = async (event: unknown): Promise<string> =>
        JSON.stringify(await call?.(event, null)).slice(0, 80);
      return {
        control: await ask({ sender, senderFrame: main }),
        noFrame: await ask({ sender, senderFrame: null }),
        subFrame: await ask({ sender, senderFrame: { url: main?.url } }),
        ours: await showing('app://gangway/index.html?window=chat&gateway=x'),
        foreign: await showing('https://example.com/'),
        lookalike: await showing('app://gangway.example/index.html'),
        file: await showing('file:///gangway/index.html'),
      };
    });
    const { control, ours, ...refused } = answers;
    for (const served of [control, ours]) expect(served).toContain('"ok":true');
    for (const [name, answer] of Object.entries(refused)) expect(answer, name).toContain('"reason":"sender"');
  });

  test('a payload of another shape, with one key too many, or of monstrous size is refused (4)', async () => {
    const reasons = await chatPage.evaluate(async () => {
      const copy = window.gangway.app.copyText as (input: unknown) => Promise<unknown>;
      const answers: unknown[] = [];
      for (const input of [
        undefined,
        null,
        'text',
        { text: 1 },
        { text: 'a', more: 1 },
        JSON.parse('{"text":"a","__proto__":{"x":1}}'),
        { text: 'x'.repeat(2 * 1024 * 1024) },
        { text: new ArrayBuffer(64 * 1024 * 1024) },
        Array.from({ length: 200_000 }, () => ({})),
      ])
        answers.push(await copy(input));
      return answers;
    });
    expect(reasons).toHaveLength(9);
    for (const reason of reasons)
      expect(reason).toEqual({ ok: false, error: { type: 'refused', reason: 'payload' } });
  });
});

test.describe('pages', () => {
  test('the app’s scheme serves its own files and nothing else (5)', async () => {
    const answers = await stage.app().electronApp.evaluate(async ({ session }) => {
      const status = async (url: string, method = 'GET'): Promise<string> => {
        try {
          const response = await session.defaultSession.fetch(url, { method });
          return String(response.status);
        } catch {
          return 'refused';
        }
      };
      const results: [string, string][] = [];
      for (const url of [
        'app://gangway/../../etc/passwd',
        'app://gangway/%2e%2e/%2e%2e/etc/passwd',
        'app://gangway/..%2f..%2fetc/passwd',
        'app://gangway/..%5c..%5cetc%5cpasswd',
        'app://gangway//etc/passwd',
        'app://gangway//host/share',
        'app://gangway/index.html%00.png',
        'app://gangway/link.html',
        'app://gangway/',
        'app://gangway/assets',
        'app://gangway/../main/index.js',
        'app://other/index.html',
        'app://user@gangway/index.html',
      ])
        results.push([url, await status(url)]);
      return {
        results,
        post: await status('app://gangway/index.html', 'POST'),
        control: await status('app://gangway/index.html?window=chat'),
      };
    });
    expect(answers.control).toBe('200');
    expect(answers.post).toBe('404');
    for (const [url, status] of answers.results) expect(['404', 'refused'], url).toContain(status);
  });

  test('every answer carries the content security policy, word for word (6)', async () => {
    const headers = await stage.app().electronApp.evaluate(async ({ session }) => {
      const pages = ['index.html', 'nothing.html', 'safe.html'];
      const answers = await Promise.all(
        pages.map((page) => session.defaultSession.fetch(`app://gangway/${page}`)),
      );
      return answers.map((answer) => ({
        policy: answer.headers.get('content-security-policy'),
        sniffing: answer.headers.get('x-content-type-options'),
      }));
    });
    expect(headers).toHaveLength(3);
    for (const header of headers)
      expect(header).toEqual({ policy: CONTENT_SECURITY_POLICY, sniffing: 'nosniff' });
    expect(CONTENT_SECURITY_POLICY).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; media-src 'self' blob:; connect-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
  });

  test('the policy stops script, styles, frames and connections in a page (6, 7)', async () => {
    const seen = await chatPage.evaluate(async (url) => {
      const violated = (directive: string, act: () => void): Promise<string> =>
        new Promise((resolve) => {
          setTimeout(() => resolve(`${directive} was not enforced`), 5_000);
          const heard = (event: SecurityPolicyViolationEvent): void => {
            if (event.effectiveDirective !== directive) return;
            document.removeEventListener('securitypolicyviolation', heard);
            resolve(directive);
          };
          document.addEventListener('securitypolicyviolation', heard);
          // Outside of the call of the test's: what the debugger evaluates may do more than the page.
          setTimeout(() => {
            try {
              act();
            } catch {
              // The violation is what counts.
            }
          }, 0);
        });
      const add = (tag: string, set: (element: HTMLElement) => void) => (): void => {
        const element = document.createElement(tag);
        set(element);
        document.body.append(element);
      };
      const results = [
        await violated(
          'script-src-elem',
          add('script', (element) => (element.textContent = 'window.__ran = true')),
        ),
        await violated(
          'script-src-elem',
          add('script', (element) => element.setAttribute('src', `${url}/script.js`)),
        ),
        await violated('script-src', () => {
          const evaluate = eval;
          evaluate('window.__ran = true');
        }),
        await violated('script-src-attr', () => {
          const element = document.createElement('div');
          element.setAttribute('onclick', 'window.__ran = true');
          document.body.append(element);
          element.click();
        }),
        await violated(
          'style-src-elem',
          add('style', (element) => (element.textContent = '*{color:red}')),
        ),
        await violated(
          'img-src',
          add('img', (element) => element.setAttribute('src', `${url}/pixel.png`)),
        ),
        await violated(
          'frame-src',
          add('iframe', (element) => element.setAttribute('src', `${url}/frame`)),
        ),
        await violated('connect-src', () => void fetch(`${url}/fetch`).catch(() => undefined)),
        await violated('connect-src', () => new WebSocket(url.replace('http', 'ws'))),
        await violated('connect-src', () => void navigator.sendBeacon(`${url}/beacon`)),
        await violated(
          'media-src',
          add('video', (element) => element.setAttribute('src', `${url}/video`)),
        ),
      ];
      return { results, ran: (window as unknown as { __ran?: boolean }).__ran === true };
    }, outside.url);
    expect(seen.results.filter((result) => result.endsWith('enforced'))).toEqual([]);
    expect(seen.results).toHaveLength(11);
    expect(seen.ran).toBe(false);
    expect(outside.hits()).toEqual([]);
  });

  test('no session lets a request out, even where no policy stops it (7)', async () => {
    const outcome = await stage.app().electronApp.evaluate(async ({ session, BrowserWindow }, url) => {
      const tries: string[] = [];
      const attempt = async (what: string, act: () => Promise<unknown>): Promise<void> => {
        try {
          await act();
          tries.push(`${what} went through`);
        } catch {
          tries.push(`${what} stopped`);
        }
      };
      const other = session.fromPartition('another');
      for (const [name, target] of [
        ['default', session.defaultSession],
        ['another', other],
      ] as const)
        for (const address of [url, url.replace('http', 'ws'), 'file:///etc/hostname'])
          await attempt(`${name} ${new URL(address).protocol}`, () => target.fetch(address));
      const window = new BrowserWindow({ show: false, webPreferences: { session: other, sandbox: true } });
      await attempt('window', () => window.loadURL(url));
      window.destroy();
      return tries;
    }, outside.url);
    expect(outcome.filter((line) => !line.endsWith('stopped'))).toEqual([]);
    expect(outcome).toHaveLength(7);
    expect(outside.hits()).toEqual([]);
    await fetch(`${outside.url}/control`);
    expect(outside.hits(), 'control: the counter counts').toEqual(['/control']);
  });

  test('a page cannot go elsewhere, by whatever means (8)', async () => {
    const before = chatPage.url();
    const hitsBefore = outside.hits().length;
    for (const act of [
      (url: string) => void (location.href = url),
      (url: string) => location.assign(url),
      (url: string) => location.replace(url),
      () => void (location.href = 'app://gangway/safe.html'),
      () => void (location.href = 'file:///etc/passwd'),
      (url: string) => {
        const link = document.createElement('a');
        Object.assign(link, { href: url, target: '_blank' });
        document.body.append(link);
        link.click();
      },
      (url: string) => {
        const link = document.createElement('a');
        Object.assign(link, { href: url, target: '_self' });
        document.body.append(link);
        link.click();
      },
      (url: string) => {
        const link = document.createElement('a');
        Object.assign(link, { href: url, download: 'file.txt' });
        document.body.append(link);
        link.click();
      },
      (url: string) => {
        const form = document.createElement('form');
        Object.assign(form, { action: url, method: 'post' });
        document.body.append(form);
        form.submit();
      },
      (url: string) => {
        const meta = document.createElement('meta');
        meta.httpEquiv = 'refresh';
        meta.content = `0;url=${url}`;
        document.head.append(meta);
      },
    ])
      await chatPage.evaluate(act, `${outside.url}/elsewhere`);
    await middleClick(chatPage, `${outside.url}/middle`);
    await stage.app().electronApp.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    expect(chatPage.url()).toBe(before);
    expect(outside.hits()).toHaveLength(hitsBefore);
    expect(stage.app().electronApp.windows()).toHaveLength(2);
    // Read directly: locators wait for the navigation that was prevented.
    const status = await chatPage.evaluate(
      () => document.querySelector('[role="status"][aria-label="Connection"]')?.textContent,
    );
    expect(status).toMatch(/^\s*Connected/);
  });

  test('window.open opens nothing (9)', async () => {
    const opened = await chatPage.evaluate((url) => {
      const windows = [window.open(url), window.open('about:blank'), window.open('app://gangway/index.html')];
      return windows.map((one) => one === null);
    }, outside.url);
    expect(opened).toEqual([true, true, true]);
    expect(stage.app().electronApp.windows()).toHaveLength(2);
  });

  test('only https and mailto reach the system’s browser, after a click, and not in floods (9)', async () => {
    await stage.app().electronApp.evaluate(({ shell }) => {
      const calls: string[] = [];
      (globalThis as unknown as { openedLinks: string[] }).openedLinks = calls;
      shell.openExternal = (url) => {
        calls.push(url);
        return Promise.resolve();
      };
    });
    const opened = (): Promise<string[]> =>
      stage
        .app()
        .electronApp.evaluate(() => (globalThis as unknown as { openedLinks: string[] }).openedLinks);
    const open = (page: Page, urls: readonly string[]): Promise<boolean[]> =>
      page.evaluate(async (list) => {
        const answers: boolean[] = [];
        for (const url of list) answers.push((await window.gangway.app.openExternal({ url })).ok);
        return answers;
      }, urls);

    const health = await stage.show('health');
    expect(await open(health, ['https://example.com/unasked']), 'without a click').toEqual([false]);

    await health.getByRole('heading').first().click();
    const refused = [
      'javascript:alert(1)',
      'file:///etc/passwd',
      'smb://h/s',
      'ms-msdt:/id',
      'http://a.b',
      'x:y',
    ];
    expect(await open(health, refused)).toEqual(refused.map(() => false));
    expect(await opened()).toEqual([]);

    const flood = Array.from({ length: 10 }, (_, index) => `https://example.com/${index}`);
    const accepted = (await open(health, flood)).filter(Boolean).length;
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(flood.length);
    expect(await opened()).toHaveLength(accepted);
    await health.close();
  });

  test('hostile model output stays text: no script runs, no image is fetched, no bad link remains (10)', async () => {
    // Locators of a page whose navigation was prevented wait for it for ever.
    await chatPage.close();
    chatPage = await stage.show('chat');
    const chat = new ChatScreen(chatPage);
    const hits = outside.hits().length;
    const corpus = [
      '<script>window.__xss=1</script>',
      `<img src="${outside.url}/x.png" onerror="window.__xss=1">`,
      `![pixel](${outside.url}/md.png)`,
      '[click](javascript:window.__xss=1)',
      '[data](data:text/html,<script>window.__xss=1</script>)',
      '<a href="jav&#x09;ascript:window.__xss=1">x</a>',
      '<svg onload="window.__xss=1"></svg>',
      `<iframe src="${outside.url}/frame"></iframe>`,
      '<style>@import url(http://127.0.0.1/x.css)</style>',
      '<form action="https://example.com"><button>Send</button></form>',
      '[file](file:///etc/passwd)',
    ].join(' ');
    await chat.say(`!say marker-hostile ${corpus}`);
    await chat.expectReply('marker-hostile');
    const found = await chat.assistant.last().evaluate((article) => ({
      ran: (window as unknown as { __xss?: number }).__xss !== undefined,
      elements: article.querySelectorAll('script, iframe, form, style, object, embed, svg[onload]').length,
      handlers: [...article.querySelectorAll('*')].filter((element) =>
        [...element.attributes].some(({ name }) => name.startsWith('on')),
      ).length,
      remote: [...article.querySelectorAll('img')].filter((image) => /^https?:/.test(image.src)).length,
      links: [...article.querySelectorAll('a')].map((link) => link.getAttribute('href') ?? ''),
    }));
    expect(found).toMatchObject({ ran: false, elements: 0, handlers: 0, remote: 0 });
    for (const href of found.links) expect(href).toMatch(/^(https:|mailto:|#|$)/);
    expect(outside.hits()).toHaveLength(hits);
  });
});

test.describe('permissions', () => {
  test('every permission is denied, also to a session that somebody makes later (11)', async () => {
    const ask = async (): Promise<string[]> => {
      const outcome = async (what: string, act: () => Promise<unknown>): Promise<string> => {
        try {
          return `${what}: ${String(await act())}`;
        } catch {
          return `${what}: denied`;
        }
      };
      const names = [
        'geolocation',
        'notifications',
        'midi',
        'camera',
        'microphone',
        'clipboard-read',
        'idle-detection',
      ];
      return Promise.all([
        ...names.map((name) =>
          outcome(
            name,
            async () => (await navigator.permissions.query({ name: name as PermissionName })).state,
          ),
        ),
        outcome('Notification', () => Notification.requestPermission()),
        outcome(
          'position',
          () => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject)),
        ),
        outcome('clipboard', () => navigator.clipboard.readText()),
        outcome('display', () => navigator.mediaDevices.getDisplayMedia({ video: true })),
        outcome('midi', () => navigator.requestMIDIAccess({ sysex: true })),
        outcome('lock', () => navigator.wakeLock.request('screen')),
      ]);
    };
    const answers = await chatPage.evaluate(ask);
    expect(answers).toHaveLength(13);
    for (const answer of answers) expect(answer).toMatch(/: denied$/);

    const later = await stage.app().electronApp.evaluate(async ({ BrowserWindow }, source) => {
      const window = new BrowserWindow({
        show: false,
        webPreferences: { partition: 'later', sandbox: true },
      });
      await window.loadURL('data:text/html,<title>later</title>');
      const result = (await window.webContents.executeJavaScript(`(${source})()`)) as string[];
      window.destroy();
      return result;
    }, ask.toString());
    for (const answer of later) expect(answer).toMatch(/: denied$/);
  });

  test('no window gets microphone or camera, although there is one (11, 12)', async () => {
    const pages = [chatPage, settingsPage, await stage.show('health')];
    for (const page of pages) {
      const answers = await page.evaluate(async () => {
        const devices = await navigator.mediaDevices.enumerateDevices();
        const names: string[] = [];
        for (const wanted of [{ audio: true }, { video: true }, { audio: true, video: true }])
          names.push(
            await navigator.mediaDevices.getUserMedia(wanted).then(
              () => 'granted',
              (error: unknown) => (error as DOMException).name,
            ),
          );
        return { names, hasDevice: devices.length > 0 };
      });
      expect(answers.hasDevice, 'control: a device is there').toBe(true);
      expect(answers.names).toEqual(['NotAllowedError', 'NotAllowedError', 'NotAllowedError']);
    }
    await pages[2]?.close();
  });
});

test.describe('secrets and files', () => {
  test('token, passphrase and device key appear in no file, argument, environment or snapshot (16, 17)', async () => {
    const app = stage.app();
    const { userDataDir } = app;
    const token = stage.gateway.token ?? '';
    expect(token.length).toBeGreaterThan(8);
    const secrets = [token, PASSPHRASE, KEY_MARKER, Buffer.from(token).toString('base64')];
    expect(filesWith(userDataDir, secrets)).toEqual([]);
    expect(filesWith(userDataDir, [stage.target()]), 'control: the search finds what is there').toContain(
      join(userDataDir, 'settings.json'),
    );
    for (const { pid, command } of app.processes()) {
      const text = argumentsAndEnvironment(pid);
      for (const secret of secrets) expect(text.includes(secret), `${command} shows a secret`).toBe(false);
    }
    for (const secret of secrets)
      expect(app.logs().includes(secret), 'standard output shows a secret').toBe(false);
    const snapshot = await chatPage.evaluate(async () =>
      JSON.stringify(await window.gangway.app.getSnapshot(null)),
    );
    for (const secret of secrets) expect(snapshot.includes(secret)).toBe(false);
    const stored = JSON.parse(readFileSync(join(userDataDir, 'secrets.json'), 'utf8')) as { entries: object };
    expect(Object.keys(stored.entries).some((name) => name.startsWith('gateway-token:'))).toBe(true);
  });

  test('no secret stays in the memory of a window that never asked for it (17)', async () => {
    const session = await chatPage.context().newCDPSession(chatPage);
    let heap = '';
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => (heap += chunk));
    await session.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
    await session.detach();
    const gatewayId = new URL(chatPage.url()).searchParams.get('gateway') ?? 'none';
    expect(heap, 'control: the snapshot holds what the window knows').toContain(gatewayId);
    for (const secret of [stage.gateway.token ?? '', PASSPHRASE, KEY_MARKER])
      expect(heap.includes(secret), 'the heap holds a secret').toBe(false);
  });

  test('what is kept is readable by its owner only (18)', () => {
    const { userDataDir, home } = stage.app();
    const modes = [
      [userDataDir, '700'],
      [join(userDataDir, 'logs'), '700'],
      [join(userDataDir, 'settings.json'), '600'],
      [join(userDataDir, 'secrets.json'), '600'],
      [join(userDataDir, 'logs', 'main.log'), '600'],
      [join(home.sshDir, 'known_hosts'), '600'],
    ] as const;
    expect(modes.map(([path]) => [path, modeOf(path)])).toEqual(modes);
  });

  test('everything that listens does so on loopback, and the tunnel on its port (19)', () => {
    test.skip(process.platform !== 'linux', 'reads /proc');
    const pids = stage
      .app()
      .processes()
      .map(({ pid }) => pid);
    const sockets = listeningSockets(pids);
    expect(sockets.map(({ port }) => port)).toContain(stage.localPort);
    for (const { address } of sockets) expect(['127.0.0.1', '::1']).toContain(address);
  });
});

test.describe('without a keychain', () => {
  test('secrets live in memory only, and the person is told (16)', async () => {
    test.setTimeout(180_000);
    const poor = await openStage('no-keychain', { gateway: 'shared', desktop: { keyring: false } });
    try {
      poor.home.writeKey('id_ed25519', poor.sshd.clientKey);
      poor.home.writeKnownHosts([poor.sshd.knownHostsLine()]);
      const app = await poor.startApp();
      const settings = new SettingsScreen(await app.window('settings'));
      await settings.connectWith(poor.goodValues());
      await expectStatus(settings.page, 'Connected');
      await expect(settings.page.getByText('basic_text')).toBeVisible();
      const secrets = [
        poor.gateway.token ?? '',
        KEY_MARKER,
        Buffer.from(poor.gateway.token ?? '').toString('base64'),
      ];
      expect(filesWith(app.userDataDir, secrets)).toEqual([]);
      expect(existsSync(join(app.userDataDir, 'secrets.json'))).toBe(false);
      await app.close();
      expect(filesWith(app.userDataDir, secrets)).toEqual([]);
      expect(app.problems()).toEqual([]);
    } finally {
      await poor.close();
    }
  });
});

test.describe('hardened start', () => {
  for (const debugging of ['--remote-debugging-port=0', '--inspect=0', '--remote-debugging-pipe'])
    test(`${debugging} is refused with one sentence (22)`, async () => {
      const run = await runHardened([debugging]);
      expect(run.exit).toMatchObject({ code: 64 });
      expect(run.output).toContain(`does not start with ${debugging.replace(/=.*/, '')}`);
    });

  test('without them it starts, and nothing of it listens (22)', async () => {
    test.skip(process.platform !== 'linux', 'reads /proc');
    const home = await stage.lab.createAppHome();
    const launch = await appLaunch({
      userDataDir: home.userDataDir,
      home: home.dir,
      env: { ...stage.desktop.env(), HOME: home.dir, GANGWAY_HARDENED: '1', GANGWAY_LOG: 'stderr' },
    });
    const child = await startChild({
      command: launch.executablePath,
      args: launch.appArgs,
      env: launch.env,
      cwd: launch.cwd,
      name: 'the hardened app',
    });
    try {
      await child.waitForLine(/app\.ready/, 60_000);
      const pids = child.descendants().map(({ pid }) => pid);
      expect(pids.length).toBeGreaterThan(2);
      expect(listeningSockets(pids)).toEqual([]);
      child.signal('SIGTERM');
      expect(await child.waitForExit(10_000)).toMatchObject({ code: 0 });
    } finally {
      await child.close();
    }
  });
});

/** Runs the app as a packaged one would run, to its end. */
async function runHardened(args: readonly string[]): Promise<{ exit: unknown; output: string }> {
  const home = await stage.lab.createAppHome();
  const launch = await appLaunch({
    userDataDir: home.userDataDir,
    home: home.dir,
    args,
    env: { ...stage.desktop.env(), HOME: home.dir, GANGWAY_HARDENED: '1' },
  });
  const child = await startChild({
    command: launch.executablePath,
    args: launch.appArgs,
    env: launch.env,
    cwd: launch.cwd,
    name: 'the hardened app',
  });
  try {
    const exit = await child.waitForExit(30_000);
    return { exit, output: child.output() };
  } finally {
    await child.close();
  }
}

/** A click with the wheel on a link, as the person's hand does it. */
async function middleClick(page: Page, url: string): Promise<void> {
  await page.evaluate((href) => {
    const link = document.createElement('a');
    Object.assign(link, { href, id: 'middle', textContent: 'middle' });
    link.style.cssText = 'position:fixed;top:0;left:0;width:50px;height:50px;z-index:9999';
    document.body.append(link);
  }, url);
  await page.mouse.click(10, 10, { button: 'middle' });
  await page.evaluate(() => document.getElementById('middle')?.remove());
}
