import { beforeEach, describe, expect, it } from 'vitest';
import { SilenceWatch } from '../../../src/main/node/gateway/silence-watch.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

let clock: FakeClock;
let bytes: number | null;
let probes: number;
let ended: number[];
let watch: SilenceWatch;
let answers: boolean;

beforeEach(() => {
  clock = new FakeClock();
  bytes = null;
  probes = 0;
  ended = [];
  answers = false;
  watch = new SilenceWatch({
    clock,
    bytesReceived: () => bytes,
    probe: () => {
      probes += 1;
      if (answers) watch.heard();
    },
    onSilent: () => ended.push(clock.monotonicMs()),
  });
});

describe('a gateway that says nothing', () => {
  it('is asked after 9 s, again after 11.5 s, and given up after 14 s', async () => {
    await clock.advance(8_999);
    expect(probes).toBe(0);
    await clock.advance(1);
    expect(probes).toBe(1);
    await clock.advance(2_500);
    expect(probes).toBe(2);
    await clock.advance(2_499);
    expect(ended).toEqual([]);
    await clock.advance(1);
    expect(ended).toHaveLength(1);
    await clock.advance(60_000);
    expect(ended).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('but answers is asked every 9 s and never given up', async () => {
    answers = true;
    await clock.advance(600_000);
    expect(ended).toEqual([]);
    expect(probes).toBeGreaterThanOrEqual(45);
    expect(probes).toBeLessThanOrEqual(67);
    watch.dispose();
    expect(clock.pendingTimers).toBe(0);
  });

  it('answers late, and is kept', async () => {
    await clock.advance(13_000);
    watch.heard();
    await clock.advance(8_000);
    expect(ended).toEqual([]);
  });

  it('while a large frame arrives is not asked at all', async () => {
    bytes = 0;
    for (let second = 0; second < 120; second++) {
      bytes += 16_000;
      await clock.advance(1_000);
    }
    expect([probes, ended]).toEqual([0, []]);
  });
});

it('a frame counts when it comes, not again at the next look', async () => {
  bytes = 100;
  await clock.advance(1_000);
  bytes = 500;
  watch.heard();
  const heardAtMs = clock.monotonicMs();
  await clock.advance(14_000);
  expect(ended).toEqual([heardAtMs + 14_000]);
});

it('a gateway that is heard is never asked', async () => {
  for (let second = 0; second < 120; second++) {
    watch.heard();
    await clock.advance(1_000);
  }
  expect(probes).toBe(0);
});
