import { describe, expect, it } from 'vitest';
import { connectionTarget } from '../../../../src/main/core/connection/connection-target.ts';
import { LadderMonitor } from '../../../../src/main/core/health/ladder-monitor.ts';
import type { Ladder } from '../../../../src/shared/health.ts';
import { sampleFailure } from '../../../support/fakes/sample-failures.ts';
import { Rig, sshProfile } from '../connection/rig.ts';

function watched() {
  const rig = new Rig();
  const monitor = new LadderMonitor(connectionTarget(sshProfile()), rig);
  const seen: string[] = [];
  monitor.start(rig.supervisor);
  monitor.onChange((ladder) => seen.push(verdicts(ladder)));
  return { rig, monitor, seen };
}

function verdicts(ladder: Ladder): string {
  return ladder.map(({ verdict }) => verdict).join(' ');
}

describe('the ladder over time', () => {
  it('follows a connection up, and lets it age without any event', async () => {
    const { rig, monitor, seen } = watched();
    await rig.connected();
    expect(verdicts(monitor.ladder)).toBe('ok ok ok ok checking');
    await rig.clock.advance(20_000);
    expect(verdicts(monitor.ladder)).toBe('ok checking checking checking unknown');
    expect(seen.at(-1)).toBe('ok checking checking checking unknown');
    expect(seen).toContain('ok degraded ok ok checking');
  });

  it('shows what the supervisor decided of a failure', async () => {
    const { rig, monitor } = watched();
    await rig.connected();
    rig.session.down(sampleFailure('token-mismatch'));
    expect(monitor.ladder[3]).toMatchObject({ verdict: 'failed', failure: { code: 'token-mismatch' } });
    expect(monitor.ladder[1]?.verdict).toBe('ok');
  });

  it('passes on new ages at most every two seconds', async () => {
    const { rig, seen } = watched();
    await rig.connected();
    const before = seen.length;
    for (let step = 0; step < 40; step++) {
      rig.session.emit({ type: 'session-alive', attempt: 1, latencyMs: 3 });
      await rig.clock.advance(250);
    }
    expect(seen.length - before).toBeLessThanOrEqual(6);
    expect(seen.length - before).toBeGreaterThanOrEqual(4);
  });

  it.each([86_400_000, -86_400_000])(
    'keeps verdicts and ages when the clock is set by %d ms',
    async (byMs) => {
      const { rig, monitor, seen } = watched();
      await rig.connected();
      await rig.clock.advance(3_000);
      const before = seen.length;
      rig.clock.jumpWall(byMs);
      expect(verdicts(monitor.ladder)).toBe('ok ok ok ok checking');
      expect(monitor.ladder[1]?.observedAtMs).toBe(rig.clock.nowMs() - 3_000);
      await rig.clock.advance(1_000);
      expect(seen.length).toBe(before + 1);
    },
  );

  it('ages over a sleep', async () => {
    const { rig, monitor } = watched();
    await rig.connected();
    rig.clock.sleep(20_000);
    expect(verdicts(monitor.ladder)).toBe('ok checking checking checking unknown');
    expect(monitor.ladder[1]?.observedAtMs).toBe(rig.clock.nowMs() - 20_000);
  });

  it('leaves no timer behind', async () => {
    const { rig, monitor } = watched();
    await rig.connected();
    await rig.supervisor.dispose();
    monitor.dispose();
    expect(rig.clock.pendingTimers).toBe(0);
  });
});
