import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../../support/lab/child.ts';
import { withLab } from '../../support/lab/lab.ts';

const MAIN = join(import.meta.dirname, 'instance-lock-main.ts');

describe('the lock of a data folder', () => {
  it('is had by one process at a time, however many begin at the same moment, and is never stale', async () => {
    await withLab('instance-lock', async (lab) => {
      const dir = lab.folder('data');
      for (let round = 0; round < 3; round += 1) {
        const all = await Promise.all(
          Array.from({ length: 4 }, async () => {
            const child = await startChild({ command: process.execPath, args: [MAIN, dir] });
            lab.own(child);
            await child.waitForLine(/alone|another one/);
            return child;
          }),
        );
        expect(all.filter((child) => child.stdout().includes('alone'))).toHaveLength(1);
        for (const child of all) {
          child.signal('SIGKILL');
          await child.waitForExit();
        }
      }
    });
  });

  it('keeps nobody out of a folder that takes none', async () => {
    await withLab('no-lock', async (lab) => {
      const child = await startChild({
        command: process.execPath,
        args: [MAIN, join(lab.folder('data'), 'missing')],
      });
      lab.own(child);
      await child.waitForLine(/^alone/);
    });
  });
});
