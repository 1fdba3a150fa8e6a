import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLab, type Lab } from '../../support/lab/lab.ts';
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

const hasSs = spawnSync('ss', ['-V']).status === 0;
if (!hasSs) console.warn('TCPKeepAlive is not tested: no `ss` program (apt install iproute2).');

let lab: Lab;
let echo: EchoServer;
let sshd: Sshd;
let tunnel: TunnelFixture;

beforeEach(async () => {
  lab = await createLab({ label: 'socket-options' });
  [echo, sshd] = await Promise.all([startEcho(lab), lab.startSshd()]);
  tunnel = await tunnelTo(lab, sshd, echo.port);
});
afterEach(() => lab.close());

/** Our ends of the connections to that port, with their timers. */
function establishedTo(port: number): string {
  const args = ['-tnoH', 'state', 'established', `dport = :${port}`];
  return spawnSync('ss', args, { encoding: 'utf8' }).stdout.trim();
}

describe('AddressFamily', () => {
  it('inet looks for IPv4 addresses only', async () => {
    tunnel.setTarget({ host: 'localhost', addressFamily: 'inet' });
    tunnel.write('known_hosts', sshd.knownHostsLine('localhost', sshd.port));
    await tunnel.openUp();
  });

  it('inet6 does not lead to an IPv4 address', async () => {
    tunnel.setTarget({ addressFamily: 'inet6' });
    const facts = await tunnel.openFailed('ssh-unreachable');
    expect(facts.detail).toContain('AddressFamily');
    expect(sshd.counts().connections).toBe(0);
  });
});

describe('BindAddress', () => {
  it('is where the connection comes from', async () => {
    tunnel.setTarget({ bindAddress: '127.0.0.3' });
    await tunnel.openUp();
    expect(sshd.log()).toMatch(/^Connection from 127\.0\.0\.3 /m);
  });

  it('may be a name', async () => {
    tunnel.setTarget({ bindAddress: 'localhost' });
    await tunnel.openUp();
  });

  it.each([
    ['of another computer', '192.0.2.1'],
    ['of another family', '::1'],
    ['that is no address', 'no-such-host.invalid'],
  ])('%s is a failure with a name', async (_name, bindAddress) => {
    tunnel.setTarget({ bindAddress });
    expect((await tunnel.openFailed('ssh-unreachable')).detail).toContain('EADDRNOTAVAIL');
  });
});

describe.skipIf(!hasSs)('TCPKeepAlive', () => {
  it.each([
    [true, 1],
    [false, 0],
  ])('%s is what the system does', async (tcpKeepAlive, expected) => {
    tunnel.setTarget({ tcpKeepAlive });
    await tunnel.openUp();
    // While something is on its way, the timer that is shown is that of sending it again.
    const line = await waitFor(
      () => {
        const lines = establishedTo(sshd.port);
        return lines !== '' && !lines.includes('timer:(on') ? lines : null;
      },
      { what: 'the connection to be at rest', detail: () => establishedTo(sshd.port) },
    );
    expect(line.match(/timer:\(keepalive/g)?.length ?? 0).toBe(expected);
  });
});

describe('ConnectTimeout', () => {
  it('is the limit for the key exchange as well, shorter or longer than our own', async () => {
    const port = await startRawServer(lab, () => undefined);
    tunnel.setTarget({ port, connectTimeoutMs: 1_000 });
    const startedAtMs = performance.now();
    expect((await tunnel.openFailed('ssh-handshake-timeout')).limitMs).toBe(1_000);
    expect(performance.now() - startedAtMs).toBeLessThan(8_000);
  });
});

describe('ServerAliveInterval and ServerAliveCountMax', () => {
  it('let a flaky link be silent for as long as they say', async () => {
    const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
    tunnel.setTarget({ port: proxy.port, serverAliveIntervalMs: 5_000, serverAliveCountMax: 4 });
    tunnel.write('known_hosts', sshd.knownHostsLine('127.0.0.1', proxy.port));
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    await client.echo('before');
    proxy.freeze();
    // The control is faults.test.ts: without them a link is dead after nine seconds of this.
    await delay(12_000);
    proxy.thaw();
    await client.echo('after');
    expect(tunnel.reports.filter(({ type }) => type === 'down')).toEqual([]);
    const startedAtMs = performance.now();
    proxy.freeze();
    expect((await tunnel.down(40_000)).code).toBe('link-dead');
    expect(performance.now() - startedAtMs).toBeGreaterThan(15_000);
  });
});
