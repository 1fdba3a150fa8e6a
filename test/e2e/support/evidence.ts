import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from '@playwright/test';
import type { Stage } from './stage.ts';

/** Registers a hook that writes beside the report, for every failed test of the file, what the app, sshd and the windows looked like. */
export function keepEvidence(stage: () => Stage | undefined): void {
  // Playwright finds the arguments of a hook by destructuring.
  // eslint-disable-next-line no-empty-pattern
  test.afterEach(async ({}, info) => {
    const parts = stage();
    if (info.status === info.expectedStatus || parts === undefined) return;
    writeFileSync(info.outputPath('sshd.log'), parts.sshd.log());
    const app = parts.runningApp();
    if (app === null) return;
    writeFileSync(info.outputPath('app.log'), app.logs());
    const log = join(app.userDataDir, 'logs', 'main.log');
    if (existsSync(log)) copyFileSync(log, info.outputPath('main.log'));
    writeFileSync(info.outputPath('problems.txt'), app.problems().join('\n'));
    for (const page of app.electronApp.windows()) {
      const name = /window=(\w+)/.exec(page.url())?.[1] ?? 'window';
      const path = info.outputPath(`${name}.png`);
      await page.screenshot({ path, timeout: 5_000 }).catch(() => undefined);
    }
  });
}
