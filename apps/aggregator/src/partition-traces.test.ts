import type { EssentialMarketEvent, LogRecord } from '@tickertape/kafka-avro'
import { intervals, noOptionalFacts } from '@tickertape/market-model'
import type { Candle, Interval } from '@tickertape/market-model'
import { traceparentOf } from '@tickertape/tracing'
import type { SpanContext } from '@tickertape/tracing'
import { RecordedTracing } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

import type { PartitionOutput } from './owned-partition.ts'
import { PartitionTraces } from './partition-traces.ts'
import { TransactionTraces } from './transaction-traces.ts'

const base = Date.UTC(2026, 0, 5)

function contextOfTrade(number: number): SpanContext {
  return { traceId: String(number).padStart(32, 'a'), spanId: String(number).padStart(16, 'b') }
}

function record(offset: number, traceparent?: string): LogRecord {
  return {
    topic: 'market-events',
    partition: 3,
    offset,
    key: Buffer.from('deribit:BTC-PERPETUAL'),
    value: null,
    timestamp: base + offset,
    headers: [traceparent === undefined ? { other: 'x' } : { traceparent }],
  }
}

function trade(eventTime: number): EssentialMarketEvent {
  return {
    type: 'Trade',
    value: {
      venue: 'deribit',
      feedId: 'deribit',
      instrument: 'BTC-PERPETUAL',
      tradeId: 't',
      version: 0,
      status: 'confirmed',
      sequence: null,
      venueOrder: null,
      price: { mantissa: 5, exponent: 4 },
      quantity: { mantissa: 1, exponent: 0 },
      notionalUsd: null,
      takerSide: 'buy',
      eventTime,
      receivedAt: eventTime,
      ...noOptionalFacts,
    },
  }
}

/** Of a candle, what traces look at. */
function candle(interval: Interval, windowStart: number): Candle {
  const instrumentId = 'deribit:BTC-PERPETUAL'
  return { instrumentId, interval, windowStart, revision: 0 } as Partial<Candle> as Candle
}

function given() {
  const tracing = new RecordedTracing()
  const traces = new PartitionTraces({ tracing, groupId: 'aggregator', intervals })
  const transaction = (candles: readonly Candle[] = []) => {
    const output: Partial<PartitionOutput> = {
      candles,
      outcomes: new Map([['accepted', 7]]),
      traces: traces.takeOutput(),
    }
    const facts = { tracing, groupId: 'aggregator', eventsTopic: 'market-events', began: base }
    // Only what is looked at.
    return TransactionTraces.begin(facts, [output as PartitionOutput])
  }
  /** @returns the context of its span. */
  const apply = (number: number, eventTime: number, outcome = 'accepted'): void =>
    traces.applied(record(number, traceparentOf(contextOfTrade(number))), trade(eventTime), outcome)
  return { tracing, traces, transaction, apply }
}

describe('a sampled record', () => {
  it('has a span from Kafka’s append to its being applied, told when that is committed', () => {
    const { tracing, transaction, apply } = given()
    const before = Date.now()
    apply(1, base)
    expect(tracing.spans).toEqual([])
    transaction()?.committed()
    expect(tracing.spans[0]).toMatchObject({
      name: 'process market-events',
      kind: 'consumer',
      parent: contextOfTrade(1),
      startTime: base + 1,
      error: undefined,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'process',
        'messaging.destination.name': 'market-events',
        'messaging.destination.partition.id': '3',
        'messaging.kafka.offset': 1,
        'messaging.kafka.message.key': 'deribit:BTC-PERPETUAL',
        'messaging.consumer.group.name': 'aggregator',
        'tickertape.outcome': 'accepted',
      },
    })
    expect(tracing.spans[0]?.endTime).toBeGreaterThanOrEqual(before)
    expect(tracing.open).toBe(0)
  })

  it('is linked by the span of its transaction', () => {
    const { tracing, transaction, apply } = given()
    apply(1, base)
    apply(2, base)
    transaction()?.committed()
    const [first, second, commit] = tracing.spans
    expect(commit).toMatchObject({
      name: 'commit market-events',
      parent: undefined,
      links: [first?.context, second?.context],
      startTime: base,
      attributes: { 'messaging.operation.type': 'settle', 'messaging.batch.message_count': 7 },
    })
  })

  it('and whatever came of it fails with its transaction', () => {
    const { tracing, traces, transaction, apply } = given()
    apply(1, base)
    const closed = candle('1s', base)
    traces.closed([closed])
    const transactionTraces = transaction([closed])
    transactionTraces?.send(closed, 'candles', 3)
    transactionTraces?.failed(new Error('the commit failed'))
    expect(tracing.spans.map(({ name, error }) => [name, error])).toEqual([
      ['process market-events', 'the commit failed'],
      ['commit market-events', 'the commit failed'],
      ['send candles', 'the commit failed'],
    ])
    expect(tracing.open).toBe(0)
  })

  it('is one with a header of its own', () => {
    const { traces, transaction } = given()
    traces.applied(record(1), trade(base), 'accepted')
    traces.applied(record(2, 'no traceparent'), trade(base), 'accepted')
    expect(traces.takeNews(candle('1s', base))).toBeUndefined()
    expect(transaction()).toBeUndefined()
  })

  it('that could not be decoded, or counts nowhere, is in no candle', () => {
    const { tracing, traces, transaction, apply } = given()
    traces.applied(record(1, traceparentOf(contextOfTrade(1))), undefined, 'undecodable')
    apply(2, base, 'duplicate')
    const closed = candle('1s', base)
    traces.closed([closed])
    const transactionTraces = transaction([closed])
    expect(transactionTraces?.send(closed, 'candles', 3)).toBeUndefined()
    transactionTraces?.committed()
    expect(tracing.spans.map(({ attributes }) => attributes['tickertape.outcome'])).toEqual([
      'undecodable',
      'duplicate',
      undefined,
    ])
  })
})

describe('a candle', () => {
  it('continues its last sampled trade, links those before it, and ends with the commit', () => {
    const { tracing, traces, transaction, apply } = given()
    apply(1, base + 10)
    apply(2, base + 5)
    apply(3, base + 1_000)
    const closed = candle('1s', base)
    traces.closed([closed])
    const transactionTraces = transaction([closed])
    const headers = transactionTraces?.send(closed, 'candles', 3)
    transactionTraces?.committed()
    const [first, second, , , sent] = tracing.spans
    expect(sent).toMatchObject({
      name: 'send candles',
      kind: 'producer',
      parent: second?.context,
      links: [first?.context],
      attributes: {
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'candles',
        'messaging.destination.partition.id': '3',
        'messaging.kafka.message.key': 'deribit:BTC-PERPETUAL',
        'tickertape.interval': '1s',
        'tickertape.window_start': '2026-01-05T00:00:00.000Z',
        'tickertape.revision': 0,
      },
    })
    expect(sent?.context.traceId).toBe(contextOfTrade(2).traceId)
    expect(headers).toEqual([{ traceparent: sent && traceparentOf(sent.context) }])
  })

  it('of each interval has the trade, and once', () => {
    const { traces, transaction, apply } = given()
    apply(1, base + 61_000)
    const candles = [candle('1s', base + 61_000), candle('1m', base + 60_000), candle('1h', base)]
    traces.closed(candles)
    // A revision that no sampled trade brings.
    const again = candle('1s', base + 61_000)
    traces.closed([again])
    const transactionTraces = transaction([...candles, again])
    const sent = [...candles, again].map((each) => transactionTraces?.send(each, 'candles', 3))
    expect(sent.map((headers) => headers !== undefined)).toEqual([true, true, true, false])
  })

  it('in progress tells of a sampled trade once', () => {
    const { traces, apply } = given()
    apply(1, base)
    apply(2, base)
    expect(traces.takeNews(candle('1m', base))?.traceId).toBe(contextOfTrade(2).traceId)
    expect(traces.takeNews(candle('1m', base))).toBeUndefined()
    apply(3, base)
    expect(traces.takeNews(candle('1m', base))?.traceId).toBe(contextOfTrade(3).traceId)
  })
})

describe('what is remembered', () => {
  it('of a window is its last trades', () => {
    const { traces, apply } = given()
    for (let number = 1; number <= 30; number += 1) apply(number, base)
    const closed = candle('1s', base)
    traces.closed([closed])
    const trace = traces.takeOutput()?.candles.get(closed)
    expect(trace?.parent.traceId).toBe(contextOfTrade(30).traceId)
    expect(trace?.links.map(({ traceId }) => traceId)).toEqual(
      [23, 24, 25, 26, 27, 28, 29].map((number) => contextOfTrade(number).traceId),
    )
  })

  it('of windows has an end: those without a trade for the longest time go first', () => {
    const { traces, apply } = given()
    apply(1, base)
    for (let second = 1; second <= 12_000; second += 1) apply(1, base + second * 1_000)
    expect(traces.takeNews(candle('1s', base))).toBeUndefined()
    expect(traces.takeNews(candle('1d', base))).toBeDefined()
    expect(traces.takeNews(candle('1s', base + 12_000_000))).toBeDefined()
  })
})
