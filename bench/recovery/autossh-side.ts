import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GatewayClient, type DeviceIdentity } from '@openclaw/gateway-client';
import { startChild } from '../../test/support/lab/child.ts';
import type { Gateway } from '../../test/support/lab/gateway.ts';
import { createDeviceIdentity, deviceHostDeps } from '../../test/support/lab/gateway-client.ts';
import type { Lab } from '../../test/support/lab/lab.ts';
import { freePort, waitForListening } from '../../test/support/lab/ports.ts';
import type { Sshd } from '../../test/support/lab/sshd.ts';
import { LinkHistory, type Side } from './side.ts';

export interface AutosshOptions {
  readonly name: string;
  /** ServerAliveInterval in seconds; ServerAliveCountMax is 3. */
  readonly aliveIntervalS: number;
}

export interface AutosshSide extends Side {
  /** The official client, which reconnects by itself. */
  readonly client: GatewayClient;
}

const CLIENT_STOP_MS = 2_000;

/** `autossh -M 0` and, over its forward, the official client with its own reconnecting (1 to 30 s). */
export async function startAutossh(
  lab: Lab,
  sshd: Sshd,
  gateway: Gateway,
  sessionKey: string,
  options: AutosshOptions,
): Promise<AutosshSide> {
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const localPort = await freePort();
  const child = lab.own(
    await startChild({
      command: 'autossh',
      args: ['-M', '0', ...sshArgs(lab, sshd, proxy.port, localPort, gateway.port, options.aliveIntervalS)],
      // In its favour: it goes on after a failed start, and its own pauses after quick failures go by this poll time, else 600 s.
      env: { ...process.env, AUTOSSH_GATETIME: '0', AUTOSSH_POLL: '10' },
      name: options.name,
    }),
  );
  await waitForListening(localPort);
  const history = new LinkHistory();
  const client = officialClient(`ws://127.0.0.1:${localPort}`, gateway.token ?? '', history, sessionKey);
  client.start();
  await history.untilUsable(options.name);
  const side: AutosshSide = {
    name: options.name,
    proxy,
    localPort,
    history,
    client,
    // Neither ssh nor the client listens to the system.
    wake: () => undefined,
    async close() {
      await client.stopAndWait({ timeoutMs: CLIENT_STOP_MS }).catch(() => undefined);
      await child.close();
    },
  };
  return lab.own(side);
}

function officialClient(url: string, token: string, history: LinkHistory, sessionKey: string): GatewayClient {
  const deviceIdentity: DeviceIdentity = createDeviceIdentity();
  const client = new GatewayClient({
    url,
    token,
    clientName: 'gateway-client',
    clientDisplayName: 'Gangway bench',
    clientVersion: '0.0.0',
    platform: process.platform,
    mode: 'ui',
    role: 'operator',
    scopes: ['operator.read', 'operator.write'],
    caps: [],
    deviceIdentity,
    hostDeps: deviceHostDeps,
    onHelloOk: () => {
      void client.request('chat.history', { sessionKey, limit: 200 }, { timeoutMs: 10_000 }).then(
        () => history.usable(),
        // Lost again meanwhile: the next hello asks anew.
        () => undefined,
      );
    },
    onClose: () => history.lost(),
  });
  return client;
}

function sshArgs(
  lab: Lab,
  sshd: Sshd,
  sshPort: number,
  localPort: number,
  gatewayPort: number,
  aliveIntervalS: number,
): string[] {
  const dir = lab.folder('autossh');
  const keyPath = join(dir, 'id_ed25519');
  const knownHostsPath = join(dir, 'known_hosts');
  writeFileSync(keyPath, sshd.clientKey.privateKey, { mode: 0o600 });
  writeFileSync(knownHostsPath, sshd.knownHostsLine('127.0.0.1', sshPort), { mode: 0o600 });
  const options = [
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ExitOnForwardFailure=yes',
    `ServerAliveInterval=${aliveIntervalS}`,
    'ServerAliveCountMax=3',
    `UserKnownHostsFile=${knownHostsPath}`,
  ];
  return [
    ...['-F', '/dev/null', '-N', '-L', `127.0.0.1:${localPort}:127.0.0.1:${gatewayPort}`],
    ...options.flatMap((option) => ['-o', option]),
    ...['-i', keyPath, '-p', String(sshPort), `${sshd.user}@127.0.0.1`],
  ];
}
