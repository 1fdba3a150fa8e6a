import { expect } from 'vitest';
import type { ConnectionFailure } from '../../../src/shared/connection-failure.ts';
import type { ConnectionState } from '../../../src/shared/connection-state.ts';
import { describeFailure, type FailureTarget } from '../../../src/shared/failure-remedies.ts';
import type { SshSettings } from '../../../src/shared/gateway-profile.ts';
import type { LadderLayer, RungVerdict } from '../../../src/shared/health.ts';
import { createTranslate } from '../../../src/shared/i18n/index.ts';
import { SSH_LATE_MS } from '../../../src/main/core/health/ladder.ts';
import type { TunnelChannel } from '../../../src/main/core/tunnel/tunnel-protocol.ts';
import { CoreSubject } from '../../support/core/core-subject.ts';
import type { AppHome } from '../../support/lab/app.ts';
import type { FaultProxy } from '../../support/lab/fault-proxy.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import { sharedGateway } from '../../support/lab/shared-gateway.ts';
import type { Sshd, SshdOptions } from '../../support/lab/sshd.ts';
import { delay, waitFor } from '../../support/lab/wait.ts';

/** faults.md: from the heal to hello-ok and the history. */
export const HEAL_LIMIT_MS = 3_000;
/** faults.md: silent death is shown this long after the fault. */
export const SILENCE_SHOWN_MS = 9_500;
/** An end that the network tells of is shown at once. */
export const AT_ONCE_MS = 100;

const SAMPLE_EVERY_MS = 50;
/** A sample's distance, and what a loaded machine may add to it. */
export const SAMPLE_SLACK_MS = 300;

export interface Sample {
  /** Of `performance.now()`. */
  readonly atMs: number;
  readonly verdicts: Readonly<Record<LadderLayer, RungVerdict>>;
  /** All that came from sshd through the proxy until then. */
  readonly bytesDown: number;
}

export interface LinkOptions {
  readonly sshd?: SshdOptions;
  readonly ssh?: Partial<SshSettings>;
  /** Host and port that the app is told to go to; else the fault proxy before sshd. */
  readonly place?: (sshd: Sshd) => Promise<string> | string;
  /** As sshd sees it; by default the port of the shared Gateway. */
  readonly gatewayPort?: number;
  readonly createChannel?: () => TunnelChannel;
  readonly prepare?: (home: AppHome, sshd: Sshd, proxy: FaultProxy) => Promise<void> | void;
}

/** The whole core of one gateway over a real sshd, a fault proxy between, and a window on one conversation of the real Gateway. */
export interface LinkRig {
  readonly sshd: Sshd;
  readonly proxy: FaultProxy;
  readonly core: CoreSubject;
  /** Of the conversation that is shown. */
  readonly key: string;
  readonly samples: readonly Sample[];
  /** Connects, as a person does, and shows the conversation. */
  up(): Promise<void>;
  generation(): number;
  /** The first failure that is shown after `sinceMs`, with its moment. */
  failureSince(sinceMs: number, timeoutMs?: number): Promise<{ why: ConnectionFailure; afterMs: number }>;
  /** Resolves with how long after `sinceMs` the Gateway said hello anew and the history stood. */
  healed(sinceMs: number, from: number, timeoutMs?: number): Promise<number>;
  /** The first moment from `sinceMs` on at which a layer shows this. */
  verdictSince(layer: LadderLayer, verdict: RungVerdict, sinceMs: number): Promise<number>;
}

export async function linkRig(lab: Lab, name: string, options: LinkOptions = {}): Promise<LinkRig> {
  const shared = await sharedGateway();
  const { gateway } = shared;
  const sshd = await lab.startSshd(options.sshd);
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const home = await lab.createAppHome();
  home.writeKey('id_ed25519', sshd.clientKey);
  home.writeKnownHosts([sshd.knownHostsLine(), sshd.knownHostsLine('127.0.0.1', proxy.port)]);
  await options.prepare?.(home, sshd, proxy);
  const core = lab.own(
    new CoreSubject({
      ssh: {
        target: (await options.place?.(sshd)) ?? `${sshd.user}@127.0.0.1:${proxy.port}`,
        gatewayPort: options.gatewayPort ?? gateway.port,
        localPort: await freePort(),
        transport: 'ssh2',
        ...options.ssh,
      },
      token: gateway.token ?? '',
      home: home.dir,
      ...(options.createChannel === undefined ? {} : { createChannel: options.createChannel }),
    }),
  );
  const key = shared.sessionKey(name);
  const samples: Sample[] = [];
  const sampling = setInterval(() => samples.push(sampleOf(core, proxy)), SAMPLE_EVERY_MS);
  lab.own({
    close: () => {
      clearInterval(sampling);
      return Promise.resolve();
    },
  });
  const detail = (): string => JSON.stringify(core.states.slice(-8));

  return {
    sshd,
    proxy,
    core,
    key,
    samples,
    async up() {
      // Far more than it takes: a process that starts on a loaded machine must not fail what is tested later.
      await core.connectUp(90_000);
      await core.show(key);
    },
    generation: () => generationOf(core.state) ?? 0,
    async failureSince(sinceMs, timeoutMs = 15_000) {
      const seen = await waitFor(
        () => core.statesSince(sinceMs).find(({ state }) => failureOf(state) !== null),
        { what: 'a failure to be shown', timeoutMs, intervalMs: 5, detail },
      );
      const why = failureOf(seen.state);
      if (why === null) throw new Error('no failure');
      return { why, afterMs: seen.atMs - sinceMs };
    },
    async healed(sinceMs, from, timeoutMs = 45_000) {
      await waitFor(
        () => (generationOf(core.state) ?? 0) > from && core.views.view(key).meta.load === 'loaded',
        { what: 'a new session and its history', timeoutMs, intervalMs: 5, detail },
      );
      return performance.now() - sinceMs;
    },
    async verdictSince(layer, verdict, sinceMs) {
      const found = await waitFor(
        () => samples.find(({ atMs, verdicts }) => atMs >= sinceMs && verdicts[layer] === verdict),
        { what: `${layer} to be ${verdict}`, intervalMs: 10, detail },
      );
      return found.atMs;
    },
  };
}

/**
 * What follows a link that went silent at `faultAtMs`: it is shown as slow, then as dead with the right words, never as ok without
 * proof (I5); after `heal` the same window is connected anew over one SSH session (I6).
 */
export async function expectSilenceShown(
  rig: LinkRig,
  faultAtMs: number,
  heal: () => void,
): Promise<{ readonly shownMs: number; readonly healedMs: number; readonly code: string }> {
  const from = rig.generation();
  const { why, afterMs: shownMs } = await rig.failureSince(faultAtMs);
  const healedAtMs = performance.now();
  heal();
  const healedMs = await rig.healed(healedAtMs, from);
  expect(words(why)).toMatch(/stopped answering.*counts as dead/s);
  expect(shownMs).toBeLessThan(SILENCE_SHOWN_MS + SAMPLE_SLACK_MS);
  expect(healedMs).toBeLessThan(HEAL_LIMIT_MS);
  const between = rig.samples.filter(({ atMs }) => atMs > faultAtMs && atMs < healedAtMs);
  const slow = between.find(({ verdicts }) => verdicts.ssh === 'degraded');
  expect((slow?.atMs ?? Infinity) - faultAtMs).toBeLessThan(SSH_LATE_MS + SAMPLE_SLACK_MS);
  const green = between.filter(({ verdicts }) => verdicts.ssh === 'ok').at(-1);
  expect((green?.atMs ?? faultAtMs) - faultAtMs).toBeLessThan(SSH_LATE_MS + SAMPLE_SLACK_MS);
  await rig.sshd.waitForSessions(1);
  return { shownMs, healedMs, code: why.code };
}

/** Nothing came from sshd between these moments, but for what was under way when the first one struck. */
export function expectNothingCame(rig: LinkRig, fromMs: number, untilMs: number): void {
  const between = rig.samples.filter(({ atMs }) => atMs > fromMs + 1_000 && atMs < untilMs);
  expect(between.length).toBeGreaterThan(10);
  expect(new Set(between.map(({ bytesDown }) => bytesDown)).size).toBe(1);
}

/** From `sinceMs` until now the connection was never anything but connected, as the same generation. */
export function expectUntouched(rig: LinkRig, sinceMs: number, generation: number): void {
  expect(rig.generation()).toBe(generation);
  expect(rig.core.statesSince(sinceMs).filter(({ state }) => state.status !== 'connected')).toEqual([]);
}

/** Lets time pass in which nothing may happen: there is no state to wait for. */
export async function nothingHappensFor(ms: number): Promise<void> {
  await delay(ms);
}

/** Title and explanation as a person reads them. */
export function words(why: ConnectionFailure): string {
  const target: FailureTarget = { label: 'homelab', user: 'ops', host: 'homelab', mode: 'ssh' };
  const { title, body } = describeFailure(why, target, createTranslate('en'));
  return `${title}. ${body}`;
}

export function failureOf(state: ConnectionState): ConnectionFailure | null {
  if (state.status === 'connecting' || state.status === 'backing-off') return state.lastFailure;
  return state.status === 'blocked' ? state.failure : null;
}

function generationOf(state: ConnectionState): number | null {
  return state.status === 'connected' ? state.generation : null;
}

function sampleOf(core: CoreSubject, proxy: FaultProxy): Sample {
  const { ladder } = core.gateway.connection.snapshot();
  const verdicts = Object.fromEntries(ladder.map(({ layer, verdict }) => [layer, verdict]));
  return {
    atMs: performance.now(),
    verdicts: verdicts as Sample['verdicts'],
    bytesDown: proxy.counts().bytesDown,
  };
}
