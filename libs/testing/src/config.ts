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
