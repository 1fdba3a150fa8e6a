import { join } from 'node:path';
import type { SshHop } from '../../../src/main/core/tunnel/ssh-hop.ts';
import { plainHop } from '../../../src/main/core/tunnel/plain-hop.ts';
import { DEFAULT_ALGORITHMS } from '../../../src/main/node/ssh/ssh-algorithms.ts';
import type { SshTiming } from '../../../src/main/node/ssh/ssh-timing.ts';
import { startChild } from '../../support/lab/child.ts';
import { createKeyPair } from '../../support/lab/keys.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { startNetworkChain, type NetworkHost } from '../../support/lab/network.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { Sshd } from '../../support/lab/sshd.ts';
import { TunnelFixture } from './tunnel-fixture.ts';

/** In a namespace of its own every sshd can have the standard port. */
const SSH_PORT = 22;

/** Real sshds in a row, each with its own host key and its own user key, and an echo behind the last one's loopback. */
export interface JumpRig {
  readonly hosts: readonly NetworkHost[];
  readonly servers: readonly Sshd[];
  readonly hops: readonly SshHop[];
  readonly gatewayPort: number;
  readonly tunnel: TunnelFixture;
}

export interface JumpRigOptions {
  /** Lines of sshd_config by hop, beginning with the first. */
  readonly config?: readonly (readonly string[])[];
  /** Which hops are in known_hosts already; default all. */
  readonly trusted?: readonly boolean[];
  readonly timing?: SshTiming;
}

export async function startJumpRig(lab: Lab, count: number, options: JumpRigOptions = {}): Promise<JumpRig> {
  const network = lab.own(await startNetworkChain(count));
  const { hosts } = network;
  const servers = await Promise.all(
    hosts.map((host, index) =>
      lab.startSshd({
        network: host,
        port: SSH_PORT,
        clientKeys: [createKeyPair({ comment: `hop-${index + 1}` })],
        config: options.config?.[index] ?? [],
      }),
    ),
  );
  const last = hosts.at(-1);
  const target = servers.at(-1);
  if (last === undefined || target === undefined) throw new Error('A chain needs a host.');
  const gatewayPort = await freePort();
  await startEchoWithin(lab, last.within, gatewayPort);
  const tunnel = new TunnelFixture(
    lab,
    { host: last.address, port: SSH_PORT, user: target.user },
    { host: '127.0.0.1', port: gatewayPort },
    { localPort: await freePort(), ...(options.timing === undefined ? {} : { timing: options.timing }) },
  );
  const hops = servers.map((server, index): SshHop => {
    const address = hosts[index]?.address ?? '';
    return {
      ...plainHop({
        name: `hop-${index + 1}`,
        host: address,
        port: SSH_PORT,
        user: server.user,
        knownHostsFiles: { user: [join(tunnel.sshDir, 'known_hosts')], global: [] },
        algorithms: DEFAULT_ALGORITHMS,
      }),
      identityFiles: [tunnel.write(`id_hop${index + 1}`, server.clientKey.privateKey)],
      identityFileIsExplicit: true,
    };
  });
  tunnel.write(
    'known_hosts',
    servers
      .filter((_server, index) => options.trusted?.[index] !== false)
      .map((server) => server.knownHostsLine(hosts[servers.indexOf(server)]?.address, SSH_PORT))
      .join(''),
  );
  const [targetHop, ...jumps] = [...hops].reverse();
  if (targetHop !== undefined) tunnel.set({ target: targetHop, jumps: jumps.reverse() });
  return { hosts, servers, hops, gatewayPort, tunnel };
}

/** Stands for the gateway, on the loopback of a namespace that no other process sees. */
async function startEchoWithin(lab: Lab, within: readonly string[], port: number): Promise<void> {
  const [command = '', ...args] = within;
  const child = lab.own(
    await startChild({
      command,
      args: [...args, process.execPath, '-e', ECHO, String(port)],
      name: 'echo',
    }),
  );
  await child.waitForLine(/listening/);
}

const ECHO = `
const server = require('node:net').createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.pipe(socket);
});
server.listen({ port: Number(process.argv[1]), host: '127.0.0.1' }, () => console.log('listening'));
`;
