import { defineConfig } from 'vitest/config'

/** Whole sites, brokers as processes, kill -9: run after the units, one file at a time, since they want the machine. */
const WHOLE = ['test/e2e/**/*.test.ts']

export default defineConfig({
  test: {
    reporters: ['default', './test/harness/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: WHOLE,
          testTimeout: 30_000,
          hookTimeout: 30_000,
          pool: 'forks',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'whole',
          include: WHOLE,
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
