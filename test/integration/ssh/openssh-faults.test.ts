import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { recordFault } from '../../support/faults/evidence.ts';
import { descendantsOf, isAlive, startChild, type Child } from '../../support/lab/child.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { canBind, freePort } from '../../support/lab/ports.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { noSshLeft, opensshTo, useConfigFile } from './openssh-fixture.ts';
import { Client, startEcho, startRawServer, type EchoServer, type TunnelFixture } from './tunnel-fixture.ts';

let lab: Lab;
let echo: EchoServer;
let temp: string;

beforeEach(async () => {
  lab = await createLab({ label: 'openssh-f' });
  echo = await startEcho(lab);
  // Of this test alone, so that what is left there is its own.
  temp = lab.folder('tmp');
  vi.stubEnv('TMPDIR', temp);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await lab.close();
});

/** Folders of sessions; keys and certificates are made there as well. */
const privateDirs = (): string[] => readdirSync(temp).filter((name) => /^gangway-\w{6}$/.test(name));

/** Lines of a host that leads to this server with its key. */
function hostLines(tunnel: TunnelFixture, sshd: Sshd, name: string, more: readonly string[] = []): string[] {
  return [
    `Host ${name}`,
    ...more.map((line) => `  ${line}`),
    '  HostName 127.0.0.1',
    `  Port ${sshd.port}`,
    `  User ${sshd.user}`,
    `  IdentityFile ${tunnel.file('id_test')}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${tunnel.file('known_hosts')}`,
  ];
}

describe('the forward', () => {
  it('says that nothing listens on the port of the gateway, and opens it over the same login when it does', async () => {
    const sshd = await lab.startSshd();
    await echo.stop();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    expect(await tunnel.openFailed('gateway-not-listening')).toEqual({
      host: '127.0.0.1',
      gatewayPort: echo.port,
    });
    await echo.start();
    await tunnel.openUp();
    expect(sshd.counts().accepted).toBe(1);
  });

  it.each([['AllowTcpForwarding no'], ['PermitOpen 127.0.0.1:1']])(
    'says that %s forbids it',
    async (line) => {
      const sshd = await lab.startSshd({ config: [line] });
      const tunnel = await opensshTo(lab, sshd, echo.port);
      expect(await tunnel.openFailed('forwarding-disabled')).toMatchObject({ gatewayPort: echo.port });
    },
  );

  it('opens none of the forwards of the user, and still its own', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const [local, dynamic] = [await freePort(), await freePort()];
    const more = [
      `LocalForward ${local} 127.0.0.1:${echo.port}`,
      `DynamicForward ${dynamic}`,
      'RemoteCommand echo nothing is run',
      'RequestTTY force',
      'BatchMode yes',
      'PermitLocalCommand yes',
      `LocalCommand touch ${tunnel.file('ran')}`,
    ];
    useConfigFile(tunnel, hostLines(tunnel, sshd, 'gw', more), 'gw');
    const up = await tunnel.openUp();
    await (await Client.connect(lab, up.localPort)).echo('ours');
    expect(await canBind(local)).toBe(true);
    expect(await canBind(dynamic)).toBe(true);
    expect(existsSync(tunnel.file('ran'))).toBe(false);
  });

  it('carries large amounts both ways, through many channels at once', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    const bytes = Buffer.alloc(6 * 1024 * 1024, 'gangway ');
    await Promise.all(
      [1, 2, 3].map(async () => {
        let received = 0;
        const client = await Client.connect(lab, up.localPort, (data) => {
          received += data.length;
        });
        client.socket.end(bytes);
        await client.closed(60_000);
        expect(received).toBe(bytes.length);
      }),
    );
  });

  it('holds back a far end whose data nobody reads', async () => {
    const sshd = await lab.startSshd();
    let sent = 0;
    const source = await startRawServer(lab, (socket) => {
      const chunk = Buffer.alloc(64 * 1024);
      const write = (): void => {
        while (!socket.destroyed && socket.write(chunk, () => (sent += chunk.length)));
      };
      socket.on('drain', write);
      write();
    });
    const tunnel = await opensshTo(lab, sshd, source);
    const up = await tunnel.openUp();
    const client = await Client.connect(lab, up.localPort);
    await waitFor(() => client.received.length > 0, { what: 'first bytes' });
    client.socket.pause();
    // Steady: what is under way fits the windows and the buffers of the sockets.
    let last = -1;
    await waitFor(
      () => {
        const isSteady = sent === last;
        last = sent;
        return isSteady;
      },
      { what: 'the sender to be held back', timeoutMs: 30_000, intervalMs: 1_000 },
    );
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    client.socket.resume();
    const from = client.received.length;
    await waitFor(() => client.received.length > from + 1024 * 1024, { what: 'the rest to flow' });
  });
});

describe('the way there', () => {
  it('names a refused connection and a name that nobody knows', async () => {
    const sshd = await lab.startSshd();
    const port = await freePort();
    const tunnel = await opensshTo(lab, sshd, echo.port, { port });
    expect(await tunnel.openFailed('ssh-refused')).toEqual({ host: '127.0.0.1', port });
    useConfigFile(tunnel, [], 'no-such-host.invalid');
    expect(await tunnel.openFailed('host-not-found')).toEqual({ host: 'no-such-host.invalid' });
  });

  it('names what is no SSH server, and one that turns clients away', async () => {
    const sshd = await lab.startSshd();
    const http = await startRawServer(lab, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const tunnel = await opensshTo(lab, sshd, echo.port, { port: http });
    const facts = await tunnel.openFailed('not-ssh');
    expect(facts).toEqual({ host: '127.0.0.1', port: http, received: 'HTTP/1.1 400 Bad Request' });
    const full = await startRawServer(lab, (socket) => socket.end('Exceeded MaxStartups\r\n'));
    const other = await opensshTo(lab, sshd, echo.port, { port: full });
    expect(await other.openFailed('ssh-rejecting')).toEqual({ host: '127.0.0.1', port: full });
  });

  it('names algorithms that no side shares, and what the server offers', async () => {
    const sshd = await lab.startSshd({ config: ['KexAlgorithms curve25519-sha256'] });
    const options = ['KexAlgorithms=diffie-hellman-group14-sha256'];
    const tunnel = await opensshTo(lab, sshd, echo.port, { options });
    const facts = await tunnel.openFailed('ssh-no-common-algorithm');
    expect(facts.kind).toBe('key exchange');
    expect(facts.offered).toContain('curve25519-sha256');
  });

  it('says in the words of ssh what is wrong with the configuration', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    useConfigFile(tunnel, ['Nonsense yes'], 'gw');
    const facts = await tunnel.openFailed('ssh-config-invalid');
    expect(facts.detail).toMatch(/Bad configuration option: nonsense/);
  });

  it('says that there is no ssh', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port, { command: '/nowhere/ssh' });
    expect(await tunnel.openFailed('openssh-missing')).toMatchObject({ target: '127.0.0.1' });
  });

  it('goes through a jump of the configuration, and names the one that cannot reach on', async () => {
    const [jump, target] = [await lab.startSshd(), await lab.startSshd()];
    const tunnel = await opensshTo(lab, target, echo.port);
    tunnel.write('known_hosts', jump.knownHostsLine() + target.knownHostsLine());
    tunnel.write('id_jump', jump.clientKey.privateKey);
    const lines = [
      ...hostLines(tunnel, jump, 'jump').map((line) => line.replace('id_test', 'id_jump')),
      ...hostLines(tunnel, target, 'gw', ['ProxyJump jump']),
    ];
    useConfigFile(tunnel, lines, 'gw');
    const up = await tunnel.openUp();
    expect(up.facts).toMatchObject({
      via: ['jump'],
      hostKeyFingerprint: target.hostKeys[0]?.fingerprint,
      credentialFingerprint: target.clientKey.fingerprint,
    });
    await (await Client.connect(lab, up.localPort)).echo('through the jump');
    expect(jump.counts().accepted).toBe(1);
    await target.stop();
    await tunnel.down();
    expect(await tunnel.openFailed('jump-unreachable')).toMatchObject({ jump: 'jump', port: target.port });
    await tunnel.close();
    await noSshLeft();
  });

  it('takes no changed key of a jump either, though its StrictHostKeyChecking says no', async () => {
    const [jump, target] = [await lab.startSshd(), await lab.startSshd()];
    const tunnel = await opensshTo(lab, target, echo.port);
    tunnel.write('known_hosts', jump.knownHostsLine() + target.knownHostsLine());
    tunnel.write('id_jump', jump.clientKey.privateKey);
    const lines = [
      ...hostLines(tunnel, jump, 'jump', ['StrictHostKeyChecking no']).map((line) =>
        line.replace('id_test', 'id_jump'),
      ),
      ...hostLines(tunnel, target, 'gw', ['ProxyJump jump']),
    ];
    useConfigFile(tunnel, lines, 'gw');
    tunnel.set({ jumps: [{ ...tunnel.config.target, name: 'jump', port: jump.port }] });
    const [before] = jump.hostKeys;
    await jump.rotateHostKey();
    expect(await tunnel.openFailed('host-key-changed')).toEqual({
      host: '127.0.0.1',
      jump: 'jump',
      port: jump.port,
      keyType: 'ssh-ed25519',
      offeredFingerprint: jump.hostKeys[0]?.fingerprint,
      known: [
        {
          keyType: 'ssh-ed25519',
          fingerprint: before?.fingerprint,
          file: tunnel.file('known_hosts'),
          line: 1,
        },
      ],
    });
    expect(target.counts().accepted).toBe(0);
    await noSshLeft();
  });

  it('names a ProxyCommand that fails, with its words, and one that is not there', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port, {
      options: ["ProxyCommand=sh -c 'echo no way through >&2; exit 3'"],
    });
    const failed = await tunnel.openFailed('proxy-command-failed');
    expect(failed.detail).toBe('no way through');
    const other = await opensshTo(lab, sshd, echo.port, { options: ['ProxyCommand=no-such-program %h'] });
    const missing = await other.openFailed('proxy-command-not-found');
    expect(missing.command).toBe('no-such-program %h');
  });
});

describe('a link that goes away', () => {
  it('is lost when the server ends it', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    await tunnel.openUp();
    const startedAtMs = performance.now();
    const killing = sshd.killSessions();
    expect((await tunnel.down()).code).toBe('link-lost');
    const tookMs = performance.now() - startedAtMs;
    expect(await killing).toBe(1);
    await noSshLeft();
    recordFault({
      row: 2,
      part: 'by the system’s ssh',
      layer: 'core',
      injected: 'SIGKILL to the session’s sshd',
      shown: 'link-lost; no ssh process is left',
      tookMs,
      limitMs: 500,
      control: 'sshd had one session, and it was gone',
    });
  });

  it('is found dead within 9.5 s when it freezes, and tells its latency while it lives', async () => {
    const sshd = await lab.startSshd();
    const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
    const tunnel = await opensshTo(lab, sshd, echo.port, { port: proxy.port });
    await tunnel.openUp();
    const alive = await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'alive' }> =>
        report.type === 'alive' && report.latencyMs !== null,
      'a sign of life with its latency',
    );
    expect(alive.latencyMs).toBeLessThan(2_000);
    proxy.freeze('both');
    const frozenAtMs = performance.now();
    const { bytesDown } = proxy.counts();
    const why = await tunnel.down();
    const shownMs = performance.now() - frozenAtMs;
    expect(why.code).toBe('link-dead');
    expect(proxy.counts().bytesDown).toBe(bytesDown);
    await noSshLeft();
    // Neither line of the log nor connection to the gateway came of the questions whether it lives.
    expect(echo.connections).toBe(1);
    expect(sshd.log()).not.toMatch(/ping@gangway|refused|unknown channel/i);
    recordFault({
      row: 8,
      part: 'by the system’s ssh',
      layer: 'core',
      injected: 'the fault proxy passes nothing either way',
      shown: 'link-dead; no ssh process is left',
      tookMs: shownMs,
      limitMs: 9_500,
      control: 'not one byte passed until it was told',
    });
  });

  it('tells its latency where the server allows no session', async () => {
    const sshd = await lab.startSshd({ config: ['MaxSessions 0'] });
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const up = await tunnel.openUp();
    await (await Client.connect(lab, up.localPort)).echo('by another channel');
    const alive = await tunnel.wait(
      (report): report is Extract<typeof report, { type: 'alive' }> =>
        report.type === 'alive' && report.latencyMs !== null,
      'a sign of life with its latency',
    );
    expect(alive.latencyMs).toBeLessThan(2_000);
  });

  it('answers a probe, and says no when the far end does not', async () => {
    const sshd = await lab.startSshd();
    const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
    const tunnel = await opensshTo(lab, sshd, echo.port, { port: proxy.port });
    await tunnel.openUp();
    const probed = async (probeId: number): Promise<boolean> => {
      tunnel.post({ type: 'probe', probeId, limitMs: 1_000 });
      const report = await tunnel.wait(
        (candidate): candidate is Extract<typeof candidate, { type: 'probed' }> =>
          candidate.type === 'probed' && candidate.probeId === probeId,
        'the probe',
      );
      return report.alive;
    };
    expect(await probed(1)).toBe(true);
    proxy.freeze('both');
    expect(await probed(2)).toBe(false);
  });
});

/** A process of its own that holds this tunnel, which is up. */
async function startHost(tunnel: TunnelFixture): Promise<Child> {
  const host = await startChild({
    command: process.execPath,
    args: [join(import.meta.dirname, 'openssh-host-main.ts')],
    env: { ...process.env },
    keepStdin: true,
    name: 'openssh-host',
  });
  lab.own(host);
  host.stdin?.write(`${JSON.stringify(tunnel.config)}\n`);
  await host.waitForLine(/^up$/);
  return host;
}

describe('what is left', () => {
  it('is nothing after the process that owns the session was killed', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const before = privateDirs();
    const host = await startHost(tunnel);
    const pids = descendantsOf(host.pid).map((info) => info.pid);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    expect(privateDirs().length).toBe(before.length + 1);
    await sshd.waitForSessions(1);
    process.kill(host.pid, 'SIGKILL');
    // The guard of the lab would end them as well, but only when the lab says so: it is still open.
    await waitFor(() => pids.every((pid) => !isAlive(pid)), { what: 'ssh to end with its owner' });
    await sshd.waitForSessions(0);
    expect(privateDirs()).toEqual(before);
    await host.close();
  });

  it('is nothing, at once, where nobody is there to read how ssh ended', async () => {
    const dir = lab.folder('session');
    // The last resort waits for this program: whoever is left to it stays.
    const bin = lab.folder('bin');
    writeFileSync(join(bin, 'sleep'), '#!/bin/sh\nexec /bin/sleep 600\n', { mode: 0o755 });
    const guarded = new URL('../../../src/main/node/ssh/openssh/openssh-process.ts', import.meta.url).href;
    const script = `
      const { startOpenssh } = await import(${JSON.stringify(guarded)});
      const env = { PATH: ${JSON.stringify(`${bin}:/usr/bin:/bin`)} };
      const events = { onLine: (line) => console.log(line), onExit: () => undefined };
      startOpenssh(['/bin/sh', '-c', 'echo started >&2; exec /bin/sleep 599'], env, ${JSON.stringify(dir)}, events);
    `;
    const owner = await startChild({
      command: process.execPath,
      args: ['--input-type=module', '-e', script],
      keepStdin: true,
    });
    await owner.waitForLine(/started/);
    const pids = descendantsOf(owner.pid).map((info) => info.pid);
    expect(pids.length).toBeGreaterThanOrEqual(3);
    owner.signal('SIGKILL');
    await waitFor(() => pids.every((pid) => !isAlive(pid)), { what: 'the guard to end', timeoutMs: 10_000 });
    expect(existsSync(dir)).toBe(false);
    await owner.close();
  });

  it('is nothing even where ssh does not end by itself', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const script = [
      '#!/bin/sh',
      'case " $* " in *" -G "*) exec ssh "$@";; esac',
      "trap '' TERM HUP",
      'ssh "$@"',
      'sleep 600',
    ];
    const command = tunnel.write('stubborn-ssh', `${script.join('\n')}\n`, 0o755);
    const { openssh } = tunnel.config;
    if (openssh === null) throw new Error('no command');
    tunnel.set({ openssh: { ...openssh, command } });
    await tunnel.openUp();
    await tunnel.close();
    await waitFor(() => descendantsOf(process.pid).every((info) => !info.command.includes('stubborn-ssh')), {
      what: 'the stubborn one to end',
    });
    await noSshLeft();
  });
});

describe('a live ControlMaster of the user', () => {
  it('is used without a login of our own, and nothing is left behind in it', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const socket = tunnel.file('cm');
    const lines = hostLines(tunnel, sshd, 'gw', [`ControlPath ${socket}`, 'ControlMaster auto']);
    useConfigFile(tunnel, lines, 'gw');
    const { openssh } = tunnel.config;
    if (openssh === null) throw new Error('no command');
    const master = await startChild({
      command: 'ssh',
      args: ['-N', '-v', '-M', ...openssh.targetArgs],
      env: openssh.env,
      name: 'master',
    });
    lab.own(master);
    await waitFor(() => existsSync(socket), { what: 'the master', detail: () => master.output() });
    const up = await tunnel.openUp();
    await (await Client.connect(lab, up.localPort)).echo('over the shared connection');
    expect(sshd.counts().accepted).toBe(1);
    await tunnel.close();
    expect(master.exited()).toBeNull();
    const check = spawnSync('ssh', ['-O', 'check', ...openssh.targetArgs], {
      env: openssh.env,
      encoding: 'utf8',
    });
    expect(check.stderr).toMatch(/Master running/);
    await waitFor(() => /channel \d+: free: mux-control/.test(master.output()), {
      what: 'the master to forget us',
      detail: () => master.output(),
    });
    expect(master.output()).not.toMatch(/Local forwarding listening|port-listener/);
  });

  it('survives a gateway that does not listen, and our own SIGKILL', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const socket = tunnel.file('cm');
    useConfigFile(tunnel, hostLines(tunnel, sshd, 'gw', [`ControlPath ${socket}`]), 'gw');
    const { openssh } = tunnel.config;
    if (openssh === null) throw new Error('no command');
    const args = ['-N', '-v', '-M', ...openssh.targetArgs];
    const master = lab.own(await startChild({ command: 'ssh', args, env: openssh.env, name: 'master' }));
    await waitFor(() => existsSync(socket), { what: 'the master', detail: () => master.output() });
    await echo.stop();
    await tunnel.openFailed('gateway-not-listening');
    await tunnel.close();
    await echo.start();
    const host = await startHost(tunnel);
    const client = await Client.connect(lab, tunnel.config.localPort);
    await client.echo('over the shared connection');
    expect(sshd.counts().accepted).toBe(1);
    const pids = descendantsOf(host.pid).map((info) => info.pid);
    expect(pids.length).toBeGreaterThan(0);
    process.kill(host.pid, 'SIGKILL');
    await waitFor(() => pids.every((pid) => !isAlive(pid)), { what: 'our part to end' });
    await waitFor(
      () => {
        const opened = master.output().match(/channel \d+: new /g)?.length ?? 0;
        const freed = master.output().match(/channel \d+: free: /g)?.length ?? 0;
        // All but its own listener.
        return opened - freed === 1;
      },
      { what: 'the master to forget us', detail: () => master.output() },
    );
    expect(master.exited()).toBeNull();
    await host.close();
  });

  it('is not waited for when it does not answer, and a stale socket is no obstacle', async () => {
    const sshd = await lab.startSshd();
    const tunnel = await opensshTo(lab, sshd, echo.port);
    const socket = tunnel.file('cm');
    const silent = createServer((socket) => socket.resume());
    await new Promise<void>((resolve) => silent.listen(socket, resolve));
    try {
      useConfigFile(tunnel, hostLines(tunnel, sshd, 'gw', [`ControlPath ${socket}`]), 'gw');
      const up = await tunnel.openUp();
      await (await Client.connect(lab, up.localPort)).echo('by our own');
    } finally {
      await tunnel.close();
      await new Promise((resolve) => silent.close(resolve));
    }
  });
});
