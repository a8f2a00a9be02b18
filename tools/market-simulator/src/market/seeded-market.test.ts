import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultInstruments } from '../venues.ts'
import { SeededMarket, tradeBySequence, tradesBetween } from './seeded-market.ts'
import { blockMs, firstBlockTime } from './trade-block.ts'

const day = Date.UTC(2026, 4, 20)

const pairs = defaultInstruments.map(({ name, venue }) => ({ name, venue }))

function marketOf(name: string, seed = 'a seed', rate = 0.1): SeededMarket {
  const venue = pairs.find((pair) => pair.name === name)?.venue ?? 'deribit'
  return new SeededMarket({ venue, instruments: defaultInstruments, seed, rate })
}

const anyName = fc.constantFrom(...pairs.map(({ name }) => name))
const anyTime = fc.integer({ min: firstBlockTime, max: day + 365 * 86_400_000 })
const anyLength = fc.integer({ min: 0, max: 3 * blockMs })

describe('a market is a function of seed, instrument and time', () => {
  test('a trade is the same whatever was asked for before', () => {
    fc.assert(
      fc.property(anyName, anyTime, fc.array(anyTime, { maxLength: 8 }), (name, time, others) => {
        const asked = marketOf(name)
        for (const other of others) asked.trade(name, asked.sequenceAt(name, other))
        const sequence = asked.sequenceAt(name, time)
        expect(asked.trade(name, sequence)).toEqual(marketOf(name).trade(name, sequence))
      }),
      { numRuns: 50 },
    )
  })

  test('another seed gives other trades under the same sequences', () => {
    const prices = (seed: string): readonly string[] =>
      tradesBetween(marketOf('BTC-PERPETUAL', seed), 'BTC-PERPETUAL', day, day + blockMs).map(
        ({ price, quantity }) => `${price} x ${quantity}`,
      )
    expect(prices('one')).toHaveLength(360)
    expect(prices('two')).toHaveLength(360)
    expect(prices('one')).not.toEqual(prices('two'))
  })

  test('an instrument that is not listed is refused by name', () => {
    expect(() => marketOf('ETHUSDT').trade('XRPUSDT', 1)).toThrow(/binance has no XRPUSDT/)
  })
})

describe('sequences', () => {
  test('are contiguous over any stretch, while time never goes back', () => {
    fc.assert(
      fc.property(anyName, anyTime, anyLength, (name, from, length) => {
        const trades = tradesBetween(marketOf(name), name, from, from + length)
        for (const [index, trade] of trades.entries()) {
          const previous = trades[index - 1] ?? trade
          expect(trade.sequence).toBe((trades[0]?.sequence ?? 0) + index)
          expect(trade.eventTime).toBeGreaterThanOrEqual(previous.eventTime)
          expect(trade.eventTime).toBeGreaterThanOrEqual(from)
          expect(trade.eventTime).toBeLessThan(from + length)
        }
      }),
      { numRuns: 50 },
    )
  })

  test('of a stretch are the same however it is cut', () => {
    fc.assert(
      fc.property(
        anyName,
        anyTime,
        anyLength,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
        (name, from, length, shares) => {
          const market = marketOf(name)
          const cuts = shares.map((share) => from + Math.floor(share * length))
          const edges = [from, ...cuts.toSorted((one, other) => one - other), from + length]
          const pieces = edges
            .slice(1)
            .flatMap((to, index) => tradesBetween(market, name, edges[index] ?? from, to))
          expect(pieces).toEqual(tradesBetween(market, name, from, from + length))
        },
      ),
      { numRuns: 50 },
    )
  })

  test('follow from the block: block b begins with b * tradesPerBlock + 1', () => {
    const market = marketOf('BTC-PERPETUAL')
    for (const block of [0, 1, 2, 3_000_000]) {
      const start = firstBlockTime + block * blockMs
      const trades = tradesBetween(market, 'BTC-PERPETUAL', start, start + blockMs)
      expect(trades).toHaveLength(360)
      expect(trades[0]?.sequence).toBe(block * 360 + 1)
      expect(trades.at(-1)?.sequence).toBe((block + 1) * 360)
    }
  })

  test('lead back to their trade', () => {
    const market = marketOf('ETHUSDT')
    for (const trade of tradesBetween(market, 'ETHUSDT', day, day + 20_000)) {
      expect(tradeBySequence(market, 'ETHUSDT', trade.sequence)).toEqual(trade)
    }
  })

  test('begin at 1', () => {
    const market = marketOf('ETHUSDT')
    expect(market.trade('ETHUSDT', 1).sequence).toBe(1)
    expect(() => market.trade('ETHUSDT', 0)).toThrow(RangeError)
    expect(market.nextSequence('ETHUSDT', firstBlockTime - 1)).toBe(1)
  })
})

describe('a trade', () => {
  test.each(defaultInstruments)(
    'of $venue:$name is on the tick, of whole lots, and positive',
    (instrument) => {
      const { lotUnits, name, priceDecimals, quantityDecimals, tickUnits, venue } = instrument
      const market = new SeededMarket({ venue, instruments: [instrument], seed: 's', rate: 0.1 })
      const wrong = tradesBetween(market, name, day, day + 5 * blockMs).filter(
        ({ price, quantity }) => {
          const priceUnits = Number(price.replace('.', ''))
          const lots = Number(quantity.replace('.', '')) / lotUnits
          const isWritten =
            (price.split('.')[1] ?? '').length === priceDecimals &&
            (quantity.split('.')[1] ?? '').length === quantityDecimals
          return (
            !(isWritten && priceUnits > 0 && priceUnits % tickUnits === 0 && lots > 0) ||
            !Number.isInteger(lots)
          )
        },
      )
      expect(wrong).toEqual([])
    },
  )

  test('of Deribit has an id that is unique for its currency', () => {
    const market = marketOf('BTC-PERPETUAL')
    const ids = market.instruments.flatMap(({ name }) =>
      tradesBetween(market, name, day, day + 2 * blockMs).map(({ tradeId }) => tradeId),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('pace', () => {
  test('has bursts of several trades a millisecond, and minutes that fall silent', () => {
    const market = marketOf('BTC-PERPETUAL', 'a seed', 1)
    let crowded = 0
    let silent = 0
    for (let start = day; start < day + 30 * blockMs; start += blockMs) {
      const times = tradesBetween(market, 'BTC-PERPETUAL', start, start + blockMs).map(
        ({ eventTime }) => eventTime,
      )
      const perMs = Map.groupBy(times, (time) => time)
      crowded = Math.max(crowded, ...[...perMs.values()].map(({ length }) => length))
      if ((times.at(-1) ?? start) < start + 7000) silent += 1
    }
    expect(crowded).toBeGreaterThanOrEqual(5)
    expect(silent).toBeGreaterThan(0)
    expect(silent).toBeLessThan(30)
  })
})

describe('history', () => {
  const name = 'ETH-PERPETUAL'
  const market = marketOf(name)
  const all = tradesBetween(market, name, day, day + blockMs)
  const bounds = { instrument: name, fromTime: day, toTime: day + blockMs - 1 }

  test('gives the oldest of a range, oldest first, and says whether there is more', () => {
    const query = { ...bounds, publishedBy: Infinity, newestFirst: false }
    expect(market.history({ ...query, limit: 100 })).toEqual({
      trades: all.slice(0, 100),
      hasMore: true,
    })
    expect(market.history({ ...query, limit: all.length })).toEqual({ trades: all, hasMore: false })
  })

  test('gives the newest of a range, newest first', () => {
    const query = { ...bounds, publishedBy: Infinity, newestFirst: true, limit: 7 }
    expect(market.history(query).trades).toEqual(all.slice(-7).toReversed())
  })

  test('holds nothing of the future', () => {
    const now = day + 30_000
    const page = market.history({ ...bounds, publishedBy: now, limit: 1000, newestFirst: false })
    expect(page).toEqual({
      trades: all.filter(({ eventTime }) => eventTime <= now),
      hasMore: false,
    })
    expect(page.trades.at(-1)?.sequence).toBe(market.nextSequence(name, now) - 1)
  })

  test('ends with the end of trading, inclusive', () => {
    const endTime = all[10]?.eventTime ?? 0
    const ended = new SeededMarket({
      venue: 'deribit',
      instruments: defaultInstruments,
      seed: 'a seed',
      rate: 0.1,
      endTime,
    })
    const upToEnd = all.filter(({ eventTime }) => eventTime <= endTime)
    expect(tradesBetween(ended, name, day, day + blockMs)).toEqual(upToEnd)
    const query = { ...bounds, publishedBy: Infinity, limit: 1000, newestFirst: false }
    expect(ended.history(query).trades).toEqual(upToEnd)
    expect(ended.nextSequence(name, day + 2 * blockMs)).toBe((upToEnd.at(-1)?.sequence ?? 0) + 1)
  })
})
