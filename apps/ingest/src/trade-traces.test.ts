import { KafkaAvroError } from '@tickertape/kafka-avro'
import type { Delivered } from '@tickertape/kafka-avro'
import type { Trade } from '@tickertape/market-model'
import { contextOf, noTracing } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'
import { RecordedTracing } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

import { sampleTrade } from './testing/sample-trade.ts'
import { TradeTraces } from './trade-traces.ts'

const key = 'sample:X'

function trade(): Trade {
  const mapped = sampleTrade(1_000)
  if (mapped.kind !== 'trade') throw new Error('a sample is a trade')
  return mapped.trade
}

function given(oneIn: number, tracing: Tracing = noTracing) {
  const begun: SpanContext[] = []
  const onBegun = (_: unknown, context: SpanContext): void => void begun.push(context)
  const traces = new TradeTraces({ tracing, oneIn, onBegun })
  const record = { topic: 'x.market-events', partition: 2, key, value: null }
  return { begin: () => traces.begin(trade(), record), begun }
}

describe('one trade in so many', () => {
  it('begins a trace, each another one', () => {
    const { begin, begun } = given(3)
    const headers = Array.from({ length: 7 }, () => begin()?.record.headers)
    expect(headers.map((each) => each !== undefined)).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      false,
    ])
    expect(new Set(begun.map(({ traceId }) => traceId)).size).toBe(2)
    expect(headers.map(contextOf).filter((context) => context !== undefined)).toEqual(begun)
  })

  it('can be none', () => {
    const { begin } = given(0)
    expect(Array.from({ length: 5 }, begin)).toEqual(Array.from({ length: 5 }, () => undefined))
  })
})

describe('a trace', () => {
  function delivered(outcome: Delivered) {
    const tracing = new RecordedTracing()
    const { begin } = given(1, tracing)
    const traced = begin()
    expect(tracing.spans.map(({ name }) => name)).toEqual(['receive sample'])
    traced?.onDelivered(outcome)
    expect(tracing.open).toBe(0)
    const [received, sent] = tracing.spans
    return { header: contextOf(traced?.record.headers), received, sent }
  }

  it('goes from the frame to the acknowledgement, and on by the header', () => {
    const { received, sent, header } = delivered({ offset: 17 })
    expect(received).toMatchObject({
      kind: 'consumer',
      parent: undefined,
      startTime: trade().receivedAt,
      attributes: {
        'peer.service': 'sample',
        'tickertape.instrument': 'X',
        'tickertape.trade_id': '1000',
        'tickertape.event_time': new Date(1_000_000).toISOString(),
      },
    })
    expect(sent).toMatchObject({
      name: 'send market-events',
      kind: 'producer',
      parent: received?.context,
      startTime: received?.endTime,
      error: undefined,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'x.market-events',
        'messaging.destination.partition.id': '2',
        'messaging.kafka.message.key': key,
        'messaging.kafka.offset': 17,
      },
    })
    expect(header).toEqual(sent?.context)
  })

  it('says that the record did not come into the log', () => {
    const error = new KafkaAvroError('delivery_failed', 'Kafka did not take a record')
    expect(delivered({ error }).sent?.error).toBe('Kafka did not take a record')
  })
})
