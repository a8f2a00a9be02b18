import { quantile, rate } from './measure.ts'
import type { Span } from './measure.ts'

/** A hop of the road as a line shows it: undefined is unknown. */
export interface HopLine {
  readonly title: string
  readonly perSecond: number | undefined
  /** In seconds. */
  readonly median: number | undefined
  readonly tail: number | undefined
  /** What waits before it, in words. */
  readonly waiting: string
}

export type ServiceName = 'ingest' | 'aggregator' | 'pg-sink' | 'gateway'

interface Hop {
  readonly title: string
  readonly service: ServiceName
  readonly counter: string
  readonly histogram: string
  readonly match?: string
  readonly waiting: (span: Span) => string
}

const hops: readonly Hop[] = [
  {
    title: 'venue → ingest',
    service: 'ingest',
    counter: 'ingest_frames_total',
    histogram: 'ingest_venue_delay_seconds',
    waiting: ({ now }) => counted(now.sum('ingest_waiting_trades'), 'behind holes'),
  },
  {
    title: 'ingest → Kafka',
    service: 'ingest',
    counter: 'ingest_trades_total',
    histogram: 'ingest_append_seconds',
    waiting: ({ now }) => counted(now.sum('ingest_in_flight_records'), 'in flight'),
  },
  {
    title: 'Kafka → aggregator',
    service: 'aggregator',
    counter: 'aggregator_records_total',
    histogram: 'aggregator_read_delay_seconds',
    waiting: groupLag,
  },
  {
    title: 'window → candle',
    service: 'aggregator',
    counter: 'aggregator_candles_total',
    histogram: 'aggregator_candle_freshness_seconds',
    waiting: ({ now }) => counted(now.sum('aggregator_open_windows'), 'open windows'),
  },
  {
    title: 'Kafka → PostgreSQL',
    service: 'pg-sink',
    counter: 'pg_sink_rows_total',
    histogram: 'pg_sink_freshness_seconds',
    waiting: groupLag,
  },
  {
    title: 'Kafka → gateway',
    service: 'gateway',
    counter: 'gateway_view_updates_total',
    histogram: 'gateway_view_freshness_seconds',
    match: 'since="append"',
    waiting: ({ now }) => counted(now.sum('gateway_view_lag_records'), 'records'),
  },
  {
    title: 'gateway → sockets',
    service: 'gateway',
    counter: 'gateway_stream_frames_total',
    histogram: 'gateway_stream_freshness_seconds',
    waiting: ({ now }) => counted(now.sum('gateway_stream_clients'), 'clients'),
  },
]

/** The road, hop by hop. @param spanOf undefined for a service that is down. */
export function hopLines(spanOf: (service: ServiceName) => Span | undefined): readonly HopLine[] {
  return hops.map(({ title, service, counter, histogram, match, waiting }) => {
    const span = spanOf(service)
    if (span === undefined) {
      return { title, perSecond: undefined, median: undefined, tail: undefined, waiting: '' }
    }
    return {
      title,
      perSecond: rate(span, counter),
      median: quantile(span, histogram, 0.5, match),
      tail: quantile(span, histogram, 0.95, match),
      waiting: waiting(span),
    }
  })
}

function groupLag({ now }: Span): string {
  const records = counted(now.sum('kafka_consumergroup_lag'), 'records')
  const seconds = now.max('kafka_consumergroup_lag_seconds')
  return seconds === undefined || seconds === 0 ? records : `${records}, ${seconds.toFixed(1)} s`
}

function counted(count: number | undefined, what: string): string {
  return count === undefined ? '' : `${Math.round(count).toLocaleString('en-US')} ${what}`
}
