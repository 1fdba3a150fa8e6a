/**
 * Renders every scene in a real Chromium under the product's content security policy, checks each with axe, and saves
 * screenshots. For looking at the screens while they are made:
 *   node test/support/preview/shoot.ts [--out DIR] [--only TEXT] [--looks light,dark,ko,zoom,narrow]
 * The browser comes from CHROMIUM (default: chromium on the PATH).
 */
import react from '@vitejs/plugin-react';
import { createServer, type Server } from 'node:http';
import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { extname, join, normalize, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import { build } from 'vite';
import { scenes } from './scenes.ts';

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'none'; frame-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

interface Look {
  readonly query: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly scheme: 'light' | 'dark';
  readonly contrast?: 'more';
  readonly forced?: 'active';
}
const LOOKS: Readonly<Record<string, Look>> = {
  light: { query: 'theme=light', size: { width: 880, height: 720 }, scheme: 'light' },
  dark: { query: 'theme=dark', size: { width: 880, height: 720 }, scheme: 'light' },
  ko: { query: 'language=ko', size: { width: 880, height: 720 }, scheme: 'light' },
  // 200 % zoom halves the CSS pixels of the same window.
  zoom: { query: '', size: { width: 440, height: 360 }, scheme: 'dark' },
  narrow: { query: '', size: { width: 380, height: 640 }, scheme: 'light' },
  contrast: { query: '', size: { width: 880, height: 720 }, scheme: 'dark', contrast: 'more' },
  forced: { query: '', size: { width: 880, height: 720 }, scheme: 'light', forced: 'active' },
};

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'test-results/preview' },
    only: { type: 'string', default: '' },
    looks: { type: 'string', default: 'light,dark' },
  },
});
const out = resolve(values.out);
const dist = join(out, 'dist');
await mkdir(out, { recursive: true });
await build({
  root: import.meta.dirname,
  plugins: [react()],
  logLevel: 'warn',
  build: { outDir: dist, emptyOutDir: true, target: 'esnext', minify: false },
});

const server = await serve(dist);
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
let problems = 0;
try {
  for (const lookName of values.looks.split(',')) {
    const look = LOOKS[lookName];
    if (look === undefined) throw new Error(`No look is named ${lookName}`);
    const context = await browser.newContext({
      viewport: look.size,
      deviceScaleFactor: lookName === 'zoom' ? 2 : 1,
      colorScheme: look.scheme,
      reducedMotion: 'reduce',
      ...(look.contrast === undefined ? {} : { contrast: look.contrast }),
      ...(look.forced === undefined ? {} : { forcedColors: look.forced }),
      bypassCSP: false,
    });
    for (const name of Object.keys(scenes).filter((scene) => scene.includes(values.only))) {
      const page = await context.newPage();
      const said: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') said.push(message.text());
      });
      page.on('pageerror', (error) => said.push(String(error)));
      await page.goto(`http://127.0.0.1:${port}/?scene=${name}&${look.query}`);
      await act(page, name).catch((error: unknown) => said.push(String(error)));
      await page.screenshot({ path: join(out, `${name}.${lookName}.png`) });
      said.push(...(await axeFindings(page)), ...(await overflow(page)));
      problems += said.length;
      console.log(`${said.length === 0 ? 'ok  ' : 'BAD '} ${name} ${lookName}`);
      for (const line of said) console.log(`     ${line}`);
      await page.close();
    }
    await context.close();
  }
} finally {
  await browser.close();
  server.close();
}
process.exitCode = problems === 0 ? 0 : 1;

/** What a person does before the state of a scene is there. */
async function act(page: Page, name: string): Promise<void> {
  await page
    .getByRole('status', { name: /^(Connection|연결)$/ })
    .waitFor({ state: 'attached', timeout: 5000 });
  if (name.startsWith('settings-test-')) {
    await page.getByRole('button', { name: /Test connection|연결 테스트/ }).click();
    await page.locator('.steps').scrollIntoViewIfNeeded();
    await page.locator('.test').evaluate((element) => element.scrollIntoView({ block: 'end' }));
  }
  if (name.startsWith('resolved-')) {
    if (name !== 'resolved-suggesting')
      await page.locator('summary.resolved__line').waitFor({ timeout: 5000 });
    if (name === 'resolved-open') await page.locator('.resolved').evaluate((line) => line.scrollIntoView());
    if (name === 'resolved-line') {
      await page.locator('.settings__kept').evaluate((kept) => kept.scrollIntoView({ block: 'center' }));
    }
    if (name === 'resolved-open' || name === 'resolved-failed')
      await page.locator('.resolved summary').click();
    if (name === 'resolved-suggesting') {
      const target = page.getByRole('combobox', { name: /SSH target|SSH 대상/ });
      await target.pressSequentially('ho');
      await target.press('ArrowDown');
    }
  }
  if (name === 'changed-key-remove') {
    await page.getByRole('button', { name: /Remove the old key|이전 키 제거/ }).click();
  }
  if (name === 'chat-not-accepted') {
    await page.getByRole('button', { name: /^(Send|보내기)$/ }).click();
    await page.getByRole('alert').waitFor();
  }
  if (name === 'settings-direct') {
    await page.getByRole('button', { name: /Save and connect|저장하고 연결/ }).click();
  }
}

async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axePath, 'utf8'));
  return page.evaluate(async () => {
    interface Axe {
      run(): Promise<{
        violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
      }>;
    }
    const { axe } = window as unknown as { axe: Axe };
    const { violations } = await axe.run();
    return violations.map(
      (violation) =>
        `axe ${violation.impact} ${violation.id}: ${violation.nodes.map((node) => `${node.html} ${node.failureSummary}`).join(' | ')}`,
    );
  });
}

/** Nothing may be wider than the window. */
async function overflow(page: Page): Promise<string[]> {
  const excess = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  return excess > 0 ? [`the page is ${excess} px wider than the window`] : [];
}

async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent((request.url ?? '/').split('?')[0] ?? '/'));
    const file = path === '/' ? 'index.html' : path.slice(1);
    if (file === 'favicon.ico') {
      response.writeHead(204);
      response.end();
      return;
    }
    readFile(join(folder, file)).then(
      (content) => {
        response.writeHead(200, {
          'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
          'content-security-policy': POLICY,
        });
        response.end(content);
      },
      () => {
        response.writeHead(404);
        response.end();
      },
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
