/**
 * The embedded SSH server as a process of its own, for the demo. Its first line of standard input is the
 * configuration as JSON (nothing secret travels in argv), its first line of output says where it listens. Later input
 * lines: `drop` cuts all connections, `stop` does and takes no new ones until `start`. It ends when its standard input closes.
 */
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { startEmbeddedSsh, type EmbeddedSshServer } from './embedded-ssh-server.ts';
import { fingerprintOf } from './keys.ts';

const configSchema = z.object({
  port: z.int().min(0).max(65_535).optional(),
  user: z.string().min(1).max(64).optional(),
  /** Lines as in authorized_keys. */
  authorizedKeys: z.array(z.string().max(8_192)).min(1).max(16),
  allowPorts: z.array(z.int().min(1).max(65_535)).max(16).optional(),
});

export interface EmbeddedSshStarted {
  readonly port: number;
  readonly user: string;
  readonly hostKeyFingerprint: string;
  readonly knownHostsLine: string;
  readonly pid: number;
}

async function startFrom(line: string): Promise<EmbeddedSshServer> {
  const config = configSchema.parse(JSON.parse(line));
  const server = await startEmbeddedSsh({
    ...(config.port === undefined ? {} : { port: config.port }),
    ...(config.user === undefined ? {} : { user: config.user }),
    ...(config.allowPorts === undefined ? {} : { allowPorts: config.allowPorts }),
    clientKeys: config.authorizedKeys.map((publicKey) => ({
      type: 'ed25519',
      privateKey: '',
      publicKey,
      fingerprint: fingerprintOf(publicKey),
    })),
  });
  const started: EmbeddedSshStarted = {
    port: server.port,
    user: server.user,
    hostKeyFingerprint: server.hostKey.fingerprint,
    knownHostsLine: server.knownHostsLine(),
    pid: process.pid,
  };
  process.stdout.write(`${JSON.stringify(started)}\n`);
  return server;
}

let server: EmbeddedSshServer | null = null;
for await (const line of createInterface({ input: process.stdin })) {
  if (server === null) {
    server = await startFrom(line);
  } else if (line.trim() === 'drop') {
    process.stdout.write(`${JSON.stringify({ dropped: server.dropConnections() })}\n`);
  } else if (line.trim() === 'stop') await server.stop();
  else if (line.trim() === 'start') await server.start();
}
await server?.close();
