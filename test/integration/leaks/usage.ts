import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What a process holds at a moment, after everything that can be collected was. */
export interface Usage {
  /** Open files and sockets. */
  readonly files: number;
  /** What keeps the event loop alive, without timers: sockets, servers, pipes. */
  readonly handles: number;
  readonly timers: number;
  readonly heapBytes: number;
  /** Buffers outside the heap. */
  readonly externalBytes: number;
  readonly residentBytes: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

export async function measureUsage(): Promise<Usage> {
  // Twice, with turns between: what a finaliser lets go of is collected the next time.
  for (let round = 0; round < 3; round += 1) {
    collect();
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((kind) => kind === 'Timeout').length;
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    files: readdirSync('/proc/self/fd').length,
    handles: resources.filter((kind) => kind !== 'Timeout' && kind !== 'Immediate').length,
    timers,
    heapBytes: heapUsed,
    externalBytes: external,
    residentBytes: rss,
  };
}

/** Change in bytes, for people. */
export function kilobytes(from: number, to: number): string {
  const change = Math.round((to - from) / 1024);
  return `${change < 0 ? '' : '+'}${change} KiB`;
}
