import { describe, expect, it } from 'vitest';
import { recordFault } from '../../support/faults/evidence.ts';
import type { FaultProxy } from '../../support/lab/fault-proxy.ts';
import { withLab } from '../../support/lab/lab.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Client, startEcho, tunnelTo } from '../ssh/tunnel-fixture.ts';
import { startMeasuredTunnel } from './measured-tunnel.ts';
import { kilobytes, type Usage } from './usage.ts';

const ROUNDS = 500;
/** Rounds in which clients are there when the link dies. */
const WITH_CLIENTS = 100;
/** First logins, compiled code and pools are no leak. */
const WARM_UP = 60;
/** Memory that a reconnect may leave behind on average, in bytes: less than any object graph of a session. */
const BYTES_A_RECONNECT = 4 * 1024;
const MEBIBYTE = 1024 * 1024;

/** The ways in which a connection ends, in turns. */
const ends: readonly ((sshd: Sshd, proxy: FaultProxy) => unknown)[] = [
  (_sshd, proxy) => {
    proxy.reset();
  },
  (_sshd, proxy) => {
    proxy.closeAll();
  },
  (sshd) => sshd.killSessions(),
];

describe('500 reconnects', () => {
  it(
    'leave sockets, timers and memory of the tunnel process where they were',
    { timeout: 240_000 },
    async () => {
      await withLab('leaks', async (lab) => {
        const echo = await startEcho(lab);
        const sshd = await lab.startSshd();
        const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
        const channel = startMeasuredTunnel();
        const tunnel = await tunnelTo(lab, sshd, echo.port, { port: proxy.port, channel });
        const holds = async (least: Usage, what: string): Promise<Usage> => {
          let usage = least;
          await waitFor(
            async () => {
              usage = await channel.measure();
              return (
                usage.files <= least.files && usage.handles <= least.handles && usage.timers <= least.timers
              );
            },
            { what, intervalMs: 10, detail: () => JSON.stringify({ least, usage }) },
          );
          return usage;
        };

        let cold: Usage | null = null;
        let warm: Usage | null = null;
        let afterClients: Usage | null = null;
        let withClients: Usage | null = null;
        let slowestMs = 0;
        for (let round = 0; round < ROUNDS; round += 1) {
          tunnel.reports.length = 0;
          const up = await tunnel.openUp();
          const clients: Client[] = [];
          if (round < WITH_CLIENTS) {
            const halfOpen = await Client.connect(lab, up.localPort);
            await halfOpen.echo(`round ${round}`);
            halfOpen.socket.end();
            const paused = await Client.connect(lab, up.localPort);
            // Reads nothing any more, with data on the way to it: ssh2 tells nobody that its channel died.
            paused.socket.pause();
            paused.socket.write(Buffer.alloc(256 * 1024, 'p'));
            clients.push(halfOpen, paused);
            if (round === WITH_CLIENTS - 1) withClients = await channel.measure();
          }
          await ends[round % ends.length]?.(sshd, proxy);
          await tunnel.down();
          const downMs = performance.now();
          if (round === 0) cold = await channel.measure();
          if (cold !== null && (round % 10 === 1 || round === WITH_CLIENTS - 1)) {
            await holds(cold, `the sockets of round ${round} to be gone`);
            if (clients.length > 0) slowestMs = Math.max(slowestMs, performance.now() - downMs);
          }
          for (const client of clients) client.socket.destroy();
          if (round === WARM_UP) warm = await channel.measure();
          if (round === WITH_CLIENTS - 1) afterClients = await channel.measure();
        }
        if (cold === null || warm === null || afterClients === null || withClients === null)
          throw new Error('not measured');
        const last = await holds(cold, 'everything of 500 reconnects to be gone');
        const memory = (usage: Usage): number => usage.heapBytes + usage.externalBytes;
        const grownBytes = memory(last) - memory(warm);
        expect(grownBytes / (ROUNDS - WARM_UP)).toBeLessThan(BYTES_A_RECONNECT);
        // The control: a live tunnel with clients holds more of each, so the figures do move.
        expect(withClients.files).toBeGreaterThan(cold.files);
        expect(withClients.handles).toBeGreaterThan(cold.handles);
        const resident = [warm, afterClients, last].map((usage) => usage.residentBytes);
        const residentGrowth = (resident[1] ?? 0) - (resident[0] ?? 0);
        console.log(
          `500 reconnects: files ${cold.files} -> ${last.files}, handles ${cold.handles} -> ${last.handles}, ` +
            `timers ${cold.timers} -> ${last.timers}, heap and buffers ${kilobytes(memory(warm), memory(last))}, ` +
            `resident ${kilobytes(warm.residentBytes, last.residentBytes)}`,
        );
        expect(residentGrowth).toBeLessThan(5 * MEBIBYTE);
        recordFault({
          row: 28,
          layer: 'core',
          injected: `the link died ${WITH_CLIENTS} times (RST, FIN, killed session) under a half-open client and one that reads nothing`,
          shown: `every socket of the tunnel process gone; resident memory ${kilobytes(warm.residentBytes, afterClients.residentBytes)} over the rounds, ${kilobytes(memory(warm), memory(last))} of heap after ${ROUNDS} reconnects`,
          tookMs: slowestMs,
          limitMs: 1_000,
          control: `while the clients were there it held ${withClients.files} files against ${cold.files}`,
        });
      });
    },
  );
});
