import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FRESH_RETRY,
  JITTER_SHARE,
  nextRetry,
  RETRY_LADDER_MS,
  type RetryInput,
  withJitter,
} from '../../../../src/main/core/connection/retry-policy.ts';
import { failure, failureKind, type ConnectionFailure } from '../../../../src/shared/connection-failure.ts';
import { SAMPLE_FAILURES, sampleFailure } from '../../../support/fakes/sample-failures.ts';

function waits(failed: ConnectionFailure, count: number, over: Partial<RetryInput> = {}): readonly number[] {
  let memory = FRESH_RETRY;
  return Array.from({ length: count }, () => {
    const decision = nextRetry({
      failure: failed,
      memory,
      reconnecting: false,
      isLocal: false,
      random: 0,
      ...over,
    });
    memory = decision.memory;
    return decision.delayMs;
  });
}

describe('waits between attempts', () => {
  it('climb the ladder and stay on its last rung', () => {
    expect(waits(sampleFailure('ssh-refused'), RETRY_LADDER_MS.length + 2)).toEqual([
      ...RETRY_LADDER_MS,
      30_000,
      30_000,
    ]);
  });

  it('only ever get shorter by jitter, and by 20 % at most', () => {
    fc.assert(
      fc.property(
        fc.nat(600_000),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (delayMs, random) => {
          const jittered = withJitter(delayMs, random);
          expect(jittered).toBeLessThanOrEqual(delayMs);
          expect(jittered).toBeGreaterThanOrEqual(Math.floor(delayMs * (1 - JITTER_SHARE)));
        },
      ),
    );
  });

  it('are numbers that a timer takes, whatever the failure and however long it lasts', () => {
    for (const failed of SAMPLE_FAILURES.filter(({ code }) => failureKind(code) === 'transient')) {
      for (const reconnecting of [false, true]) {
        for (const delayMs of waits(failed, 200, { reconnecting, random: 0.999 })) {
          expect(Number.isInteger(delayMs) && delayMs >= 0 && delayMs <= 900_000).toBe(true);
        }
        expect(waits(failed, 200, { reconnecting }).at(-1)).toBeGreaterThanOrEqual(1_000);
      }
    }
  });

  it('are what the gateway asks for, within reason', () => {
    const wait = (retryAfterMs: number | null) =>
      waits(failure('rate-limited', { retryAfterMs }), 1, { random: 0.9 })[0];
    expect(wait(60_000)).toBe(60_000);
    expect(wait(null)).toBe(30_000);
    expect(wait(0)).toBe(1_000);
    expect(wait(1e15)).toBe(900_000);
    expect(waits(failure('gateway-starting', { retryAfterMs: 2_500 }), 2)).toEqual([2_500, 2_500]);
    expect(waits(failure('gateway-starting', { retryAfterMs: null }), 3)).toEqual([0, 1_000, 1_000]);
  });

  it('are short for a gateway that was there a moment ago, and grow long when it stays away', () => {
    const gone = sampleFailure('gateway-not-listening');
    expect(waits(gone, 3)).toEqual([5_000, 5_000, 5_000]);
    expect(waits(gone, 25).at(-1)).toBe(30_000);
    const after = waits(gone, 45, { reconnecting: true });
    expect(after.slice(0, 21)).toEqual([...Array<number>(20).fill(1_500), 5_000]);
    expect(after.at(-1)).toBe(30_000);
  });

  it('are short for a gateway on this computer, and climb for one that is far', () => {
    const gone = sampleFailure('gateway-unreachable');
    expect(waits(gone, 3, { isLocal: true, reconnecting: true })).toEqual([1_500, 1_500, 1_500]);
    expect(waits(gone, 3)).toEqual([0, 1_000, 1_000]);
  });

  it('leave a person ten minutes to approve the device within 5 s of a question, then become calm', () => {
    const asked = waits(sampleFailure('pairing-required'), 152);
    expect(asked.slice(0, 150)).toEqual(Array<number>(150).fill(4_000));
    expect(asked.slice(150)).toEqual([30_000, 30_000]);
  });

  it('are long for a server that turns connections away', () => {
    expect(waits(sampleFailure('ssh-rejecting'), 4)).toEqual([0, 1_000, 30_000, 30_000]);
  });

  it('are not long for one rejection after failures of another kind', () => {
    const memory = { ...FRESH_RETRY, failures: 2 };
    const input = { memory, reconnecting: true, isLocal: false, random: 0 };
    const rejected = nextRetry({ ...input, failure: sampleFailure('ssh-rejecting') });
    expect(rejected.delayMs).toBe(1_000);
    const other = nextRetry({ ...input, memory: rejected.memory, failure: sampleFailure('link-lost') });
    expect(other.memory.rejections).toBe(0);
  });
});
