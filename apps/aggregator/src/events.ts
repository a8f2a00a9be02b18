import type { LogRecord } from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import { createConsumerGroupMetrics, createKafkaClientMetrics } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'
import { contextOf, traceFields } from '@tickertape/tracing'

import { closedWindows } from './candle-freshness.ts'
import { LineBudget } from './line-budget.ts'
import { createMetrics } from './metrics.ts'
import type { PartitionMeasure } from './metrics.ts'

/** Everything that happens in the aggregator and that somebody outside should know of. */
export type AggregatorEvents = ReturnType<typeof createEvents>

export type RejectedRecord = Pick<LogRecord, 'topic' | 'partition' | 'offset' | 'headers'>

export interface RestoreCounts {
  readonly windows: number
  readonly instruments: number
  /** Records of market-events that were read again. */
  readonly replayed: number
}

export interface EventSettings {
  /** The consumer group that the instance is a member of. */
  readonly groupId: string
  /** Trades of open windows at which a partition is paused. */
  readonly maxOpenTrades: number
}

/** Windows that ended longer ago, in ms, are those of a replay: they say nothing of how fresh candles are. */
const freshWindowMs = 3_600_000

/** Lines of one kind that are written in a minute; `rejected` itself has every record. */
const budget = { lines: 10, spanMs: 60_000 } as const

export function createEvents(
  {
    logger,
    metrics: registry,
    readiness,
  }: Pick<ServiceContext, 'logger' | 'metrics' | 'readiness'>,
  { groupId, maxOpenTrades }: EventSettings,
) {
  let measure: () => readonly PartitionMeasure[] = () => []
  const metrics = createMetrics(registry, () => measure())
  const kafka = createKafkaClientMetrics(registry)
  const group = createConsumerGroupMetrics(registry, groupId)
  const lines = new LineBudget(budget)
  metrics.openTradesLimit.set(maxOpenTrades)
  /** When it began to wait for partitions. */
  let unassignedSince = performance.now()

  /** Writes a line of a kind that can come in floods. */
  function writeBounded(
    kind: string,
    write: (withheld: { withheldBefore?: number }) => void,
  ): void {
    const { write: isWritten, withheldBefore } = lines.take(kind, performance.now())
    if (isWritten) write(withheldBefore > 0 ? { withheldBefore } : {})
  }

  return {
    kafka,
    group,
    /** @param provider asked at each scrape for as long as its session lasts. */
    measureWith(provider: () => readonly PartitionMeasure[]): void {
      measure = provider
    },
    sessionStarting(): void {
      unassignedSince = performance.now()
      readiness.waitFor('partitions', 'joining the consumer group')
    },
    sessionEnded(): void {
      measure = () => []
      group.measureLagWith(undefined)
    },
    sessionFailed(error: unknown, retryInMs: number): void {
      metrics.sessionFailures.inc()
      logger.error(
        { err: error, retryInMs },
        'session failed: state is thrown away and restored from what is committed',
      )
    },
    partitionsAssigned(partitions: readonly number[]): void {
      metrics.rebalances.inc()
      metrics.rebalanceSeconds.observe((performance.now() - unassignedSince) / 1000)
      if (partitions.length > 0) {
        readiness.waitFor('partitions', `restoring the state of partitions ${partitions.join()}`)
      }
      logger.info({ partitions }, 'partitions assigned')
    },
    partitionsRestored(
      partitions: readonly number[],
      seconds: number,
      counts: RestoreCounts,
    ): void {
      metrics.restores.observe(seconds)
      metrics.restoredWindows.inc(counts.windows)
      metrics.replayed.inc(counts.replayed)
      readiness.ready('partitions')
      logger.info({ partitions, seconds, ...counts }, 'state restored')
    },
    partitionsRevoked(partitions: readonly number[], lost: boolean): void {
      unassignedSince = performance.now()
      readiness.waitFor('partitions', 'partitions were revoked')
      for (const partition of partitions) readiness.ready(openTradesSubject(partition))
      logger.info({ partitions, lost }, 'partitions revoked')
    },
    partitionPaused(partition: number, openTrades: number, feeds: string): void {
      metrics.pauses.inc()
      const reason = `partition ${partition} is paused: its open windows hold ${openTrades} trades, which reaches AGGREGATOR_MAX_OPEN_TRADES (${feeds}). It reads on after the next commit, which sets long open windows aside. If it pauses again and again, raise the limit, or look at why a feed's heartbeats stay away`
      readiness.waitFor(openTradesSubject(partition), reason)
      writeBounded('paused', (withheld) =>
        logger.warn({ partition, openTrades, ...withheld }, reason),
      )
    },
    partitionResumed(partition: number, openTrades: number): void {
      readiness.ready(openTradesSubject(partition))
      logger.debug({ partition, openTrades }, 'partition resumed')
    },
    /** @param appendedAt when Kafka took the last record of a partition that was applied; ms since the epoch. */
    applied(appendedAt: number | undefined): void {
      if (appendedAt === undefined) return
      // The broker's clock may be ahead of ours.
      metrics.readDelay.observe(Math.max(0, Date.now() - appendedAt) / 1000)
    },
    recordsApplied(outcomes: ReadonlyMap<string, number>): void {
      for (const [outcome, count] of outcomes) metrics.records.inc({ outcome }, count)
    },
    recordRejected(
      reason: string,
      message: string,
      { topic, partition, offset, headers }: RejectedRecord,
    ): void {
      metrics.rejected.inc({ reason })
      writeBounded(reason, (withheld) =>
        logger.warn(
          { reason, topic, partition, offset, ...traceFields(contextOf(headers)), ...withheld },
          `record rejected: ${message}`,
        ),
      )
    },
    /** @param records of market-events in the transaction. */
    committed(candles: readonly Candle[], records: number, seconds: number): void {
      const counts = new Map<string, { readonly of: Candle; count: number }>()
      for (const candle of candles) {
        const key = `${candle.interval} ${candle.quality}`
        const known = counts.get(key)
        if (known === undefined) counts.set(key, { of: candle, count: 1 })
        else known.count += 1
        if (candle.revision > 0) metrics.revisions.inc({ interval: candle.interval })
        if (candle.rebuildId !== null) metrics.rebuilt.inc()
      }
      for (const { of, count } of counts.values()) {
        metrics.candles.inc({ interval: of.interval, quality: of.quality }, count)
      }
      const now = Date.now()
      for (const { interval, windowEnd } of closedWindows(candles, now - freshWindowMs)) {
        metrics.candleFreshness.observe({ interval }, Math.max(0, now - windowEnd) / 1000)
      }
      metrics.transactionRecords.observe(records)
      metrics.transactions.observe(seconds)
    },
    reread(records: number, seconds: number): void {
      metrics.rereads.observe(seconds)
      metrics.rereadRecords.inc(records)
    },
    livePublished(count: number): void {
      metrics.live.inc({ result: 'published' }, count)
    },
    liveDropped(count: number): void {
      metrics.live.inc({ result: 'dropped' }, count)
    },
    /** @param waiting candles in progress that Kafka has not acknowledged. */
    liveWaiting(waiting: number, limit: number): void {
      metrics.liveInFlight.set(waiting)
      metrics.liveInFlightLimit.set(limit)
    },
    liveFailed(error: unknown): void {
      metrics.liveFailures.inc()
      writeBounded('live', (withheld) =>
        logger.warn(
          { err: error, ...withheld },
          'candles in progress cannot be written; candles are not affected',
        ),
      )
    },
    rebuildStarted(rebuild: object): void {
      logger.info(rebuild, 'rebuild started: the partition reads on when it is done')
    },
    rebuildFinished(rebuild: object): void {
      logger.info(rebuild, 'rebuild finished')
    },
    rebuildRefused(reason: string, rebuild: object): void {
      logger.error(rebuild, `rebuild refused: ${reason}`)
    },
    kafkaWarning(message: string): void {
      writeBounded('kafka', (withheld) =>
        logger.warn({ kafka: message, ...withheld }, 'Kafka client: it retries by itself'),
      )
    },
    /** To be called now and then: tells how many lines were withheld. */
    tellWithheld(): void {
      for (const { kind, withheld } of lines.takeWithheld(performance.now())) {
        logger.warn(
          { kind, withheld },
          `${withheld} more lines of this kind were withheld in the last minute; the metrics count all, the topic rejected has every record`,
        )
      }
    },
  }
}

/** Name of a partition's reason in readiness. */
function openTradesSubject(partition: number): string {
  return `open-trades-${partition}`
}
