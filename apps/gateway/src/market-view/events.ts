import { Counter, Gauge, Histogram } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'
import { traceFields } from '@tickertape/tracing'
import type { SpanContext } from '@tickertape/tracing'

/** Everything that happens in the market view and that somebody outside should know of. */
export type MarketViewEvents = ReturnType<typeof createMarketViewEvents>

export interface TopicLag {
  readonly topic: string
  readonly records: number
}

export interface SkippedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly reason: string
  /** Of a record of a sampled trace. */
  readonly trace: SpanContext | undefined
}

/** What a batch of records came to. */
export interface AppliedBatch {
  readonly topic: string
  readonly records: number
  readonly trades: number
  readonly closedCandles: number
  readonly openCandles: number
  /** From Kafka's append of the newest record to here. */
  readonly sinceAppendMs: number | undefined
  /** From the event time of the newest trade to here. */
  readonly sinceEventMs: number | undefined
}

const freshnessSeconds = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 30]
/** Lines about skipped records in a minute; the metric counts all. */
const linesPerMinute = 10
/** Name of the view's reason in readiness. */
const subject = 'market-view'
const brokerSubject = 'market-view-kafka'
const registrySubject = 'market-view-registry'

export function createMarketViewEvents({
  logger,
  metrics,
  readiness,
}: Pick<ServiceContext, 'logger' | 'metrics' | 'readiness'>) {
  const registers = [metrics]
  let lags: () => readonly TopicLag[] = () => []
  let lines = 0
  let linesSince = 0
  let isSilent = false
  const lag = new Gauge({
    name: 'gateway_view_lag_records',
    help: 'Records of a topic that the view has not applied yet',
    labelNames: ['topic'],
    registers,
    collect() {
      for (const { topic, records } of lags()) lag.set({ topic }, records)
    },
  })
  const records = new Counter({
    name: 'gateway_view_records_total',
    help: 'Records read into the view, by topic',
    labelNames: ['topic'],
    registers,
  })
  const updates = new Counter({
    name: 'gateway_view_updates_total',
    help: 'Updates that records brought: trades, candles closed and open',
    labelNames: ['type'],
    registers,
  })
  const freshness = new Histogram({
    name: 'gateway_view_freshness_seconds',
    help: "From Kafka's append (since=append) or the venue's event time (since=event) of the newest record of a batch to the view",
    labelNames: ['topic', 'since'],
    buckets: freshnessSeconds,
    registers,
  })
  const skipped = new Counter({
    name: 'gateway_view_skipped_records_total',
    help: 'Records that the view cannot use, by topic and reason',
    labelNames: ['topic', 'reason'],
    registers,
  })
  const resets = new Counter({
    name: 'gateway_view_resets_total',
    help: 'How often the view was made anew, so that clients had to begin again',
    registers,
  })
  const retries = new Counter({
    name: 'gateway_view_retries_total',
    help: 'Attempts to begin or to go on that failed and are made again',
    registers,
  })
  const beginnings = new Histogram({
    name: 'gateway_view_begin_seconds',
    help: 'From the begin of reading rows until the topics were caught up with',
    buckets: [0.5, 1, 2, 5, 10, 30, 60, 300, 1_800],
    registers,
  })

  /** Under the bound of lines. */
  function isLineDue(): boolean {
    const now = performance.now()
    if (now - linesSince > 60_000) {
      linesSince = now
      lines = 0
    }
    lines += 1
    return lines <= linesPerMinute
  }

  return {
    /** @param provider asked at each scrape. */
    measureLagWith(provider: () => readonly TopicLag[]): void {
      lags = provider
    },
    readingRows(): void {
      readiness.waitFor(subject, 'reading candles and trades from the database')
    },
    catchingUp(left: number): void {
      readiness.waitFor(subject, `catching up with the topics: ${left} records to go`)
    },
    live(instruments: number, seconds: number): void {
      readiness.ready(subject)
      beginnings.observe(seconds)
      logger.info({ instruments, seconds }, 'market view is caught up')
    },
    waiting(error: unknown, retryInMs: number): void {
      retries.inc()
      const message = error instanceof Error ? error.message : String(error)
      readiness.waitFor(subject, message)
      logger.warn({ err: error, retryInMs }, `the market view waits: ${message}`)
    },
    reset(error: unknown): void {
      resets.inc()
      const message = error instanceof Error ? error.message : String(error)
      readiness.waitFor(subject, `beginning again: ${message}`)
      logger.error({ err: error }, `the market view begins again from the database: ${message}`)
    },
    registryAway(error: unknown, retryInMs: number): void {
      retries.inc()
      const message = error instanceof Error ? error.message : String(error)
      readiness.waitFor(registrySubject, message)
      logger.warn({ err: error, retryInMs }, `the market view waits: ${message}`)
    },
    registryBack(): void {
      readiness.ready(registrySubject)
    },
    /** How long the partition that waits longest has had no answer. */
    silence(silentMs: number, boundMs: number): void {
      if (silentMs > boundMs) {
        isSilent = true
        const seconds = Math.round(silentMs / 1_000)
        readiness.waitFor(brokerSubject, `Kafka has not answered for ${seconds} s`)
      } else if (isSilent) {
        isSilent = false
        readiness.ready(brokerSubject)
      }
    },
    applied(batch: AppliedBatch): void {
      const { topic } = batch
      records.inc({ topic }, batch.records)
      if (batch.trades > 0) updates.inc({ type: 'trade' }, batch.trades)
      if (batch.closedCandles > 0) updates.inc({ type: 'closed candle' }, batch.closedCandles)
      if (batch.openCandles > 0) updates.inc({ type: 'open candle' }, batch.openCandles)
      observe(topic, 'append', batch.sinceAppendMs)
      observe(topic, 'event', batch.sinceEventMs)
    },
    recordSkipped(
      { topic, partition, offset, reason, trace }: SkippedRecord,
      message: string,
    ): void {
      skipped.inc({ topic, reason })
      if (!isLineDue()) return
      logger.warn(
        { topic, partition, offset, reason, ...traceFields(trace) },
        `record skipped at ${topic}[${partition}]@${offset}: ${message}`,
      )
    },
    listenerFailed(error: unknown): void {
      logger.error({ err: error }, 'a listener of the market view failed')
    },
    kafkaWarning(message: string): void {
      if (isLineDue()) logger.warn({ kafka: message }, 'Kafka client: it retries by itself')
    },
  }

  /** Clocks differ: what seems to come from the future came at once. */
  function observe(topic: string, since: 'append' | 'event', ms: number | undefined): void {
    if (ms !== undefined) freshness.observe({ topic, since }, Math.max(0, ms) / 1_000)
  }
}
