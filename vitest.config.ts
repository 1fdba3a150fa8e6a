import { defineConfig } from 'vitest/config';

const noRetry = { retry: 0, restoreMocks: true };

const integration = {
  ...noRetry,
  environment: 'node',
  testTimeout: 60_000,
  hookTimeout: 120_000,
  globalSetup: ['test/support/lab/global-setup.ts'],
};

/** Tests that mostly wait for silence to be noticed: side by side they cost no more than the longest of them. */
const PATIENT = ['faults', 'jumps', 'jumps-faults', 'listener', 'socket-options'].map(
  (name) => `test/integration/ssh/${name}.test.ts`,
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
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          exclude: PATIENT,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...integration,
          name: 'integration-patient',
          include: PATIENT,
          maxWorkers: PATIENT.length,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
