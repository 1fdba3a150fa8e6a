import { get } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { recordFault } from '../../support/faults/evidence.ts';
import { startChild } from '../../support/lab/child.ts';
import { assetPaths } from '../../support/lab/gateway-pages.ts';
import { withLab, type Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { startRawServer } from '../ssh/tunnel-fixture.ts';
import {
  expectUntouched,
  failureOf,
  linkRig,
  nothingHappensFor,
  SILENCE_SHOWN_MS,
  words,
  type LinkRig,
} from './link-rig.ts';

const TIMEOUT = { timeout: 240_000 };
/** faults.md: the longest wait of the ladder, and the attempt. */
const LADDER_LIMIT_MS = 31_000;
const AFTER_RETRY_MS = 2_000;
/** 1 Mbit/s. */
const SLOW_BYTES_PER_SECOND = 125_000;
const DOWNLOAD_BYTES = 3_000_000;

/** When attempts began, in milliseconds after `sinceMs`. */
function attemptsOf(rig: LinkRig, sinceMs: number): number[] {
  const seen = new Map<number, number>();
  for (const { atMs, state } of rig.core.statesSince(sinceMs)) {
    if (state.status === 'connecting' && !seen.has(state.attempt)) seen.set(state.attempt, atMs - sinceMs);
  }
  return [...seen.values()];
}

describe.concurrent('a server that is away', () => {
  it('is named with a countdown, tried ever more rarely, and found again', TIMEOUT, async () => {
    await withLab('away', async (lab) => {
      // Straight to sshd: it is the system that refuses.
      const rig = await linkRig(lab, 'away', { place: ({ user, port }) => `${user}@127.0.0.1:${port}` });
      await rig.up();

      const generation = rig.generation();
      await rig.sshd.stop();
      const waiting = await rig.core.untilState(
        'waiting for 4 s',
        (state) => state.status === 'backing-off' && state.retryAtMs - Date.now() > 3_000,
      );
      const why = failureOf(waiting);
      expect(why?.code).toBe('ssh-refused');
      expect(why === null ? '' : words(why)).toMatch(/refused the connection on port/);
      await rig.sshd.start();
      const askedAtMs = performance.now();
      rig.core.gateway.connection.reconnectNow();
      const afterRetryMs = await rig.healed(askedAtMs, generation);

      const again = rig.generation();
      const awayAtMs = performance.now();
      await rig.sshd.stop();
      await nothingHappensFor(60_000);
      const attempts = attemptsOf(rig, awayAtMs);
      // 0, 1, 2, 4, 6, 10, 14, 22, 30 and 45 s after the loss by the ladder; jitter takes up to a fifth off.
      expect(attempts.length).toBeGreaterThanOrEqual(8);
      expect(attempts.length).toBeLessThanOrEqual(11);
      await rig.sshd.start();
      const backMs = await rig.healed(performance.now(), again);
      const evidence = {
        row: 3,
        layer: 'core',
        injected: 'sshd stopped: the port refuses',
        control: 'the port refused until sshd was started',
      } as const;
      recordFault({
        ...evidence,
        part: 'back by itself after 60 s',
        shown: `ssh-refused with a countdown; ${attempts.length} attempts in 60 s; then connected with the history`,
        tookMs: backMs,
        limitMs: LADDER_LIMIT_MS,
      });
      recordFault({
        ...evidence,
        part: 'Reconnect now',
        shown: 'connected with the history',
        tookMs: afterRetryMs,
        limitMs: AFTER_RETRY_MS,
      });
    });
  });

  it('costs next to nothing while it is away', TIMEOUT, async () => {
    await withLab('idle', async (lab) => {
      const home = await lab.createAppHome();
      const sshd = await lab.startSshd();
      home.writeKey('id_ed25519', sshd.clientKey);
      home.writeKnownHosts([sshd.knownHostsLine()]);
      await sshd.stop();
      const options = {
        ssh: {
          target: `root@127.0.0.1:${sshd.port}`,
          gatewayPort: 1,
          localPort: await freePort(),
          transport: 'ssh2',
        },
        token: 'unused',
        home: home.dir,
      };
      const child = lab.own(
        await startChild({
          command: process.execPath,
          args: [join(import.meta.dirname, 'down-main.ts'), JSON.stringify(options)],
          name: 'core without a server',
        }),
      );
      const reports = (): { attempts: number; cpuMs: number }[] =>
        child
          .stdout()
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as { attempts: number; cpuMs: number });
      const SETTLED_S = 20;
      const MEASURED_S = 30;
      await waitFor(() => reports().length >= SETTLED_S + MEASURED_S, {
        what: 'its reports',
        timeoutMs: 120_000,
        detail: () => child.output(),
      });
      const [from, until] = [reports()[SETTLED_S - 1], reports()[SETTLED_S + MEASURED_S - 1]];
      if (from === undefined || until === undefined) throw new Error('no reports');
      expect(until.attempts).toBeGreaterThan(from.attempts);
      expect(until.attempts / (SETTLED_S + MEASURED_S)).toBeLessThan(1);
      const share = (until.cpuMs - from.cpuMs) / (MEASURED_S * 1_000);
      expect(share).toBeLessThan(0.01);
      recordFault({
        row: 3,
        part: 'cost while down (I12)',
        layer: 'core',
        injected: 'a port that refuses, for 50 s',
        shown: `${until.attempts} attempts in 50 s; ${(share * 100).toFixed(2)} % of a processor`,
        tookMs: share * 100_000,
        limitMs: 1_000,
        control: 'an attempt was made within the measured time; the time is the processor time of 100 s',
      });
    });
  });

  it('by its own limit of starts is not hammered, and found again', TIMEOUT, async () => {
    await withLab('full', async (lab) => {
      const rig = await linkRig(lab, 'full', {
        sshd: { config: ['MaxStartups 1:100:1', 'LoginGraceTime 120'] },
      });
      await rig.up();
      const generation = rig.generation();
      // One that never signs in takes the only place.
      const holder = connect({ port: rig.sshd.port, host: '127.0.0.1' });
      lab.own({ close: () => Promise.resolve(void holder.destroy()) });
      holder.on('error', () => undefined).resume();
      await new Promise((resolve) => holder.once('data', resolve));
      const before = rig.proxy.counts().accepted;
      const faultAtMs = performance.now();
      rig.proxy.reset();
      const rejected = await rig.core.untilState(
        'told to wait for half a minute',
        (state) => state.status === 'backing-off' && state.retryAtMs - Date.now() > 25_000,
      );
      const why = failureOf(rejected);
      expect(why?.code).toBe('ssh-rejecting');
      expect(why === null ? '' : words(why)).toMatch(/turning connections away.*MaxStartups.*fail2ban/s);
      const asked = rig.proxy.counts().accepted - before;
      const waitingSinceMs = performance.now();
      expect(rig.sshd.log()).toMatch(/drop connection|beginning MaxStartups throttling|past MaxStartups/);
      await waitFor(() => rig.proxy.counts().accepted - before > asked, {
        what: 'the next attempt',
        timeoutMs: 40_000,
        intervalMs: 10,
      });
      const spacingMs = performance.now() - waitingSinceMs;
      expect(spacingMs).toBeGreaterThan(29_500);
      expect(asked).toBeLessThanOrEqual(4);
      holder.destroy();
      const askedAtMs = performance.now();
      rig.core.gateway.connection.reconnectNow();
      const healedMs = await rig.healed(askedAtMs, generation);
      expect(healedMs).toBeLessThan(AFTER_RETRY_MS);
      recordFault({
        row: 17,
        layer: 'core',
        injected: 'MaxStartups 1, and somebody who takes the place',
        shown: `ssh-rejecting; ${asked} connections, then none for ${Math.round(spacingMs / 1_000)} s; "Reconnect now" connects`,
        tookMs: spacingMs,
        limitMs: LADDER_LIMIT_MS,
        control: `sshd logged that it dropped connections; it took ${Math.round(waitingSinceMs - faultAtMs)} ms to slow down`,
      });
    });
  });
});

describe.concurrent('a slow way', () => {
  it('of 200 ms there and back connects within 5 s and is never taken for dead', TIMEOUT, async () => {
    await withLab('distant', async (lab) => {
      const rig = await linkRig(lab, 'distant');
      rig.proxy.set({ delayMs: 100 });
      const atMs = performance.now();
      await rig.core.connectUp();
      const connectMs = performance.now() - atMs;
      await rig.core.show(rig.key);
      const upAtMs = performance.now();
      await rig.core.write(rig.key, 'from afar');
      await rig.core.views.untilAnswered(rig.key, 2);
      await nothingHappensFor(60_000);
      expectUntouched(rig, upAtMs, 1);
      const ssh = rig.core.gateway.connection.snapshot().ladder.find(({ layer }) => layer === 'ssh');
      expect(ssh?.verdict).toMatch(/^(ok|degraded)$/);
      expect(ssh?.latencyMs).toBeGreaterThanOrEqual(190);
      expect(
        rig.samples.filter(({ verdicts, atMs: seen }) => seen > upAtMs && verdicts.ssh === 'failed'),
      ).toEqual([]);
      recordFault({
        row: 11,
        part: '200 ms, without loss',
        layer: 'core',
        injected: 'the fault proxy delays each way by 100 ms',
        shown: 'connected; no drop in 60 s; a message is answered',
        tookMs: connectMs,
        limitMs: 5_000,
        control: `the ladder shows a round trip of ${Math.round(ssh?.latencyMs ?? 0)} ms`,
      });
    });
  });

  it(
    'of 1 Mbit/s carries 3 MB without a false drop, where ssh2’s own keepalive gives up',
    TIMEOUT,
    async () => {
      await withLab('narrow', async (lab) => {
        const rig = await linkRig(lab, 'narrow');
        await rig.up();
        const generation = rig.generation();
        rig.proxy.set({ bytesPerSecond: SLOW_BYTES_PER_SECOND });
        const startedAtMs = performance.now();
        const dying = keepaliveVerdict(lab, rig);
        const received = await download(rig.core.profile.ssh.localPort, DOWNLOAD_BYTES);
        const tookMs = performance.now() - startedAtMs;
        expect(received).toBeGreaterThanOrEqual(DOWNLOAD_BYTES);
        // Had it been fast, nothing was proved.
        expect(tookMs).toBeGreaterThan((DOWNLOAD_BYTES / SLOW_BYTES_PER_SECOND) * 1_000 * 0.9);
        expectUntouched(rig, startedAtMs, generation);
        const verdict = await dying;
        expect(verdict.message).toMatch(/Keepalive timeout/);
        expect(verdict.sinceDataMs).toBeLessThan(1_000);
        recordFault({
          row: 12,
          layer: 'core',
          injected:
            'the fault proxy passes 125,000 bytes a second; 3 MB of the Gateway’s own pages through the forward',
          shown: 'connected all the time, the same generation',
          tookMs: null,
          limitMs: null,
          control: `ssh2's own keepalive (3 s, 2) gave up after ${Math.round(verdict.afterMs / 1_000)} s, with data flowing`,
        });
        await nothingHappensFor(SILENCE_SHOWN_MS);
        expectUntouched(rig, startedAtMs, generation);
      });
    },
  );
});

/** Fetches pages of the Gateway's own web app by the local port until so many bytes have come. */
async function download(port: number, bytes: number): Promise<number> {
  let received = 0;
  const fetchOne = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      get({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
        answer.on('data', (chunk: Buffer) => {
          received += chunk.length;
          chunks.push(chunk);
        });
        answer.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
        answer.on('error', reject);
      }).on('error', reject);
    });
  const assets = assetPaths(await fetchOne('/'));
  while (received < bytes) for (const asset of assets) if (received < bytes) await fetchOne(asset);
  return received;
}

/** How ssh2's own keepalive judges a download of the same size by the same rate. */
async function keepaliveVerdict(
  lab: Lab,
  { sshd }: LinkRig,
): Promise<{ readonly message: string; readonly afterMs: number; readonly sinceDataMs: number }> {
  const source = await startRawServer(lab, (socket) => socket.end(Buffer.alloc(DOWNLOAD_BYTES, 'm')));
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const client = new ssh2.Client();
  lab.own({ close: () => Promise.resolve(void client.end()) });
  const startedAtMs = performance.now();
  let dataAtMs = 0;
  return new Promise((resolve, reject) => {
    client.on('error', ({ message }) => {
      const nowMs = performance.now();
      resolve({ message, afterMs: nowMs - startedAtMs, sinceDataMs: nowMs - dataAtMs });
    });
    client.on('ready', () => {
      proxy.set({ bytesPerSecond: SLOW_BYTES_PER_SECOND });
      client.forwardOut('127.0.0.1', 0, '127.0.0.1', source, (error, channel) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        channel.on('data', () => {
          dataAtMs = performance.now();
        });
        channel.on('end', () => reject(new Error('ssh2 got through')));
      });
    });
    client.connect({
      host: '127.0.0.1',
      port: proxy.port,
      username: sshd.user,
      privateKey: sshd.clientKey.privateKey,
      keepaliveInterval: 3_000,
      keepaliveCountMax: 2,
    });
  });
}
