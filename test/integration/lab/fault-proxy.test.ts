import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FaultProxy } from '../../support/lab/fault-proxy.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';

let lab: Lab;
let proxy: FaultProxy;

beforeEach(async () => {
  lab = await createLab({ label: 'proxy' });
  const echo = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const address = echo.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  lab.own({ close: () => new Promise((resolve) => void echo.close(() => resolve())) });
  proxy = await lab.startFaultProxy({ targetPort: address.port });
});

afterEach(() => lab.close());

interface Client {
  readonly socket: Socket;
  received(): Buffer;
  ended(): string | null;
}

async function connect(): Promise<Client> {
  const socket = createConnection({ port: proxy.port, host: '127.0.0.1', noDelay: true });
  const pieces: Buffer[] = [];
  let ended: string | null = null;
  socket.on('data', (data: Buffer) => pieces.push(data));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    ended = error.code ?? error.message;
  });
  socket.on('close', () => {
    ended ??= 'closed';
  });
  await once(socket, 'connect');
  lab.own({
    close: () => {
      socket.destroy();
      return Promise.resolve();
    },
  });
  return { socket, received: () => Buffer.concat(pieces), ended: () => ended };
}

async function roundTrip(client: Client, bytes: number): Promise<number> {
  const before = client.received().length;
  const startedAtMs = performance.now();
  client.socket.write(Buffer.alloc(bytes, 7));
  await waitFor(() => client.received().length === before + bytes, { what: 'the echo', intervalMs: 1 });
  return performance.now() - startedAtMs;
}

describe('fault proxy', () => {
  it('passes bytes on unchanged and counts them', async () => {
    const client = await connect();
    const sent = Buffer.from(Array.from({ length: 100_000 }, (_unused, index) => index % 251));
    client.socket.write(sent);
    await waitFor(() => client.received().length === sent.length, { what: 'the echo' });

    expect(client.received().equals(sent)).toBe(true);
    expect(proxy.counts()).toMatchObject({ accepted: 1, live: 1, bytesUp: 100_000, bytesDown: 100_000 });
  });

  it.each(['both', 'up', 'down'] as const)(
    'lets nothing come back while %s is frozen, and all of it after',
    async (way) => {
      const client = await connect();
      await roundTrip(client, 10);

      proxy.freeze(way);
      client.socket.write('held back');
      await expect(
        waitFor(() => client.received().length > 10, { what: 'bytes', timeoutMs: 400 }),
      ).rejects.toThrow('Waited 400 ms');
      expect(client.ended()).toBe(null);
      proxy.thaw();

      await waitFor(() => client.received().subarray(10).toString() === 'held back', {
        what: 'the held back bytes',
      });
    },
  );

  it('adds its delay in both directions', async () => {
    const client = await connect();
    proxy.set({ delayMs: 100 });

    expect(await roundTrip(client, 200)).toBeGreaterThanOrEqual(200);
  });

  it('holds a connection to its bandwidth', async () => {
    const client = await connect();
    proxy.set({ bytesPerSecond: 50_000 });

    // 25 kB up and down at 50 kB/s, side by side: half a second at the least, less what is let through at the start.
    expect(await roundTrip(client, 25_000)).toBeGreaterThanOrEqual(400);
  });

  it('resets with RST and closes with FIN', async () => {
    const first = await connect();
    await roundTrip(first, 1);
    proxy.reset();
    await waitFor(() => first.ended() !== null, { what: 'the reset' });
    expect(first.ended()).toBe('ECONNRESET');

    const second = await connect();
    await roundTrip(second, 1);
    proxy.closeAll();
    await waitFor(() => second.ended() !== null, { what: 'the close' });
    expect(second.ended()).toBe('closed');
    await waitFor(() => proxy.counts().live === 0, { what: 'no live connection' });
  });

  it('cuts after so many bytes', async () => {
    proxy.set({ cutAfterBytes: 1_000 });
    const client = await connect();
    client.socket.write(Buffer.alloc(2_000));

    await waitFor(() => client.ended() === 'ECONNRESET', { what: 'the cut' });
  });

  it('flips exactly the byte it is told to', async () => {
    const client = await connect();
    await roundTrip(client, 10);
    proxy.flipByte('down', 5);
    await roundTrip(client, 10);

    const expected = Buffer.alloc(20, 7);
    expected[15] = 7 ^ 0xff;
    expect(client.received().equals(expected)).toBe(true);
    expect(proxy.counts().flipped).toBe(1);
  });

  it('refuses new connections and leaves live ones alone', async () => {
    const client = await connect();
    await roundTrip(client, 1);
    proxy.set({ refuse: true });

    // The RST may arrive before or after the client has seen its connection come up.
    const refused = connect().then(async (late) => {
      await waitFor(() => late.ended() !== null, { what: 'the refusal' });
      throw new Error(late.ended() ?? '');
    });
    await expect(refused).rejects.toThrow('ECONNRESET');
    await roundTrip(client, 1);
    expect(proxy.counts()).toMatchObject({ accepted: 1, refused: 1, live: 1 });
  });

  it('comes back on the same port after a stop', async () => {
    const client = await connect();
    await proxy.stop();
    await waitFor(() => client.ended() !== null, { what: 'the end of the live connection' });
    await proxy.start();

    await roundTrip(await connect(), 10);
  });
});
