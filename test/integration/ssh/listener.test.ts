import { existsSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recordFault } from '../../support/faults/evidence.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { holdPort } from '../../support/lab/port-holder.ts';
import { canBind, canConnect, freePort, listenOn } from '../../support/lab/ports.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { Client, startEcho, tunnelTo, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;

beforeEach(async () => {
  lab = await createLab({ label: 'listener' });
  echo = await startEcho(lab);
});
afterEach(() => lab.close());

describe('the local listener', () => {
  it('leaves a port that another program holds alone, takes the next free one, and names the program', async () => {
    const holder = lab.own(await holdPort());
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const free = tunnel.config.localPort;
    const control = await tunnel.openUp();
    expect([control.localPort, listenings(tunnel)]).toEqual([free, [{ port: free, moved: null }]]);

    tunnel.set({ localPort: holder.port });
    const startedMs = performance.now();
    const up = await tunnel.openUp();
    const tookMs = performance.now() - startedMs;
    const owner = `${holder.command} (${holder.pid})`;
    const moved = { from: holder.port, to: up.localPort, owner };
    expect(listenings(tunnel).at(-1)).toEqual({ port: up.localPort, moved });
    expect(up.localPort).toBeGreaterThan(holder.port);
    await (await Client.connect(lab, up.localPort)).echo('beside the other program');
    expect(holder.alive()).toBe(true);

    // The port that was asked for stays the same question: the listener is not moved to and fro.
    const again = await tunnel.openUp();
    expect([again.localPort, listenings(tunnel).length]).toEqual([up.localPort, 2]);
    recordFault({
      row: 26,
      part: 'tunnel process',
      layer: 'core',
      injected: 'another program listens on the configured port',
      shown: `the tunnel is up on the next free port, and reports ${holder.command} as the holder`,
      tookMs,
      limitMs: 1_000,
      control: 'on a free port nothing is moved',
    });
  });

  it('has its own port when whoever held it goes within a moment', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const { localPort } = tunnel.config;
    const dying = await listenOn(localPort, (socket) => socket.destroy());
    // As a tunnel process that was killed: gone before the second look.
    tunnel.startOpen();
    await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'stage' }> =>
        report.type === 'stage' && report.stage === 'opening-listener',
      'the listener to be opened',
    );
    dying.close();
    expect(await tunnel.outcome()).toMatchObject({ type: 'up', localPort });
  });

  it('may not be opened on a forbidden port', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may listen on every port');
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.set({ localPort: 1 });
    expect((await tunnel.openFailed('port-forbidden')).port).toBe(1);
  });

  it('is on 127.0.0.1 only', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    expect(await canConnect(up.localPort)).toBe(true);
    const hex = up.localPort.toString(16).toUpperCase().padStart(4, '0');
    expect(listeningAddresses(hex)).toEqual(['0100007F']);
  });

  it('stays while SSH reconnects, and serves a client that came meanwhile', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    await sshd.stop();
    await tunnel.down();
    expect(await canBind(up.localPort)).toBe(false);
    const client = await Client.connect(lab, up.localPort);
    client.socket.write('written while SSH was away');
    await tunnel.openFailed('ssh-refused');
    expect([client.isClosed, await canBind(up.localPort)]).toEqual([false, false]);
    await sshd.start();
    const again = await tunnel.openUp();
    await waitFor(() => client.received.toString() === 'written while SSH was away', {
      what: 'the held client to be served',
    });
    expect([again.localPort, listenings(tunnel).length]).toEqual([up.localPort, 1]);
    await tunnel.close();
    expect(await canBind(up.localPort)).toBe(true);
    recordFault({
      row: 27,
      part: 'the thief comes while SSH is away',
      layer: 'core',
      injected: 'another program tries to listen on the port while sshd is stopped and attempts fail',
      shown: 'it cannot; a client that came meanwhile is held and served when SSH is back',
      tookMs: null,
      limitMs: null,
      control: 'after the shutdown the same program can listen there',
    });
  });

  it('lets a held client go after 10 s', { timeout: 40_000 }, async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    await sshd.stop();
    await tunnel.down();
    const startedAtMs = performance.now();
    const client = await Client.connect(lab, up.localPort);
    await client.closed();
    expect(performance.now() - startedAtMs).toBeGreaterThan(9_500);
    expect(performance.now() - startedAtMs).toBeLessThan(20_000);
  });

  it('holds 64 clients and turns the next away at once', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    await sshd.killSessions();
    await tunnel.down();
    const held: Client[] = [];
    for (let index = 0; index < 64; index += 1) held.push(await Client.connect(lab, up.localPort));
    const oneTooMany = await Client.connect(lab, up.localPort);
    await oneTooMany.closed(5_000);
    expect(held.every((client) => !client.isClosed && !client.isEnded)).toBe(true);
    await tunnel.openUp();
    await Promise.all(held.map((client, index) => client.echo(`client ${index}`)));
  });

  it('moves when the configured port changes, without a new login', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const first = await tunnel.openUp();
    tunnel.set({ localPort: await freePort() });
    const second = await tunnel.openUp();
    expect(second.localPort).toBe(tunnel.config.localPort);
    expect(await canBind(first.localPort)).toBe(true);
    const client = await Client.connect(lab, second.localPort);
    await client.echo('moved');
    expect(sshd.counts().accepted).toBe(1);
  });

  it('is gone after shutdown', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    await client.echo('x');
    await tunnel.close();
    await client.closed();
    expect(await canBind(up.localPort)).toBe(true);
    await sshd.waitForSessions(0);
  });
});

describe('attempts', () => {
  it('replace each other: of many opened at once the last wins and one session is left', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    for (let count = 0; count < 20; count += 1) tunnel.startOpen();
    expect((await tunnel.outcome()).type).toBe('up');
    await sshd.waitForSessions(1);
    const outcomes = tunnel.reports.filter((report) => report.type === 'up' || report.type === 'down');
    expect(outcomes).toHaveLength(1);
  });

  it('that are older than the current one are dropped', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    tunnel.startOpen();
    await tunnel.openUp();
    tunnel.post({ type: 'close', attempt: 1 });
    tunnel.post({ type: 'open', attempt: 1, config: tunnel.config });
    tunnel.post({ type: 'probe', probeId: 7, limitMs: 5_000 });
    const probe = await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'probed' }> => report.type === 'probed',
      'the probe',
    );
    expect(probe.alive).toBe(true);
    expect(tunnel.reports.filter((report) => report.type === 'closed')).toEqual([]);
  });

  it('end on close, whose listener stays', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    tunnel.post({ type: 'close', attempt: tunnel.attempt });
    await sshd.waitForSessions(0);
    expect(await canBind(up.localPort)).toBe(false);
    expect(tunnel.reports.filter((report) => report.type === 'down')).toEqual([]);
  });

  it('refuse a command of a wrong shape and say which field, without its value', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await tunnelTo(lab, sshd, echo.port);
    const answer = { type: 'passphrase', passphrase: 5, secret: 'hunter2' };
    const bad = { type: 'answer', attempt: -1, promptId: '1.1', answer };
    tunnel.post(bad as never);
    const log = await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'log' }> => report.type === 'log',
      'a log line',
    );
    expect(log.event).toBe('tunnel.bad-command');
    expect(JSON.stringify(log)).not.toContain('hunter2');
    await tunnel.openUp();
  });
});

/** Where it listened, and whether that was where it was told to. */
function listenings(tunnel: TunnelFixture) {
  return tunnel.reports.flatMap((report) =>
    report.type === 'listening' ? [{ port: report.port, moved: report.moved }] : [],
  );
}

/** Hexadecimal addresses, as in proc(5), on which something listens on this port. */
function listeningAddresses(hexPort: string): string[] {
  return readTables()
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hexPort}`) === true)
    .map(([, local = '']) => local.split(':')[0] ?? '');
}

function readTables(): string[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
    existsSync(path) ? readFileSync(path, 'latin1').split('\n') : [],
  );
}
