import { quantile, sumRate } from './promql.ts'

/** A stage of a trade's road, and what tells of it. */
export interface Hop {
  /** Value of the label `hop` in recorded series. */
  readonly name: string
  readonly title: string
  /** Counter of what passed it. */
  readonly passed: string
  readonly passedMatch?: string
  /** Histogram of the time that it took, in seconds. */
  readonly took: string
  readonly tookMatch?: string
  /** What 95 of 100 may take at most, in seconds. The runbook says what of. */
  readonly budgetSeconds: number
}

/** In the order of the road. */
export const hops: readonly Hop[] = [
  {
    name: '1 receive',
    title: "venue's time → frame received",
    passed: 'ingest_frames_total',
    took: 'ingest_venue_delay_seconds',
    budgetSeconds: 5,
  },
  {
    name: '2 append',
    title: 'frame received → acknowledged by Kafka',
    passed: 'ingest_trades_total',
    took: 'ingest_append_seconds',
    budgetSeconds: 1,
  },
  {
    name: '3 apply',
    title: 'appended → applied by the aggregator',
    passed: 'aggregator_records_total',
    took: 'aggregator_read_delay_seconds',
    budgetSeconds: 2,
  },
  {
    name: '4 candle',
    title: 'end of the window → candle committed',
    passed: 'aggregator_candles_total',
    took: 'aggregator_candle_freshness_seconds',
    budgetSeconds: 10,
  },
  {
    name: '5 store',
    title: 'appended → committed by PostgreSQL',
    passed: 'pg_sink_rows_total',
    passedMatch: 'table=~"trades|candles"',
    took: 'pg_sink_freshness_seconds',
    budgetSeconds: 5,
  },
  {
    name: '6 view',
    title: "appended → in the gateway's memory",
    passed: 'gateway_view_updates_total',
    took: 'gateway_view_freshness_seconds',
    tookMatch: 'since="append"',
    budgetSeconds: 2,
  },
  {
    name: '7 socket',
    title: 'appended → on the sockets of all who subscribed',
    passed: 'gateway_stream_frames_total',
    took: 'gateway_stream_freshness_seconds',
    budgetSeconds: 2,
  },
]

/** What passed a hop a second. */
export function hopRate({ passed, passedMatch }: Hop, over: string): string {
  return sumRate(passed, { over, ...(passedMatch === undefined ? {} : { match: passedMatch }) })
}

/** What 95 of 100 took at most, in seconds; no data where nothing passed. */
export function hopFreshness({ took, tookMatch }: Hop, over: string): string {
  return quantile(0.95, took, { over, ...(tookMatch === undefined ? {} : { match: tookMatch }) })
}
