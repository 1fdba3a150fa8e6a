/**
 * Round trip of 200 bytes through a forward: straight to the far end, through `ssh -N -L`, and through Gangway's core. All
 * three live at once, each in processes of its own, and take turns, so that whatever else the machine does hits all alike.
 * `npm run bench:latency` prints a table and writes bench/results.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { cpus, getPriority, setPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild, type Child } from '../test/support/lab/child.ts';
import { withLab, type Lab } from '../test/support/lab/lab.ts';
import { freePort, waitForListening } from '../test/support/lab/ports.ts';
import type { Sshd } from '../test/support/lab/sshd.ts';
import { plainHop } from '../src/main/core/tunnel/plain-hop.ts';
import type { TunnelConfig } from '../src/main/core/tunnel/tunnel-protocol.ts';
import { DEFAULT_ALGORITHMS } from '../src/main/node/ssh/ssh-algorithms.ts';

export const WAYS = ['direct', 'ssh -L', 'gangway'] as const;
export type Way = (typeof WAYS)[number];

export interface LatencyPlan {
  /** Turns of each way; every turn gives one p50 and one p99. */
  readonly rounds: number;
  readonly echoesPerRound: number;
  readonly payloadBytes: number;
}

export const DEFAULT_PLAN: LatencyPlan = { rounds: 9, echoesPerRound: 400, payloadBytes: 200 };

export interface LatencyOfWay {
  /** Medians over the rounds, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly roundsP50Ms: readonly number[];
}

export interface LatencyResult {
  readonly plan: LatencyPlan;
  readonly ways: Readonly<Record<Way, LatencyOfWay>>;
  /** Median over the rounds of (gangway's p50 / ssh -L's p50 of the same round). */
  readonly gangwayToSsh: number;
}

/** How much longer than through `ssh -L` the median round trip may take. */
const MARK = 1.2;

const HOST = fileURLToPath(new URL('./forward-latency.host.ts', import.meta.url));
/** V8 optimises the path of a packet within some thousand of them. */
const WARM_UP_ECHOES = 5_000;
const RAISED_PRIORITY = -15;

/** Starts everything in the lab, measures, and leaves the ending to the lab. */
export async function measureForwardLatency(
  lab: Lab,
  plan: LatencyPlan = DEFAULT_PLAN,
): Promise<LatencyResult> {
  const restorePriority = raisePriority();
  try {
    return await startAndMeasure(lab, plan);
  } finally {
    restorePriority();
  }
}

/** Puts this process, and so all that it starts, before whatever else the machine does, where it may (root). */
function raisePriority(): () => void {
  const before = getPriority();
  try {
    setPriority(RAISED_PRIORITY);
  } catch {
    return () => undefined;
  }
  return () => setPriority(before);
}

async function startAndMeasure(lab: Lab, plan: LatencyPlan): Promise<LatencyResult> {
  const sshd = await lab.startSshd();
  const files = writeSshFiles(lab, sshd);
  const echoPort = await startHost(lab, { role: 'echo' });
  const sshPort = await startOpenSsh(lab, sshd, files, echoPort);
  const gangwayPort = await startHost(lab, {
    role: 'tunnel',
    config: tunnelConfig(sshd, files, echoPort, await freePort()),
  });
  const lines: Record<Way, EchoLine> = {
    direct: await EchoLine.open(echoPort),
    'ssh -L': await EchoLine.open(sshPort),
    gangway: await EchoLine.open(gangwayPort),
  };
  try {
    return await measure(lines, plan);
  } finally {
    for (const way of WAYS) lines[way].close();
  }
}

async function measure(lines: Readonly<Record<Way, EchoLine>>, plan: LatencyPlan): Promise<LatencyResult> {
  const payload = Buffer.alloc(plan.payloadBytes, 'g');
  const p50: Record<Way, number[]> = { direct: [], 'ssh -L': [], gangway: [] };
  const p99: Record<Way, number[]> = { direct: [], 'ssh -L': [], gangway: [] };
  for (const way of WAYS) await lines[way].echoes(payload, WARM_UP_ECHOES);
  for (let round = 0; round < plan.rounds; round += 1) {
    // Whoever goes first differs from round to round.
    for (let turn = 0; turn < WAYS.length; turn += 1) {
      const way = WAYS[(round + turn) % WAYS.length] ?? 'direct';
      const times = await lines[way].echoes(payload, plan.echoesPerRound);
      p50[way].push(quantile(times, 0.5));
      p99[way].push(quantile(times, 0.99));
    }
  }
  const ofWay = (way: Way): LatencyOfWay => ({
    p50Ms: quantile(p50[way], 0.5),
    p99Ms: quantile(p99[way], 0.5),
    roundsP50Ms: p50[way],
  });
  const ratios = p50.gangway.map((ms, round) => ms / (p50['ssh -L'][round] ?? ms));
  return {
    plan,
    ways: { direct: ofWay('direct'), 'ssh -L': ofWay('ssh -L'), gangway: ofWay('gangway') },
    gangwayToSsh: quantile(ratios, 0.5),
  };
}

/** A connection to something that sends back what it gets. */
class EchoLine {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<EchoLine> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new EchoLine(socket);
  }

  /** Round trips one after the other, in milliseconds each. */
  echoes(payload: Buffer, count: number): Promise<number[]> {
    const times: number[] = [];
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let sentAtMs = 0;
      let missing = 0;
      const send = (): void => {
        missing = payload.length;
        sentAtMs = performance.now();
        socket.write(payload);
      };
      const onData = (data: Buffer): void => {
        missing -= data.length;
        if (missing > 0) return;
        times.push(performance.now() - sentAtMs);
        if (times.length < count) send();
        else finish(() => resolve(times));
      };
      const onEnd = (): void => finish(() => reject(new Error('The connection ended while measuring.')));
      const finish = (settle: () => void): void => {
        socket.off('data', onData).off('close', onEnd);
        settle();
      };
      socket.on('data', onData).on('close', onEnd);
      send();
    });
  }

  close(): void {
    this.#socket.on('error', () => undefined);
    this.#socket.destroy();
  }
}

interface SshFiles {
  readonly keyPath: string;
  readonly knownHostsPath: string;
}

function writeSshFiles(lab: Lab, sshd: Sshd): SshFiles {
  const dir = lab.folder('bench-ssh');
  const keyPath = join(dir, 'id_ed25519');
  const knownHostsPath = join(dir, 'known_hosts');
  writeFileSync(keyPath, sshd.clientKey.privateKey, { mode: 0o600 });
  writeFileSync(knownHostsPath, sshd.knownHostsLine(), { mode: 0o600 });
  return { keyPath, knownHostsPath };
}

async function startOpenSsh(lab: Lab, sshd: Sshd, files: SshFiles, echoPort: number): Promise<number> {
  const port = await freePort();
  const options = [
    'IdentitiesOnly=yes',
    'BatchMode=yes',
    'StrictHostKeyChecking=yes',
    'ExitOnForwardFailure=yes',
    `UserKnownHostsFile=${files.knownHostsPath}`,
  ];
  const child = await startChild({
    command: 'ssh',
    args: [
      ...['-F', '/dev/null', '-N', '-L', `127.0.0.1:${port}:127.0.0.1:${echoPort}`],
      ...options.flatMap((option) => ['-o', option]),
      ...['-i', files.keyPath, '-p', String(sshd.port), `${sshd.user}@127.0.0.1`],
    ],
    name: 'ssh -L',
  });
  lab.own(child);
  await waitForListening(port);
  return port;
}

/** Starts bench/forward-latency.host.ts; resolves with the port to connect to. */
async function startHost(lab: Lab, role: object): Promise<number> {
  const child: Child = await startChild({
    command: process.execPath,
    args: [HOST],
    keepStdin: true,
    name: 'bench host',
  });
  lab.own(child);
  child.stdin?.write(`${JSON.stringify(role)}\n`);
  const [, port] = await child.waitForLine(/^\{"port":(\d+)\}$/);
  return Number(port);
}

function tunnelConfig(sshd: Sshd, files: SshFiles, echoPort: number, localPort: number): TunnelConfig {
  return {
    transport: 'ssh2',
    target: {
      ...plainHop({
        name: '127.0.0.1',
        host: '127.0.0.1',
        port: sshd.port,
        user: sshd.user,
        knownHostsFiles: { user: [files.knownHostsPath], global: [] },
        algorithms: DEFAULT_ALGORITHMS,
      }),
      identityFiles: [files.keyPath],
      identityFileIsExplicit: true,
    },
    jumps: [],
    proxyCommand: null,
    openssh: null,
    handOver: false,
    lastCredential: null,
    forward: { host: '127.0.0.1', port: echoPort },
    localPort,
  };
}

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? Number.NaN;
}

export function formatLatency(result: LatencyResult): string {
  const direct = result.ways.direct.p50Ms;
  const rows = WAYS.map((way) => {
    const { p50Ms, p99Ms } = result.ways[way];
    return [way, p50Ms.toFixed(3), p99Ms.toFixed(3), `${(p50Ms / direct).toFixed(1)} x`];
  });
  const table = [['way', 'p50 ms', 'p99 ms', 'of direct'], ...rows]
    .map((cells) =>
      cells.map((cell, column) => (column === 0 ? cell.padEnd(10) : cell.padStart(10))).join(''),
    )
    .join('\n');
  return `${table}\ngangway is ${result.gangwayToSsh.toFixed(2)} x ssh -L (median of ${result.plan.rounds} paired rounds)\n`;
}

async function main(): Promise<void> {
  const result = await withLab('bench', (lab) => measureForwardLatency(lab));
  process.stdout.write(formatLatency(result));
  const isMet = result.gangwayToSsh < MARK;
  process.stdout.write(`The mark of less than ${MARK} x is ${isMet ? 'met' : 'missed'}.\n`);
  const file = fileURLToPath(new URL('./results.json', import.meta.url));
  mkdirSync(fileURLToPath(new URL('.', import.meta.url)), { recursive: true });
  const facts = {
    node: process.version,
    platform: process.platform,
    arch: process.arch,
    cpus: cpus().length,
  };
  writeFileSync(
    file,
    `${JSON.stringify({ ...facts, forwardLatency: { mark: MARK, isMet, ...result } }, null, 2)}\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
