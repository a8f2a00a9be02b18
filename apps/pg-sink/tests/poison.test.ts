import { describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent } from '@tickertape/market-model'
import { repetitions } from '@tickertape/testing'

import { SinkInstances, expectExactlyOnce, faultSettings, refusePoison } from './fault-run.ts'
import { poison } from './fault-market.ts'
import { readAll } from './log-truth.ts'
import { base, candle, createSinkLog, partitions, trade } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

/** Trades of one partition, of which those at these places are refused by PostgreSQL. */
function poisoned(count: number, refused: readonly number[]): readonly MarketEvent[] {
  const bad = new Set(refused)
  return Array.from({ length: count }, (_, number) =>
    trade(number, bad.has(number) ? { tradeId: `${poison}${number}` } : {}),
  )
}

/** The sink starts when all is there, so that its first batches are full. */
function sinkOf(log: SinkLog, batchSize: number): SinkInstances {
  return SinkInstances.start(log, 1, { ...faultSettings, PG_SINK_BATCH_SIZE: String(batchSize) })
}

const places: readonly (readonly [string, readonly number[]])[] = [
  ['the first', [0]],
  ['the one in the middle', [50]],
  ['the last', [99]],
  [
    'nine of ten',
    Array.from({ length: 100 }, (_, index) => index).filter((index) => index % 10 !== 5),
  ],
  ['the first, middle and last', [0, 50, 99]],
  ['two side by side', [49, 50]],
  ['half', Array.from({ length: 50 }, (_, index) => 2 * index)],
  ['the first and last of three batches, each', [0, 99, 100, 199, 200, 299]],
]

describe('rows that PostgreSQL refuses', () => {
  it.each(places.slice(0, repetitions({ short: 4, long: 8 })))(
    '%s of a batch: the others go in, these are in rejected',
    async (_, refused) => {
      await using log = await createSinkLog()
      await refusePoison(log)
      await log.appendEvents(poisoned(300, refused))
      await using sinks = sinkOf(log, 100)
      await expectExactlyOnce(log, sinks)
      const { count } = await log.database.query(
        `select from rejected where stage = 'pg-sink' and reason = 'refused_by_database'`,
      )
      expect(count).toBe(refused.length)
    },
  )

  it('one by itself, all others before it were taken: it is in rejected, and so is another', async () => {
    await using log = await createSinkLog()
    await refusePoison(log)
    await using sinks = sinkOf(log, 100)
    const events = poisoned(12, [10, 11])
    await log.appendEvents(events.slice(0, 10))
    await expectExactlyOnce(log, sinks)
    for (const event of events.slice(10)) {
      await log.appendEvents([event])
      await expectExactlyOnce(log, sinks)
    }
    expect(await rejectedOffsets(log)).toEqual(['10', '11'])
  })

  it('candles of an instrument that a foreign key does not know: those of others go in', async () => {
    await using log = await createSinkLog()
    await log.database.query(
      `create table known (id text primary key); insert into known values ('deribit:BTC-PERPETUAL');
        alter table candles add foreign key (instrument_id) references known`,
    )
    await log.appendCandles(
      Array.from({ length: 6 }, (_, number) =>
        candle({
          windowStart: base + number * 1_000,
          instrumentId: number % 3 === 0 ? 'deribit:BTC-PERPETUAL' : 'deribit:ETH-PERPETUAL',
        }),
      ),
    )
    await using sinks = sinkOf(log, 100)
    await sinks.until('the rejects', async () => (await rejectedOffsets(log)).length >= 4)
    await sinks.until('the others', async () => {
      const { count } = await log.database.query('select from candles')
      return count === 2
    })
    expect(await rejectedOffsets(log)).toHaveLength(4)
  })

  it('what the topic rejected has of one: the original key and value, who, why and where', async () => {
    await using log = await createSinkLog()
    await refusePoison(log)
    await log.appendEvents(poisoned(10, [4]))
    await using sinks = sinkOf(log, 100)
    await expectExactlyOnce(log, sinks)
    const all = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => readAll(log, 'rejected', partition)),
    )
    const [record, ...others] = all.flat()
    expect(others).toEqual([])
    expect(String(record?.key)).toBe('deribit:BTC-PERPETUAL')
    const origin = rejectedOrigin(record?.headers)
    expect(origin).toMatchObject({ stage: 'pg-sink', reason: 'refused_by_database', offset: 4 })
    expect(origin.topic).toBe(log.topic('market-events'))
    expect(origin.message).toContain('no_poison')
  })

  it('a candle with a zero byte in the name of an indicator, which jsonb has no room for', async () => {
    await using log = await createSinkLog()
    const candles: Candle[] = Array.from({ length: 20 }, (_, number) =>
      candle({
        windowStart: base + number * 1_000,
        indicators: number % 7 === 3 ? { 'a\0b': 1 } : { mean: number },
      }),
    )
    await log.appendCandles(candles)
    await using sinks = sinkOf(log, 100)
    await sinks.until('the other candles', async () => {
      const { count } = await log.database.query('select from candles')
      return count === 17
    })
    expect(await rejectedOffsets(log)).toEqual(['3', '10', '17'])
  })
})

describe('a refused record and another of the same key', () => {
  it.each([
    ['that PostgreSQL refuses', { price: { mantissa: 1, exponent: 10 } }, 1],
    ['that PostgreSQL refuses', { price: { mantissa: 1, exponent: 10 } }, 100],
    ['with a value that no column holds', { book: 'a\0b' }, 1],
    ['with a value that no column holds', { book: 'a\0b' }, 100],
  ])('behind a trade %s the next record of it stands (%o, batches of %d)', async (_, bad, size) => {
    await using log = await createSinkLog()
    await log.database.query('alter table trades add constraint low check (price < 1e9)')
    await log.appendEvents([
      trade(1, bad),
      trade(1),
      trade(1, { quantity: otherQuantity }),
      trade(2),
    ])
    await using sinks = sinkOf(log, size)
    await sinks.until('the last trade', async () => (await tradeOffsets(log)).includes('t2 3'))
    expect(await tradeOffsets(log)).toEqual(['t1 1', 't2 3'])
    expect(await rejectedOffsets(log)).toEqual(['0'])
  })

  it.each([1, 100])(
    'of a candle the highest revision that can be stored stands, in batches of %d',
    async (batchSize) => {
      await using log = await createSinkLog()
      const bad = { indicators: { 'a\0b': 1 } }
      await log.appendCandles([
        candle({ revision: 1 }),
        candle({ revision: 3, ...bad }),
        candle({ revision: 2 }),
        candle({ windowStart: base + 1_000 }),
      ])
      await using sinks = sinkOf(log, batchSize)
      await sinks.until('the last candle', async () => {
        const { count } = await log.database.query('select from candles')
        return count === 2
      })
      const { rows } = await log.database.query(
        'select revision from candles order by window_start',
      )
      expect(rows).toEqual([{ revision: 2 }, { revision: 0 }])
      expect(await rejectedOffsets(log)).toEqual(['1'])
    },
  )
})

describe('PG_SINK_ERRORS_TOLERANCE=none', () => {
  it('the sink stops at what it cannot store, and nothing of that batch is stored', async () => {
    await using log = await createSinkLog()
    await refusePoison(log)
    await log.appendEvents(poisoned(10, [4]))
    await using sink = log.startSink({ ...faultSettings, PG_SINK_ERRORS_TOLERANCE: 'none' })
    expect(await sink.exited()).toBe(1)
    expect(sink.output).toContain('no_poison')
    expect(await tradeOffsets(log)).toEqual([])
    expect(await rejectedOffsets(log)).toEqual([])
  })
})

const otherQuantity = { mantissa: 7, exponent: 0 }

async function tradeOffsets({ database }: SinkLog): Promise<readonly string[]> {
  const { rows } = await database.query<{ at: string }>(
    `select concat(trade_id, ' ', source_offset) as at from trades order by source_offset`,
  )
  return rows.map(({ at }) => at)
}

async function rejectedOffsets({ database }: SinkLog): Promise<readonly string[]> {
  const { rows } = await database.query<{ offset: string }>(
    `select "offset" from rejected where stage = 'pg-sink' order by "offset"`,
  )
  return rows.map(({ offset }) => offset)
}
