import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { startChild, type Child } from '../support/lab/child.ts';

/** What the tests promise about themselves: nothing that they start outlives them, however they end. */
const WHOLE_LAB = fileURLToPath(new URL('./support/whole-lab-main.ts', import.meta.url));

for (const end of ['SIGTERM', 'SIGKILL'] as const) {
  test(`no process and no file of a whole lab with the app outlives its test process, ended by ${end}`, async () => {
    test.skip(process.platform !== 'linux', 'reads /proc');
    const child = await startChild({ command: process.execPath, args: [WHOLE_LAB], name: 'a test process' });
    try {
      const dir = (await child.waitForLine(/^ready (\/\S+)$/, 90_000))[1] ?? '';
      const before = processesOf(dir);
      for (const part of ['Xvfb', 'gnome-keyring', 'sshd', '--type=renderer']) {
        expect(before.join('\n'), `control: ${part} runs before the end`).toContain(part);
      }
      await endAbruptly(child, end);
      await expect
        .poll(() => processesOf(dir), { message: 'processes that are left', timeout: 20_000 })
        .toEqual([]);
      await expect
        .poll(() => existsSync(dir), { message: 'the folder is left', timeout: 20_000 })
        .toBe(false);
    } finally {
      await child.close();
    }
  });
}

async function endAbruptly(child: Child, signal: NodeJS.Signals): Promise<void> {
  child.signal(signal);
  await child.waitForExit(20_000);
}

/** Command lines of all living processes that name `dir` in their arguments, environment or working folder. */
function processesOf(dir: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = readText(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
      .replaceAll('\0', ' ')
      .trim();
    if (command === '') continue;
    const environment = readText(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
    const folder = readText(() => readlinkSync(`/proc/${pid}/cwd`));
    if ([command, environment, folder].some((text) => text.includes(dir))) found.push(`${pid} ${command}`);
  }
  return found;
}

function readText(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
