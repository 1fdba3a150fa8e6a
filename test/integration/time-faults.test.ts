import { GatewayClient } from '@openclaw/gateway-client';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { inProcessChannel } from '../../src/main/node/tunnel/in-process-channel.ts';
import { CoreSubject } from '../support/core/core-subject.ts';
import { forkedChannel } from '../support/core/forked-channel.ts';
import { MovableClock } from '../support/core/movable-clock.ts';
import { recordFault } from '../support/faults/evidence.ts';
import { isAlive } from '../support/lab/child.ts';
import type { FaultProxy } from '../support/lab/fault-proxy.ts';
import { createDeviceIdentity, deviceHostDeps } from '../support/lab/gateway-client.ts';
import { createLab, type Lab } from '../support/lab/lab.ts';
import { canConnect, freePort } from '../support/lab/ports.ts';
import { sharedGateway } from '../support/lab/shared-gateway.ts';
import type { Sshd } from '../support/lab/sshd.ts';
import { deferred, waitFor } from '../support/lab/wait.ts';
import { helloOk, startStandIn } from './gateway/stand-in.ts';
import { Subject } from './gateway/subject.ts';
import { startWsProxy } from './gateway/ws-proxy.ts';

// Rows of the fault matrix about time, sleep and the supervisor: real sshd, real Gateway, and a clock that is moved.

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const QUICK_TICKS = { maxPayload: 1_000_000, maxBufferedBytes: 2_000_000, tickIntervalMs: 3_000 };

let lab: Lab;

beforeAll(async () => {
  // The first answer of a Gateway takes much longer than all later ones.
  const shared = await sharedGateway();
  const client = await shared.gateway.client();
  await client.chat(shared.sessionKey('warm-up'), 'hello', 120_000);
  await client.close();
}, 240_000);
beforeEach(async () => {
  lab = await createLab({ label: 'time' });
});
afterEach(() => lab.close());

interface Rig {
  readonly sshd: Sshd;
  readonly proxy: FaultProxy;
  readonly clock: MovableClock;
  readonly core: CoreSubject;
}

interface RigOptions {
  readonly createChannel?: (clock: MovableClock) => ReturnType<typeof inProcessChannel>;
  readonly gatewayPort?: number;
  /** As `~/.ssh/config` calls the server: a name of another computer, so that "offline" means something. */
  readonly name?: string;
}

/** A core that goes through a fault proxy; not connected yet. */
async function rig({ createChannel, gatewayPort, name = 'homelab' }: RigOptions = {}): Promise<Rig> {
  const { gateway } = await sharedGateway();
  const sshd = await lab.startSshd();
  const proxy = await lab.startFaultProxy({ targetPort: sshd.port });
  const home = await lab.createAppHome();
  const key = home.writeKey('id_ed25519', sshd.clientKey);
  home.writeKnownHosts([sshd.knownHostsLine('127.0.0.1', proxy.port)]);
  home.writeFile(
    '.ssh/config',
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${proxy.port}\n  User ${sshd.user}\n  IdentityFile ${key}\n`,
    0o600,
  );
  const clock = new MovableClock();
  const core = new CoreSubject({
    ssh: { target: name, gatewayPort: gatewayPort ?? gateway.port, localPort: await freePort() },
    token: gateway.token ?? '',
    home: home.dir,
    clock,
    createChannel: () => createChannel?.(clock) ?? inProcessChannel(undefined, clock),
  });
  lab.own(core);
  return { sshd, proxy, clock, core };
}

async function connected(options: RigOptions = {}): Promise<Rig> {
  const made = await rig(options);
  await made.core.connectUp();
  return made;
}

/** What is on the way never arrives any more; new connections do. */
function cutForGood(proxy: FaultProxy): () => number {
  const live = proxy.connections();
  for (const connection of live) connection.freeze();
  return () => live.reduce((sum, { bytesUp, bytesDown }) => sum + bytesUp + bytesDown, 0);
}

async function untilReconnected(core: CoreSubject, generation = 2): Promise<number> {
  await core.untilState(
    `connected for the ${generation}. time`,
    (state) => state.status === 'connected' && state.generation >= generation,
  );
  return performance.now();
}

/** "Checking", as the ladder or the state shows it; resolves with the time. */
async function untilChecking(core: CoreSubject): Promise<number> {
  await waitFor(
    () =>
      core.state.status === 'connecting' ||
      core.gateway.connection.snapshot().ladder.some(({ verdict }) => verdict === 'checking'),
    { what: '"checking" to be shown', intervalMs: 5 },
  );
  return performance.now();
}

function generationOf(core: CoreSubject): number | null {
  return core.state.status === 'connected' ? core.state.generation : null;
}

function probesOf(core: CoreSubject): number {
  return core.logger.of('connection.probed').length;
}

describe('after a sleep', () => {
  it('of eight hours shows "checking" at once and is connected again within 5 s', async () => {
    const { sshd, proxy, clock, core } = await connected();
    const key = (await sharedGateway()).sessionKey('sleep');
    await core.show(key);
    await core.write(key, 'good night');
    await core.views.untilAnswered(key, 2, 40_000);
    core.power.suspend();
    const bytes = cutForGood(proxy);
    const before = bytes();
    clock.sleep(8 * HOUR_MS);
    const wokeAtMs = performance.now();
    core.power.resume();
    const checkingAtMs = await untilChecking(core);
    const upAtMs = await untilReconnected(core);
    await core.views.until(key, 'its history', ({ meta }) => meta.load === 'loaded', 10_000);
    const readyAtMs = performance.now();
    expect(bytes()).toBe(before);
    expect(checkingAtMs - wokeAtMs).toBeLessThanOrEqual(2_000);
    const lost = core.states.find(({ atMs, state }) => atMs >= wokeAtMs && state.status === 'connecting');
    expect(lost?.state).toMatchObject({ reconnecting: true, lastFailure: { code: 'link-dead' } });
    expect(core.logger.of('connection.transition').map(({ code }) => code)).not.toContain('bug');
    await sshd.waitForLog(/Accepted publickey[\s\S]*Accepted publickey/);
    recordFault({
      row: 44,
      layer: 'core',
      injected: 'Wall clock and uptime moved on by 8 h, the link frozen for good, then the resume event',
      shown: `Checking after ${Math.round(checkingAtMs - wokeAtMs)} ms, "Reconnecting" (link-dead), green after ${Math.round(upAtMs - wokeAtMs)} ms`,
      tookMs: readyAtMs - wokeAtMs,
      limitMs: 5_000,
      control: 'No byte passed the frozen link any more; with a link that lives nothing is replaced (row 45)',
    });
  });

  it('of half a minute keeps what still lives', async () => {
    const { sshd, clock, core } = await connected();
    core.power.suspend();
    clock.sleep(30_000);
    const wokeAtMs = performance.now();
    core.power.resume();
    // Systems tell it twice.
    core.power.resume();
    await waitFor(() => probesOf(core) > 0, { what: 'a probe to be answered' });
    const answeredAtMs = performance.now();
    // The watch on the clocks comes to the same conclusion within its tick, and asks once more.
    await waitFor(() => probesOf(core) > 1, { what: 'the second probe' });
    expect(generationOf(core)).toBe(1);
    expect(core.statesSince(wokeAtMs).map(({ state }) => state.status)).toEqual([]);
    expect([sshd.counts().accepted, sshd.sessions().length]).toEqual([1, 1]);
    expect(core.logger.of('connection.probed')).toEqual([
      expect.objectContaining({ routeAlive: true, sessionAlive: true }),
      expect.objectContaining({ routeAlive: true, sessionAlive: true }),
    ]);
    recordFault({
      row: 45,
      layer: 'core',
      injected: 'Clocks moved on by 30 s between suspend and two resume events, the link untouched',
      shown: `Stays connected, same session; the probe was answered after ${Math.round(answeredAtMs - wokeAtMs)} ms`,
      tookMs: null,
      limitMs: null,
      control: 'The same probe over a dead link ends it (row 44)',
    });
  });

  it('that nobody announced is found on the clocks', async () => {
    const { proxy, clock, core } = await connected();
    const bytes = cutForGood(proxy);
    const before = bytes();
    clock.sleep(8 * HOUR_MS);
    const wokeAtMs = performance.now();
    const upAtMs = await untilReconnected(core);
    expect(bytes()).toBe(before);
    const firstMs = (core.statesSince(wokeAtMs)[0]?.atMs ?? Infinity) - wokeAtMs;
    // Silence alone would have told after 9 s.
    expect(firstMs).toBeLessThan(4_800);
    recordFault({
      row: 47,
      layer: 'core',
      injected: 'Clocks moved on by 8 h with a frozen link, and no power event at all',
      shown: `"Reconnecting" after ${Math.round(firstMs)} ms, then green`,
      tookMs: upAtMs - wokeAtMs,
      limitMs: 5_000,
      control: 'No byte passed; the silence of the link alone is told after 9 s only',
    });
  });

  it('waits for a network that the system knows to be away, and is back within 3 s of it', async () => {
    const { proxy, clock, core } = await connected();
    core.power.suspend();
    await proxy.stop();
    core.connectivity.set(false);
    clock.sleep(8 * HOUR_MS);
    core.power.resume();
    await core.untilState(
      'paused without a network',
      (state) => state.status === 'paused' && state.reason === 'offline',
    );
    const attempts = core.logger.of('connection.transition').length;
    // Wake events that come late change nothing, and cost nothing.
    core.power.resume();
    clock.sleep(20_000);
    await waitFor(() => core.logger.of('connection.transition').length === attempts, { what: 'quiet' });
    expect(core.state).toEqual({ status: 'paused', reason: 'offline' });
    await proxy.start();
    const backAtMs = performance.now();
    core.connectivity.set(true);
    const upAtMs = await untilReconnected(core);
    recordFault({
      row: 46,
      part: 'the system says offline',
      layer: 'core',
      injected: 'Woken with the server out of reach and the system offline, then both back',
      shown: 'Waiting for network, no attempt meanwhile, then green',
      tookMs: upAtMs - backAtMs,
      limitMs: 3_000,
      control: 'While offline the state stays "paused" and no attempt is made',
    });
  });

  it('tries again at once when the network event comes, where the system had said online all the time', async () => {
    const { proxy, clock, core } = await connected();
    core.power.suspend();
    await proxy.stop();
    clock.sleep(8 * HOUR_MS);
    core.power.resume();
    const waiting = await core.untilState(
      'waiting 4 s or more',
      (state) => state.status === 'backing-off' && state.retryAtMs - clock.nowMs() > 3_000,
    );
    await proxy.start();
    const backAtMs = performance.now();
    core.connectivity.set(true);
    const upAtMs = await untilReconnected(core);
    expect(waiting).toMatchObject({ lastFailure: { code: 'ssh-refused' } });
    recordFault({
      row: 46,
      part: 'the system says online',
      layer: 'core',
      injected: 'Woken with the server refusing, then a network event with the server back',
      shown: 'Reconnecting with the cause and a countdown; green at the network event, before the countdown',
      tookMs: upAtMs - backAtMs,
      limitMs: 3_000,
      control: 'The retry by itself was due more than 3 s later',
    });
  });
});

describe('a wall clock that is wrong by a day', () => {
  let offsetMs = 0;
  beforeEach(() => {
    offsetMs = 0;
    const now = Date.now.bind(Date);
    vi.spyOn(Date, 'now').mockImplementation(() => now() + offsetMs);
  });

  it('drops nothing, expires nothing, and signs in all the same', async () => {
    const { core } = await connected();
    for (const [index, byMs] of [DAY_MS, -DAY_MS].entries()) {
      const jumpedAtMs = performance.now();
      offsetMs = byMs;
      await waitFor(() => probesOf(core) > index, { what: 'the probe after the jump' });
      expect(core.statesSince(jumpedAtMs).map(({ state }) => state.status)).toEqual([]);
      offsetMs = 0;
    }
    expect(generationOf(core)).toBe(1);
    for (const byMs of [DAY_MS, -DAY_MS]) {
      offsetMs = byMs;
      const generation = (generationOf(core) ?? 0) + 1;
      core.gateway.connection.reconnectNow();
      await untilReconnected(core, generation);
      expect(core.state).toMatchObject({ generation });
    }
    recordFault({
      row: 48,
      layer: 'core',
      injected:
        'Date moved by a day forth and back in the app’s process, with a live session and before signing in',
      shown: 'Stays connected with the same session; a new sign-in is accepted',
      tookMs: null,
      limitMs: null,
      control:
        'The probe of the clock watch ran after each jump; a signature of the wrong time is refused (below)',
    });
  });

  it('is no silence of the gateway, which the official client by itself takes it for', async () => {
    const methods: string[] = [];
    const standIn = lab.own(
      await startStandIn({
        onConnect: (send, id) =>
          send({ type: 'res', id, ok: true, payload: helloOk({ policy: QUICK_TICKS }) }),
        onRequest: (method, id, send) => {
          methods.push(method);
          send({ type: 'res', id, ok: true, payload: {} });
        },
      }),
    );
    const subject = lab.own(new Subject({ token: 'token' }));
    await subject.openUp(standIn.url);
    const plainUp = deferred<null>();
    const plainClosed = deferred<number>();
    const plain = new GatewayClient({
      url: standIn.url,
      token: 'token',
      clientName: 'gateway-client',
      clientVersion: '0.0.0',
      platform: process.platform,
      mode: 'ui',
      role: 'operator',
      scopes: ['operator.read'],
      deviceIdentity: createDeviceIdentity(),
      hostDeps: deviceHostDeps,
      onHelloOk: () => plainUp.resolve(null),
      onClose: (code) => plainClosed.resolve(code),
    });
    lab.own({ close: () => plain.stopAndWait({ timeoutMs: 2_000 }).catch(() => undefined) });
    plain.start();
    await plainUp.promise;
    // The list is asked for twice at the start; from then on nobody says anything.
    await waitFor(() => methods.filter((method) => method === 'sessions.list').length === 2, {
      what: 'quiet',
    });
    offsetMs = DAY_MS;
    // 4000 is its "tick timeout", long before two ticks are missing. Our session's watch began earlier and as quick.
    expect(await plainClosed.promise).toBe(4_000);
    expect(subject.events.filter(({ type }) => type === 'session-down')).toEqual([]);
  });

  it('would be refused, were the signature not made with the time of the challenge', async () => {
    const { gateway } = await sharedGateway();
    const old = await startWsProxy(gateway.url, { shiftChallengeMs: -DAY_MS });
    lab.own(old);
    const { core } = await rig({ gatewayPort: Number(new URL(old.url).port) });
    core.gateway.connection.connect();
    const state = await core.untilState(
      'refused',
      ({ status }) => status === 'blocked' || status === 'backing-off',
    );
    expect(JSON.stringify(state)).toMatch(/signature|clock|device/i);
  });
});

describe('a hurry', () => {
  it('of 50 changes between two servers ends with the last one, and with one session', async () => {
    const { gateway } = await sharedGateway();
    const first = await lab.startSshd();
    const second = await lab.startSshd({ clientKeys: [first.clientKey] });
    const home = await lab.createAppHome();
    home.writeKey('id_ed25519', first.clientKey);
    home.writeKnownHosts([first.knownHostsLine(), second.knownHostsLine()]);
    const target = ({ user, port }: Sshd): string => `${user}@127.0.0.1:${port}`;
    const core = new CoreSubject({
      ssh: { target: target(first), gatewayPort: gateway.port, localPort: await freePort() },
      token: gateway.token ?? '',
      home: home.dir,
    });
    lab.own(core);
    const { connection } = core.gateway;
    const profiles = [second, first].map((sshd) => ({
      ...core.profile,
      ssh: { ...core.profile.ssh, target: target(sshd) },
    }));
    const seen = new Set<string>();
    await core.connectUp();
    for (let toggle = 0; toggle < 50; toggle += 1) {
      const profile = profiles[toggle % 2];
      if (profile === undefined) throw new Error('no such profile');
      connection.setProfile(profile, false);
      connection.connect();
      // At different points of what is under way: at once, while the old one ends, and while the new one signs in.
      if (toggle % 3 === 1) await core.until('connecting');
      if (toggle % 5 === 4)
        await core.untilState(
          'signing in',
          (state) => state.status === 'connecting' && state.stage === 'authenticating',
        );
      seen.add(core.state.status);
    }
    const lastAtMs = performance.now();
    await core.until('connected');
    const upAtMs = performance.now();
    await first.waitForSessions(1);
    await second.waitForSessions(0);
    expect(seen).toContain('connecting');
    expect(seen).toContain('disconnecting');
    expect(core.logger.of('connection.close-hung')).toEqual([]);
    expect(second.counts().connections).toBeGreaterThan(1);
    recordFault({
      row: 79,
      layer: 'core',
      injected: `50 changes of the server while connecting; ${first.counts().connections} and ${second.counts().connections} connections begun`,
      shown: 'Connected to the last one; one sshd session there, none at the other',
      tookMs: upAtMs - lastAtMs,
      limitMs: 3_000,
      control: 'Both servers were really reached in between, in several stages of an attempt',
    });
  });

  it.each(['reconnecting to a silent server', 'waiting for the next try'])(
    'to quit while %s leaves no process, no port and no session within 2 s',
    async (during) => {
      const pids: number[] = [];
      const { sshd, proxy, core } = await connected({
        createChannel: () => {
          const channel = forkedChannel();
          pids.push(channel.pid);
          return channel;
        },
      });
      const { localPort } = core.profile.ssh;
      expect(await canConnect(localPort)).toBe(true);
      if (during.startsWith('reconnecting')) {
        proxy.freeze();
        core.gateway.connection.reconnectNow();
        await core.untilState(
          'under way',
          (state) => state.status === 'connecting' && state.stage !== 'opening-listener',
        );
      } else {
        await proxy.stop();
        await core.until('backing-off');
      }
      const quitAtMs = performance.now();
      await core.close();
      await waitFor(() => pids.every((pid) => !isAlive(pid)), { what: 'the tunnel process to be gone' });
      expect(await canConnect(localPort)).toBe(false);
      const goneAtMs = performance.now();
      proxy.thaw();
      await sshd.waitForSessions(0);
      expect(pids).toHaveLength(1);
      recordFault({
        row: 78,
        part: `core, ${during}`,
        layer: 'core',
        injected: `Quit while ${during}, with the tunnel in a process of its own`,
        shown: 'Gone: no tunnel process, the local port free, no session at sshd',
        tookMs: goneAtMs - quitAtMs,
        limitMs: 2_000,
        control: 'Before it the process lived and the port accepted',
      });
    },
  );
});
