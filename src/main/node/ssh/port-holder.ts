import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename } from 'node:path';

export interface PortHolder {
  readonly pid: number;
  /** Program name without its folder. */
  readonly command: string;
}

const LOOK_LIMIT_MS = 1_500;
const NEXT_PORT_TRIES = 64;
const MAX_PORT = 65_535;
const MAX_COMMAND_CHARS = 64;

/** Who listens on a local TCP port, as far as the system tells us; null where it does not, or takes too long. */
export async function findPortHolder(port: number): Promise<PortHolder | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), LOOK_LIMIT_MS);
  });
  try {
    return await Promise.race([lookUpHolder(port), late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

/** The first port above `port` (then from the start of the unprivileged range) that 127.0.0.1 can listen on now. */
export async function nextFreePort(port: number): Promise<number | null> {
  const start = Math.max(port + 1, 1024);
  for (let offset = 0; offset < NEXT_PORT_TRIES; offset += 1) {
    const candidate = start + offset > MAX_PORT ? 1024 + offset : start + offset;
    if (await canListen(candidate)) return candidate;
  }
  return null;
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function lookUpHolder(port: number): Promise<PortHolder | null> {
  switch (process.platform) {
    case 'linux':
      return fromProc(port);
    case 'darwin':
      return fromLsof(port);
    case 'win32':
      return fromNetstat(port);
    default:
      return null;
  }
}

/** proc(5): `/proc/net/tcp` names the listening socket's inode, `/proc/PID/fd` who has it open. */
async function fromProc(port: number): Promise<PortHolder | null> {
  const inodes = new Set([
    ...listeningInodes(await readFile('/proc/net/tcp', 'latin1'), port),
    ...listeningInodes(await readFile('/proc/net/tcp6', 'latin1').catch(() => ''), port),
  ]);
  if (inodes.size === 0) return null;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode === undefined || !inodes.has(inode)) continue;
      const command = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
      return { pid: Number(pid), command: named(command) };
    }
  }
  return null;
}

function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A';
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => state === LISTEN && parseInt(local.split(':')[1] ?? '', 16) === port)
    .flatMap((fields) => (fields[9] === undefined ? [] : [fields[9]]));
}

async function fromLsof(port: number): Promise<PortHolder | null> {
  const text = await run('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc']);
  const pid = /^p(\d+)$/m.exec(text)?.[1];
  return pid === undefined ? null : { pid: Number(pid), command: named(/^c(.*)$/m.exec(text)?.[1] ?? '') };
}

async function fromNetstat(port: number): Promise<PortHolder | null> {
  const table = await run('netstat', ['-ano', '-p', 'TCP']);
  const listening = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local = '', remote = '']) => local.endsWith(`:${port}`) && /:0$/.test(remote));
  const pid = listening?.at(-1);
  if (pid === undefined || !/^\d+$/.test(pid)) return null;
  const tasks = await run('tasklist', ['/FI', `PID eq ${pid}`, '/FO', 'CSV', '/NH']);
  return { pid: Number(pid), command: named(/^"([^"]+)"/m.exec(tasks)?.[1] ?? '') };
}

function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile(command, [...args], { timeout: LOOK_LIMIT_MS, windowsHide: true }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}

function named(command: string): string {
  return basename(command.trim()).slice(0, MAX_COMMAND_CHARS);
}
