import {
  DecodeFailure,
  Deserializer,
  Registry,
  defaultPartitions,
  readPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'

export interface TradesInLog {
  readonly trades: number
  /** Trades whose id was there before. */
  readonly repeated: number
}

/** Reads market-events of an installation from its beginning to its end. */
export async function countTrades(stack: RunningStack, prefix: string): Promise<TradesInLog> {
  const deserializer = new Deserializer('market-events', new Registry(stack.registryUrl, prefix))
  const known = new Set<string>()
  let trades = 0
  for (let partition = 0; partition < defaultPartitions; partition += 1) {
    const topic = topicName('market-events', prefix)
    const range = { topic, partition, from: 'earliest', to: 'end' } as const
    for await (const batch of readPartition(
      { brokers: stack.kafkaBrokers, clientId: 'bench' },
      range,
    )) {
      await deserializer.prepare(batch.map(({ value }) => value))
      for (const { value } of batch) {
        const event = deserializer.deserialize(value)
        if (event instanceof DecodeFailure) throw new Error(event.message)
        if (event.type !== 'Trade') continue
        trades += 1
        known.add(`${event.value.instrument} ${event.value.tradeId}`)
      }
    }
  }
  return { trades, repeated: trades - known.size }
}
