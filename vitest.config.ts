import { defineConfig } from 'vitest/config';

const noRetry = { retry: 0, restoreMocks: true };

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
          ...noRetry,
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
          globalSetup: ['test/support/lab/global-setup.ts'],
        },
      },
    ],
  },
});
