import { setTimeout as delay } from 'node:timers/promises'

import {
  DecodeFailure,
  Deserializer,
  LogTail,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import type { LogRecord, TopicPartitionOffset } from '@tickertape/kafka-avro'

import type { IngestEvents } from './events.ts'
import { isOfOtherReplica } from './feed-cursors.ts'
import type { ReadCursorsOptions } from './feed-cursors.ts'
import type { OtherReplicas } from './other-replicas.ts'

export interface FollowReplicasOptions extends ReadCursorsOptions {
  /** Of each partition of feed-cursors, the next offset. */
  readonly next: readonly number[]
  readonly replicas: OtherReplicas
  readonly events: Pick<IngestEvents, 'kafka' | 'replicasNotFollowed'>
}

const recordsAtOnce = 1_000
const waitMs = 60_000

/** Before feed-cursors is read on that could not be, in ms. */
const retryMs = 1_000

/** Hears of what other replicas of the feed vouch for, until the signal. A broker that is away is waited for. */
export async function followReplicas(
  options: FollowReplicasOptions,
  signal: AbortSignal,
): Promise<void> {
  const { connection, events, topicPrefix } = options
  const topic = topicName('feed-cursors', topicPrefix)
  let positions = options.next.map((offset, partition) => ({ topic, partition, offset }))
  while (!signal.aborted) {
    try {
      await hear(options, positions, signal)
    } catch (error) {
      // Whoever is not heard covers nothing: an absence is told then where it need not be.
      events.replicasNotFollowed(error)
      await delay(retryMs, undefined, { signal })
      const offsets = await topicOffsets(connection, topic).catch(() => undefined)
      positions =
        offsets?.map(({ high, partition }) => ({ topic, partition, offset: high })) ?? positions
    }
  }
}

/** @throws KafkaAvroError if there is something that cannot be read on. */
async function hear(
  options: FollowReplicasOptions,
  positions: readonly TopicPartitionOffset[],
  signal: AbortSignal,
): Promise<void> {
  const { connection, events, feedId, registry, replicaId, replicas } = options
  const deserializer = new Deserializer('feed-cursors', registry)
  const fetches = events.kafka.fetching('cursors')
  await using tail = new LogTail({
    connection,
    clientId: `ingest-${feedId}-${replicaId}`,
    positions,
    onWarning: events.replicasNotFollowed,
    fetches,
  })
  fetches.queuedWith(() => tail.fetchQueue)
  while (!signal.aborted) {
    const records = await tail.next(recordsAtOnce, waitMs, signal)
    const others = records.filter(isOther)
    await deserializer.prepare(others.map(({ value }) => value))
    for (const { value } of others) {
      const cursor = deserializer.deserialize(value)
      if (!(cursor instanceof DecodeFailure)) replicas.heard(cursor, performance.now())
    }
  }

  function isOther({ key }: LogRecord): boolean {
    return isOfOtherReplica(options, String(key ?? ''))
  }
}
