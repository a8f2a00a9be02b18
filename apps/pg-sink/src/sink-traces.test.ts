import type { LogRecord } from '@tickertape/kafka-avro'
import { noTracing } from '@tickertape/tracing'
import { RecordedTracing } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

import { noRows } from './batch-rows.ts'
import type { WrittenBatch } from './batch-writer.ts'
import { Batch } from './batch.ts'
import { SinkTraces } from './sink-traces.ts'

const traceIds = ['a'.repeat(32), 'b'.repeat(32)] as const
const spanId = '1'.repeat(16)
const appendedAt = 1_000_000
const committedAt = appendedAt + 900

function record(offset: number, traceId?: string): LogRecord {
  const plain = { topic: 'p.candles', partition: 3, offset, value: null, timestamp: appendedAt }
  if (traceId === undefined) return plain
  const traceparent = Buffer.from(`00-${traceId}-${spanId}-01`)
  return { ...plain, key: 'deribit:BTC-PERPETUAL', headers: [{ traceparent }] }
}

function written(rejects: WrittenBatch['rejects'] = []): WrittenBatch {
  const rows = { ...noRows, candles: 2 }
  return { rows, mode: 'direct', commitMs: 20, rejects, wasRefused: false, lastAppends: [] }
}

function tracesOf(tracing: RecordedTracing): SinkTraces {
  return new SinkTraces({ tracing, groupId: 'p.pg-sink', topicPrefix: 'p.' })
}

function batchOf(traces: SinkTraces, records: readonly LogRecord[]): Batch {
  const batch = new Batch()
  for (const each of records) {
    batch.reached(each)
    traces.taken(batch, each)
  }
  return batch
}

describe('the sink’s part of a trace', () => {
  it('goes from Kafka’s append to the commit, for a sampled record alone', () => {
    const tracing = new RecordedTracing()
    const traces = tracesOf(tracing)
    const batch = batchOf(traces, [record(6), record(7, traceIds[0]), record(8)])
    expect(tracing.spans).toEqual([])
    traces.committed(batch, written(), committedAt)
    expect(tracing.spans).toMatchObject([
      {
        name: 'process candles',
        kind: 'consumer',
        parent: { traceId: traceIds[0], spanId },
        startTime: appendedAt,
        endTime: committedAt,
        error: undefined,
        attributes: {
          'messaging.system': 'kafka',
          'messaging.destination.name': 'p.candles',
          'messaging.destination.partition.id': '3',
          'messaging.kafka.offset': 7,
          'messaging.kafka.message.key': 'deribit:BTC-PERPETUAL',
          'messaging.consumer.group.name': 'p.pg-sink',
        },
      },
      {
        name: 'commit',
        startTime: committedAt - 20,
        endTime: committedAt,
        attributes: {
          'messaging.batch.message_count': 3,
          'tickertape.rows': 2,
          'tickertape.mode': 'direct',
        },
      },
    ])
  })

  it('has one commit for a batch, which continues its last sampled record and links the others', () => {
    const tracing = new RecordedTracing()
    const traces = tracesOf(tracing)
    const batch = batchOf(traces, [record(7, traceIds[0]), record(8, traceIds[1])])
    traces.committed(batch, written(), committedAt)
    const [first, second, commit] = tracing.spans
    expect(commit).toMatchObject({
      name: 'commit',
      parent: second?.context,
      links: [first?.context],
    })
    expect(commit?.context.traceId).toBe(traceIds[1])
  })

  it('is told once, of a batch that is given up never', () => {
    const tracing = new RecordedTracing()
    const traces = tracesOf(tracing)
    batchOf(traces, [record(7, traceIds[0])])
    const again = batchOf(traces, [record(7, traceIds[0])])
    traces.committed(again, written(), committedAt)
    traces.committed(again, written(), committedAt)
    expect(tracing.spans.map(({ name }) => name)).toEqual(['process candles', 'commit'])
    expect(tracing.open).toBe(0)
  })

  it('fails with the reason where the record is rejected', () => {
    const tracing = new RecordedTracing()
    const traces = tracesOf(tracing)
    const bad = record(7, traceIds[0])
    const batch = batchOf(traces, [bad, record(8, traceIds[1])])
    const reject = { record: bad, reason: 'not_storable', message: 'too wide' } as const
    traces.committed(batch, written([reject]), committedAt)
    expect(tracing.spans.map(({ error }) => error)).toEqual([
      'rejected: not_storable',
      undefined,
      undefined,
    ])
  })

  it('is nothing without sampled records, and where tracing is off', () => {
    const tracing = new RecordedTracing()
    const traces = tracesOf(tracing)
    traces.committed(batchOf(traces, [record(7)]), written(), committedAt)
    expect(tracing.spans).toEqual([])

    const off = new SinkTraces({ tracing: noTracing, groupId: '', topicPrefix: '' })
    const untouched = record(8)
    Object.defineProperty(untouched, 'headers', {
      get: () => expect.unreachable('a header was read'),
    })
    off.committed(batchOf(off, [untouched]), written(), committedAt)
  })
})
