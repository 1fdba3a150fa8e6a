import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '../../../src/main/core/ports.ts';
import { defaultSettings, type Settings } from '../../../src/main/core/settings/schema.ts';
import { createFileLogger } from '../../../src/main/node/file-logger.ts';
import { Redactor } from '../../../src/main/node/redact.ts';
import { writeSecretsFile } from '../../../src/main/node/secrets/secrets-file.ts';
import { settingsFile } from '../../../src/main/node/settings/settings-file.ts';
import { SettingsStore } from '../../../src/main/node/settings/settings-store.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';

// Lets the stores live through a disk that is full, read-only or forbidden, and prints what each step saw, as JSON:
// `node hard-disk-main.ts full|read-only|forbidden DIR [UID]`. DIR is the root of a file system of its own but for
// `forbidden`, where it is a folder of the user UID, as whom the rest then runs.

const PAGE_BYTES = 4096;
const [fault = '', dir = '', uid = '0'] = process.argv.slice(2);
const filler = join(dir, 'filler');

process.env['ELECTRON_OVERRIDE_DIST_PATH'] = dir;
const { default: ElectronStore } = await import('electron-store');

function begin(): void {
  switch (fault) {
    case 'full':
      fillUp();
      return;
    case 'read-only':
      mount('remount,ro');
      return;
    default:
      chmodSync(dir, 0o500);
  }
}

function end(): void {
  switch (fault) {
    case 'full':
      rmSync(filler);
      return;
    case 'read-only':
      mount('remount,rw');
      return;
    default:
      chmodSync(dir, 0o700);
  }
}

/** Leaves room for two pages, so that a larger write is cut short rather than refused. */
function fillUp(): void {
  const file = openSync(filler, 'w');
  const page = Buffer.alloc(PAGE_BYTES);
  try {
    for (;;) writeSync(file, page);
  } catch {
    closeSync(file);
  }
  truncateSync(filler, statSync(filler).size - 2 * PAGE_BYTES);
}

function mount(options: string): void {
  const { status, stderr } = spawnSync('mount', ['-o', options, dir], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

/** Some 20 kB in the file. */
function withWindows(settings: Settings, theme: Settings['preferences']['theme']): Settings {
  const bounds = { x: 0, y: 0, width: 800, height: 600, maximized: false };
  const windows = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`settings/${index}`, bounds]),
  );
  return { ...settings, preferences: { ...settings.preferences, theme }, windows };
}

function themeOnDisk(): string {
  const settings = JSON.parse(readFileSync(join(dir, 'settings.json'), 'utf8')) as Settings;
  return Object.keys(settings.windows).length === 200 ? settings.preferences.theme : 'cut';
}

function codeOf(attempt: () => void): string {
  try {
    attempt();
    return 'done';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

/** What electron-store does by itself on the same disk. */
function electronStoreAlone(): string {
  const store = new ElectronStore({ cwd: dir, name: 'control' });
  const said = codeOf(() => (store.store = { ...withWindows(defaultSettings('control'), 'dark') }));
  const whole = codeOf(() => void JSON.parse(readFileSync(join(dir, 'control.json'), 'utf8')));
  rmSync(join(dir, 'control.json'), { force: true });
  return `${said}, ${whole === 'done' ? 'whole' : 'cut'}`;
}

const createLogger = (logDir: string): Logger =>
  createFileLogger({ logDir, redactor: new Redactor(), minLevel: 'info', echo: false });
if (fault === 'forbidden') {
  // electron-log looks at the checkout when it writes its first line, and the user may not be able to read that.
  createLogger(`${dir}-first-line`).log('info', 'first');
  process.setuid?.(Number(uid));
}
const logger = createLogger(join(dir, 'logs'));
const storage = settingsFile(dir, (options) => new ElectronStore(options));
const settings = new SettingsStore(storage, logger, 'gateway', systemClock);
const secretsPath = join(dir, 'secrets.json');
const secretsOf = (word: string): Map<string, string> => new Map([[word, 'c2Vj'.repeat(4_000)]]);

settings.update((current) => withWindows(current, 'light'));
writeSecretsFile(secretsPath, secretsOf('old'));
logger.log('info', 'before');
const control = fault === 'full' ? [electronStoreAlone()] : [];

begin();
if (fault === 'full') control.push(electronStoreAlone());
const startedMs = performance.now();
settings.update((current) => withWindows(current, 'dark'));
const tookMs = performance.now() - startedMs;
const secretsDuring = codeOf(() => writeSecretsFile(secretsPath, secretsOf('new')));
for (let line = 0; line < 2_000; line += 1) logger.log('info', 'during', { line, text: 'x'.repeat(40) });
const during = {
  tookMs,
  inMemory: settings.current.preferences.theme,
  onDisk: themeOnDisk(),
  notices: settings.notices,
  secrets: secretsDuring,
  secretsOnDisk: Object.keys((JSON.parse(readFileSync(secretsPath, 'utf8')) as { entries: object }).entries),
};

end();
const endedMs = performance.now();
await new Promise<void>((resolve) => settings.onChange(() => resolve()));
logger.log('info', 'after');
const after = {
  tookMs: performance.now() - endedMs,
  onDisk: themeOnDisk(),
  notices: settings.notices,
  secrets: codeOf(() => writeSecretsFile(secretsPath, secretsOf('new'))),
  logHasEnd: readFileSync(join(dir, 'logs', 'main.log'), 'utf8').includes(' info after'),
};
settings.dispose();
process.stdout.write(`RESULT ${JSON.stringify({ control, during, after })}\n`);
