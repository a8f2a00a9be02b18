import { rejectedHeaders } from '@tickertape/kafka-avro'
import type { MessageHeader } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent, SequenceGap } from '@tickertape/market-model'

import type { Random } from './seeded-random.ts'
import { candle, heartbeat, instrumentStatus, partitions, trade } from './sink-log.ts'

/** What is appended next, to whichever topic. */
export type FaultRecord =
  | { readonly topic: 'market-events'; readonly event: MarketEvent }
  | { readonly topic: 'candles'; readonly candle: Candle }
  | {
      readonly topic: 'market-events' | 'candles' | 'rejected'
      readonly partition: number
      readonly key: string | null
      readonly value: Buffer | null
      readonly headers?: readonly MessageHeader[]
    }

/** Both partitions have some of them. */
export const faultInstruments = [
  'BTC-PERPETUAL',
  'ETH-PERPETUAL',
  'SOL_USDC-PERPETUAL',
  'XRP_USDC-PERPETUAL',
  'BTC-27MAR26-60000-C',
  'ETH-27MAR26-2500-P',
]

/** Trades of these ids are refused by a constraint that the test adds: `refusePoison`. */
export const poison = 'poison'

export function isPoison(record: FaultRecord): boolean {
  if (!('event' in record) || record.event.type !== 'Trade') return false
  return record.event.value.tradeId.startsWith(poison)
}

/** Ten minutes before midnight: some trades later the next day's partition is needed. */
const opening = Date.UTC(2026, 0, 5, 23, 50)

/**
 * A market of so many trades with everything that a sink has to live with: records that come twice, with
 * equal facts or others, corrections, conflicts of event time, candles in several revisions and rebuilds,
 * heartbeats, gaps, listings, bytes that are no Avro, values that no column holds, rows that PostgreSQL
 * refuses, and rejects of other services.
 */
export function* faultMarket(trades: number, random: Random): Generator<FaultRecord> {
  const again: MarketEvent[] = []
  for (let number = 0; number < trades; number += 1) {
    const first = tradeOf(number, random)
    yield { topic: 'market-events', event: first }
    if (random.chance(0.15)) again.push(repetition(first, random))
    if (again.length > random.between(0, 300)) {
      yield* again.splice(0, 1).map((event) => ({ topic: 'market-events', event }) as const)
    }
    if (number % 50 === 0) yield { topic: 'market-events', event: beat(number, random) }
    if (random.chance(0.12)) yield { topic: 'candles', candle: candleOf(number, random) }
    if (random.chance(0.02)) yield unusual(number, random)
  }
  yield* again.map((event) => ({ topic: 'market-events', event }) as const)
}

function tradeOf(number: number, random: Random): MarketEvent {
  const eventTime = opening + number * 40
  const version = random.chance(0.02) ? 1 : 0
  return trade(number, {
    instrument: anyOf(faultInstruments, random),
    version,
    status: version === 1 ? 'cancelled' : 'confirmed',
    eventTime,
    receivedAt: eventTime + 20,
  })
}

/** What a second replica sends, or a venue that contradicts itself. */
function repetition(first: MarketEvent, random: Random): MarketEvent {
  if (first.type !== 'Trade') throw new Error('Only trades are repeated')
  const { value } = first
  const receivedAt = value.receivedAt + random.between(1, 500)
  const changes = random.chance(0.7)
    ? {}
    : random.chance(0.5)
      ? { price: { mantissa: 1, exponent: 0 } }
      : { eventTime: value.eventTime + 1 }
  return { type: 'Trade', value: { ...value, receivedAt, ...changes } }
}

function beat(number: number, random: Random): MarketEvent {
  const receivedAt = opening + number * 40
  return random.chance(0.05)
    ? heartbeat(receivedAt + 90_000, receivedAt)
    : heartbeat(receivedAt - random.between(0, 2_000), receivedAt)
}

function candleOf(number: number, random: Random): Candle {
  const windowStart = opening + Math.floor(number / 100) * 1_000
  return candle({
    instrumentId: `deribit:${anyOf(faultInstruments, random)}`,
    interval: random.chance(0.8) ? '1s' : '1m',
    windowStart,
    windowEnd: windowStart + 1_000,
    close: { mantissa: number + 1, exponent: -2 },
    revision: random.between(0, 5),
    rebuildId: random.chance(0.1) ? random.between(0, 3) : null,
  })
}

function unusual(number: number, random: Random): FaultRecord {
  const instrument = anyOf(faultInstruments, random)
  const partition = random.between(0, partitions)
  switch (random.between(0, 8)) {
    case 0:
      return { topic: 'market-events', event: gap(number, null, random) }
    case 1:
      return { topic: 'market-events', event: gap(number, `deribit:${instrument}`, random) }
    case 2:
      return {
        topic: 'market-events',
        event: instrumentStatus({
          instrumentId: `deribit:${instrument}`,
          status: random.chance(0.8) ? 'listed' : 'expired',
          eventTime: opening + number,
        }),
      }
    case 3:
      return { topic: 'market-events', partition, key: instrument, value: garbage(number, random) }
    case 4:
      return { topic: 'candles', partition, key: null, value: garbage(number, random) }
    case 5:
      return {
        topic: 'market-events',
        event: trade(number, { instrument, tradeId: `${number}\0` }),
      }
    case 6:
      return {
        topic: 'market-events',
        event: trade(number, { instrument, tradeId: `${poison}${number}` }),
      }
    default:
      return foreignReject(number, partition)
  }
}

function gap(number: number, instrumentId: string | null, random: Random): MarketEvent {
  const fromTime = opening + number * 40
  const states: readonly SequenceGap['state'][] = ['open', 'backfilled', 'unrecoverable']
  return {
    type: 'SequenceGap',
    value: {
      // Few, so that each is told of several times.
      gapId: `gap-${random.between(0, 10)}`,
      feedId: 'deribit',
      replicaId: 'a',
      instrumentId,
      fromTime,
      toTime: fromTime + 500,
      fromSequence: number,
      toSequence: number + 3,
      state: anyOf(states, random),
    },
  }
}

/** No two are equal: a record that is taken for another one shows. */
function garbage(number: number, random: Random): Buffer | null {
  if (random.chance(0.1)) return null
  const unknownSchema = Buffer.from([0, 0x7f, 0xff, 0xff, 0xf0])
  const text = Buffer.from(`no Avro ${number}`)
  return random.chance(0.5) ? text : Buffer.concat([unknownSchema, text])
}

function foreignReject(number: number, partition: number): FaultRecord {
  const headers = rejectedHeaders({
    stage: 'aggregator',
    reason: 'late',
    message: `trade ${number} is behind the watermark`,
    topic: 'market-events',
    partition,
    offset: number,
  })
  return {
    topic: 'rejected',
    partition,
    key: `key ${number}`,
    value: Buffer.from(`as it came ${number}`),
    headers,
  }
}

function anyOf<T>(values: readonly T[], random: Random): T {
  const value = values[random.between(0, values.length)]
  if (value === undefined) throw new RangeError('Nothing to choose from')
  return value
}
