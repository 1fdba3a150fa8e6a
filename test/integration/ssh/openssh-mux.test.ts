import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MuxProxy } from '../../../src/main/node/ssh/openssh/mux-proxy.ts';
import { WINDOW_BYTES } from '../../../src/main/node/ssh/openssh/mux-channel.ts';
import { systemClock } from '../../../src/main/node/system-clock.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { waitFor } from '../../support/lab/wait.ts';

/** A control socket that does what the real one never would: for that only. */
let lab: Lab;
let path: string;
let server: Server;
let peer: Socket | null = null;
let received = Buffer.alloc(0);

const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const frame = (...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  return Buffer.concat([uint32(body.length), body]);
};
const message = (type: number, ...parts: Buffer[]): Buffer => frame(Buffer.from([0, type]), ...parts);
const HELLO = frame(uint32(1), uint32(4));
const PROXY_OK = frame(uint32(0x8000_000f), uint32(0));

/** The payloads of all data messages so far. */
function sentData(): string[] {
  const found: string[] = [];
  for (let at = 0; at + 4 <= received.length; at += 4 + received.readUInt32BE(at)) {
    // Length, padding's length, type, channel, payload with its length.
    if (received[at + 5] === 94)
      found.push(received.toString('latin1', at + 14, at + 4 + received.readUInt32BE(at)));
  }
  return found;
}

async function serve(greeting: Buffer): Promise<void> {
  server = createServer((socket) => {
    peer = socket;
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

async function connected(ends: string[]): Promise<MuxProxy> {
  await serve(Buffer.concat([HELLO, PROXY_OK]));
  const result = await MuxProxy.connect(path, 5_000, systemClock, (detail) => ends.push(detail));
  if (!result.ok) throw new Error(result.error);
  return result.value;
}

beforeEach(async () => {
  lab = await createLab({ label: 'mux' });
  path = join(lab.dir, 'c');
  received = Buffer.alloc(0);
});
afterEach(async () => {
  peer?.destroy();
  await new Promise((resolve) => server.close(resolve));
  await lab.close();
});

describe('a control socket', () => {
  it.each([
    ['of another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['of another version', frame(uint32(1), uint32(5))],
    ['that refuses', Buffer.concat([HELLO, frame(uint32(0x8000_0003), uint32(0), frame(Buffer.from('no')))])],
  ])('%s is refused', async (_name, greeting) => {
    await serve(greeting);
    const result = await MuxProxy.connect(path, 5_000, systemClock, () => undefined);
    expect(result).toEqual({ ok: false, error: 'protocol' });
  });

  it('that stays silent is given up at the limit', async () => {
    await serve(Buffer.alloc(0));
    const result = await MuxProxy.connect(path, 50, systemClock, () => undefined);
    expect(result).toEqual({ ok: false, error: 'timeout' });
  });

  it.each([
    ['a frame too long for SSH', uint32(0x7fff_ffff)],
    ['a message without its number', frame(Buffer.from([0, 94]))],
    ['a confirmation of what was never asked', message(91, uint32(77), uint32(1), uint32(1), uint32(1))],
    ['a string longer than its message', message(92, uint32(0), uint32(1), uint32(9_999))],
  ])('ends over %s', async (_name, bytes) => {
    const ends: string[] = [];
    await connected(ends);
    peer?.write(bytes);
    await waitFor(() => ends.length > 0, { what: 'the end' });
    expect(ends[0]).toMatch(/^protocol/);
  });

  it('ends when more is sent than the window allows, and holds back what the far end has no window for', async () => {
    const ends: string[] = [];
    const mux = await connected(ends);
    const channels: Duplex[] = [];
    mux.openForward({ host: '127.0.0.1', port: 1 }, 0, (result) => {
      if (result.ok) channels.push(result.value);
    });
    // The second channel that was asked for: the first is the heartbeat.
    peer?.write(message(91, uint32(1), uint32(5), uint32(10), uint32(4)));
    const opened = await waitFor(() => channels[0], { what: 'the channel' });
    opened.on('error', () => undefined);
    opened.write('0123456789abcdef');
    // Ten bytes of window, in packets of four at most.
    await waitFor(() => sentData().join() === '0123,4567,89', { what: 'three packets' });
    peer?.write(message(93, uint32(1), uint32(100)));
    await waitFor(() => sentData().join() === '0123,4567,89,abcd,ef', { what: 'two more packets' });
    const chunk = Buffer.alloc(32 * 1024);
    for (let sent = 0; sent <= WINDOW_BYTES; sent += chunk.length) {
      peer?.write(message(94, uint32(1), uint32(chunk.length), chunk));
    }
    await waitFor(() => ends.length > 0, { what: 'the end' });
    expect(ends[0]).toBe('protocol: message');
    expect(opened.destroyed).toBe(true);
  });
});
