import type { LogRecord } from '@tickertape/kafka-avro'
import { noTracing } from '@tickertape/tracing'
import { RecordedTracing } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

import { RecordTraces } from './record-traces.ts'

const parent = { traceId: 'a'.repeat(32), spanId: '1'.repeat(16) }
const appendedAt = Date.now() - 50

const record: LogRecord = {
  topic: 'p.market-events',
  partition: 2,
  offset: 9,
  key: 'deribit:BTC-PERPETUAL',
  value: null,
  timestamp: appendedAt,
  headers: [{ traceparent: Buffer.from(`00-${parent.traceId}-${parent.spanId}-01`) }],
}

const update = {
  type: 'stats',
  stats: { of: 'tokens', span: '1h', name: 'BTC', json: '{}' },
} as const

describe('the view’s part of a trace', () => {
  it('goes from Kafka’s append until the record is applied, and on with its update', () => {
    const tracing = new RecordedTracing()
    const traces = new RecordTraces(tracing, 'p.')
    const context = traces.contextOf(record)
    expect(context).toEqual(parent)
    const applied = traces.applied(record, parent, update, appendedAt + 40)
    const [span] = tracing.spans
    expect(span).toMatchObject({
      name: 'process market-events',
      kind: 'consumer',
      parent,
      startTime: appendedAt,
      events: [{ name: 'read', time: appendedAt + 40 }],
      attributes: {
        'messaging.destination.name': 'p.market-events',
        'messaging.destination.partition.id': '2',
        'messaging.kafka.offset': 9,
        'tickertape.outcome': 'applied',
      },
    })
    expect(span?.endTime).toBeGreaterThanOrEqual(appendedAt + 40)
    expect(applied).toEqual({ update, context: span?.context })
  })

  it('ends there where the record brought nothing, and fails where it was skipped', () => {
    const tracing = new RecordedTracing()
    const traces = new RecordTraces(tracing, 'p.')
    expect(traces.applied(record, parent, 'known', appendedAt)).toBeUndefined()
    expect(traces.applied(record, parent, 'skipped', appendedAt)).toBeUndefined()
    // Rows reflect it: it was processed when they were written.
    expect(traces.applied(record, parent, 'recalled', appendedAt)).toBeUndefined()
    expect(
      tracing.spans.map(({ attributes, error }) => [attributes['tickertape.outcome'], error]),
    ).toEqual([
      ['known', undefined],
      ['skipped', 'skipped: the log says why'],
    ])
  })

  it('reads no header where tracing is off', () => {
    const untouched = Object.defineProperty({ ...record }, 'headers', {
      get: () => expect.unreachable('a header was read'),
    })
    expect(new RecordTraces(noTracing, '').contextOf(untouched)).toBeUndefined()
  })
})
