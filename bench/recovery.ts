/**
 * How soon a connection that failed is noticed and usable again: Gangway beside `autossh` with the official client, under the
 * same faults at the same time, through fault proxies to one sshd and one real Gateway. Rows 5 to 9 of docs/recovery.md.
 * `npm run bench:recovery -- [--rounds N] [--cycles N] [--wakes N] [--minutes N] [--messages N]` prints a table, writes
 * bench/recovery-results.json and makes the page anew; with `--row N` it measures that row alone, and its
 * figures take the place of those of the last run.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Gateway } from '../test/support/lab/gateway.ts';
import { withLab, type Lab } from '../test/support/lab/lab.ts';
import type { Sshd } from '../test/support/lab/sshd.ts';
import { startAutossh } from './recovery/autossh-side.ts';
import { startGangway } from './recovery/gangway-side.ts';
import {
  FAULTS,
  OUTAGES,
  measureHealing,
  measureHold,
  measureNotice,
  measureWake,
} from './recovery/measures.ts';
import { seeded, sendByGangway, sendNaively, spoil } from './recovery/messages.ts';
import type { Side } from './recovery/side.ts';
import {
  formatRecovery,
  spreadOf,
  type RecoveryPlan,
  type RecoveryResult,
  type RowResult,
} from './recovery/results.ts';

const RESULTS = fileURLToPath(new URL('./recovery-results.json', import.meta.url));
/** The setting of the OpenClaw app for macOS: ServerAliveInterval 15, three times. Slow, so it is measured fewer times. */
const APP_INTERVAL_S = 15;
const QUICK_INTERVAL_S = 3;
const SLOW_ROUNDS = 2;
const SEED = 20_261_123;
const NAIVE = 'a naive client that sends again';

/** Few messages: after some quick cuts autossh pauses for minutes, and the naive client behind it with it. */
const DEFAULT_PLAN: RecoveryPlan = { rounds: 5, cycles: 20, wakes: 5, minutes: 5, messages: 20, seed: SEED };

interface Bench {
  readonly lab: Lab;
  readonly sshd: Sshd;
  readonly gateway: Gateway;
  readonly sessionKey: string;
  readonly plan: RecoveryPlan;
}

async function main(): Promise<void> {
  const missing = missingProgram();
  if (missing !== null) {
    process.stderr.write(`${missing}\n`);
    process.exitCode = 1;
    return;
  }
  const { plan, only } = planOf(process.argv.slice(2));
  const result = { ...facts(), measuredAt: new Date().toISOString(), plan };
  const rows = await withLab('recovery', async (lab) => {
    const model = await lab.startModel();
    const gateway = await lab.startGateway({ modelUrl: model.url });
    const sshd = await lab.startSshd({ config: ['MaxStartups 100', 'MaxSessions 100'] });
    const reader = await gateway.client();
    const sessionKey = 'agent:main:recovery';
    // A history that is worth reading again.
    await reader.chat(sessionKey, 'hello');
    // Written after every row: what was measured is not lost with a run that is stopped.
    return await measureAll({ lab, sshd, gateway, sessionKey, plan }, only, (known) => {
      save(only === null ? { ...result, rows: known } : withRow(only, known));
    });
  });
  process.stdout.write(`\n${formatRecovery({ rows })}`);
}

/** The last run's results, with these in the place of one row. */
function withRow(row: number, measured: readonly RowResult[]): RecoveryResult {
  const last = JSON.parse(readFileSync(RESULTS, 'utf8')) as RecoveryResult;
  const kept = last.rows.filter((known) => known.row !== row);
  const apart = measured.map((known) => ({ ...known, isApart: true as const }));
  return { ...last, rows: [...kept, ...apart].sort((a, b) => a.row - b.row) };
}

function save(result: RecoveryResult): void {
  writeFileSync(RESULTS, `${JSON.stringify(result, null, 2)}\n`);
}

async function measureAll(
  bench: Bench,
  only: number | null,
  onRow: (rows: readonly RowResult[]) => void,
): Promise<readonly RowResult[]> {
  const { lab, sshd, gateway, sessionKey, plan } = bench;
  const gangway = await startGangway(lab, sshd, gateway, sessionKey);
  const quick = await startAutossh(lab, sshd, gateway, sessionKey, {
    name: 'autossh 3 s x 3',
    aliveIntervalS: QUICK_INTERVAL_S,
  });
  const pair = [gangway, quick] as const;
  const rows: RowResult[] = [];
  const note: Note = (row) => {
    rows.push(row);
    rows.sort((a, b) => a.row - b.row);
    onRow(rows);
    process.stdout.write(formatRecovery({ rows: [row] }));
  };

  const measures: readonly (readonly [row: number, measure: () => Promise<void>])[] = [
    [5, () => measureRow5(pair, bench, note)],
    [7, () => measureRow7(pair, plan, note)],
    [8, () => measureRow8(pair, plan, note)],
    [6, () => measureRow6(pair, plan, note)],
    [5, () => measureSlow(bench, note)],
    [9, () => measureMessages(bench, pair, note)],
  ];
  for (const [row, measure] of measures) if (only === null || row === only) await measure();
  return rows;
}

type Pair = readonly [Side, Side];
type Note = (row: RowResult) => void;

async function measureRow5(pair: Pair, { sshd, plan }: Bench, note: Note): Promise<void> {
  for (const fault of FAULTS) {
    const rounds: (readonly number[])[] = [];
    for (let round = 0; round < plan.rounds; round += 1)
      rounds.push(await measureNotice(pair, sshd, fault, round));
    note({ row: 5, what: `Time to notice: ${fault.name}`, unit: 's', sides: columns(pair, rounds) });
  }
}

async function measureRow6(pair: Pair, plan: RecoveryPlan, note: Note): Promise<void> {
  const hold = await measureHold(pair, plan.minutes);
  note({
    row: 6,
    what: `False drops in ${plan.minutes} min at 1 Mbit/s, ${hold.holes} holes of 4 s`,
    unit: 'drops',
    sides: pair.map(({ name }, index) => ({
      name,
      ...spreadOf([hold.drops[index] ?? 0]),
      note: `${(hold.megabytes[index] ?? 0).toFixed(0)} MB passed`,
    })),
  });
}

async function measureRow7(pair: Pair, plan: RecoveryPlan, note: Note): Promise<void> {
  const healed = new Map(OUTAGES.map((outage) => [outage, [] as (readonly number[])[]]));
  for (let cycle = 0; cycle < plan.cycles; cycle += 1) {
    const outage = OUTAGES[cycle % OUTAGES.length];
    if (outage !== undefined) healed.get(outage)?.push(await measureHealing(pair, outage));
  }
  for (const [{ name }, times] of healed)
    if (times.length > 0)
      note({ row: 7, what: `Healed to hello and history: ${name}`, unit: 's', sides: columns(pair, times) });
  const all = [...healed.values()].flat();
  note({ row: 7, what: 'Healed to hello and history: all cycles', unit: 's', sides: columns(pair, all) });
}

async function measureRow8(pair: Pair, plan: RecoveryPlan, note: Note): Promise<void> {
  const wakes: (readonly number[])[] = [];
  for (let wake = 0; wake < plan.wakes; wake += 1) wakes.push(await measureWake(pair));
  note({ row: 8, what: 'Wake to usable, network there', unit: 's', sides: columns(pair, wakes) });
}

/** The peer with long intervals needs a minute to notice: all its rounds run at once, each instance over a link of its own. */
async function measureSlow(bench: Bench, note: Note): Promise<void> {
  const { lab, sshd, gateway, sessionKey, plan } = bench;
  const slow = await Promise.all(
    Array.from({ length: Math.min(SLOW_ROUNDS, plan.rounds) }, () =>
      startAutossh(lab, sshd, gateway, sessionKey, {
        name: 'autossh 15 s x 3',
        aliveIntervalS: APP_INTERVAL_S,
      }),
    ),
  );
  for (const fault of FAULTS.slice(2)) {
    const times = await measureNotice(slow, sshd, fault, 0);
    note({
      row: 5,
      what: `Time to notice: ${fault.name}`,
      unit: 's',
      sides: [{ name: 'autossh 15 s x 3', ...spreadOf(times.map((ms) => ms / 1_000)) }],
    });
  }
  await Promise.all(slow.map((side) => side.close()));
}

async function measureMessages(
  { gateway, plan }: Bench,
  [gangway, naive]: readonly [
    Awaited<ReturnType<typeof startGangway>>,
    Awaited<ReturnType<typeof startAutossh>>,
  ],
  note: Note,
): Promise<void> {
  const readers = [await gateway.client(), await gateway.client()] as const;
  const stops = [new AbortController(), new AbortController()] as const;
  // The same seed for both: the same faults after the same pauses, but each only where its link is up again.
  const spoilers = [gangway, naive].map((side, index) =>
    spoil(side, seeded(plan.seed), (stops[index] ?? stops[0]).signal),
  );
  const [ours, theirs] = await Promise.all([
    sendByGangway(gangway, readers[0], plan.messages, 'ours').finally(() => stops[0].abort()),
    sendNaively(naive, readers[1], plan.messages, 'naive').finally(() => stops[1].abort()),
  ]);
  const faults = await Promise.all(spoilers);
  for (const what of ['lost', 'doubled', 'unconfirmed'] as const) {
    note({
      row: 9,
      what: `Of ${plan.messages} messages through random faults: ${what}`,
      unit: 'messages',
      sides: [
        { name: gangway.name, ...spreadOf([ours[what]]), note: `${faults[0] ?? 0} faults` },
        { name: NAIVE, ...spreadOf([theirs[what]]), note: `${faults[1] ?? 0} faults` },
      ],
    });
  }
}

function columns(
  sides: readonly { readonly name: string }[],
  rounds: readonly (readonly number[])[],
): RowResult['sides'] {
  return sides.map(({ name }, index) => ({
    name,
    ...spreadOf(rounds.map((round) => (round[index] ?? Number.NaN) / 1_000)),
  }));
}

function planOf(args: readonly string[]): { readonly plan: RecoveryPlan; readonly only: number | null } {
  const names = [...(Object.keys(DEFAULT_PLAN) as (keyof RecoveryPlan)[]), 'row'] as const;
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({ args: [...args], options });
  const given = names.flatMap((name) => {
    const value = values[name];
    if (value === undefined) return [];
    if (!/^\d+(\.\d+)?$/.test(value)) throw new Error(`--${name} takes a number, not "${value}".`);
    return [[name, Number(value)] as const];
  });
  const { row = null, ...plan } = Object.fromEntries(given) as Partial<RecoveryPlan> & { row?: number };
  if (row !== null && ![5, 6, 7, 8, 9].includes(row)) throw new Error(`There is no row ${row}: 5 to 9.`);
  return { plan: { ...DEFAULT_PLAN, ...plan }, only: row };
}

function missingProgram(): string | null {
  if (spawnSync('autossh', ['-V']).error === undefined) return null;
  return 'autossh is missing, which this compares with. Install it ("apt-get install autossh"), then run the same command again.';
}

function facts(): Pick<RecoveryResult, 'machine' | 'versions'> {
  const version = (name: string): string => {
    const file = new URL(`../node_modules/${name}/package.json`, import.meta.url);
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  };
  const said = (command: string): string => {
    const { stdout, stderr } = spawnSync(command, ['-V'], { encoding: 'utf8' });
    return `${stdout}${stderr}`.trim();
  };
  return {
    machine: { platform: process.platform, arch: process.arch, cpus: cpus().length },
    versions: {
      node: process.version,
      'gateway-client': version('@openclaw/gateway-client'),
      ssh2: version('ssh2'),
      autossh: said('autossh'),
      ssh: said('ssh'),
    },
  };
}

await main();
