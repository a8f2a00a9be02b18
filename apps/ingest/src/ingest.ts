import { setTimeout as delay } from 'node:timers/promises'

import { EventProducer, Registry, Serializer, requireTopics } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { RunningService, ServiceContext } from '@tickertape/service-runtime'

import { backoffMs } from './backoff.ts'
import type { IngestConfig } from './config.ts'
import { createEvents } from './events.ts'
import { CursorWriter, readCursors } from './feed-cursors.ts'
import { FeedSession } from './feed-session.ts'
import type { FeedState } from './feed-session.ts'
import { HoleFiller } from './hole-filler.ts'
import { InstrumentDelivery } from './instrument-delivery.ts'
import type { MappingContext } from './mapped-trade.ts'
import { MarketLog } from './market-log.ts'
import { ReadingGate } from './reading-gate.ts'
import { RestClient, RestError } from './rest-client.ts'
import type { TradeHistory } from './trade-history.ts'
import { untilAborted } from './until-aborted.ts'

/** Longest wait for Kafka at the end, in ms: what is unacknowledged is behind no cursor. */
const drainMs = 8_000

/** Between two requests that the venue's history did not answer. */
const historyBackoff = { firstMs: 200, maxMs: 10_000 }

const restTimeoutMs = 10_000

/**
 * Reads one venue's trades into the log until it is disposed. It begins behind its own cursors, so
 * that neither a restart nor a kill loses a trade.
 *
 * @throws KafkaAvroError if the topics, the registry or the broker are not as they must be.
 */
export async function startIngest(
  config: IngestConfig,
  { logger, metrics, readiness }: ServiceContext,
): Promise<RunningService> {
  const { kafka, feedId, replicaId, venue } = config
  const partitions = await requireTopics(kafka.brokers, kafka.topicPrefix, [
    'market-events',
    'feed-cursors',
    'rejected',
  ])
  const registry = new Registry(config.registryUrl, kafka.topicPrefix)
  const marketEvents = new Serializer('market-events', await registry.register('market-events'))
  const feedCursors = new Serializer('feed-cursors', await registry.register('feed-cursors'))
  const cursors = await readCursors({
    ...kafka,
    feedId,
    replicaId,
    partitions,
    registry,
    instruments: config.instruments,
  })

  await using opened = new AsyncDisposableStack()
  const producer = opened.use(
    await EventProducer.open({
      brokers: kafka.brokers,
      clientId: `ingest-${feedId}-${replicaId}`,
    }),
  )
  const log = new MarketLog({
    producer,
    marketEvents,
    feedCursors,
    partitions,
    topicPrefix: kafka.topicPrefix,
    maxInFlight: config.maxInFlight,
  })
  const deliveries = new Map(
    config.instruments.map((instrument) => {
      const instrumentId = instrumentIdOf({ venue: venue.name, instrument })
      const cursor = cursors.get(instrument)
      return [
        instrument,
        new InstrumentDelivery({ feedId, replicaId, instrument, instrumentId, log, cursor }),
      ]
    }),
  )
  const events = createEvents({
    logger,
    metrics,
    venue: venue.name,
    inFlight: () => log.inFlight,
    waiting: () => deliveries.values().reduce((sum, each) => sum + each.waitingCount, 0),
  })
  events.cursorsRead(cursors.size, deliveries.size)

  const rest = new RestClient({
    url: config.restUrl,
    timeoutMs: restTimeoutMs,
    budget: venue.restBudget,
    saysRateLimited: venue.saysRateLimited,
    saysRefused: venue.saysRefused,
    onAnswer: events.requested,
  })
  const mapping = (): MappingContext => ({
    feedId,
    receivedAt: Date.now(),
    futureToleranceMs: config.futureToleranceMs,
  })
  const history = venue.history(rest, mapping)
  const gate = new ReadingGate()
  const filler = new HoleFiller({
    history,
    log,
    tries: config.holes.tries,
    backoff: historyBackoff,
    venueTime: () => state.venueTime ?? Date.now(),
    upTo: () => state.upTo,
    onPage: (delivery, counts) => {
      events.traded('history', counts.delivered)
      events.duplicated('history', counts.duplicates)
      if (delivery.waitingCount >= config.holes.buffer) return
      if (!gate.isHeldBy(delivery.instrument)) return
      gate.release(delivery.instrument)
      events.readingResumed('hole', delivery.instrument)
    },
    onFailure: (delivery, error, tries) => events.historyFailed(delivery.instrument, error, tries),
    onGap: events.gaveUp,
  })
  const state: FeedState = {
    config,
    events,
    readiness,
    log,
    rest,
    mapping,
    filler,
    gate,
    deliveries,
    venueTime: undefined,
    upTo: undefined,
    failures: 0,
  }
  const cursorWriter = new CursorWriter({ feedId, replicaId }, log)
  const stop = new AbortController()
  const { signal } = stop
  readiness.waitFor('venue', `not connected to ${venue.name}`)
  const work = [
    readFeed(state, history, cursorWriter, signal),
    writeCursors(cursorWriter, deliveries, config.cursorMs, signal),
  ]
  const failed = Promise.race([producer.failed, failureOf(work, signal)])
  failed.catch(() => undefined)
  const resources = opened.move()
  return {
    failed,
    [Symbol.asyncDispose]: async () => {
      events.stopping()
      stop.abort()
      await Promise.allSettled(work)
      // Everything that was read is produced; the cursors stand behind it.
      await Promise.race([
        cursorWriter.write(deliveries.values()).catch(() => undefined),
        delay(drainMs, undefined, { ref: false }),
      ])
      await resources.disposeAsync()
    },
  }
}

/** Connects again and again, until it is told to stop. */
async function readFeed(
  state: FeedState,
  history: TradeHistory,
  cursors: CursorWriter,
  signal: AbortSignal,
): Promise<void> {
  const { config, deliveries, events, log, readiness } = state
  await Promise.all(deliveries.values().map((each) => findBeginning(each, state, history, signal)))
  // From the moment the venue acknowledges a subscription no trade may be lost: where the
  // instruments begin has to be known to the next process by then.
  await untilAborted(cursors.write(deliveries.values()), signal)
  await untilAborted(log.acknowledged(), signal)
  while (!signal.aborted) {
    const reason = await new FeedSession(state, signal).run()
    if (signal.aborted) break
    state.failures += 1
    readiness.waitFor('venue', `not connected to ${config.venue.name}: ${reason}`)
    const bounds = { firstMs: 250, maxMs: config.connection.reconnectMaxMs }
    const retryInMs = backoffMs(state.failures, bounds, Math.random())
    events.disconnected(reason, retryInMs)
    await delay(retryInMs, undefined, { signal })
  }
}

/** Without a cursor an instrument begins behind the venue's last trade, asked for before we subscribe. */
async function findBeginning(
  delivery: InstrumentDelivery,
  { events, readiness }: FeedState,
  history: TradeHistory,
  signal: AbortSignal,
): Promise<void> {
  if (delivery.beginning !== 'unknown') return
  for (let tries = 1; ; tries += 1) {
    try {
      delivery.beginBehind(await history.newest(delivery.instrument, signal))
      break
    } catch (error) {
      if (!(error instanceof RestError)) throw error
      if (error.code === 'refused') {
        events.historyRefused(delivery.instrument, error)
        readiness.waitFor(`history of ${delivery.instrument}`, `refused: ${error.message}`)
        delivery.beginWithStream()
        break
      }
      events.historyAwaited(delivery.instrument, error, tries)
      readiness.waitFor('history', `the venue's history does not answer: ${error.message}`)
      await delay(backoffMs(tries, historyBackoff, Math.random()), undefined, { signal })
    }
  }
  readiness.ready('history')
  events.instrumentBegins(delivery.instrument, delivery.position)
}

async function writeCursors(
  cursors: CursorWriter,
  deliveries: ReadonlyMap<string, InstrumentDelivery>,
  everyMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await delay(everyMs, undefined, { signal })
    await untilAborted(cursors.write(deliveries.values()), signal)
  }
}

/** Rejects if the work ends before it is told to. */
async function failureOf(work: readonly Promise<void>[], signal: AbortSignal): Promise<never> {
  try {
    await Promise.all(work)
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return await new Promise<never>(() => undefined)
}
