import { setTimeout as delay } from 'node:timers/promises'

import { DecodeFailure, Deserializer, tailPartition, topicName } from '@tickertape/kafka-avro'
import type { LogRecord } from '@tickertape/kafka-avro'

import type { IngestEvents } from './events.ts'
import { isOfOtherReplica } from './feed-cursors.ts'
import type { ReadCursorsOptions } from './feed-cursors.ts'
import type { OtherReplicas } from './other-replicas.ts'

export interface FollowReplicasOptions extends ReadCursorsOptions {
  /** Of each partition of feed-cursors, where to read on. */
  readonly from: readonly (number | 'earliest')[]
  readonly replicas: OtherReplicas
  readonly events: Pick<IngestEvents, 'replicasNotFollowed'>
}

/** Before feed-cursors is read on that could not be, in ms. */
const retryMs = 1_000

/** Hears of what other replicas of the feed vouch for, until the signal. A broker that is away is waited for. */
export async function followReplicas(
  options: FollowReplicasOptions,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(options.from.map((from, partition) => follow(options, partition, from, signal)))
}

async function follow(
  options: FollowReplicasOptions,
  partition: number,
  from: number | 'earliest',
  signal: AbortSignal,
): Promise<void> {
  const { brokers, events, feedId, registry, replicaId, replicas, topicPrefix } = options
  const deserializer = new Deserializer('feed-cursors', registry)
  const topic = topicName('feed-cursors', topicPrefix)
  const reader = { brokers, clientId: `ingest-${feedId}-${replicaId}-replicas` }
  let next = from
  while (!signal.aborted) {
    try {
      for await (const records of tailPartition(reader, { topic, partition, from: next }, signal)) {
        await take(records.filter(({ key }) => isOfOtherReplica(options, String(key ?? ''))))
        next = (records.at(-1)?.offset ?? 0) + 1
      }
    } catch (error) {
      // Whoever is not heard covers nothing: an absence is told then, where it need not be.
      events.replicasNotFollowed(error)
      next = 'earliest'
      await delay(retryMs, undefined, { signal })
    }
  }

  async function take(records: readonly LogRecord[]): Promise<void> {
    await deserializer.prepare(records.map(({ value }) => value))
    for (const { value } of records) {
      const cursor = deserializer.deserialize(value)
      if (!(cursor instanceof DecodeFailure)) replicas.heard(cursor, performance.now())
    }
  }
}
