import { defineConfig } from 'vitest/config';

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

export default defineConfig({
  test: {
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
