import { describe, expect, it } from 'vitest'

import { Metrics } from './metrics.ts'
import { ansi, plain } from './paint.ts'
import { screen } from './screen.ts'
import type { ShownService } from './screen.ts'
import type { Standing } from './service-history.ts'

const options = { paint: plain, columns: 80, clock: '12:00:03', hint: 'q leaves' }

function up(before: string, now: string, reasons: readonly string[] = [], ready = true): Standing {
  const span = { before: new Metrics(before), now: new Metrics(now), seconds: 10 }
  return { state: 'up', readiness: { ready, reasons }, span }
}

const ingest: ShownService = {
  name: 'ingest',
  url: 'http://127.0.0.1:9101',
  standing: up(
    'ingest_trades_total 0\ningest_append_seconds_bucket{le="0.01"} 0\ningest_append_seconds_bucket{le="+Inf"} 0\nprocess_cpu_seconds_total 1',
    [
      'ingest_trades_total 12340',
      'ingest_append_seconds_bucket{le="0.01"} 100',
      'ingest_append_seconds_bucket{le="+Inf"} 100',
      'ingest_in_flight_records{venue="deribit"} 1200',
      'ingest_open_gaps{venue="deribit"} 2',
      'ingest_oldest_open_gap_seconds{venue="deribit"} 75',
      'ingest_rejected_total{reason="malformed"} 5',
      'process_cpu_seconds_total 2.2',
      'process_resident_memory_bytes 123000000',
      'nodejs_eventloop_lag_p99_seconds 0.011',
    ].join('\n'),
  ),
}
const sink: ShownService = {
  name: 'pg-sink',
  url: 'http://127.0.0.1:9103',
  standing: { state: 'down', reason: 'connect ECONNREFUSED 127.0.0.1:9103' },
}
const aggregator: ShownService = {
  name: 'aggregator',
  url: 'http://127.0.0.1:9102',
  standing: up(
    '',
    'kafka_consumergroup_lag{partition="0"} 1500\nkafka_consumergroup_lag{partition="1"} 12\nkafka_consumergroup_lag_seconds 2.34',
    ['restoring the state of partitions 0,1'],
    false,
  ),
}

const lines = screen([ingest, aggregator, sink], options)

describe('the view', () => {
  it('has a line for each hop and each service, within 80 columns', () => {
    expect(lines).toEqual([
      'Tickertape  12:00:03                                                    q leaves',
      '',
      'hop                  a second   median     95 %   waiting',
      'venue → ingest              -        -        -',
      'ingest → Kafka          1,234   5.0 ms    10 ms   1,200 in flight',
      'Kafka → aggregator          -        -        -   1,512 records, 2.3 s',
      'window → candle             -        -        -',
      'Kafka → PostgreSQL          -        -        -',
      'Kafka → gateway             -        -        -',
      'gateway → sockets           -        -        -',
      '',
      'service     processor   memory  loop p99  rejects/s   state',
      'ingest           12 %   123 MB     11 ms        0.5   ready',
      '  2 gaps open, the oldest begins 75.0 s ago',
      'aggregator          -        -         -          0   not ready',
      '  restoring the state of partitions 0,1',
      'pg-sink     down: http://127.0.0.1:9103 (connect ECONNREFUSED 127.0.0.1:9103)',
    ])
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('cuts what is longer than the terminal is wide', () => {
    const narrow = screen([ingest, aggregator, sink], { ...options, columns: 40 })
    expect(narrow.at(-1)).toBe('pg-sink     down: http://127.0.0.1:9103…')
  })

  it('says the same in colours', () => {
    const coloured = screen([ingest, aggregator, sink], { ...options, paint: ansi })
    // oxlint-disable-next-line no-control-regex -- the codes of colours are what is looked for
    expect(coloured.map((line) => line.replaceAll(/\u001B\[\d+m/g, ''))).toEqual(lines)
    expect(coloured.at(-1)).toMatch(/31m/)
  })
})
