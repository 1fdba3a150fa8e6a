import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Op, op, Story, type StoryClock } from './story.ts';

const stories = fc.array(op, { minLength: 1, maxLength: 80, size: 'max' });

async function holds(ops: readonly Op[], clock: StoryClock): Promise<void> {
  const story = new Story(clock);
  for (const step of ops) await story.run(step);
  await story.settle();
  story.check();
}

describe('messages over crashes, sleep, lost answers, restarts and full disks', () => {
  it('are carried out once at most unless the person insists, never lost, in order, and never stuck', async () => {
    await fc.assert(
      fc.asyncProperty(stories, (ops) => holds(ops, 'true')),
      { numRuns: 500 },
    );
  });

  it('the control: with an age that a sleep stops, the same stories find a message that is doubled', async () => {
    const found = await fc.check(
      fc.asyncProperty(stories, (ops) => holds(ops, 'stands-still')),
      { numRuns: 3000, seed: 4, endOnFailure: true },
    );
    expect(found.failed).toBe(true);
    expect(String(found.errorInstance)).toContain('carried out twice');
  });

  it('one of those stories: an answer lost, a session begun anew, a night', async () => {
    const night: readonly Op[] = [
      { type: 'connect' },
      { type: 'write', session: 0 },
      { type: 'arrive' },
      { type: 'cut', how: 'lost' },
      { type: 'progress' },
      { type: 'reset' },
      { type: 'sleep', ms: 8 * 3_600_000 },
      { type: 'connect' },
    ];
    await holds(night, 'true');
    await expect(holds(night, 'stands-still')).rejects.toThrow('carried out twice');
  });

  it('one of those stories: three written in a row, to a gateway that takes up the newest of those that wait', async () => {
    const write: Op = { type: 'write', session: 0 };
    const acknowledge: readonly Op[] = [{ type: 'arrive' }, { type: 'answer' }];
    await holds([write, write, write, ...acknowledge, ...acknowledge, ...acknowledge], 'true');
  });
});
