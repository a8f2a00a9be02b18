import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,libs,tools}/*/src/**/*.test.ts', 'tools/*.test.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['{apps,libs,tools}/*/tests/**/*.test.ts'],
          // Real brokers, databases and processes: a bound against hanging, not a measure.
          testTimeout: process.env['TICKERTAPE_TEST_LONG'] === '1' ? 1_800_000 : 300_000,
          hookTimeout: 120_000,
          // The services under test need the cores more than the tests do.
          fileParallelism: false,
          // Of the tests of a file that say they may run beside each other: they wait most of the time.
          maxConcurrency: 4,
        },
      },
    ],
  },
})
