import { fetchPartition, topicName } from '@tickertape/kafka-avro'
import type { LogRecord } from '@tickertape/kafka-avro'
import { contextOf } from '@tickertape/tracing'
import { startSpanSink } from '@tickertape/tracing/testing'
import { testStack, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { IngestRun } from './ingest-run.ts'

const market = { venue: 'deribit', instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'] } as const

/** Records of the log that are part of a sampled trace, the oldest first. */
async function sampledRecords(run: IngestRun): Promise<readonly LogRecord[]> {
  const connection = { brokers: testStack().kafkaBrokers }
  const topic = topicName('market-events', run.prefix)
  const partitions = new Set((await run.records()).map(({ partition }) => partition))
  const sampled: LogRecord[] = []
  for (const partition of partitions) {
    const range = { topic, partition, from: 'earliest', to: 'end' } as const
    for await (const records of fetchPartition({ connection, clientId: 'test' }, range)) {
      sampled.push(...records.filter(({ headers }) => contextOf(headers) !== undefined))
    }
  }
  return sampled.toSorted((a, b) => (a.timestamp ?? 0) - (b.timestamp ?? 0))
}

it('a sampled trade is followed from its frame to its place in the log, and its record carries the trace', async () => {
  await using sink = await startSpanSink()
  await using run = await IngestRun.open({
    ...market,
    settings: {
      INGEST_TRACE_ONE_IN: '20',
      LOG_LEVEL: 'debug',
      OTEL_TRACES_EXPORTER: 'zipkin',
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: sink.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
  })
  await run.advance(5_000)
  const records = await waitUntil('sampled records', async () => {
    const found = await sampledRecords(run)
    return found.length >= 3 && found
  })
  // Of the output only the end is kept.
  for (const { headers, key, offset, partition, timestamp = 0, topic } of records.slice(-3)) {
    const context = contextOf(headers)
    const sent = await waitUntil('its span', () =>
      sink.spans.find(({ id }) => id === context?.spanId),
    )
    const received = await waitUntil('the span of its frame', () =>
      sink.spans.find(({ id }) => id === sent.parentId),
    )
    expect(sent).toMatchObject({
      traceId: context?.traceId,
      name: 'send market-events',
      kind: 'PRODUCER',
      localEndpoint: { serviceName: 'ingest' },
      tags: {
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': String(offset),
        'messaging.kafka.message.key': String(key),
      },
    })
    expect(received).toMatchObject({ traceId: context?.traceId, name: 'receive deribit' })
    expect(received).not.toHaveProperty('parentId')
    expect(received.timestamp).toBeLessThanOrEqual(sent.timestamp)
    // The broker appends it before it says so. Its clock is ours here.
    expect(timestamp * 1_000).toBeLessThanOrEqual(sent.timestamp + sent.duration + 1_000)
    expect(run.output).toContain(`"tradeId":"${received.tags['tickertape.trade_id']}"`)
    expect(run.output).toContain(`"trace_id":"${sent.traceId}"`)
  }
})

it('records are sampled where ingest itself sends no spans, too', async () => {
  await using run = await IngestRun.open({ ...market, settings: { INGEST_TRACE_ONE_IN: '5' } })
  await run.advance(5_000)
  const records = await waitUntil('sampled records', async () => {
    const found = await sampledRecords(run)
    return found.length >= 3 && found
  })
  const traces = new Set(records.map(({ headers }) => contextOf(headers)?.traceId))
  expect(traces.size).toBe(records.length)
})
