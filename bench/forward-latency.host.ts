/**
 * One of the bench's processes, so that what is measured shares no event loop with what measures:
 * `node forward-latency.host.ts` with `{ "role": "echo" }` or `{ "role": "tunnel", … }` as JSON on standard input. Answers with
 * one JSON line when it is ready, and ends when its standard input closes.
 */
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { tunnelConfigSchema, type TunnelConfig } from '../src/main/core/tunnel/tunnel-protocol.ts';
import { inProcessChannel } from '../src/main/node/tunnel/in-process-channel.ts';

const roleSchema = z.discriminatedUnion('role', [
  z.object({ role: z.literal('echo') }),
  z.object({ role: z.literal('tunnel'), config: tunnelConfigSchema }),
]);

function ready(port: number): void {
  process.stdout.write(`${JSON.stringify({ port })}\n`);
}

function startEcho(): void {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen({ port: 0, host: '127.0.0.1' }, () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') ready(address.port);
  });
}

function startTunnel(config: TunnelConfig): void {
  const channel = inProcessChannel();
  channel.onReport((report) => {
    if (report.type === 'up') ready(report.localPort);
    if (report.type === 'down' || report.type === 'forward-failed') {
      process.stderr.write(`${JSON.stringify(report)}\n`);
      process.exit(1);
    }
  });
  channel.post({ type: 'open', attempt: 1, config });
}

let isStarted = false;
for await (const line of createInterface({ input: process.stdin })) {
  if (isStarted) continue;
  isStarted = true;
  const given = roleSchema.parse(JSON.parse(line));
  if (given.role === 'echo') startEcho();
  else startTunnel(given.config);
}
process.exit(0);
