import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** What the system says about running processes and files; Linux's /proc, and no helper of the app's own. */

export interface ListeningSocket {
  readonly pid: number;
  readonly address: string;
  readonly port: number;
}

/** TCP sockets on which these processes listen (proc_net(5): state 0A). */
export function listeningSockets(pids: readonly number[]): readonly ListeningSocket[] {
  const byInode = new Map<string, { readonly address: string; readonly port: number }>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readText(table).split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [address, port] = (fields[1] ?? '').split(':');
      if (fields[3] !== '0A' || address === undefined || port === undefined) continue;
      byInode.set(fields[9] ?? '', { address: addressOf(address), port: Number.parseInt(port, 16) });
    }
  }
  return pids.flatMap((pid) =>
    openFiles(pid).flatMap((target) => {
      const found = byInode.get(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
      return found ? [{ pid, ...found }] : [];
    }),
  );
}

/** `Seccomp` and `NoNewPrivs` of /proc/PID/status (proc_pid_status(5)). */
export function confinement(pid: number): { readonly seccomp: number; readonly noNewPrivs: number } {
  const status = readText(`/proc/${pid}/status`);
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? NaN);
  return { seccomp: field('Seccomp'), noNewPrivs: field('NoNewPrivs') };
}

/** Command line and environment of a process, as every program of the same user can read them. */
export function argumentsAndEnvironment(pid: number): string {
  return `${readText(`/proc/${pid}/cmdline`)}\n${readText(`/proc/${pid}/environ`)}`.replaceAll('\0', '\n');
}

/** Paths of all files below `dir` that hold one of the texts, in UTF-8 or UTF-16. */
export function filesWith(dir: string, texts: readonly string[]): readonly string[] {
  const needles = texts.flatMap((text) => [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')]);
  return filesBelow(dir).filter((file) => {
    const content = readBytes(file);
    return needles.some((needle) => content.includes(needle));
  });
}

export function filesBelow(dir: string): readonly string[] {
  return readdirSync(dir, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Permission bits in octal, e.g. `600`. */
export function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

/** The kernel prints addresses as hexadecimal words in the machine's byte order (little-endian here). */
function addressOf(hex: string): string {
  if (hex.length === 8) return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.');
  return hex === '00000000000000000000000001000000' ? '::1' : hex;
}

function readText(path: string): string {
  return readBytes(path).toString('utf8');
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
