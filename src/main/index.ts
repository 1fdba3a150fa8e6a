import { app } from 'electron';
import { chmodSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { registerAppScheme } from './electron/app-protocol.ts';
import { Application } from './electron/application.ts';
import { debuggingArgument, openArgument } from './electron/launch-arguments.ts';
import { nameForDesktop } from './electron/tray-controller.ts';
import { createFileLogger } from './node/file-logger.ts';
import { takeInstanceLock } from './node/instance-lock.ts';
import { Redactor } from './node/redact.ts';

/** As in sysexits.h, EX_USAGE. */
const EXIT_USAGE = 64;

// Composition root: what must happen before the app is ready, in this order; the rest is Application's.
const hardened = app.isPackaged || process.env['GANGWAY_HARDENED'] === '1';
const debuggingSwitch = hardened ? debuggingArgument([...process.argv, ...process.execArgv]) : null;

if (debuggingSwitch !== null) {
  process.stderr.write(
    `Gangway does not start with ${debuggingSwitch}: it would let other programs control it.\n`,
  );
  process.exit(EXIT_USAGE);
} else if (!app.requestSingleInstanceLock()) {
  // The running instance was told our arguments and opens the window.
  app.exit(0);
} else {
  start();
}

function start(): void {
  app.enableSandbox();
  registerAppScheme();
  nameForDesktop();
  // Windows close, the app stays: it lives in the menu bar.
  app.on('window-all-closed', () => undefined);

  const userDataDir = app.getPath('userData');
  makePrivate(userDataDir);
  if (!takeInstanceLock(userDataDir)) {
    app.exit(0);
    return;
  }
  const redactor = new Redactor();
  const logger = createFileLogger({
    logDir: join(userDataDir, 'logs'),
    redactor,
    minLevel: hardened ? 'info' : 'debug',
    echo: process.env['GANGWAY_LOG'] === 'stderr',
  });
  const outDir = join(import.meta.dirname, '..');
  const application = new Application({
    userDataDir,
    homeDir: process.env['HOME'] ?? homedir(),
    preloadPath: join(outDir, 'preload', 'index.cjs'),
    rendererDir: join(outDir, 'renderer'),
    tunnelModulePath: join(outDir, 'main', 'tunnel-process.js'),
    assetsDir: join(outDir, '..', 'assets'),
    allowDevtools: !hardened,
    redactor,
    logger,
  });
  application.handleProcessEvents();
  app.on('second-instance', (_event, argv) => application.secondInstance(openArgument(argv)));
  app.on('activate', () => application.secondInstance(null));
  void app.whenReady().then(() => application.start(openArgument(process.argv)));
}

/** Nobody but the person reads what is kept here. A folder that cannot be changed shows as an unwritable one later. */
function makePrivate(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (process.platform !== 'win32') chmodSync(dir, 0o700);
  } catch {
    // Told by the settings' notice.
  }
}
