import { topicName } from '@tickertape/kafka-avro'
import { contextOf, traceparentOf } from '@tickertape/tracing'
import { startSpanSink } from '@tickertape/tracing/testing'
import type { SentSpan, SpanSink } from '@tickertape/tracing/testing'
import { waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import { metricsOf, startAggregator } from './aggregator-process.ts'
import { createMarketLog, heartbeat, readRecords, readTopic, trade } from './market-log.ts'
import type { MarketLog } from './market-log.ts'

const instrumentId = 'deribit:BTC-PERPETUAL'
const sampled = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' }
const before = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) }

function tracingTo(sink: SpanSink): Readonly<Record<string, string>> {
  return {
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: sink.url,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  }
}

/** Two sampled trades of one second among others, and the next second. */
async function appendSampled(log: MarketLog): Promise<void> {
  await log.append([trade(1, 61_000)])
  await log.append([trade(2, 61_100)], { traceparent: traceparentOf(before) })
  await log.append([trade(3, 61_200)], { traceparent: traceparentOf(sampled) })
  await log.append([trade(4, 61_300)], { traceparent: 'no context' })
  await log.append([trade(5, 62_500), heartbeat(64_000)])
}

function named(sink: SpanSink, name: string): readonly SentSpan[] {
  return sink.spans.filter((span) => span.name === name)
}

describe('the trace of a sampled trade', () => {
  it('goes on through its candle, whose record carries it further', async () => {
    await using sink = await startSpanSink()
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, tracingTo(sink))
    await appendSampled(log)
    const sent = await waitUntil(
      `the candle's span\n${aggregator.output}`,
      () => named(sink, 'send candles')[0],
    )
    const [earlier, process] = named(sink, 'process market-events')
    expect(process).toMatchObject({
      traceId: sampled.traceId,
      parentId: sampled.spanId,
      kind: 'CONSUMER',
      localEndpoint: { serviceName: 'aggregator' },
      tags: {
        'messaging.destination.name': topicName('market-events', log.prefix),
        'messaging.kafka.message.key': instrumentId,
        'messaging.kafka.offset': '2',
        'messaging.consumer.group.name': `${log.prefix}aggregator`,
        'tickertape.outcome': 'accepted',
      },
    })
    expect(sent).toMatchObject({
      traceId: sampled.traceId,
      parentId: process?.id,
      kind: 'PRODUCER',
      tags: {
        'messaging.destination.name': topicName('candles', log.prefix),
        'tickertape.interval': '1s',
        'otel.link.0': `${before.traceId}-${earlier?.id}`,
      },
    })
    const candles = (await readTopic(log, 'candles')).flat()
    expect(candles.map(({ headers }) => contextOf(headers))).toEqual([
      { traceId: sampled.traceId, spanId: sent.id },
      undefined,
    ])
    const commit = await waitUntil('the batch', () =>
      named(sink, 'commit market-events').find(({ tags }) => 'otel.link.1' in tags),
    )
    expect([commit.tags['otel.link.0'], commit.tags['otel.link.1']]).toEqual([
      `${before.traceId}-${earlier?.id}`,
      `${sampled.traceId}-${process?.id}`,
    ])
    await waitUntil('it to be counted', async () =>
      /tracing_spans_sent_total\{[^}]*\} [1-9]/.test(await metricsOf(aggregator)),
    )
  })

  it('goes on through candles in progress, each time that it is news', async () => {
    await using sink = await startSpanSink()
    await using log = await createMarketLog()
    await using _ = startAggregator(log, tracingTo(sink))
    await log.append([trade(1, 61_000)], { traceparent: traceparentOf(sampled) })
    const sent = await waitUntil('the candles in progress', () => {
      const spans = named(sink, 'send candles-live')
      return spans.length >= 2 && spans
    })
    const records = (await readTopic(log, 'candles-live')).flat()
    const told = records.flatMap(({ headers }) => contextOf(headers) ?? [])
    expect(told).toEqual(
      expect.arrayContaining(sent.map(({ id }) => ({ traceId: sampled.traceId, spanId: id }))),
    )
    await log.append([trade(2, 61_500)])
    await waitUntil('a candle of two trades', async () => {
      return (await readTopic(log, 'candles-live')).flat().length > records.length
    })
    const later = (await readTopic(log, 'candles-live')).flat().slice(records.length)
    expect(later.map(({ headers }) => contextOf(headers))).toEqual(later.map(() => undefined))
  })

  it('names itself where its record is rejected', async () => {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log)
    await log.appendBytes(0, Buffer.from('no record'), { traceparent: traceparentOf(sampled) })
    await waitUntil('the line', () => aggregator.output.includes('record rejected'))
    expect(aggregator.output).toContain(
      `"trace_id":"${sampled.traceId}","span_id":"${sampled.spanId}"`,
    )
  })
})

it('candles are the same with and without traces, byte for byte', async () => {
  await using sink = await startSpanSink()
  const values: Buffer[][] = []
  for (const settings of [{}, tracingTo(sink)]) {
    await using log = await createMarketLog()
    await using aggregator = startAggregator(log, settings)
    await appendSampled(log)
    await waitUntil(`the candles\n${aggregator.output}`, async () => {
      return (await readRecords(log, 'candles')).flat().length >= 2
    })
    const records = (await readTopic(log, 'candles')).flat()
    values.push(
      records.map(({ key, value }) =>
        Buffer.concat([Buffer.from(key ?? ''), value ?? Buffer.alloc(0)]),
      ),
    )
  }
  expect(named(sink, 'send candles')).not.toEqual([])
  expect(values[0]).toEqual(values[1])
})

it('an exporter that is away costs spans and nothing else', async () => {
  const sink = await startSpanSink()
  await sink[Symbol.asyncDispose]()
  await using log = await createMarketLog()
  await using aggregator = startAggregator(log, tracingTo(sink))
  await appendSampled(log)
  await waitUntil('the candles', async () => (await readRecords(log, 'candles')).flat().length >= 2)
  await waitUntil('the loss to be counted', async () =>
    /tracing_spans_dropped_total\{[^}]*\} [1-9]/.test(await metricsOf(aggregator)),
  )
  expect(aggregator.output.match(/spans of traces are lost/g)).toHaveLength(1)
  expect(await aggregator.stop('SIGTERM'), aggregator.output).toBe(0)
})

it('an aborted transaction never tells that it is committed: its successor does', async () => {
  await using firstSink = await startSpanSink()
  await using secondSink = await startSpanSink()
  await using log = await createMarketLog()
  await using first = startAggregator(log, {
    ...tracingTo(firstSink),
    // Nothing is committed before the second one takes the transactional id.
    AGGREGATOR_COMMIT_INTERVAL_MS: '3600000',
    AGGREGATOR_LIVE_INTERVAL_MS: '0',
  })
  await log.append([trade(1, 61_000)], { traceparent: traceparentOf(sampled) })
  await waitUntil('the trade to be applied', async () =>
    /aggregator_open_trades\{[^}]*\} 1/.test(await metricsOf(first)),
  )
  await using second = startAggregator(log, tracingTo(secondSink))
  expect(await first.exited(), first.output).toBe(1)
  expect(firstSink.spans.map(({ name, tags }) => [name, tags['otel.status_code']])).toEqual([
    ['process market-events', 'ERROR'],
    ['commit market-events', 'ERROR'],
  ])
  await log.append([heartbeat(64_000)])
  await waitUntil(
    `the candle's span\n${second.output}`,
    () => named(secondSink, 'send candles').length > 0,
  )
  expect(secondSink.spans.filter(({ tags }) => tags['otel.status_code'] === 'ERROR')).toEqual([])
  expect(named(secondSink, 'process market-events')).toMatchObject([{ parentId: sampled.spanId }])
})
