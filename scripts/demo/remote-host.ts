import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { startChild, type Child } from '../../test/support/lab/child.ts';
import type { Gateway } from '../../test/support/lab/gateway.ts';
import { createKeyPair, type KeyPair } from '../../test/support/lab/keys.ts';
import type { Lab } from '../../test/support/lab/lab.ts';
import type { ScriptedModel } from '../../test/support/lab/scripted-model.ts';

const EMBEDDED_SSH = fileURLToPath(new URL('../../test/support/lab/embedded-ssh-main.ts', import.meta.url));

const startedSchema = z.object({
  port: z.int().min(1).max(65_535),
  user: z.string().min(1),
  hostKeyFingerprint: z.string().startsWith('SHA256:'),
  knownHostsLine: z.string().min(1),
});

/** A whole remote host in a box: an SSH server in a process of its own, and behind it a real Gateway. */
export interface RemoteHost {
  /** `user@127.0.0.1:port` */
  readonly target: string;
  readonly hostKeyFingerprint: string;
  /** The fresh pair that the host lets in. */
  readonly userKey: KeyPair;
  readonly gateway: Gateway;
  readonly model: ScriptedModel;
  /** Cuts every SSH connection, as a network that fails. */
  dropConnections(): void;
  /** Goes away with all connections, as a server that restarts, until `comeBack`. */
  goAway(): void;
  comeBack(): void;
}

/** Starts the parts side by side; the lab ends them. */
export async function startRemoteHost(lab: Lab): Promise<RemoteHost> {
  const userKey = createKeyPair({ comment: 'gangway-demo' });
  const model = await lab.startModel({ delayMs: 60 });
  const gateway = await lab.startGateway({ modelUrl: model.url });
  const server = lab.own(await startSshProcess());
  const line = JSON.stringify({ authorizedKeys: [userKey.publicKey], allowPorts: [gateway.port] });
  server.stdin?.write(`${line}\n`);
  const [answer] = await server.waitForLine(/^\{.*\}$/);
  const started = startedSchema.parse(JSON.parse(answer));
  return {
    target: `${started.user}@127.0.0.1:${started.port}`,
    hostKeyFingerprint: started.hostKeyFingerprint,
    userKey,
    gateway,
    model,
    dropConnections: () => server.stdin?.write('drop\n'),
    goAway: () => server.stdin?.write('stop\n'),
    comeBack: () => server.stdin?.write('start\n'),
  };
}

function startSshProcess(): Promise<Child> {
  return startChild({
    command: process.execPath,
    args: [EMBEDDED_SSH],
    keepStdin: true,
    name: 'the embedded SSH server',
  });
}
