import { describe, expect, it } from 'vitest';
import { failure } from '../../../../src/shared/connection-failure.ts';
import { settle } from '../../../support/fakes/fake-clock.ts';
import { recordFault } from '../../../support/faults/evidence.ts';
import { Rig } from './rig.ts';

/** How often a route was opened within a minute when each fails at once, or after `heldMs` connected. */
async function respawnsInAMinute(
  code: 'tunnel-process-crashed' | 'link-lost',
  random: number,
  heldMs: number | null = null,
) {
  const rig = new Rig();
  rig.random = random;
  await rig.connected();
  const why =
    code === 'link-lost' ? failure(code, { host: 'homelab', detail: '' }) : failure(code, { exitCode: null });
  const first = rig.routes.opened;
  for (let ms = 0; ms < 60_000; ms += 100) {
    const { state } = rig;
    if (rig.route.live !== null && state.status === 'connecting' && heldMs !== null) {
      rig.route.up();
      rig.session.up();
    } else if (state.status === 'connected' && rig.clock.nowMs() - state.sinceAtMs < (heldMs ?? 0)) {
      // It holds for its time.
    } else if (rig.route.live !== null) rig.route.down(why);
    await settle();
    await rig.clock.advance(100);
  }
  return rig.routes.opened - first;
}

describe('a tunnel process that crashes at every start', () => {
  it.each([0, 0.999])('is started five times a minute at most, with jitter %d', async (random) => {
    const respawns = await respawnsInAMinute('tunnel-process-crashed', random);
    expect(respawns).toBeGreaterThanOrEqual(4);
    expect(respawns).toBeLessThanOrEqual(5);
    expect(await respawnsInAMinute('tunnel-process-crashed', random, 6_000)).toBeLessThanOrEqual(5);
    const ordinary = await respawnsInAMinute('link-lost', random);
    expect(ordinary).toBeGreaterThan(5);
    recordFault({
      row: 74,
      part: `crash loop, jitter ${random}`,
      layer: 'unit',
      injected: 'the tunnel process crashes at every start for a minute of the fake clock',
      shown: `${respawns} starts in the minute`,
      tookMs: null,
      limitMs: null,
      control: `a link that is lost at every attempt is tried ${ordinary} times in the same minute`,
    });
  });
});
