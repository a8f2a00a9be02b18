import {
  Deserializer,
  GroupLag,
  MarketEventReader,
  Registry,
  Serializer,
  TransactionalProducer,
  createLogReader,
  requireTopics,
  topicName,
  withGroupLag,
} from '@tickertape/kafka-avro'
import type { Tracing } from '@tickertape/tracing'

import type { AggregatorConfig } from './config.ts'
import type { AggregatorEvents } from './events.ts'
import { LiveCandles } from './live-candles.ts'
import { PartitionWork } from './partition-work.ts'
import { Rereads } from './rereads.ts'
import { headerOf, storedWindowCodec } from './stored-window-codec.ts'

/**
 * One membership in the group with one transactional producer: from joining to the signal or the first
 * fault. State lives no longer than its session, so what is in memory is always what the committed
 * offsets and the changelog say, plus the transactions that are under way.
 *
 * @throws KafkaAvroError, StateMismatch, AggregationSettingsError, InstanceFenced; what was not committed
 *   has no effect then.
 */
export async function runSession(
  config: AggregatorConfig,
  events: AggregatorEvents,
  tracing: Tracing,
  signal: AbortSignal,
): Promise<void> {
  const { connection, topicPrefix, transactionalId } = config.kafka
  const wantsLive = config.liveIntervalMs > 0
  await requireTopics(connection, topicPrefix, [
    'market-events',
    'candles',
    'aggregator-state',
    'rejected',
    ...(wantsLive ? (['candles-live'] as const) : []),
  ])
  const registry = new Registry(config.registry, topicPrefix)
  const candles = new Serializer('candles', await registry.register('candles'))
  const stateSchema = await registry.register('aggregator-state')
  const state = new Deserializer('aggregator-state', registry)
  // Windows are read back from the bytes that were written here, too.
  await state.prepare([headerOf(stateSchema)])
  const marketEvents = new MarketEventReader(registry)
  await using live = wantsLive
    ? new LiveCandles(
        config,
        events,
        new Serializer('candles-live', await registry.register('candles-live')),
        tracing,
      )
    : undefined
  const clientId = `aggregator-${transactionalId}`
  await using producer = await TransactionalProducer.open({
    connection,
    clientId,
    transactionalId,
    onStatistics: events.kafka.librdkafka('transactions'),
  })
  const fetches = events.kafka.fetching('fetch')
  const reader = createLogReader(config.reader, {
    connection,
    clientId,
    groupId: config.kafka.groupId,
    topics: [topicName('market-events', topicPrefix)],
    maxWaitMs: Math.min(50, config.commit.intervalMs),
    onWarning: (message) => events.kafkaWarning(message),
    onStatistics: events.kafka.librdkafka('group'),
    fetches,
  })
  fetches.queuedWith(() => reader.fetchQueue)
  const lag = new GroupLag()
  await using rereads = new Rereads(config, events, marketEvents)
  const work = new PartitionWork({
    config,
    events,
    tracing,
    reader,
    lag,
    marketEvents,
    state,
    live,
    codec: storedWindowCodec(new Serializer('aggregator-state', stateSchema), state),
    rereads,
    targets: {
      producer,
      reader,
      topicPrefix,
      candles,
      state: new Serializer('aggregator-state', stateSchema),
    },
  })
  events.measureWith(() => work.measure())
  events.group.measureLagWith(() => lag.lags(reader, Date.now()))
  try {
    await reader.run(withGroupLag(work, lag, reader), signal)
  } finally {
    work.end()
    events.sessionEnded()
  }
}
