import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureLayer } from '../../../../src/main/core/health/failure-layer.ts';
import { HEALTH_FRESH_MS, ladderAt } from '../../../../src/main/core/health/ladder.ts';
import {
  emptyLadderMemory,
  type HealthObservation,
  type LadderMemory,
  type LadderTarget,
  observe,
} from '../../../../src/main/core/health/ladder-memory.ts';
import type { ConnectionFailure } from '../../../../src/shared/connection-failure.ts';
import type { ConnectionState } from '../../../../src/shared/connection-state.ts';
import {
  LADDER_LAYERS,
  type ChannelHealth,
  type GatewayHealth,
  type LadderLayer,
} from '../../../../src/shared/health.ts';
import { ENDPOINT } from '../../../support/fakes/fake-drivers.ts';
import { SAMPLE_FAILURES, sampleFailure } from '../../../support/fakes/sample-failures.ts';

const T0 = 1_000_000;
const SSH: LadderTarget = { mode: 'ssh', needsNetwork: true };

type Seen = HealthObservation extends infer O
  ? O extends { type: string }
    ? Omit<O, 'atMs'>
    : never
  : never;

class Story {
  memory: LadderMemory;
  constructor(target: LadderTarget = SSH) {
    this.memory = emptyLadderMemory(target);
    this.see(T0, { type: 'connectivity', isOnline: true });
  }
  see(atMs: number, seen: Seen): this {
    this.memory = observe(this.memory, { ...seen, atMs });
    return this;
  }
  connected(atMs = T0): this {
    this.see(atMs, {
      type: 'route-up',
      server: 'OpenSSH_9.2p1',
      localPort: 18789,
      route: { transport: 'ssh2', via: ['bastion'], signedInWith: '~/.ssh/id_ed25519' },
    });
    this.see(atMs, { type: 'session-up', gatewayVersion: '2026.9.6' });
    return this.see(atMs, { type: 'connection', state: connected(atMs) });
  }
  rung(layer: LadderLayer, nowMs: number) {
    const rung = ladderAt(this.memory, nowMs).find((candidate) => candidate.layer === layer);
    if (!rung) throw new Error(layer);
    return rung;
  }
  verdicts(nowMs: number): string {
    return ladderAt(this.memory, nowMs)
      .map(({ verdict }) => verdict)
      .join(' ');
  }
}

function connected(sinceAtMs: number): ConnectionState {
  return { status: 'connected', generation: 1, endpoint: ENDPOINT, sinceAtMs };
}
function backingOff(lastFailure: ConnectionFailure = sampleFailure('link-dead')): ConnectionState {
  return { status: 'backing-off', attempt: 2, reconnecting: true, retryAtMs: T0, lastFailure };
}
function health(atMs: number, states: readonly ChannelHealth['state'][]): GatewayHealth {
  return {
    observedAtMs: atMs,
    gatewayVersion: '2026.9.6',
    channels: states.map((state, index) => ({ id: `c${index}`, label: 'Telegram', state, lastError: null })),
    agents: [],
    sessionCount: null,
    activeRuns: null,
    pendingApprovals: null,
    pendingQuestions: null,
  };
}

describe('the ladder', () => {
  it('always has its five rungs in order', () => {
    expect(ladderAt(new Story().memory, T0).map(({ layer }) => layer)).toEqual([...LADDER_LAYERS]);
  });

  it('knows nothing while nothing is wanted', () => {
    expect(new Story().verdicts(T0)).toBe('ok unknown unknown unknown unknown');
    const paused = new Story()
      .connected()
      .see(T0 + 1, { type: 'connection', state: { status: 'paused', reason: 'user' } });
    expect(paused.verdicts(T0 + 2)).toBe('ok unknown unknown unknown unknown');
  });

  it('is ok on every rung of a live connection, with ages and facts', () => {
    const story = new Story().connected();
    story.see(T0 + 3_000, { type: 'session-alive', latencyMs: 18 });
    story.see(T0 + 3_000, { type: 'health', health: health(T0 + 3_000, ['ready']) });
    expect(story.verdicts(T0 + 4_000)).toBe('ok ok ok ok ok');
    expect(story.rung('gateway', T0 + 4_000)).toMatchObject({
      observedAtMs: T0 + 3_000,
      latencyMs: 18,
      note: '2026.9.6',
    });
    expect(story.rung('ssh', T0 + 4_000)).toMatchObject({
      note: 'OpenSSH_9.2p1',
      route: { transport: 'ssh2', via: ['bastion'], signedInWith: '~/.ssh/id_ed25519' },
    });
    expect(story.rung('forward', T0 + 4_000).note).toBe('127.0.0.1:18789');
  });

  it('checks SSH while a question is open, and nothing while one waits that nobody asked for', () => {
    const asking = (attended: boolean) =>
      new Story().see(T0, {
        type: 'connection',
        state: {
          status: 'waiting-for-user',
          attempt: 1,
          reconnecting: true,
          attended,
          prompt: { type: 'password', jump: null, id: 'p', user: 'ops', host: 'homelab', wasWrong: false },
        },
      });
    expect(asking(true).rung('ssh', T0 + 1).verdict).toBe('checking');
    expect(asking(false).rung('ssh', T0 + 1).verdict).toBe('unknown');
  });

  it('calls SSH slow when a ping stays unanswered, and never ok without a sign of life for 10 s', () => {
    const story = new Story().connected();
    const at = (ageMs: number) => story.rung('ssh', T0 + ageMs).verdict;
    expect([at(5_999), at(6_000), at(9_999), at(10_000)]).toEqual(['ok', 'degraded', 'degraded', 'checking']);
  });

  it('never calls the gateway ok without an answer for 16 s, though SSH lives', () => {
    const story = new Story().connected();
    for (let second = 3; second <= 30; second += 3)
      story.see(T0 + second * 1_000, { type: 'route-alive', latencyMs: 5 });
    expect(story.rung('gateway', T0 + 15_999).verdict).toBe('ok');
    expect(story.rung('gateway', T0 + 16_000)).toMatchObject({ verdict: 'checking', observedAtMs: T0 });
    expect(story.rung('ssh', T0 + 30_000).verdict).toBe('ok');
  });

  it('never shows more than was proved, whatever is observed', () => {
    const states = fc.constantFrom<ConnectionState>(
      { status: 'disconnected' },
      { status: 'paused', reason: 'offline' },
      {
        status: 'connecting',
        attempt: 1,
        stage: 'gateway-handshake',
        reconnecting: false,
        lastFailure: null,
      },
      ...SAMPLE_FAILURES.map((failure) => backingOff(failure)),
      { status: 'blocked', failure: sampleFailure('token-mismatch') },
      connected(T0),
    );
    const seen: fc.Arbitrary<Seen> = fc.oneof(
      states.map((state): Seen => ({ type: 'connection', state })),
      fc.constantFrom<Seen>(
        {
          type: 'route-up',
          server: null,
          localPort: 1,
          route: { transport: 'ssh2', via: [], signedInWith: null },
        },
        { type: 'route-alive', latencyMs: 4 },
        { type: 'session-alive', latencyMs: 4 },
        { type: 'forward-failed', failure: sampleFailure('gateway-not-listening') },
        { type: 'connectivity', isOnline: false },
        { type: 'health', health: health(T0, ['ready', 'down']) },
      ),
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(seen, fc.nat(9_000)), { maxLength: 25 }),
        fc.nat(20_000),
        (steps, restMs) => {
          const story = new Story();
          let nowMs = T0;
          let sshAtMs = -Infinity;
          let gatewayAtMs = -Infinity;
          for (const [step, elapsedMs] of steps) {
            nowMs += elapsedMs;
            const wasConnected = story.memory.state.status === 'connected';
            story.see(nowMs, step);
            const isWhole =
              (step.type === 'connection' && step.state.status === 'connected') ||
              (step.type === 'session-alive' && wasConnected);
            if (isWhole) gatewayAtMs = nowMs;
            if (isWhole || ['route-up', 'route-alive', 'forward-failed'].includes(step.type)) sshAtMs = nowMs;
          }
          nowMs += restMs;
          const isGood = (layer: LadderLayer) =>
            ['ok', 'degraded'].includes(story.rung(layer, nowMs).verdict);
          if (isGood('ssh')) expect(nowMs - sshAtMs).toBeLessThan(10_000);
          if (isGood('gateway')) {
            expect(nowMs - gatewayAtMs).toBeLessThan(16_000);
            expect(story.memory.state.status).toBe('connected');
          }
          if (isGood('channels')) expect(isGood('gateway')).toBe(true);
          for (const rung of ladderAt(story.memory, nowMs)) {
            expect(rung.observedAtMs === null || rung.observedAtMs <= nowMs).toBe(true);
            if (rung.verdict === 'ok') expect(rung.failure).toBeNull();
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('failures', () => {
  it('show on their own rung, and nothing beyond it is known', () => {
    const story = new Story().connected();
    story.see(T0 + 9_000, { type: 'connection', state: backingOff() });
    expect(story.verdicts(T0 + 9_001)).toBe('ok failed unknown unknown unknown');
    expect(story.rung('ssh', T0 + 9_001)).toMatchObject({
      observedAtMs: T0 + 9_000,
      failure: { code: 'link-dead' },
    });
  });

  it('turn into "checking" while the way is tried again', () => {
    const story = new Story().connected();
    const lastFailure = sampleFailure('link-dead');
    story.see(T0 + 9_000, {
      type: 'connection',
      state: { status: 'connecting', attempt: 2, stage: 'opening-socket', reconnecting: true, lastFailure },
    });
    expect(story.rung('ssh', T0 + 9_001)).toMatchObject({
      verdict: 'checking',
      failure: { code: 'link-dead' },
    });
  });

  it('of a gateway that is not running leave SSH and forward green', () => {
    const story = new Story();
    const failure = sampleFailure('gateway-not-listening');
    story.see(T0, { type: 'forward-failed', failure });
    story.see(T0, { type: 'connection', state: backingOff(failure) });
    expect(story.verdicts(T0 + 1_000)).toBe('ok ok ok failed unknown');
    story.see(T0 + 28_000, { type: 'route-alive', latencyMs: 3 });
    expect(story.verdicts(T0 + 29_000)).toBe('ok ok ok failed unknown');
  });

  it('keep the time at which they happened while they last', () => {
    const story = new Story();
    const failure = sampleFailure('ssh-refused');
    story.see(T0, { type: 'connection', state: backingOff(failure) });
    story.see(T0 + 5_000, { type: 'connection', state: backingOff(failure) });
    expect(story.rung('ssh', T0 + 6_000).observedAtMs).toBe(T0);
  });

  it('show a missing network on its rung, unless something answered just now', () => {
    const story = new Story().see(T0, { type: 'connectivity', isOnline: false });
    expect(story.rung('network', T0).verdict).toBe('failed');
    story.connected();
    expect(story.rung('network', T0 + 1).verdict).toBe('ok');
    expect(story.rung('network', T0 + 20_000).verdict).toBe('failed');
  });

  it('each belong to a layer or to ourselves', () => {
    const own = SAMPLE_FAILURES.filter((failure) => failureLayer(failure) === null).map(({ code }) => code);
    expect([...new Set(own)]).toEqual(['secrets-unavailable', 'storage-failed', 'message-not-kept', 'bug']);
  });
});

describe('other modes', () => {
  it('have no SSH and no forward', () => {
    expect(new Story({ mode: 'direct', needsNetwork: true }).connected().verdicts(T0 + 1)).toBe(
      'ok not-applicable not-applicable ok checking',
    );
    expect(new Story({ mode: 'local', needsNetwork: false }).connected().verdicts(T0 + 1)).toBe(
      'not-applicable not-applicable not-applicable ok checking',
    );
  });
});

describe('slow answers', () => {
  it('change the verdict only three in a row, both ways', () => {
    const story = new Story().connected();
    const after = (latencies: readonly number[]) => {
      for (const latencyMs of latencies) story.see(T0, { type: 'session-alive', latencyMs });
      return story.rung('gateway', T0).verdict;
    };
    expect(after([1_500, 1_500])).toBe('ok');
    expect(after([100, 1_500, 1_500])).toBe('ok');
    expect(after([1_500])).toBe('degraded');
    expect(after([100, 100, 900, 100, 100])).toBe('degraded');
    expect(after([100])).toBe('ok');
  });
});

describe('channels', () => {
  const verdict = (states: readonly ChannelHealth['state'][], ageMs = 0) => {
    const story = new Story().see(T0, { type: 'health', health: health(T0, states) });
    return story.connected(T0 + ageMs).rung('channels', T0 + ageMs);
  };

  it('are as good as what the gateway says of them', () => {
    expect(verdict(['ready', 'not-configured']).verdict).toBe('ok');
    expect(verdict(['ready', 'down'])).toMatchObject({ verdict: 'degraded', note: '1/2' });
    expect(verdict(['down', 'down']).verdict).toBe('failed');
    expect(verdict(['degraded']).verdict).toBe('degraded');
    expect(verdict(['unknown']).verdict).toBe('unknown');
    expect(verdict(['not-configured']).verdict).toBe('not-applicable');
    expect(verdict([]).verdict).toBe('not-applicable');
  });

  it('are checked again when the answer is old', () => {
    expect(verdict(['ready'], HEALTH_FRESH_MS - 1).verdict).toBe('ok');
    expect(verdict(['ready'], HEALTH_FRESH_MS)).toMatchObject({ verdict: 'checking', observedAtMs: T0 });
  });
});
