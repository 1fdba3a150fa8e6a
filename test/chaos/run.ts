import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectionsTo, InvariantWatch, secretsIn } from '../support/faults/invariants.ts';
import type { Lab } from '../support/lab/lab.ts';
import { canBind } from '../support/lab/ports.ts';
import { waitFor } from '../support/lab/wait.ts';
import { checkRun, short, tokensOf, type Verdict } from './checker.ts';
import { Nemesis } from './nemesis.ts';
import { Reader, Sender, textOf } from './people.ts';
import { planFaults } from './plan.ts';
import { setStage, type Stage } from './stage.ts';
import { quantile, recoveries } from './timeline.ts';

/** Row 65 of the fault matrix. */
export const HEALED_LIMIT_MS = 35_000;
/** The agent answers what has piled up. */
const REST_LIMIT_MS = 120_000;
const LOOK_EVERY_MS = 250;
/** Between two of its runs the gateway says for a moment that none is active. */
const GATEWAY_REST_MS = 3_000;
/** Row 78. */
const QUIT_LIMIT_MS = 2_000;
/** The server forgets what it does not hear of any more. */
const SERVER_LIMIT_MS = 30_000;

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
}

export interface ChaosResult {
  readonly seed: number;
  readonly minutes: number;
  readonly violations: readonly string[];
  readonly counts: Verdict['counts'];
  readonly faults: Readonly<Record<string, number>>;
  readonly reconnects: number;
  /** Milliseconds from the last thing in the way to connected. */
  readonly recoveryMs: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly max: number | null;
  };
  /** From the last fault's end until connected, with every message's fate known. */
  readonly healedMs: number;
  readonly quitMs: number;
  readonly timeline: string;
}

/** One run: faults by the seed while messages are written, then rest, then the accounts. */
export async function runChaos(lab: Lab, { seed, minutes }: ChaosOptions): Promise<ChaosResult> {
  const stage = await setStage(lab);
  const { app, timeline } = stage;
  const watch = new InvariantWatch();
  const violations: string[] = [];
  const nemesis = new Nemesis(stage);
  const sender = new Sender(stage, seed);
  const reader = new Reader(stage, seed, sender.written);
  const watching = startWatching(stage, watch);
  try {
    await app.start();
    await connected(stage, 30_000);
    timeline.note('run', 'connected for the first time');
    const sending = sender.run();
    const reading = reader.run();
    await Promise.race([nemesis.run(planFaults(seed, minutes)), sending, reading]);
    sender.stop();
    await sending;
    timeline.note('run', 'all is healed');
    const healedAtMs = timeline.now();
    await connected(stage, HEALED_LIMIT_MS + 10_000);
    await waitFor(() => undelivered(stage), {
      what: 'every message to have its fate',
      timeoutMs: HEALED_LIMIT_MS + 10_000,
      intervalMs: 100,
      detail: () => JSON.stringify(app.state),
    });
    const healedMs = timeline.now() - healedAtMs;
    if (healedMs > HEALED_LIMIT_MS)
      violations.push(`All was well only ${Math.round(healedMs)} ms after the last fault`);
    await reader.untilRest(REST_LIMIT_MS);
    reader.stop();
    await reading;

    const early = await readConversations(stage);
    for (const [sessionKey, tokens] of early.shown)
      for (const token of tokens.filter((shown) => early.history.get(sessionKey)?.includes(shown) !== true))
        violations.push(`${short(token)} was shown as done before the gateway had it in its history`);
    await gatewayAtRest(stage);
    const verdict = checkRun({
      written: sender.written,
      ...(await readConversations(stage)),
      asked: stage.asked,
      gatewayDown: stage.gatewayDown,
    });
    await checkServerSide(stage);
    const quitMs = await checkQuit(stage, violations);
    checkSecrets(
      stage,
      sender.written.map(({ token }) => token),
      violations,
    );
    const times = recoveries(stage.moments, nemesis.spans);
    return {
      seed,
      minutes,
      violations: [...verdict.violations, ...watch.violations, ...violations],
      counts: verdict.counts,
      faults: Object.fromEntries([...nemesis.counts].sort()),
      reconnects: times.length,
      recoveryMs: {
        p50: round(quantile(times, 0.5)),
        p95: round(quantile(times, 0.95)),
        max: round(quantile(times, 1)),
      },
      healedMs: Math.round(healedMs),
      quitMs: Math.round(quitMs),
      timeline: timeline.text(),
    };
  } catch (error) {
    watching.stop();
    timeline.note('run', await describeHistory(stage));
    throw new ChaosError(seed, error, timeline.text());
  } finally {
    watching.stop();
    sender.stop();
    reader.stop();
  }
}

/** A run that came to no end. */
export class ChaosError extends Error {
  readonly timeline: string;

  constructor(seed: number, cause: unknown, timeline: string) {
    super(`Seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.timeline = timeline;
  }
}

async function connected({ app }: Stage, timeoutMs: number): Promise<void> {
  await waitFor(() => app.state?.state.status === 'connected', {
    what: 'the app to be connected',
    timeoutMs,
    detail: () => JSON.stringify(app.state),
  });
}

/** What the gateway holds, for a run that did not come to its end. */
async function describeHistory({ app, gateway }: Stage): Promise<string> {
  try {
    const lines = app.shownSessions.map(async (sessionKey) => {
      const rows = await gateway.history(sessionKey);
      const said = rows.map(({ role, text }) => `${role[0] ?? ''}:${tokensOf(text).map(short).join('+')}`);
      return `${sessionKey} holds ${said.join(' ')}`;
    });
    return (await Promise.all(lines)).join('; ');
  } catch (error) {
    return `The gateway's history is not to be read: ${String(error)}`;
  }
}

/** True once no message is on its way, nor waits for anything but the agent: one at a time is handed over. */
async function undelivered({ app }: Stage): Promise<boolean> {
  for (const sessionKey of app.shownSessions) {
    const { rows = [] } = await app.ask({ type: 'rows', sessionKey });
    let isWithAgent = false;
    for (const { delivery } of rows) {
      isWithAgent ||= delivery === 'sent' || delivery === 'running';
      if (delivery === null || delivery === 'sent' || delivery === 'running') continue;
      if (delivery !== 'queued' || !isWithAgent) return false;
    }
  }
  return app.state?.state.status === 'connected';
}

/** What the app calls done may still wait in the gateway, which is for its history to say and not for the app. */
async function gatewayAtRest({ app, gateway }: Stage): Promise<void> {
  const client = await gateway.client();
  let restingSinceMs: number | null = null;
  await waitFor(
    async () => {
      let rests = true;
      for (const sessionKey of app.shownSessions) {
        const answer = await client.request<HistoryAnswer>('chat.history', { sessionKey, limit: 1 });
        rests &&= answer.sessionInfo?.hasActiveRun !== true && (answer.pendingInputs?.total ?? 0) === 0;
      }
      restingSinceMs = rests ? (restingSinceMs ?? performance.now()) : null;
      return restingSinceMs !== null && performance.now() - restingSinceMs > GATEWAY_REST_MS;
    },
    { what: 'the gateway to be at rest', timeoutMs: REST_LIMIT_MS, intervalMs: 250 },
  );
  await client.close();
}

interface HistoryAnswer {
  readonly sessionInfo?: { readonly hasActiveRun?: boolean };
  readonly pendingInputs?: { readonly total?: number };
}

async function readConversations({ app, gateway }: Stage) {
  const history = new Map<string, readonly string[]>();
  const shown = new Map<string, readonly string[]>();
  for (const sessionKey of app.shownSessions) {
    const stored = await gateway.history(sessionKey);
    history.set(
      sessionKey,
      stored.filter(({ role }) => role === 'user').flatMap(({ text }) => tokensOf(text)),
    );
    const { rows = [] } = await app.ask({ type: 'rows', sessionKey });
    shown.set(
      sessionKey,
      rows.filter(({ role }) => role === 'user').flatMap((row) => tokensOf(textOf(row))),
    );
  }
  return { history, shown };
}

/** I6 as the servers see it: one login, one client. */
async function checkServerSide({ sshd, gateway, proxy }: Stage): Promise<void> {
  await sshd.waitForSessions(1, SERVER_LIMIT_MS);
  await waitFor(() => connectionsTo(gateway.port) === 1 && connectionsTo(proxy.port) === 1, {
    what: 'one connection to the SSH server and one to the gateway',
    timeoutMs: SERVER_LIMIT_MS,
    detail: () =>
      `${connectionsTo(proxy.port)} to the SSH server, ${connectionsTo(gateway.port)} to the gateway`,
  });
}

/** I9: nothing is left. */
async function checkQuit(stage: Stage, violations: string[]): Promise<number> {
  const { app, sshd, gateway } = stage;
  const quitMs = await app.quit();
  if (quitMs > QUIT_LIMIT_MS) violations.push(`I9: quitting took ${Math.round(quitMs)} ms`);
  if (!(await canBind(app.localPort)))
    violations.push(`I9: port ${app.localPort} is still taken after quitting`);
  await sshd.waitForSessions(0);
  await waitFor(() => connectionsTo(gateway.port) === 0, { what: 'the gateway to have no client' });
  await app.close();
  return quitMs;
}

/** I10: neither the token nor what was written is in the log; the token is in no file and was given to no thief. */
function checkSecrets(stage: Stage, tokens: readonly string[], violations: string[]): void {
  const token = { 'the token': stage.gateway.token ?? '' };
  const texts = Object.fromEntries(tokens.map((text) => [`the text ${text}`, text]));
  const places = {
    'the log': [stage.logs.join('\n'), { ...token, ...texts }],
    'the output': [stage.app.output, { ...token, ...texts }],
    'the data on disk': [filesBelow(stage.dataDir), token],
    'what a foreign listener was sent': [
      Buffer.concat(stage.stolen).toString('latin1'),
      { ...token, ...texts },
    ],
  } as const;
  for (const [place, [content, secrets]] of Object.entries(places))
    for (const name of secretsIn(content, secrets)) violations.push(`I10: ${place} holds ${name}`);
}

function filesBelow(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}

function startWatching(stage: Stage, watch: InvariantWatch): { stop(): void } {
  const { app, proxy, timeline } = stage;
  let bytes = 0;
  let lastByteAtMs = 0;
  const timer = setInterval(() => {
    const { bytesDown, accepted, refused } = proxy.counts();
    const atMs = timeline.now();
    // Asleep nobody looks; what is shown at waking is judged from then on.
    if (bytesDown !== bytes || !app.isRunning) lastByteAtMs = atMs;
    bytes = bytesDown;
    watch.see({
      atMs,
      sshIsOk: app.isRunning && app.state?.ssh === 'ok',
      gatewayIsOk: app.isRunning && app.state?.gateway === 'ok',
      lastByteAtMs,
      gatewaySilentSinceMs: app.isRunning ? stage.gatewaySilentSinceMs : null,
      sshConnections: connectionsTo(proxy.port),
      attempts: accepted + refused,
      asked: stage.pressed,
    });
  }, LOOK_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}
