import { setTimeout as delay } from 'node:timers/promises'

import { ConfigResourceTypes, describeConfigsV4 } from '@platformatic/kafka'

import { kafkaAccessFailure } from './access-failure.ts'
import { brokerAddresses, openBrokerConnection } from './broker-connection.ts'
import { KafkaAvroError, messageOf } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'

const setting = 'retention.ms'
/** How often it is asked, and how soon again if that failed, in ms. */
const followed = { everyMs: 3_600_000, afterFailureMs: 60_000 } as const
const timeouts = { connectTimeout: 5_000, requestTimeout: 10_000 } as const

/**
 * How long topics keep their records: `retention.ms`, the broker's default where a topic has none of its own.
 *
 * @param brokers host:port, comma separated; the first one that answers counts.
 * @returns by topic, in ms; -1 for ever.
 * @throws KafkaAvroError `access_refused`; `broker_unreachable`, also if it has one of them not, or may not tell of it.
 */
export async function topicRetention(
  connection: KafkaConnection,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  let failure: unknown
  for (const { host, port } of brokerAddresses(connection.brokers)) {
    try {
      return await askRetention(connection, { host, port }, topics)
    } catch (error) {
      failure = error
    }
  }
  const refused = kafkaAccessFailure(connection, failure)
  if (refused !== undefined) throw refused
  throw new KafkaAvroError(
    'broker_unreachable',
    `Could not ask Kafka at ${connection.brokers} how long ${topics.join(', ')} are kept (${messageOf(failure)}): is it running, has it these topics, and may this principal describe their configuration?`,
    { cause: failure },
  )
}

/**
 * Asks now and each hour, and a minute after a failure, until the signal.
 *
 * @param tell gets seconds; -1 for ever.
 */
export async function followRetention(
  {
    connection,
    topics,
  }: { readonly connection: KafkaConnection; readonly topics: readonly string[] },
  tell: (topic: string, seconds: number) => void,
  onWarning: (message: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let waitMs: number = followed.everyMs
    try {
      for (const [topic, ms] of await topicRetention(connection, topics)) {
        tell(topic, ms < 0 ? -1 : ms / 1_000)
      }
    } catch (error) {
      waitMs = followed.afterFailureMs
      onWarning(messageOf(error))
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined)
  }
}

async function askRetention(
  kafka: KafkaConnection,
  { host, port }: { readonly host: string; readonly port: number },
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const options = { connection: kafka, clientId: 'topic-retention' }
  const connection = await openBrokerConnection(options, timeouts, host, port)
  try {
    const resources = topics.map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName,
      configurationKeys: [setting],
    }))
    const { results } = await describeConfigsV4.api.async(connection, resources, false, false)
    return new Map(
      results.flatMap(({ resourceName, configs }) => {
        const value = configs.find(({ name }) => name === setting)?.value
        return value === undefined || value === null ? [] : [[resourceName, Number(value)] as const]
      }),
    )
  } finally {
    await connection.close().catch(() => undefined)
  }
}
