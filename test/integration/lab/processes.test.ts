import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isAlive, runChild, startChild } from '../../support/lab/child.ts';
import { watchForLeaks } from '../../support/lab/no-leaks.ts';
import { canBind } from '../../support/lab/ports.ts';
import { waitFor } from '../../support/lab/wait.ts';

const MAKER = fileURLToPath(new URL('./lab-maker.ts', import.meta.url));
const madeSchema = z.object({
  dir: z.string(),
  port: z.number(),
  user: z.string(),
  pids: z.array(z.number()),
});

async function startMaker(): Promise<{
  pid: number;
  made: z.infer<typeof madeSchema>;
  close: () => Promise<void>;
}> {
  const maker = await startChild({ command: process.execPath, args: [MAKER] });
  const [line] = await maker.waitForLine(/^\{.*\}$/, 40_000);
  return { pid: maker.pid, made: madeSchema.parse(JSON.parse(line)), close: () => maker.close() };
}

describe('processes of a lab', () => {
  it('end with the child that started them, even when they left its process group', async () => {
    const leaks = watchForLeaks();
    const script = 'setsid sleep 1000 & (setsid sh -c "sleep 1000 & sleep 1000" &) ; echo ready; sleep 1000';
    const child = await startChild({ command: 'sh', args: ['-c', script] });
    await child.waitForLine(/^ready$/);
    await waitFor(() => child.descendants().length === 6, { what: 'all six processes' });
    const pids = child.descendants().map((info) => info.pid);

    await child.close();

    expect(pids.filter(isAlive)).toEqual([]);
    await leaks.assertNone();
  });

  it('end when the process that made the lab is killed -9, and its folder goes', async () => {
    const { pid, made, close } = await startMaker();
    try {
      expect(made.pids.length).toBeGreaterThanOrEqual(10);
      expect(made.pids.filter((each) => !isAlive(each))).toEqual([]);
      expect(existsSync(made.dir)).toBe(true);

      process.kill(pid, 'SIGKILL');

      await waitFor(() => !made.pids.some(isAlive) && !existsSync(made.dir), {
        what: 'everything of the lab to be gone',
        timeoutMs: 30_000,
        detail: () =>
          `alive: ${made.pids.filter(isAlive).join(' ')}; folder: ${String(existsSync(made.dir))}`,
      });
      expect(await canBind(made.port)).toBe(true);
    } finally {
      await close();
    }
  });

  it('end when the process that made the lab is interrupted', async () => {
    const { pid, made, close } = await startMaker();
    try {
      process.kill(pid, 'SIGTERM');

      await waitFor(() => !isAlive(pid) && !made.pids.some(isAlive) && !existsSync(made.dir), {
        what: 'the maker and everything of its lab to be gone',
        timeoutMs: 30_000,
      });
    } finally {
      await close();
    }
  });

  it('tell their exit code and both output streams', async () => {
    const result = await runChild({ command: 'sh', args: ['-c', 'echo out; echo err >&2; exit 3'] });

    expect(result).toEqual({ code: 3, stdout: 'out\n', output: 'out\nerr\n' });
  });

  it('fail with a sentence that names the command when there is none', async () => {
    const child = await startChild({ command: '/no/such/command' });
    try {
      await expect(child.waitForLine(/never/)).rejects.toThrow('/no/such/command ended before it printed');
    } finally {
      await child.close();
    }
  });
});
