import type { LibrdKafkaError } from '@confluentinc/kafka-javascript'

/** Settings that every librdkafka client of the system shares. */
export function connectionSettings(brokers: string, clientId: string) {
  return {
    'bootstrap.servers': brokers,
    'client.id': clientId,
    // Idle connections are dropped by brokers and load balancers; that is no fault.
    'log.connection.close': false,
    'reconnect.backoff.max.ms': 2_000,
    'topic.metadata.refresh.interval.ms': 60_000,
  } as const
}

/**
 * An offset that the broker does not have is an error, never a jump to the log's end. A setting of the
 * topic: among the client's own it has no effect once a topic configuration is given, even an empty one.
 */
export const haltOutOfRange = { 'auto.offset.reset': 'error' } as const

type Callback<T> = (error: LibrdKafkaError | null | undefined, result: T) => void

/** librdkafka's callbacks as promises. */
export function call<T>(run: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    run((error, result) => {
      if (error) reject(error)
      else resolve(result)
    })
  })
}

/** librdkafka's code for a full producer queue. */
export const queueFull = -184

export function codeOf(error: unknown): number | undefined {
  // Errors of the binding are LibrdKafkaError objects, not all of them instances of Error.
  return (error as { code?: number } | undefined)?.code
}
