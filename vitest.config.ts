import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const noRetry = { retry: 0, restoreMocks: true };

const integration = {
  ...noRetry,
  environment: 'node',
  testTimeout: 60_000,
  hookTimeout: 120_000,
  globalSetup: ['test/support/lab/global-setup.ts'],
};

const files = (...names: readonly string[]): string[] =>
  names.map((name) => `test/integration/${name}.test.ts`);

/** Tests of times, memory and open files of their own process, which others beside them would disturb. */
const ALONE = files(
  'ssh/forward-latency',
  'gateway/hostile',
  'gateway/stand-in-faults',
  'gateway/restarts',
  'ssh/listener',
  'network/cuts',
  'network/silence',
  'leaks/tunnel-leaks',
  'leaks/core-leaks',
);

/** Tests that mostly wait, for silence to be noticed or for servers: side by side they cost no more than the longest. */
const PATIENT = files(
  'network/slow',
  'ssh/core-tunnel',
  'ssh/faults',
  'ssh/jumps',
  'ssh/jumps-faults',
  'ssh/socket-options',
);

/** The longest of those that run side by side: begun last, one of them would run on alone. */
const LONG = files(
  'chaos',
  'gateway/lifecycle',
  'ssh/matrix',
  'gateway/pairing',
  'lab/gateway',
  'time-faults',
  'gateway/chat-live',
  'gateway/delivery-faults',
);

class LongestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONG.findIndex((name) => moduleId.endsWith(name));
      return index === -1 ? LONG.length : index;
    };
    return (await super.sort(specifications)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          ...noRetry,
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/unit/**/*.test.tsx'],
          environment: 'node',
          // Far more than any needs; a loaded machine must not fail what only took its time.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          ...integration,
          name: 'integration-alone',
          include: ALONE,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: [...ALONE, ...PATIENT],
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...integration,
          name: 'integration-patient',
          include: PATIENT,
          maxWorkers: PATIENT.length,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
