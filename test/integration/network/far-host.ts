import { execFileSync, spawnSync } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { startChild } from '../../support/lab/child.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { missingForNamespaces, startNetworkChain, type NetworkHost } from '../../support/lab/network.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import type { LinkOptions } from './link-rig.ts';

/** As the Gateway's port is called on the far host. */
const GATEWAY_PORT = 18_789;
const SSH_PORT = 22;

const CHAINS = ['INPUT', 'OUTPUT'] as const;
type Chain = (typeof CHAINS)[number];
const LINK: Readonly<Record<Chain, readonly string[]>> = {
  INPUT: ['!', '-i', 'lo'],
  OUTPUT: ['!', '-o', 'lo'],
};

export type Way = 'up' | 'down' | 'both';

/** A computer of its own, behind a network cable that can be spoiled: packets vanish, and nobody is told. */
export interface FarHost {
  readonly host: NetworkHost;
  /** Our own address on the cable. */
  readonly near: string;
  /** What joins `linkRig` to it. */
  readonly link: LinkOptions;
  /** From now on packets of this way vanish; `up` is from us to the host. */
  drop(way: Way): void;
  heal(): void;
  /** Packets since `drop`: those that vanished, and those of the other way that were let through. */
  counts(): { readonly dropped: number; readonly passed: number };
  /** Runs a program of iproute2 or iptables on the host. */
  run(...command: readonly string[]): string;
}

/** Why there can be none here, or null. */
export function missingForFarHost(): string | null {
  const missing = missingForNamespaces();
  if (missing !== null) return missing;
  const tried = spawnSync('unshare', ['--net', 'iptables', '-A', 'INPUT', '-j', 'DROP'], {
    encoding: 'utf8',
  });
  if (tried.error !== undefined) return 'no `unshare` program (apt install util-linux)';
  return tried.status === 0 ? null : `no packet filter (apt install iptables): ${tried.stderr.trim()}`;
}

export async function startFarHost(lab: Lab): Promise<FarHost> {
  const { gateway } = await sharedGateway();
  const chain = lab.own(await startNetworkChain(1));
  const [host] = chain.hosts;
  if (host === undefined) throw new Error('no host');
  await relayGateway(lab, host, gateway.port);
  const run = (...command: readonly string[]): string =>
    execFileSync(host.within[0] ?? 'ip', [...host.within.slice(1), ...command], { encoding: 'utf8' });
  // The loopback of the host is left alone: there sshd reaches the Gateway. The first rule only counts.
  for (const name of CHAINS) run('iptables', '-A', name, ...LINK[name]);
  const seen = { INPUT: 0, OUTPUT: 0 };
  const packets = (name: Chain): { all: number; dropped: number } => {
    const rules = run('iptables', '-L', name, '-v', '-n', '-x').split('\n').slice(2);
    const [all = 0, dropped = 0] = rules.map((rule) => Number(/^\s*(\d+)/.exec(rule)?.[1] ?? 0));
    return { all, dropped };
  };
  const heal = (): void => {
    for (const name of CHAINS) {
      run('iptables', '-F', name);
      run('iptables', '-A', name, ...LINK[name]);
    }
  };
  return {
    host,
    near: host.address.replace(/\d+$/, (last) => String(Number(last) - 1)),
    link: {
      sshd: { network: host, port: SSH_PORT },
      gatewayPort: GATEWAY_PORT,
      place: ({ user }) => `${user}@${host.address}:${SSH_PORT}`,
      prepare: (home, sshd) => home.writeKnownHosts([sshd.knownHostsLine(host.address, SSH_PORT)]),
    },
    drop(way) {
      heal();
      for (const name of CHAINS) seen[name] = packets(name).all;
      for (const name of chainsOf(way)) run('iptables', '-A', name, ...LINK[name], '-j', 'DROP');
    },
    heal,
    counts() {
      const totals = CHAINS.map((name) => {
        const { all, dropped } = packets(name);
        return { dropped, passed: all - seen[name] - dropped };
      });
      return {
        dropped: totals.reduce((sum, { dropped }) => sum + dropped, 0),
        passed: totals.reduce((sum, { passed }) => sum + passed, 0),
      };
    },
    run,
  };
}

/** The far host's port of the Gateway leads to the shared one, by a Unix socket: namespaces part networks, not files. */
async function relayGateway(lab: Lab, host: NetworkHost, gatewayPort: number): Promise<void> {
  const path = join(lab.folder('relay'), 'gateway.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const gateway = connect({ port: gatewayPort, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => gateway.destroy());
    gateway.on('error', () => socket.destroy());
    socket.on('close', () => gateway.destroy());
    gateway.on('close', () => socket.destroy());
    socket.pipe(gateway);
    gateway.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  lab.own({ close: () => new Promise<void>((resolve) => void server.close(() => resolve())) });
  await relayOn(lab, host, '127.0.0.1', GATEWAY_PORT, path);
}

function chainsOf(way: Way): readonly Chain[] {
  return way === 'both' ? CHAINS : [way === 'up' ? 'INPUT' : 'OUTPUT'];
}

/** Starts relay-main.ts on the host. */
export async function relayOn(
  lab: Lab,
  host: NetworkHost,
  ...args: readonly [string, number, string, number?]
): Promise<void> {
  const [command = 'ip', ...within] = host.within;
  const relay = lab.own(
    await startChild({
      command,
      args: [...within, process.execPath, join(import.meta.dirname, 'relay-main.ts'), ...args.map(String)],
      name: 'relay',
    }),
  );
  await relay.waitForLine(/listening/);
}
