import { setTimeout as delay } from 'node:timers/promises'

import { EventProducer, Registry, Serializer, requireTopics } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { RunningService, ServiceContext } from '@tickertape/service-runtime'

import { watchBroker } from './broker-watch.ts'
import type { IngestConfig } from './config.ts'
import type { Delivery } from './delivery.ts'
import { createEvents } from './events.ts'
import { CursorWriter, readCursors, vouchedUpTo } from './feed-cursors.ts'
import { createFeedState } from './feed-state.ts'
import { followReplicas } from './follow-replicas.ts'
import { CatalogReader } from './catalog-reader.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import { InstrumentFollower } from './instrument-follower.ts'
import { withinLimits } from './limited-connections.ts'
import { LiveInstruments } from './live-instruments.ts'
import type { MappingContext } from './mapped-trade.ts'
import { MarketLog } from './market-log.ts'
import { beginNewListing } from './new-listing.ts'
import { OpenGaps } from './open-gaps.ts'
import { openRecorder } from './open-recorder.ts'
import { OtherReplicas } from './other-replicas.ts'
import { throughOutages } from './outages.ts'
import { historyBackoff, prepare, readFeed } from './read-feed.ts'
import { RestClient } from './rest-client.ts'
import { hasSequences } from './trade-history.ts'
import { TradeTraces } from './trade-traces.ts'
import { UnsequencedDelivery } from './unsequenced-delivery.ts'
import { untilAborted } from './until-aborted.ts'

/** Longest wait for Kafka at the end, in ms: what is unacknowledged is behind no cursor. */
const drainMs = 8_000

/** When records that Kafka does not take are told, and the time between two looks. */
const brokerWatch = { patienceMs: 5_000, everyMs: 1_000 }

/** How long a trade waits for company, in ms. At the producer's 5 the median from frame to log was 6.7 ms. */
const lingerMs = 2

const restTimeoutMs = 10_000

/** Another replica that has written no cursor for so many of their intervals, and for this many ms, is away. */
const replicaPatience = { intervals: 3, leastMs: 3_000 }

/**
 * Reads one venue's trades into the log until it is disposed. It begins behind its own cursors, so
 * that neither a restart nor a kill loses a trade. Kafka and the registry may be away, at the start as
 * well as later: they are waited for.
 */
export function startIngest(config: IngestConfig, context: ServiceContext): RunningService {
  const stopping = new AbortController()
  const ended = run(config, context, stopping.signal)
  const failed = Promise.withResolvers<never>()
  ended.catch(failed.reject)
  return {
    failed: failed.promise,
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      // A failure was already told through `failed`.
      await ended.catch(() => undefined)
    },
  }
}

/** @throws KafkaAvroError or CursorAhead for what will not pass by itself. */
async function run(
  config: IngestConfig,
  { logger, metrics, readiness, tracing }: ServiceContext,
  stop: AbortSignal,
): Promise<void> {
  const { kafka, feedId, replicaId, venue } = config
  const deliveries = new Map<string, Delivery>()
  const facts = new Map<string, InstrumentFacts>()
  const idOf = (instrument: string): string => instrumentIdOf({ venue: venue.name, instrument })
  const live = new LiveInstruments()
  const openGaps = new OpenGaps()
  let opened: MarketLog | undefined
  const events = createEvents({
    logger,
    metrics,
    readiness,
    venue: venue.name,
    state: () => ({
      inFlight: opened?.inFlight ?? 0,
      inFlightLimit: config.maxInFlight,
      waiting: deliveries.values().reduce((sum, each) => sum + each.waitingCount, 0),
      waitingMost: deliveries.values().reduce((most, each) => Math.max(most, each.waitingCount), 0),
      waitingLimit: config.holes.buffer,
      openGaps: openGaps.count,
      openGapsFrom: openGaps.from,
    }),
  })
  readiness.waitFor('venue', `not connected to ${venue.name}`)
  const through = throughOutages(readiness, events, stop)
  const requirePartitions = (): Promise<number> =>
    requireTopics(kafka.connection, kafka.topicPrefix, [
      'market-events',
      'feed-cursors',
      'rejected',
    ])
  const partitions = await through(requirePartitions)
  const registry = new Registry(config.registry, kafka.topicPrefix)
  const marketEvents = new Serializer(
    'market-events',
    await through(() => registry.register('market-events')),
  )
  const feedCursors = new Serializer(
    'feed-cursors',
    await through(() => registry.register('feed-cursors')),
  )
  const cursorsAt = { ...kafka, feedId, replicaId, partitions, registry }
  const found = await through(async () => {
    // An absent broker is told in seconds this way, where reading and producing wait for half a minute.
    await requirePartitions()
    return await readCursors(cursorsAt)
  })
  const cursors = found.own
  const { intervals, leastMs } = replicaPatience
  const replicas = new OtherReplicas(Math.max(leastMs, intervals * config.cursorMs))
  for (const cursor of found.others) replicas.heard(cursor, performance.now())
  await using producer = await through(async () => {
    await requirePartitions()
    return await EventProducer.open({
      connection: kafka.connection,
      clientId: `ingest-${feedId}-${replicaId}`,
      lingerMs,
      onStatistics: events.kafka.librdkafka('producer'),
    })
  })
  const log = new MarketLog({
    producer,
    traces: new TradeTraces({ tracing, oneIn: config.traceOneIn, onBegun: events.traceBegun }),
    marketEvents,
    feedCursors,
    partitions,
    topicPrefix: kafka.topicPrefix,
    feed: { venue: venue.name, feedId },
    maxInFlight: config.maxInFlight,
    onGap: (gap) => openGaps.told(gap),
  })
  opened = log
  events.cursorsRead(cursors.size)

  const rest = new RestClient({
    url: config.restUrl,
    timeoutMs: restTimeoutMs,
    headers: venue.restHeaders,
    budget: venue.restBudget,
    saysRateLimited: venue.saysRateLimited,
    saysRefused: venue.saysRefused,
    connects: venue.connectBudget,
    onSilence: events.silenced,
    onAnswer: events.requested,
  })
  const mapping = (): MappingContext => ({
    feedId,
    receivedAt: Date.now(),
    futureToleranceMs: config.futureToleranceMs,
  })
  const history = venue.history(rest, mapping)
  await using recorder = await openRecorder(config, events)
  const failing = new AbortController()
  const signal = AbortSignal.any([stop, failing.signal])
  const state = createFeedState({
    config: { ...config, venue: withinLimits(venue, rest.limits, recorder) },
    events,
    readiness,
    log,
    rest,
    mapping,
    deliveries,
    facts,
    live,
    history,
    backoff: historyBackoff,
    cursors: cursors.values(),
    replicas,
    remember: async () => {
      await cursorWriter.write(deliveries.values())
      await log.acknowledged()
    },
    signal,
  })
  const cursorWriter = new CursorWriter({ feedId, replicaId }, log, {
    get vouchedUpTo() {
      return state.heartbeats.vouchedUpTo
    },
    vouchesFrom: (delivery) => state.heartbeats.vouchesFrom(delivery),
    openGaps: (delivery) => state.gaps.openOf(delivery),
  })
  const leaveGaps = (instrument: Pick<Delivery, 'instrumentId'>): void => {
    for (const gap of state.gaps.forget(instrument, state.heartbeats.venueTime)) events.gaveUp(gap)
  }
  const follower = new InstrumentFollower({
    feedId,
    selection: config.instruments,
    reader: new CatalogReader((asked) => venue.catalog(rest, asked), readiness, events),
    known: [...cursors.keys()],
    deliveries,
    facts,
    live,
    log,
    events,
    venueTime: () => state.heartbeats.venueTime,
    deliveryOf: (instrument) => {
      const instrumentId = idOf(instrument)
      const cursor = cursors.get(instrument)
      const names = { feedId, replicaId, instrument, instrumentId, cursor }
      return hasSequences(history)
        ? new InstrumentDelivery({ ...names, log })
        : new UnsequencedDelivery({ ...names, log })
    },
    prepare: async (added, asked) => {
      await Promise.all(added.map((each) => beginNewListing(each, history, asked)))
      await prepare(added, state, history, cursorWriter, asked)
    },
    leave: (delivery) => {
      state.recovery.forget([delivery.instrument])
      state.heartbeats.unsubscribed(delivery)
      leaveGaps(delivery)
    },
    cursors: cursorWriter,
    everyMs: config.catalogMs,
  })
  await follower.begin(stop)
  const vouchedBefore = vouchedUpTo(cursors.values())
  for (const { instrument, openGaps: gaps } of cursors.values()) {
    const instrumentId = idOf(instrument)
    for (const gap of gaps) openGaps.told({ ...gap, instrumentId, state: 'open' })
    state.gaps.restore({ instrumentId }, gaps, vouchedBefore)
  }
  // Of those that are not selected any more nobody closes what is open.
  const left = [...cursors.values()].filter(
    ({ instrument, openGaps: gaps }) => gaps.length > 0 && !deliveries.has(instrument),
  )
  for (const { instrument } of left) leaveGaps({ instrumentId: idOf(instrument) })
  const work = [
    untilAborted(cursorWriter.close(left), signal),
    followReplicas({ ...cursorsAt, next: found.next, replicas, events }, signal),
    follower.follow(signal),
    readFeed(state, history, cursorWriter, signal),
    writeCursors(cursorWriter, deliveries, config.cursorMs, signal),
    watchBroker({ log, readiness, events, ...brokerWatch }, signal),
  ]
  try {
    await Promise.race([producer.failed, state.recovery.failed, Promise.all(work)])
  } catch (error) {
    if (!stop.aborted) throw error
  } finally {
    events.stopping()
    failing.abort()
    await Promise.allSettled(work)
    // Everything that was read is produced; the cursors stand behind it.
    await Promise.race([
      cursorWriter.write(deliveries.values()).catch(() => undefined),
      delay(drainMs, undefined, { ref: false }),
    ])
  }
}

async function writeCursors(
  cursors: CursorWriter,
  deliveries: ReadonlyMap<string, Delivery>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(everyMs, undefined, { signal })
    await untilAborted(cursors.write(deliveries.values()), signal)
  }
}
