import { execFileSync, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { isAlive, startChild } from './child.ts';
import type { Closable } from './lab.ts';

/** One computer of a chain: a network namespace. */
export interface NetworkHost {
  /** Of the namespace. */
  readonly name: string;
  /** Address on the link towards this process, where the host before it in the chain reaches it. */
  readonly address: string;
  /** What stands before a command that runs there. */
  readonly within: readonly string[];
  /** Whether a TCP connection from there to that place stands within a second. */
  reaches(address: string, port: number): boolean;
}

/** A row of hosts of which each reaches only its neighbours; this process reaches the first alone. */
export interface NetworkChain extends Closable {
  readonly hosts: readonly NetworkHost[];
}

const PREFIX = 'gwlab';
const REACH_LIMIT_S = 1;
/** For network benchmarks (RFC 2544): never routed, so it collides with no real network. */
const NETWORK = '198.18';

/** Why there can be no namespaces here, or null. */
export function missingForNamespaces(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const probe = `${PREFIX}${process.pid}p`;
  const made = spawnSync('ip', ['netns', 'add', probe], { encoding: 'utf8' });
  if (made.error !== undefined) return 'no `ip` program (apt install iproute2)';
  if (made.status !== 0) return `no network namespaces may be made here: ${made.stderr.trim()}`;
  const ran = spawnSync('ip', ['netns', 'exec', probe, 'true'], { encoding: 'utf8' });
  spawnSync('ip', ['netns', 'del', probe]);
  return ran.status === 0 ? null : `no program may run in a network namespace here: ${ran.stderr.trim()}`;
}

let made = 0;

/**
 * Makes `count` namespaces, joined in a row by pairs of virtual Ethernet devices, without any route beyond the neighbours. They go
 * with `close`, and with this process however it ends: a keeper below a guard (guard.pl) removes them. What a machine that
 * lost its power left behind is removed by the next chain.
 */
export async function startNetworkChain(count: number): Promise<NetworkChain> {
  removeOrphans();
  made += 1;
  const subnet = takeSubnet();
  const id = `${PREFIX}${process.pid}x${made}r${subnet}`;
  const names = Array.from({ length: count }, (_value, index) => `${id}n${index + 1}`);
  // Device names hold 15 characters at most.
  const device = `gw${process.pid.toString(36)}${made.toString(36)}`;
  const keeper = await startChild({
    command: 'sh',
    args: ['-c', KEEPER, 'keeper', `${device}0`, network(subnet), ...names],
    name: 'network keeper',
  });
  const chain: NetworkChain = {
    hosts: names.map((name, index) => hostOf(name, addresses(subnet, index).far)),
    close: async () => {
      removeNamespaces(`${device}0`, subnet, names);
      await keeper.close();
    },
  };
  try {
    await keeper.waitForLine(/keeping/);
    for (const name of names) {
      ip('netns', 'add', name);
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    names.forEach((name, index) => {
      join(`${device}${index}`, addresses(subnet, index), names[index - 1] ?? null, name);
    });
    return chain;
  } catch (error) {
    await chain.close();
    throw error;
  }
}

const KEEPER = `
near=$1; network=$2; shift 2
trap '
  ip link del "$near" 2>/dev/null
  for name; do ip netns del "$name"; done
  ip route del unreachable "$network"
  exit 0
' TERM
echo keeping
sleep 86400 &
wait
`;

interface LinkEnds {
  readonly near: string;
  readonly far: string;
}

function network(subnet: number): string {
  return `${NETWORK}.${subnet}.0/24`;
}

/**
 * Takes a network that no other chain on this machine has. Its route keeps what is sent to the farther hosts from leaving by the
 * default route, behind which something may answer in their place; the first host's own link is the more exact one.
 */
function takeSubnet(): number {
  for (let step = 0; step < 256; step += 1) {
    const subnet = (process.pid + made + step) % 256;
    if (spawnSync('ip', ['route', 'add', 'unreachable', network(subnet)]).status === 0) return subnet;
  }
  throw new Error(`No network left in ${NETWORK}.0.0/16.`);
}

/** The two ends of the link before the host of that index, in a network of four addresses. */
function addresses(subnet: number, index: number): LinkEnds {
  const base = `${NETWORK}.${subnet}`;
  return { near: `${base}.${index * 4 + 1}`, far: `${base}.${index * 4 + 2}` };
}

function join(near: string, ends: LinkEnds, before: string | null, after: string): void {
  const far = `${near}f`;
  ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
  ip('link', 'set', far, 'netns', after);
  if (before !== null) ip('link', 'set', near, 'netns', before);
  const at = before === null ? [] : ['-n', before];
  ip(...at, 'address', 'add', `${ends.near}/30`, 'dev', near);
  ip(...at, 'link', 'set', near, 'up');
  ip('-n', after, 'address', 'add', `${ends.far}/30`, 'dev', far);
  ip('-n', after, 'link', 'set', far, 'up');
}

function hostOf(name: string, address: string): NetworkHost {
  const within = ['ip', 'netns', 'exec', name];
  return {
    name,
    address,
    within,
    reaches(to, port) {
      const [command, ...args] = [...within, 'perl', '-MIO::Socket::INET', '-e', PERL_CONNECTS];
      return spawnSync(command, [...args, to, String(port), String(REACH_LIMIT_S)]).status === 0;
    },
  };
}

const PERL_CONNECTS =
  'exit(IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1], Timeout => $ARGV[2]) ? 0 : 1)';

/** Whether a TCP connection from this process to that place stands within a second. */
export function reachesDirectly(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.setTimeout(REACH_LIMIT_S * 1_000, () => settle(false));
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A device pair goes with either end. */
function removeNamespaces(device: string, subnet: number, names: readonly string[]): void {
  spawnSync('ip', ['link', 'del', device]);
  spawnSync('ip', ['route', 'del', 'unreachable', network(subnet)]);
  for (const name of names) spawnSync('ip', ['netns', 'del', name]);
}

/** Names of the lab's namespaces on this machine. */
export function labNamespaces(): string[] {
  const { stdout } = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' });
  return stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(PREFIX));
}

function removeOrphans(): void {
  for (const name of labNamespaces()) {
    const [, pid, subnet] = /^gwlab(\d+)x\d+r(\d+)n/.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    spawnSync('ip', ['netns', 'del', name]);
    spawnSync('ip', ['route', 'del', 'unreachable', network(Number(subnet))]);
  }
}
