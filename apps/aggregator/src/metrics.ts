import { Counter, Gauge, Histogram } from '@tickertape/service-runtime'
import type { Registry } from '@tickertape/service-runtime'

/** One partition of this instance at the moment that somebody asks. */
export interface PartitionMeasure {
  readonly partition: number
  readonly lagRecords: number
  readonly openWindows: number
  readonly openTrades: number
  readonly storedWindows: number
  readonly instruments: number
  readonly isPaused: boolean
  readonly watermarks: readonly { readonly feedId: string; readonly upTo: number }[]
}

export type AggregatorMetrics = ReturnType<typeof createMetrics>

/** @param measure asked at each scrape, so that lags grow while the service stands still. */
export function createMetrics(metrics: Registry, measure: () => readonly PartitionMeasure[]) {
  const registers = [metrics]
  gaugesByPartition(metrics, measure)
  return {
    records: new Counter({
      name: 'aggregator_records_total',
      help: 'Records read from market-events, by what became of them',
      labelNames: ['outcome'],
      registers,
    }),
    candles: new Counter({
      name: 'aggregator_candles_total',
      help: 'Candles committed, by interval and quality',
      labelNames: ['interval', 'quality'],
      registers,
    }),
    revisions: new Counter({
      name: 'aggregator_revisions_total',
      help: 'Candles committed that replace an earlier one of their window, by interval',
      labelNames: ['interval'],
      registers,
    }),
    rebuilt: new Counter({
      name: 'aggregator_rebuilt_candles_total',
      help: 'Candles committed that a rebuild asked for',
      registers,
    }),
    rejected: new Counter({
      name: 'aggregator_rejected_total',
      help: 'Records sent to the topic rejected, by reason',
      labelNames: ['reason'],
      registers,
    }),
    readDelay: new Histogram({
      name: 'aggregator_read_delay_seconds',
      help: 'From Kafka’s append of a record to its being applied; of the last one of a partition, each time that it is read',
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30, 300],
      registers,
    }),
    candleFreshness: new Histogram({
      name: 'aggregator_candle_freshness_seconds',
      help: 'From the end of a window to the commit of its first candle, once for each end of a partition in a transaction; windows that ended more than an hour ago are left out',
      labelNames: ['interval'],
      buckets: [0.5, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 10, 30, 60, 600],
      registers,
    }),
    rebalances: new Counter({
      name: 'aggregator_rebalances_total',
      help: 'Assignments of partitions to this instance, an empty one included',
      registers,
    }),
    rebalanceSeconds: new Histogram({
      name: 'aggregator_rebalance_seconds',
      help: 'From joining the group, or letting partitions go, to the next assignment; restoring is not in it',
      buckets: [0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 30, 60],
      registers,
    }),
    openTradesLimit: new Gauge({
      name: 'aggregator_open_trades_limit',
      help: 'Trades of open windows at which a partition is paused (AGGREGATOR_MAX_OPEN_TRADES)',
      registers,
    }),
    transactionRecords: new Histogram({
      name: 'aggregator_transaction_records',
      help: 'Records of market-events in one transaction',
      buckets: [1, 10, 50, 100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000],
      registers,
    }),
    liveInFlight: new Gauge({
      name: 'aggregator_live_in_flight_records',
      help: 'Candles in progress that Kafka has not acknowledged',
      registers,
    }),
    liveInFlightLimit: new Gauge({
      name: 'aggregator_live_in_flight_records_limit',
      help: 'Candles in progress that may wait for Kafka; beyond it they are dropped',
      registers,
    }),
    transactions: new Histogram({
      name: 'aggregator_transaction_seconds',
      help: 'From the begin of a transaction to its commit',
      buckets: [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5],
      registers,
    }),
    rereads: new Histogram({
      name: 'aggregator_reread_seconds',
      help: 'Time that a correction or a suspected duplicate waited for records read again',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    rereadRecords: new Counter({
      name: 'aggregator_reread_records_total',
      help: 'Records read again for corrections and suspected duplicates',
      registers,
    }),
    restores: new Histogram({
      name: 'aggregator_restore_seconds',
      help: 'From the assignment of partitions to their state being restored',
      buckets: [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60],
      registers,
    }),
    restoredWindows: new Counter({
      name: 'aggregator_restored_windows_total',
      help: 'Windows restored from the changelog',
      registers,
    }),
    replayed: new Counter({
      name: 'aggregator_replayed_records_total',
      help: 'Records of market-events read again at restores, for the windows that were open',
      registers,
    }),
    pauses: new Counter({
      name: 'aggregator_pauses_total',
      help: 'How often a partition was paused because it had too many open trades',
      registers,
    }),
    sessionFailures: new Counter({
      name: 'aggregator_session_failures_total',
      help: 'Sessions that ended by a fault and were started anew from the committed state',
      registers,
    }),
    live: new Counter({
      name: 'aggregator_live_candles_total',
      help: 'Candles in progress handed to Kafka, or dropped because it did not take them',
      labelNames: ['result'],
      registers,
    }),
    liveFailures: new Counter({
      name: 'aggregator_live_failures_total',
      help: 'Failures of the producer of candles in progress; it is opened anew',
      registers,
    }),
  }
}

/** Set at each scrape: gauges of a partition that went away go with it. */
function gaugesByPartition(metrics: Registry, measure: () => readonly PartitionMeasure[]): void {
  const numbers: readonly (readonly [string, string, (of: PartitionMeasure) => number])[] = [
    ['lag_records', 'Records of market-events not yet read', ({ lagRecords }) => lagRecords],
    ['open_windows', 'Windows that hold trades in memory', ({ openWindows }) => openWindows],
    ['open_trades', 'Trades in memory of windows that are open', ({ openTrades }) => openTrades],
    [
      'stored_windows',
      'Closed windows kept until they are forgotten',
      ({ storedWindows }) => storedWindows,
    ],
    ['instruments', 'Instruments known', ({ instruments }) => instruments],
    [
      'paused',
      '1 while reading is paused because of too many open trades',
      ({ isPaused }) => (isPaused ? 1 : 0),
    ],
  ]
  for (const [name, help, value] of numbers) {
    const gauge: Gauge<'partition'> = new Gauge({
      name: `aggregator_${name}`,
      help: `${help}, by partition`,
      labelNames: ['partition'],
      registers: [metrics],
      collect: () => {
        gauge.reset()
        for (const of of measure()) gauge.set({ partition: String(of.partition) }, value(of))
      },
    })
  }
  const lag: Gauge<'partition' | 'feed'> = new Gauge({
    name: 'aggregator_event_time_lag_seconds',
    help: 'How far the watermark of a feed is behind the clock, by partition',
    labelNames: ['partition', 'feed'],
    registers: [metrics],
    collect: () => {
      lag.reset()
      for (const { partition, watermarks } of measure()) {
        for (const { feedId, upTo } of watermarks) {
          lag.set({ partition: String(partition), feed: feedId }, (Date.now() - upTo) / 1000)
        }
      }
    },
  })
}
