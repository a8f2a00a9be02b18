export interface TestStack {
  /** host:port */
  readonly kafkaBrokers: string
  readonly registryUrl: string
  /** A database whose role may create others. */
  readonly databaseUrl: string
}

/**
 * Addresses of the stack that integration tests run on, from the environment that the test runner sets.
 *
 * @throws Error if there is none: an integration test without its stack proves nothing.
 */
export function testStack(): TestStack {
  const {
    TICKERTAPE_TEST_KAFKA: kafkaBrokers,
    TICKERTAPE_TEST_REGISTRY: registryUrl,
    TICKERTAPE_TEST_DATABASE: databaseUrl,
  } = process.env
  if (!kafkaBrokers || !registryUrl || !databaseUrl) {
    throw new Error(
      'Integration tests need Kafka, a registry and PostgreSQL: run `npm test`, or set TICKERTAPE_TEST_KAFKA, TICKERTAPE_TEST_REGISTRY and TICKERTAPE_TEST_DATABASE to those of `npm run stack -- up`',
    )
  }
  return { kafkaBrokers, registryUrl, databaseUrl }
}

/** How often a fault is repeated: fewer times in `npm test` than in `npm run test:long`. */
export function repetitions(counts: { readonly short: number; readonly long: number }): number {
  return process.env['TICKERTAPE_TEST_LONG'] === '1' ? counts.long : counts.short
}

/**
 * What a randomised test draws its faults with: another one in each run, or TICKERTAPE_TEST_SEED, to repeat
 * one. Whoever uses it names it in its tests' titles.
 *
 * @throws Error if that variable is no integer.
 */
export function testSeed(): number {
  const given = process.env['TICKERTAPE_TEST_SEED']
  if (given === undefined || given === '') return Math.floor(Math.random() * 2 ** 31)
  const seed = Number(given)
  if (!Number.isInteger(seed)) {
    throw new Error(`TICKERTAPE_TEST_SEED must be an integer, got "${given}"`)
  }
  return seed
}

/** What every program needs; settings of the shell that runs the tests must not reach a service. */
export function plainEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env
  return { PATH, HOME }
}

/** Whether this machine may be changed for what is missing on it. */
export const isContinuousIntegration = process.env['CI'] === 'true'

/** For apt: it asks nothing, and with runlevel 1 no package starts its service. */
export function aptEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
}
