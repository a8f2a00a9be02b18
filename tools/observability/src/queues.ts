import { maxOf } from './promql.ts'

/** A bounded queue: a gauge of its level, and one of its limit beside it. */
export interface Queue {
  /** Value of the label `queue` in recorded series. */
  readonly name: string
  readonly level: string
  readonly limit: string
}

export const queues: readonly Queue[] = [
  queue('ingest: records in flight', 'ingest_in_flight_records'),
  queue('ingest: trades behind a hole', 'ingest_waiting_trades_most', 'ingest_waiting_trades'),
  queue('aggregator: open trades', 'aggregator_open_trades'),
  queue('aggregator: candles in progress', 'aggregator_live_in_flight_records'),
  queue('pg-sink: records not committed', 'pg_sink_pending_records'),
  queue(
    'gateway: outbox of a client',
    'gateway_stream_outbox_bytes_most',
    'gateway_stream_outbox_bytes',
  ),
  queue('gateway: clients', 'gateway_stream_clients'),
  queue('spans', 'tracing_queue_spans'),
]

function queue(name: string, level: string, stem = level): Queue {
  return { name, level, limit: `${stem}_limit` }
}

/** How full the queue is, 1 at its limit, of the fullest of an instance. */
export function fullness({ level, limit }: Queue): string {
  const by = ['job', 'instance']
  return `${maxOf(level, { by })} / on (job, instance) (${maxOf(limit, { by })} > 0)`
}
