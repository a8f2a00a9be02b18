import { Counter, Gauge, Histogram } from '@tickertape/service-runtime'
import type { ServiceContext } from '@tickertape/service-runtime'

/** Everything that happens in the aggregator and that somebody outside should know of. */
export type AggregatorEvents = ReturnType<typeof createEvents>

export interface RecordPosition {
  readonly topic: string
  readonly partition: number
  readonly offset: number
}

export function createEvents({ logger, metrics, readiness }: ServiceContext) {
  const registers = [metrics]
  const records = new Counter({
    name: 'aggregator_records_total',
    help: 'Records read from market-events, by what became of them',
    labelNames: ['outcome'],
    registers,
  })
  const candles = new Counter({
    name: 'aggregator_candles_total',
    help: 'Candles committed, by interval and quality',
    labelNames: ['interval', 'quality'],
    registers,
  })
  const rejected = new Counter({
    name: 'aggregator_rejected_total',
    help: 'Records sent to the topic rejected, by reason',
    labelNames: ['reason'],
    registers,
  })
  const transactions = new Histogram({
    name: 'aggregator_transaction_seconds',
    help: 'From the begin of a transaction to its commit',
    buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
    registers,
  })
  const restores = new Histogram({
    name: 'aggregator_restore_seconds',
    help: 'From the assignment of partitions to their state being restored',
    buckets: [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
    registers,
  })
  const lag = new Gauge({
    name: 'aggregator_lag_records',
    help: 'Records of market-events not yet read, by partition',
    labelNames: ['partition'],
    registers,
  })
  const openWindows = new Gauge({
    name: 'aggregator_open_windows',
    help: 'Windows that hold trades in memory',
    registers,
  })
  const sessions = new Counter({
    name: 'aggregator_session_failures_total',
    help: 'Sessions that ended by a fault and were started anew from the committed state',
    registers,
  })

  return {
    sessionStarting(): void {
      readiness.waitFor('partitions', 'joining the consumer group')
    },
    sessionFailed(error: unknown, retryInMs: number): void {
      sessions.inc()
      logger.error(
        { err: error, retryInMs },
        'session failed: state is thrown away and restored from what is committed',
      )
    },
    partitionsRestored(partitions: readonly number[], seconds: number, replayed: number): void {
      restores.observe(seconds)
      readiness.ready('partitions')
      logger.info({ partitions, seconds, replayed }, 'partitions assigned, state restored')
    },
    partitionsRevoked(partitions: readonly number[], lost: boolean): void {
      for (const partition of partitions) lag.remove({ partition: String(partition) })
      readiness.waitFor('partitions', 'partitions were revoked')
      logger.info({ partitions, lost }, 'partitions revoked')
    },
    recordApplied(outcome: string): void {
      records.inc({ outcome })
    },
    recordRejected(reason: string, message: string, position: RecordPosition): void {
      rejected.inc({ reason })
      logger.warn({ reason, ...position }, `record rejected: ${message}`)
    },
    committed(
      emitted: readonly { readonly interval: string; readonly quality: string }[],
      seconds: number,
    ): void {
      for (const { interval, quality } of emitted) candles.inc({ interval, quality })
      transactions.observe(seconds)
    },
    measured(lags: ReadonlyMap<number, number>, open: number): void {
      for (const [partition, records] of lags) lag.set({ partition: String(partition) }, records)
      openWindows.set(open)
    },
    kafkaWarning(message: string): void {
      logger.warn({ kafka: message }, 'Kafka client: it retries by itself')
    },
  }
}
