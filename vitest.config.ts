import { defineConfig } from 'vitest/config'

/** Whole sites, brokers as processes, kill -9: run after the units, one file at a time, since they want the machine. */
const WHOLE = ['test/e2e/**/*.test.ts']

/** On CI machines that others load too, a test that failed is tried once more; the report says so. Never locally: a test that fails now and then has found something. */
const RETRY = process.env.CI ? 1 : 0

export default defineConfig({
  test: {
    // As many as the small machines have cores; vitest alone would leave one idle.
    maxWorkers: 2,
    reporters: ['default', './test/harness/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: WHOLE,
          retry: RETRY,
          testTimeout: 60_000,
          hookTimeout: 30_000,
          pool: 'forks',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'whole',
          include: WHOLE,
          retry: RETRY,
          testTimeout: 180_000,
          hookTimeout: 60_000,
          pool: 'forks',
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
