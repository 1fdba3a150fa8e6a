import { beforeAll, describe, expect, it } from 'vitest';
import { withLab } from '../../support/lab/lab.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { stageThrough } from '../ssh/core-stage.ts';
import { kilobytes, measureUsage, type Usage } from './usage.ts';

const ROUNDS = 100;
const WARM_UP = 20;
/** Memory that a reconnect of everything may leave behind on average, in bytes. */
const BYTES_A_RECONNECT = 16 * 1024;

beforeAll(() => sharedGateway());

describe('100 reconnects of everything but Electron', () => {
  it('leave sockets, timers and memory where they were', { timeout: 240_000 }, async () => {
    await withLab('core-leaks', async (lab) => {
      const shared = await sharedGateway();
      const sshd = await lab.startSshd();
      const { core, proxy } = await stageThrough(lab, sshd);
      await core.connectUp();
      const key = shared.sessionKey('leaks');
      await core.show(key);
      let warm: Usage | null = null;
      for (let round = 0; round < ROUNDS; round += 1) {
        if (round % 3 === 0) proxy.reset();
        else if (round % 3 === 1) proxy.closeAll();
        else core.gateway.connection.reconnectNow();
        await core.untilState('reconnecting', ({ status }) => status !== 'connected');
        // What this test itself notes down is no leak of what it looks at.
        core.states.length = 0;
        core.logger.lines.length = 0;
        // The wait before the next attempt is none of this test's matter.
        if (core.state.status === 'backing-off') core.gateway.connection.reconnectNow();
        await core.until('connected');
        await core.views.until(key, 'its history again', ({ meta }) => meta.load === 'loaded');
        if (round === WARM_UP) warm = await measureUsage();
      }
      const before = warm;
      if (before === null) throw new Error('not measured');
      let last = before;
      await waitFor(
        async () => {
          last = await measureUsage();
          return last.files <= before.files && last.handles <= before.handles && last.timers <= before.timers;
        },
        { what: 'everything of 100 reconnects to be gone', detail: () => JSON.stringify({ before, last }) },
      );
      await sshd.waitForSessions(1);
      const memory = (usage: Usage): number => usage.heapBytes + usage.externalBytes;
      console.log(
        `${ROUNDS} reconnects of the core: files ${before.files} -> ${last.files}, handles ${before.handles} -> ` +
          `${last.handles}, timers ${before.timers} -> ${last.timers}, ` +
          `heap and buffers ${kilobytes(memory(before), memory(last))}`,
      );
      expect((memory(last) - memory(before)) / (ROUNDS - WARM_UP)).toBeLessThan(BYTES_A_RECONNECT);
      // The figures move: a second gateway holds more of each.
      const second = await stageThrough(lab, sshd, { id: 'second' });
      await second.core.connectUp();
      const more = await measureUsage();
      expect(more.files).toBeGreaterThan(last.files);
      expect(more.handles).toBeGreaterThan(last.handles);
    });
  });
});
