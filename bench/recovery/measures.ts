import { assetPaths } from '../../test/support/lab/gateway-pages.ts';
import type { Sshd } from '../../test/support/lab/sshd.ts';
import { delay } from '../../test/support/lab/wait.ts';
import type { FaultProxy } from '../../test/support/lab/fault-proxy.ts';
import type { Side } from './side.ts';

/** A side that has noticed nothing by then never will. */
const NOTICE_LIMIT_MS = 90_000;
/** After many quick failures autossh itself pauses for minutes. */
const HEAL_LIMIT_MS = 300_000;
/** Seen by both ends before the fault, so that no side is hit in the middle of its start. */
const SETTLE_MS = 500;

export interface Fault {
  readonly name: string;
  inject(side: Side, sshd: Sshd): void;
  heal(side: Side, sshd: Sshd): void;
  /** Hits the server, and so every side at once. */
  readonly isShared: boolean;
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'RST',
    inject: ({ proxy }) => proxy.reset(),
    heal: () => undefined,
    isShared: false,
  },
  {
    name: 'FIN',
    inject: ({ proxy }) => proxy.closeAll(),
    heal: () => undefined,
    isShared: false,
  },
  {
    name: 'black hole',
    inject: ({ proxy }) => proxy.freeze(),
    heal: ({ proxy }) => proxy.thaw(),
    isShared: false,
  },
  {
    name: 'SIGSTOP',
    inject: (_side, sshd) => sshd.pause(),
    heal: (_side, sshd) => sshd.resume(),
    isShared: true,
  },
];

/**
 * Row 5: the time from a fault until each side shows it. All sides are hit at once, in an order that turns with the round;
 * the fault lasts until the slowest of them has noticed.
 */
export async function measureNotice(
  sides: readonly Side[],
  sshd: Sshd,
  fault: Fault,
  round: number,
): Promise<readonly number[]> {
  await allUsable(sides);
  const injectedAtMs = new Map<Side, number>();
  for (let turn = 0; turn < sides.length; turn += 1) {
    const side = sides[(round + turn) % sides.length];
    if (side === undefined) continue;
    injectedAtMs.set(side, performance.now());
    if (!fault.isShared || turn === 0) fault.inject(side, sshd);
  }
  const noticed = await Promise.all(
    sides.map(async (side) => {
      const atMs = injectedAtMs.get(side) ?? 0;
      return (await side.history.lostAfter(atMs, side.name, NOTICE_LIMIT_MS)) - atMs;
    }),
  );
  for (const side of sides) fault.heal(side, sshd);
  await allUsable(sides);
  return noticed;
}

async function allUsable(sides: readonly Side[]): Promise<void> {
  await Promise.all(sides.map((side) => side.history.untilUsable(side.name, HEAL_LIMIT_MS)));
  await delay(SETTLE_MS);
}

/** What the cycles of row 7 take turns in. The fault holds until both have noticed, or for its time, whichever is longer. */
export interface Outage {
  readonly name: string;
  readonly lastsMs: number;
  begin(proxy: FaultProxy): Promise<void> | void;
  end(proxy: FaultProxy): Promise<void> | void;
}

export const OUTAGES: readonly Outage[] = [
  { name: 'RST', lastsMs: 0, begin: (proxy) => proxy.reset(), end: () => undefined },
  { name: 'FIN', lastsMs: 0, begin: (proxy) => proxy.closeAll(), end: () => undefined },
  { name: 'refused for 2 s', lastsMs: 2_000, begin: (proxy) => proxy.stop(), end: (proxy) => proxy.start() },
  { name: 'black hole', lastsMs: 0, begin: (proxy) => proxy.freeze(), end: (proxy) => proxy.thaw() },
  { name: 'refused for 8 s', lastsMs: 8_000, begin: (proxy) => proxy.stop(), end: (proxy) => proxy.start() },
];

/** How long the link is in use between two outages: just above what makes the ladder begin anew (HELD_MS). */
export const IN_USE_MS = 6_000;

/** Row 7: the time from the end of an outage until hello and history are there again. */
export async function measureHealing(sides: readonly Side[], outage: Outage): Promise<readonly number[]> {
  await allUsable(sides);
  await delay(IN_USE_MS);
  const beganAtMs = performance.now();
  for (const { proxy } of sides) await outage.begin(proxy);
  // A cut is over as soon as it was made; what lasts is ended when everybody knows of it.
  const isCut = outage.name === 'RST' || outage.name === 'FIN';
  if (!isCut) {
    await Promise.all([
      delay(outage.lastsMs),
      ...sides.map(({ history, name }) => history.lostAfter(beganAtMs, name, NOTICE_LIMIT_MS)),
    ]);
  }
  const healedAtMs = performance.now();
  for (const { proxy } of sides) await outage.end(proxy);
  return await Promise.all(
    sides.map(async ({ history, name }) => {
      await history.lostAfter(beganAtMs, name, NOTICE_LIMIT_MS);
      return (await history.usableAfter(beganAtMs, name, HEAL_LIMIT_MS)) - healedAtMs;
    }),
  );
}

/**
 * Row 8: every live connection is dead, as after a long sleep, and the network is there. Gangway is told of the wake and
 * finds its clocks eight hours on; ssh and the official client cannot be told.
 */
export async function measureWake(sides: readonly Side[]): Promise<readonly number[]> {
  await allUsable(sides);
  const wokeAtMs = performance.now();
  for (const side of sides) {
    for (const connection of side.proxy.connections()) connection.freeze();
    side.wake();
  }
  return await Promise.all(
    sides.map(async (side) => {
      const lostAtMs = await side.history.lostAfter(wokeAtMs, side.name, NOTICE_LIMIT_MS);
      return (await side.history.usableAfter(lostAtMs, side.name, HEAL_LIMIT_MS)) - wokeAtMs;
    }),
  );
}

export interface HoldResult {
  readonly minutes: number;
  readonly holes: number;
  /** Losses per side; every one is a false alarm, since the link was there all the time. */
  readonly drops: readonly number[];
  readonly megabytes: readonly number[];
}

const ONE_MEGABIT_BYTES = 125_000;
const HOLE_MS = 4_000;
const HOLE_EVERY_MS = 20_000;

/** Row 6: a link of 1 Mbit/s that a download keeps full, with a hole of 4 s every 20 s. */
export async function measureHold(sides: readonly Side[], minutes: number): Promise<HoldResult> {
  await allUsable(sides);
  const before = sides.map(({ history }) => history.losses);
  const stop = new AbortController();
  for (const { proxy } of sides) proxy.set({ bytesPerSecond: ONE_MEGABIT_BYTES });
  const downloads = sides.map((side) => download(side, stop.signal));
  const holes = Math.floor((minutes * 60_000) / HOLE_EVERY_MS);
  for (let hole = 0; hole < holes; hole += 1) {
    await delay(HOLE_EVERY_MS - HOLE_MS);
    for (const { proxy } of sides) proxy.freeze();
    await delay(HOLE_MS);
    for (const { proxy } of sides) proxy.thaw();
  }
  stop.abort();
  const bytes = await Promise.all(downloads);
  const drops = sides.map(({ history }, index) => history.losses - (before[index] ?? 0));
  for (const { proxy } of sides) proxy.clear();
  return { minutes, holes, drops, megabytes: bytes.map((count) => count / 1e6) };
}

/** Fetches what the gateway's own web page is made of through the forward again and again; resolves with the bytes. */
async function download({ localPort }: Side, signal: AbortSignal): Promise<number> {
  const base = `http://127.0.0.1:${localPort}`;
  let bytes = 0;
  let paths: readonly string[] = [];
  for (let turn = 0; !signal.aborted; turn += 1) {
    try {
      if (paths.length === 0) paths = assetPaths(await (await fetch(`${base}/`, { signal })).text());
      const answer = await fetch(`${base}${paths[turn % paths.length] ?? '/'}`, { signal });
      for await (const piece of answer.body ?? []) bytes += piece.length;
    } catch {
      // Lost with the link, refused while it is away, or over.
      await delay(200);
    }
  }
  return bytes;
}
