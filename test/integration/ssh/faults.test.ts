import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SSH_TIMING } from '../../../src/main/node/ssh/ssh-timing.ts';
import { recordFault } from '../../support/faults/evidence.ts';
import { startChild } from '../../support/lab/child.ts';
import type { FaultProxy } from '../../support/lab/fault-proxy.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { delay, waitFor } from '../../support/lab/wait.ts';
import {
  Client,
  startEcho,
  startRawServer,
  tunnelTo,
  type EchoServer,
  type TunnelFixture,
} from './tunnel-fixture.ts';

/** faults.md: silent death is told at 9.5 s at the latest. */
const DEAD_BY_MS = 9_500;
/** What a loaded machine may add to any bound; far less than what the faults here would cost without a watchdog (45 s). */
const SLACK_MS = 5_000;

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'faults' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

interface Rig {
  readonly sshd: Sshd;
  readonly proxy: FaultProxy;
  readonly tunnel: TunnelFixture;
  readonly client: Client;
}

/** A tunnel through a fault proxy, up, with one client that has had its first echo. */
async function rig(config: readonly string[] = [], gatewayPort = echo.port): Promise<Rig> {
  const sshd = await lab.startSshd({ config });
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const tunnel = await tunnelTo(lab, sshd, gatewayPort, { port: proxy.port });
  const up = await tunnel.openUp();
  const client = await Client.connect(lab, up.localPort);
  if (gatewayPort === echo.port) await client.echo('before');
  return { sshd, proxy, tunnel, client };
}

describe('a link that is lost', () => {
  it('is noticed at once when the server kills the session, and takes the clients with it', async () => {
    const { sshd, tunnel, client } = await rig();
    const startedAtMs = performance.now();
    await sshd.killSessions();
    expect((await tunnel.down()).code).toBe('link-lost');
    await client.closed();
    // The watchdog would have needed more than 5 s: it was the end of the connection that told.
    expect(performance.now() - startedAtMs).toBeLessThan(5_000);
    await tunnel.openUp();
  });

  it('is noticed on a reset and on an orderly end by something between', async () => {
    const { proxy, tunnel, client } = await rig();
    proxy.reset();
    expect((await tunnel.down()).code).toBe('link-lost');
    await client.closed();
    await tunnel.openUp();
    proxy.closeAll();
    expect((await tunnel.down()).code).toBe('link-lost');
  });

  it('outlives the death of the listening sshd', async () => {
    const { sshd, tunnel, client } = await rig();
    await sshd.stopListener();
    await client.echo('still here');
    expect(tunnel.reports.some((report) => report.type === 'down')).toBe(false);
  });

  it('is called dead after 9 s of silence, whichever way the black hole lies, and its clients are cut off', async () => {
    const holes = (['both', 'up', 'down'] as const).map(async (directions) => {
      const { proxy, tunnel, client } = await rig();
      const startedAtMs = performance.now();
      proxy.freeze(directions);
      await expectDead(tunnel, client, startedAtMs);
      proxy.thaw();
      await tunnel.openUp();
    });
    const standstill = async (): Promise<void> => {
      const { sshd, tunnel, client } = await rig();
      const startedAtMs = performance.now();
      sshd.pause();
      try {
        await expectDead(tunnel, client, startedAtMs);
      } finally {
        sshd.resume();
      }
    };
    await Promise.all([...holes, standstill()]);
  });

  it('is not called dead for a black hole of 4 s', async () => {
    const { proxy, tunnel, client } = await rig();
    proxy.freeze();
    await delay(4_000);
    proxy.thaw();
    await client.echo('after');
    // Longer than the silence limit: a verdict that was only late would come now.
    await delay(10_000);
    await client.echo('and later');
    expect(tunnel.reports.filter((report) => report.type === 'down')).toEqual([]);
  });

  it('answers a probe while it lives, and fails it within its limit when it does not', async () => {
    const { proxy, tunnel } = await rig();
    tunnel.post({ type: 'probe', probeId: 1, limitMs: 10_000 });
    const alive = await probed(tunnel, 1);
    expect(alive.alive).toBe(true);
    expect(alive.latencyMs).toBeGreaterThan(0);
    proxy.freeze();
    const startedAtMs = performance.now();
    tunnel.post({ type: 'probe', probeId: 2, limitMs: 500 });
    expect((await probed(tunnel, 2)).alive).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(500 + SLACK_MS);
  });

  it('gives a sign of life with its round trip every three seconds, with the delay of the way in it', async () => {
    const { proxy, tunnel } = await rig();
    proxy.set({ delayMs: 60 });
    const sign = await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'alive' }> =>
        report.type === 'alive' && (report.latencyMs ?? 0) >= 100,
      'a round trip of more than 100 ms',
    );
    expect(sign.latencyMs).toBeLessThan(SLACK_MS);
    expect(sign.bytesReceived).toBeGreaterThan(0);
    expect(sign.bytesSent).toBeGreaterThan(0);
  });

  it('is called corrupted when a bit flips on the way to us, and no byte of it reaches the client', async () => {
    const { proxy, tunnel, client } = await rig();
    const before = client.received.length;
    proxy.flipByte('down', 40);
    client.socket.write('x'.repeat(1_000));
    expect((await tunnel.down()).code).toBe('link-corrupted');
    expect(proxy.counts().flipped).toBe(1);
    await client.closed();
    expect(client.received.subarray(before).toString().replaceAll('x', '')).toBe('');
    await tunnel.openUp();
  });

  it('is given up when a bit flips on the way to the server', async () => {
    const { proxy, tunnel, client } = await rig();
    proxy.flipByte('up', 40);
    client.socket.write('x'.repeat(1_000));
    expect((await tunnel.down()).code).toMatch(/^link-(corrupted|lost)$/);
    expect(proxy.counts().flipped).toBe(1);
  });
});

async function expectDead(tunnel: TunnelFixture, client: Client, startedAtMs: number): Promise<void> {
  const why = await tunnel.down();
  const tookMs = performance.now() - startedAtMs;
  if (why.code !== 'link-dead') throw new Error(JSON.stringify(why));
  expect(why.facts.silentMs).toBeGreaterThanOrEqual(9_000);
  // Counted from the last sign of life, which may have come up to a ping's interval before the fault.
  expect(tookMs).toBeGreaterThan(5_000);
  expect(tookMs).toBeLessThan(DEAD_BY_MS + SLACK_MS);
  await client.closed();
}

function probed(tunnel: TunnelFixture, probeId: number) {
  return tunnel.wait(
    (report): report is Extract<typeof report, { type: 'probed' }> =>
      report.type === 'probed' && report.probeId === probeId,
    `the answer to probe ${probeId}`,
  );
}

describe('a link that is only slow', () => {
  it('carries 2 MB over 1 Mbit/s without being taken for dead', { timeout: 90_000 }, async () => {
    const size = 2_000_000;
    const port = await startRawServer(lab, (socket) => socket.end(Buffer.alloc(size, 'm')));
    const sshd = await lab.startSshd();
    const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
    const tunnel = await tunnelTo(lab, sshd, port, { port: proxy.port });
    const up = await tunnel.openUp();
    proxy.set({ bytesPerSecond: 125_000 });
    const startedAtMs = performance.now();
    let received = 0;
    await Client.connect(lab, up.localPort, (data) => {
      received += data.length;
    });
    await waitFor(() => received === size, {
      what: 'all of 2 MB',
      timeoutMs: 80_000,
      detail: () => `${received} bytes; ${JSON.stringify(tunnel.reports.slice(-3))}`,
    });
    // The control: had it been fast, nothing was proved (ssh2's own keepalive gives up after 9 s of this).
    expect(performance.now() - startedAtMs).toBeGreaterThan(12_000);
    expect(tunnel.reports.filter((report) => report.type === 'down')).toEqual([]);
  });

  it(
    'opens a second connection behind a download, however long that keeps it waiting',
    { timeout: 90_000 },
    async () => {
      let served = 0;
      // The first connection is the tunnel's own look whether the port answers, the second the download.
      const port = await startRawServer(lab, (socket) => {
        served += 1;
        if (served === 2) socket.write(Buffer.alloc(1_500_000, 'm'));
        else socket.write('hello');
      });
      const sshd = await lab.startSshd();
      const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
      const tunnel = await tunnelTo(lab, sshd, port, { port: proxy.port });
      const up = await tunnel.openUp();
      proxy.set({ bytesPerSecond: 125_000 });
      let downloaded = 0;
      await Client.connect(lab, up.localPort, (data) => {
        downloaded += data.length;
      });
      await waitFor(() => downloaded > 0, { what: 'the download to begin' });
      const startedAtMs = performance.now();
      const second = await Client.connect(lab, up.localPort);
      await waitFor(() => second.received.length > 0 || second.isEnded, {
        what: 'an answer',
        timeoutMs: 60_000,
      });
      expect(second.received.toString()).toBe('hello');
      // The control: longer than an idle link is given to open a forward.
      expect(performance.now() - startedAtMs).toBeGreaterThan(SSH_TIMING.forwardLimitMs);
      expect(tunnel.reports.filter(({ type }) => type === 'forward-failed' || type === 'down')).toEqual([]);
    },
  );

  it('survives bytes that trickle in one by one', async () => {
    const { proxy, client } = await rig();
    proxy.set({ sliceBytes: 1 });
    await client.echo('one by one');
  });
});

describe('rekeying', () => {
  it('every MiB leaves 64 MiB intact and asks nobody anything', { timeout: 120_000 }, async () => {
    const size = 64 * 1024 * 1024;
    const block = randomBytes(1024 * 1024);
    const expected = createHash('sha256');
    for (let sent = 0; sent < size; sent += block.length) expected.update(block);
    const port = await startRawServer(lab, (socket) => sendBlocks(socket, block, size));
    const sshd = await lab.startSshd({ config: ['RekeyLimit 1M', 'LogLevel DEBUG1'] });
    const tunnel = await tunnelTo(lab, sshd, port);
    const up = await tunnel.openUp();
    const actual = createHash('sha256');
    let received = 0;
    const client = await Client.connect(lab, up.localPort, (data) => {
      received += data.length;
      actual.update(data);
      // Traffic the other way at the same time: what an asynchronous host key check dies of.
      if (received % 7 === 0) client.socket.write('typing');
    });
    await waitFor(() => received >= size || client.isClosed, { what: 'all of 64 MiB', timeoutMs: 110_000 });
    expect(received).toBe(size);
    expect(actual.digest('hex')).toBe(expected.digest('hex'));
    expect(tunnel.reports.filter((report) => report.type === 'down' || report.type === 'needs-user')).toEqual(
      [],
    );
    const rekeys = sshd.log().match(/rekey in|rekeying|SSH2_MSG_NEWKEYS received/g)?.length ?? 0;
    expect(rekeys).toBeGreaterThan(20);
    recordFault({
      row: 18,
      layer: 'core',
      injected: 'RekeyLimit 1M at sshd, 64 MiB to us while we write',
      shown: 'nothing: no question, no drop, every byte as it was sent',
      tookMs: null,
      limitMs: null,
      control: `sshd logged ${rekeys} times that keys were exchanged anew`,
    });
  });
});

const PERL_NEVER_ACCEPTS = `
use Socket;
socket(my $s, PF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
bind($s, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; listen($s, 0) or die;
$| = 1; print "listening\\n"; sleep 600;
`;

function sendBlocks(socket: Socket, block: Buffer, size: number): void {
  let sent = 0;
  socket.resume();
  const more = (): void => {
    while (sent < size) {
      sent += block.length;
      if (!socket.write(block)) {
        socket.once('drain', more);
        return;
      }
    }
    socket.end();
  };
  more();
}

describe('a server that cannot be reached', () => {
  async function tunnelToPort(port: number, timing = SSH_TIMING): Promise<TunnelFixture> {
    const sshd = await lab.startSshd();
    return tunnelTo(lab, sshd, echo.port, { port, timing });
  }
  /** Shorter than in the product, and long enough that a loaded machine is not taken for a silent server. */
  const quick = { ...SSH_TIMING, connectLimitMs: 2_000, dnsLimitMs: 2_000 };

  it('refuses: a closed port', async () => {
    const port = await freePort();
    const tunnel = await tunnelToPort(port);
    expect(await tunnel.openFailed('ssh-refused')).toEqual({ host: '127.0.0.1', port });
  });

  it('has no such name', async () => {
    const tunnel = await tunnelToPort(22);
    tunnel.setTarget({ host: 'no-such-host.invalid' });
    const outcome = await tunnel.open();
    // Without any resolver the system says "try again later" instead of "no such name".
    expect(outcome).toMatchObject({
      type: 'down',
      failure: { code: expect.stringMatching(/^(host-not-found|dns-timeout)$/) as string },
    });
  });

  it('does not answer at all', async () => {
    // A listener that never accepts: once its queue is full, Linux drops what comes.
    const port = await freePort();
    const listener = lab.own(
      await startChild({ command: 'perl', args: ['-e', PERL_NEVER_ACCEPTS, String(port)] }),
    );
    await listener.waitForLine(/listening/);
    const fillers = Array.from({ length: 4 }, () =>
      connect({ port, host: '127.0.0.1' }).on('error', () => undefined),
    );
    for (const socket of fillers) lab.own({ close: () => Promise.resolve(void socket.destroy()) });
    // A queue of length 0 holds one connection: once that one stands, the queue is full.
    await Promise.race(fillers.map((socket) => once(socket, 'connect')));
    const tunnel = await tunnelToPort(port, quick);
    const facts = await tunnel.openFailed('ssh-timeout');
    expect(facts).toEqual({ host: '127.0.0.1', port, limitMs: quick.connectLimitMs });
  });

  it.each([
    [
      'a web server',
      'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 400 Bad Request\\r\\n',
    ],
    ['a mail server that keeps the line open', '220 mail.example ESMTP\r\n', '220 mail.example ESMTP\\r\\n'],
    ['something unknown', '\u0001\u0002hello', '\\x01\\x02hello'],
  ])('is no SSH server: %s', async (name, banner, shown) => {
    const keepsOpen = name.includes('open') || name.includes('web');
    const port = await startRawServer(lab, (socket) => {
      if (keepsOpen) socket.write(banner);
      else socket.end(banner);
    });
    const tunnel = await tunnelToPort(port);
    const startedAtMs = performance.now();
    const facts = await tunnel.openFailed('not-ssh');
    expect(facts.received.startsWith(shown)).toBe(true);
    expect(facts.received.length).toBeLessThanOrEqual(400);
    expect(performance.now() - startedAtMs).toBeLessThan(SSH_TIMING.connectLimitMs);
  });

  it('says something that is not SSH and then nothing', async () => {
    const port = await startRawServer(lab, (socket) => socket.write('welcome to telnet\r\n'));
    const tunnel = await tunnelToPort(port, quick);
    expect((await tunnel.openFailed('not-ssh')).received).toBe('welcome to telnet\\r\\n');
  });

  it('accepts and says nothing', async () => {
    const port = await startRawServer(lab, () => undefined);
    const tunnel = await tunnelToPort(port, quick);
    const facts = await tunnel.openFailed('ssh-handshake-timeout');
    expect(facts.limitMs).toBe(quick.connectLimitMs);
  });

  it.each([
    ['without a word', (socket: Socket): unknown => socket.end()],
    ['with a reset', (socket: Socket): unknown => socket.resetAndDestroy()],
    ['for too many connections', (socket: Socket): unknown => socket.end('Exceeded MaxStartups\r\n')],
  ])('turns us away before its identification: %s', async (_name, serve) => {
    const port = await startRawServer(lab, (socket) => void serve(socket));
    const tunnel = await tunnelToPort(port);
    await tunnel.openFailed('ssh-rejecting');
  });

  it('stops in the middle of the key exchange', async () => {
    const port = await startRawServer(lab, (socket) => socket.write('SSH-2.0-Slow_1.0\r\n'));
    const tunnel = await tunnelToPort(port, quick);
    await tunnel.openFailed('ssh-handshake-timeout');
  });

  it('shares no algorithm with us', async () => {
    const sshd = await lab.startSshd({ config: ['KexAlgorithms diffie-hellman-group14-sha256'] });
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const facts = await tunnel.openFailed('ssh-no-common-algorithm');
    expect(facts).toMatchObject({ kind: 'key exchange', offered: ['diffie-hellman-group14-sha256'] });
  });
});
