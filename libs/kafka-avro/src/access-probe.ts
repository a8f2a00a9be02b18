import { metadataV12 } from '@platformatic/kafka'

import { kafkaAccessFailure } from './access-failure.ts'
import { brokerAddresses, openBrokerConnection } from './broker-connection.ts'
import type { KafkaAvroError } from './errors.ts'
import type { KafkaConnection } from './kafka-connection.ts'

const timeouts = { connectTimeout: 5_000, requestTimeout: 5_000 } as const

/**
 * Why no broker lets us in, if that is so. The pure-JS client finds out, in some milliseconds: librdkafka tells of
 * a wrong password or an unknown authority only that a time is over, and holds a thread until then.
 *
 * @returns undefined if one lets us in, or if none says anything, being away.
 */
export async function findAccessFailure(
  connection: KafkaConnection,
): Promise<KafkaAvroError | undefined> {
  let refused: KafkaAvroError | undefined
  for (const { host, port } of brokerAddresses(connection.brokers)) {
    try {
      await ask(connection, host, port)
      return undefined
    } catch (error) {
      refused ??= kafkaAccessFailure(connection, error)
    }
  }
  return refused
}

/** A broker that misses our certificate says so after the handshake, so that something has to be asked. */
async function ask(connection: KafkaConnection, host: string, port: number): Promise<void> {
  const opened = await openBrokerConnection(
    { connection, clientId: 'access-probe' },
    timeouts,
    host,
    port,
  )
  let fault: unknown
  opened.on('error', (error) => {
    fault ??= error
  })
  try {
    await metadataV12.api.async(opened, [], false, false)
  } catch (error) {
    // That the connection ended is what the request knows.
    throw fault ?? error
  } finally {
    await opened.close().catch(() => undefined)
  }
}
