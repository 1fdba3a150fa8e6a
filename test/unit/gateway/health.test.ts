import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readGatewayHealth } from '../../../src/main/node/gateway/gateway-health.ts';
import { HealthMonitor } from '../../../src/main/node/gateway/health-monitor.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { FakeRpc } from '../../support/fakes/fake-rpc.ts';
import { MemoryLogger } from '../../support/fakes/fake-system.ts';

const MORE = {
  observedAtMs: 1,
  gatewayVersion: '1',
  pendingApprovals: null,
  pendingQuestions: null,
  activeRuns: null,
};

function stateOf(channel: unknown): unknown {
  const health = readGatewayHealth(
    { channels: { telegram: channel }, channelLabels: { telegram: 'Telegram' } },
    MORE,
  );
  return health?.channels[0];
}

describe('what the gateway says of its channels', () => {
  it.each([
    [{ configured: false }, 'not-configured'],
    [{ enabled: false, configured: true }, 'not-configured'],
    [{ configured: true, running: true, connected: true }, 'ready'],
    [{ configured: true, running: true, lifecycle: 'starting' }, 'degraded'],
    [{ configured: true, running: true, connected: false }, 'degraded'],
    [{ configured: true, running: false, lastError: 'gone' }, 'down'],
    [{ configured: true, linked: false }, 'down'],
    [{ configured: true, probe: { ok: true } }, 'ready'],
    [{ configured: true, probe: { ok: false, error: 'unauthorized' } }, 'down'],
    [{ configured: true }, 'unknown'],
    [{}, 'unknown'],
  ])('%j is %s', (channel, state) => {
    expect(stateOf(channel)).toMatchObject({ id: 'telegram', label: 'Telegram', state });
  });

  it('keeps the last error in its own words, bounded', () => {
    expect(stateOf({ running: false, lastError: 'x'.repeat(9999) })).toMatchObject({
      lastError: expect.stringMatching(/^x{290,300} ?…?$/) as string,
    });
  });

  it('is degraded when one of several accounts is down', () => {
    const up = { configured: true, running: true, connected: true };
    expect(
      stateOf({ accounts: { a: up, b: { ...up, running: false, lastError: 'b failed' } } }),
    ).toMatchObject({
      state: 'degraded',
      lastError: 'b failed',
    });
    expect(stateOf({ accounts: { a: up, b: { configured: false } } })).toMatchObject({ state: 'ready' });
  });

  it.each([null, 5, 'x', []])('is nothing in %j', (value) => {
    expect(readGatewayHealth(value, MORE)).toBeNull();
  });

  it('reads agents and sessions', () => {
    const health = readGatewayHealth({ agents: [{ agentId: 'main' }, {}, 5], sessions: { count: 3 } }, MORE);
    expect(health).toMatchObject({ agents: [{ id: 'main', name: 'main' }], sessionCount: 3, channels: [] });
  });
});

describe('asking', () => {
  let rpc: FakeRpc;
  let clock: FakeClock;
  let monitor: HealthMonitor;
  const asked = (): number => rpc.of('health').length;

  beforeEach(() => {
    rpc = new FakeRpc();
    clock = new FakeClock();
    rpc.always('health', () => ({ agents: [{ agentId: 'main' }] }));
    rpc.always('exec.approval.list', () => [{ id: 'a' }]);
    rpc.always('plugin.approval.list', () => []);
    rpc.always('question.list', () => ({ questions: [] }));
    rpc.always('sessions.list', () => ({ sessions: [{ key: 'a', hasActiveRun: true }, { key: 'b' }] }));
    monitor = new HealthMonitor({ rpc, clock, logger: new MemoryLogger() });
  });
  afterEach(() => {
    monitor.dispose();
    expect(clock.pendingTimers).toBe(0);
  });

  it('happens on connect, and its answer carries the gateway', async () => {
    rpc.connect();
    await settle();
    expect(monitor.health).toMatchObject({
      gatewayVersion: '2026.9.6',
      agents: [{ id: 'main' }],
      pendingApprovals: 1,
      activeRuns: 1,
    });
    expect(monitor.health?.observedAtMs).toBe(clock.nowMs());
  });

  it('happens every minute, and not without a connection', async () => {
    rpc.connect();
    await clock.advance(59_000);
    expect(asked()).toBe(1);
    await clock.advance(1_500);
    expect(asked()).toBe(2);
    rpc.disconnect();
    await clock.advance(600_000);
    expect(asked()).toBe(2);
    expect(monitor.health).not.toBeNull();
  });

  it('is not multiplied by a burst of events', async () => {
    rpc.connect();
    await settle();
    for (let event = 0; event < 100; event++) rpc.event('tick', {});
    await clock.advance(6_000);
    expect(asked()).toBe(2);
  });

  it('is not needed for the health that the gateway pushes', async () => {
    rpc.connect();
    await settle();
    rpc.event('health', { agents: [], channels: { x: { configured: true, running: true } } });
    expect(monitor.health).toMatchObject({ channels: [{ id: 'x', state: 'ready' }], pendingApprovals: 1 });
    expect(asked()).toBe(1);
  });

  it('leaves approvals out where the scope is missing', async () => {
    rpc.connect({ missingScopes: ['operator.approvals'] });
    await settle();
    expect(rpc.of('exec.approval.list')).toHaveLength(0);
    expect(monitor.health?.pendingApprovals).toBeNull();
  });

  it('on demand says whether the gateway answered', async () => {
    expect(await monitor.refresh()).toBe(false);
    rpc.connect();
    expect(await monitor.refresh()).toBe(true);
  });
});
