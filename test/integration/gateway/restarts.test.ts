import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { recordFault } from '../../support/faults/evidence.ts';
import type { Gateway } from '../../support/lab/gateway.ts';
import { createLab, type Lab } from '../../support/lab/lab.ts';
import { freePort } from '../../support/lab/ports.ts';
import type { ScriptedModel } from '../../support/lab/scripted-model.ts';
import { waitFor } from '../../support/lab/wait.ts';
import { isConnected, rungOf, seenAtMs, type Stage, startStage, untilFailed, wordsOf } from './stage.ts';

/** One real Gateway behind a real sshd, from before its first start on; the tests go on where the one before ended. */
const TOKEN = 'the-token-of-the-restarts';
let lab: Lab;
let model: ScriptedModel;
let stage: Stage;
let gateway: Gateway;
let gatewayPort = 0;

beforeAll(async () => {
  lab = await createLab({ label: 'gateway-restarts' });
  model = await lab.startModel();
  gatewayPort = await freePort();
  stage = await startStage(lab, { gatewayPort, token: TOKEN });
}, 60_000);
afterAll(() => lab.close());

/** Whether the port takes connections and speaks HTTP, asked without the tunnel. */
async function answersDirectly(): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${gatewayPort}/healthz`, { signal: AbortSignal.timeout(1000) })).ok;
  } catch {
    return false;
  }
}

async function tellsNoAnswer(sinceMs: number): Promise<void> {
  expect(await answersDirectly()).toBe(false);
  expect(stage.core.statesSince(sinceMs).every(({ state }) => state.status !== 'connected')).toBe(true);
}

describe('a Gateway behind a tunnel that stands', { timeout: 180_000 }, () => {
  it('that was never started is looked for, and found within 5 s of its start', async () => {
    const { core, sshd } = stage;
    core.gateway.connection.connect();
    const failure = await untilFailed(core, 'gateway-not-listening');
    const words = wordsOf(core, failure);
    expect(words.title + words.body).toContain(String(gatewayPort));
    await tellsNoAnswer(0);
    expect(rungOf(core, 'ssh').verdict).toBe('ok');
    gateway = await lab.startGateway({ modelUrl: model.url, auth: { token: TOKEN }, port: gatewayPort });
    const readyAtMs = performance.now();
    await core.until('connected');
    const tookMs = Math.max(0, seenAtMs(core, 0, isConnected) - readyAtMs);
    expect(sshd.counts().accepted).toBe(1);
    recordFault({
      row: 21,
      layer: 'core',
      injected: 'a gateway port on which nothing ever listened, then a start of the real Gateway',
      shown: `gateway-not-listening: “${words.title}”, with the port; SSH ok; connected after the start`,
      tookMs,
      limitMs: 5000,
      control:
        'a connection to the port without the tunnel fails too, and nothing was ever connected before the start',
    });
  });

  it('that restarts is said to, keeps its tunnel, and is back 2 s after it is', async () => {
    const { core, sshd } = stage;
    const [before] = sshd.sessions();
    const pid = gateway.pid();
    const sinceMs = performance.now();
    const restarted = gateway.restart();
    const failure = await untilFailed(core, 'gateway-restarting');
    await restarted;
    const readyAtMs = performance.now();
    await core.until('connected');
    const tookMs = Math.max(0, seenAtMs(core, sinceMs + 1, (state) => isConnected(state)) - readyAtMs);
    expect(gateway.pid()).not.toBe(pid);
    expect(sshd.counts().accepted).toBe(1);
    expect(sshd.sessions()[0]?.pid).toBe(before?.pid);
    recordFault({
      row: 19,
      layer: 'core',
      injected:
        'SIGTERM to the real Gateway (its shutdown event, then close code 1012), then a start on the same port',
      shown: `gateway-restarting: “${wordsOf(core, failure).title}”; the same SSH session before and after`,
      tookMs,
      limitMs: 2000,
      control: 'the Gateway has another process id afterwards, and the sshd counts one login in all',
    });
  });

  it('that is killed is named, keeps its tunnel, and is back 3 s after it is', async () => {
    const { core, sshd } = stage;
    const [before] = sshd.sessions();
    const sinceMs = performance.now();
    await gateway.kill();
    const failure = await untilFailed(core, 'gateway-not-listening');
    expect(await answersDirectly()).toBe(false);
    await waitFor(() => rungOf(core, 'ssh').verdict === 'ok' && rungOf(core, 'gateway').verdict !== 'ok', {
      what: 'the ladder to tell SSH from the Gateway',
    });
    await gateway.start();
    const readyAtMs = performance.now();
    await core.until('connected');
    const tookMs = Math.max(0, seenAtMs(core, sinceMs + 1, isConnected) - readyAtMs);
    expect(sshd.sessions()[0]?.pid).toBe(before?.pid);
    recordFault({
      row: 20,
      layer: 'core',
      injected: 'SIGKILL to the real Gateway, then a start on the same port',
      shown: `gateway-not-listening: “${wordsOf(core, failure).title}”; the SSH rung stays ok, the same SSH session`,
      tookMs,
      limitMs: 3000,
      control: 'the port does not answer without the tunnel either while the Gateway is dead',
    });
  });

  it('whose event loop is stuck is told within 15 s, and is back 3 s after it goes on', async () => {
    const { core, sshd } = stage;
    // The faults of the tests before have lengthened the next wait; a person who asks begins anew.
    core.gateway.connection.reconnectNow();
    await core.untilState('connecting', ({ status }) => status !== 'connected');
    await core.until('connected');
    const logins = sshd.counts().accepted;
    gateway.pause();
    const pausedAtMs = performance.now();
    try {
      expect(await answersDirectly()).toBe(false);
      await core.untilState('gateway silent', ({ status }) => status !== 'connected', 40_000);
      const failure = await untilFailed(core, 'gateway-silent');
      const noticedMs = seenAtMs(core, pausedAtMs, (state) => state.status !== 'connected') - pausedAtMs;
      expect(rungOf(core, 'ssh').verdict).toBe('ok');
      recordFault({
        row: 23,
        part: 'noticed',
        layer: 'core',
        injected: 'SIGSTOP to the real Gateway',
        shown: `gateway-silent: “${wordsOf(core, failure).title}”; the SSH rung stays ok`,
        tookMs: noticedMs,
        limitMs: 15_000,
        control: 'the Gateway does not answer without the tunnel either while it is stopped',
      });
    } finally {
      gateway.resume();
    }
    const resumedAtMs = performance.now();
    await core.until('connected');
    const tookMs = seenAtMs(core, resumedAtMs, isConnected) - resumedAtMs;
    expect(sshd.counts().accepted).toBe(logins);
    recordFault({
      row: 23,
      part: 'healed',
      layer: 'core',
      injected: 'SIGSTOP to the real Gateway, SIGCONT once it was noticed',
      shown: 'connected again over the same SSH session',
      tookMs,
      limitMs: 3000,
      control: 'it was noticed as gateway-silent before',
    });
  });
});
