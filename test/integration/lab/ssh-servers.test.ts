import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { appUser, asAppUser } from '../../support/lab/app-user.ts';
import { runChild, startChild, type Child } from '../../support/lab/child.ts';
import { createKeyPair } from '../../support/lab/keys.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { canConnect } from '../../support/lab/ports.ts';
import type { EmbeddedSshServer } from '../../support/lab/embedded-ssh-server.ts';
import type { Sshd } from '../../support/lab/sshd.ts';

let lab: Lab;
let echoPort = 0;

beforeEach(async () => {
  lab = await createLab({ label: 'ssh' });
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  echoPort = address.port;
  lab.own({ close: () => new Promise((resolve) => void echo.close(() => resolve())) });
});

afterEach(() => lab.close());

/** OpenSSH's client with its input and output joined to the echo server by a direct-tcpip channel. */
async function forwardTo(server: Sshd | EmbeddedSshServer, port = echoPort): Promise<Child> {
  const folder = lab.folder('client');
  mkdirSync(folder, { recursive: true });
  const key = join(folder, 'key');
  writeFileSync(key, server.clientKey.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, 'known_hosts'), server.knownHostsLine());
  return lab.own(
    await startChild({
      command: 'ssh',
      args: [
        ...['-F', 'none', '-i', key, '-p', String(server.port), '-W', `127.0.0.1:${port}`],
        ...['-o', 'IdentitiesOnly=yes', '-o', 'StrictHostKeyChecking=yes'],
        ...['-o', `UserKnownHostsFile=${join(folder, 'known_hosts')}`],
        `${server.user}@127.0.0.1`,
      ],
      keepStdin: true,
    }),
  );
}

async function expectEcho(client: Child): Promise<void> {
  client.stdin?.write('through the tunnel\n');
  await client.waitForLine(/^through the tunnel$/);
}

describe.each([
  ['sshd', () => lab.startSshd()],
  ['the embedded SSH server', () => lab.startEmbeddedSsh()],
])('%s', (_name, start) => {
  it('forwards, serves a new host key, and refuses keys it does not know', async () => {
    const server = await start();
    await expectEcho(await forwardTo(server));

    const oldLine = server.knownHostsLine();
    await server.rotateHostKey();
    expect(server.knownHostsLine()).not.toBe(oldLine);
    await expectEcho(await forwardTo(server));

    const stranger = await forwardTo({ ...server, clientKey: createKeyPair() });
    expect((await stranger.waitForExit()).code).toBe(255);
    expect(stranger.output()).toContain('Permission denied (publickey)');
  });

  it('comes back on the same port', async () => {
    const server = await start();
    await server.stop();
    expect(await canConnect(server.port)).toBe(false);

    await server.start();

    await expectEcho(await forwardTo(server));
  });
});

describe('sshd', () => {
  it('loses its sessions but not its listener when they are killed', async () => {
    const sshd = await lab.startSshd();
    const client = await forwardTo(sshd);
    await expectEcho(client);

    expect(await sshd.killSessions()).toBe(1);

    expect((await client.waitForExit()).code).toBe(255);
    expect(sshd.sessions()).toEqual([]);
    await expectEcho(await forwardTo(sshd));
    expect(sshd.counts()).toEqual({ connections: 2, accepted: 2, failed: 0 });
  });

  it('keeps its sessions when only the listener is stopped', async () => {
    const sshd = await lab.startSshd();
    const client = await forwardTo(sshd);
    await expectEcho(client);

    await sshd.stopListener();

    expect(await canConnect(sshd.port)).toBe(false);
    client.stdin?.write('still here\n');
    await client.waitForLine(/^still here$/);
    expect(sshd.sessions()).toHaveLength(1);
  });

  it('is silent while paused and answers afterwards', async () => {
    const sshd = await lab.startSshd();
    const client = await forwardTo(sshd);
    await expectEcho(client);

    sshd.pause();
    client.stdin?.write('while paused\n');
    await expect(client.waitForLine(/^while paused$/, 500)).rejects.toThrow('Waited 500 ms');
    sshd.resume();

    await client.waitForLine(/^while paused$/);
  });

  it('takes extra configuration: no forwarding', async () => {
    const sshd = await lab.startSshd({ config: ['AllowTcpForwarding no'] });
    const client = await forwardTo(sshd);

    expect((await client.waitForExit()).code).not.toBe(0);
    expect(client.output()).toContain('administratively prohibited');
  });

  it('run by root lets another user in', async ({ skip }) => {
    const user = appUser();
    if (user === undefined) skip('only root may log in another user');
    const sshd = await lab.startSshd({ user: user?.name ?? '' });

    await expectEcho(await forwardTo(sshd));
  });

  it('works for an ordinary user', async ({ skip }) => {
    const user = appUser();
    if (user === undefined) skip('the other tests of this file have shown it: they do not run as root');
    const maker = fileURLToPath(new URL('./lab-maker.ts', import.meta.url));
    const [setpriv = '', ...prefix] = asAppUser();
    const readable = await runChild({ command: setpriv, args: [...prefix, 'test', '-r', maker] });
    if (readable.code !== 0) skip('the checkout lies where an unprivileged user cannot read it');

    const child = lab.own(
      await startChild({
        command: setpriv,
        args: [...prefix, process.execPath, maker],
        env: { PATH: process.env['PATH'], HOME: '/tmp', USER: user?.name },
      }),
    );
    // It prints this once a session of that user's own sshd is up.
    const [line] = await child.waitForLine(/^\{.*\}$/, 40_000);
    const made = z.object({ user: z.string() }).parse(JSON.parse(line));
    expect(made.user).toBe(user?.name);
  });
});

describe('the embedded SSH server', () => {
  it('says "administratively prohibited" to forwards it must refuse', async () => {
    const server = await lab.startEmbeddedSsh({ allowPorts: [echoPort + 1] });
    const client = await forwardTo(server);

    expect((await client.waitForExit()).code).not.toBe(0);
    expect(client.output()).toContain('administratively prohibited');
  });

  it('says "connect failed" when nothing listens behind it', async () => {
    const server = await lab.startEmbeddedSsh();
    const unused = await lab.startFaultProxy({ targetPort: echoPort });
    await unused.stop();
    const client = await forwardTo(server, unused.port);

    expect((await client.waitForExit()).code).not.toBe(0);
    expect(client.output()).toContain('connect failed');
  });

  it('drops its connections when told, also as a process of its own', async () => {
    const key = createKeyPair();
    const main = fileURLToPath(new URL('../../support/lab/embedded-ssh-main.ts', import.meta.url));
    const server = lab.own(await startChild({ command: process.execPath, args: [main], keepStdin: true }));
    server.stdin?.write(`${JSON.stringify({ authorizedKeys: [key.publicKey] })}\n`);
    const [line] = await server.waitForLine(/^\{"port".*\}$/);
    const started = z
      .object({ port: z.number(), user: z.string(), knownHostsLine: z.string() })
      .parse(JSON.parse(line));
    const client = await forwardTo({
      ...started,
      clientKey: key,
      knownHostsLine: () => started.knownHostsLine,
    } as unknown as EmbeddedSshServer);
    await expectEcho(client);

    server.stdin?.write('drop\n');

    await server.waitForLine(/^\{"dropped":1\}$/);
    expect((await client.waitForExit()).code).toBe(255);
    server.stdin?.end();
    expect(await server.waitForExit()).toEqual({ code: 0, signal: null });
  });
});
