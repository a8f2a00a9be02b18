import type { Candle, Decimal } from '@tickertape/market-model'
import { formatDecimal, intervalMs, isInterval, parseDecimal, zero } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'
import type { InstrumentTerms } from './rolling-stats-groups.ts'
import { RollingStats, statsAheadMs } from './rolling-stats.ts'

const epoch = 1_700_000_400_000
const minute = 60_000
const hour = 3_600_000
const day = 86_400_000

const spot = 'binance:BTCUSD'
const inverse = 'deribit:BTC-PERPETUAL'
const terms: Readonly<Record<string, InstrumentTerms>> = {
  [spot]: { base: 'BTC', quote: 'USD', quantityUnit: 'base' },
  [inverse]: { base: 'BTC', quote: 'USD', quantityUnit: 'quote' },
  'okx:BTC-USD-SWAP': { base: 'BTC', quote: 'USD', quantityUnit: 'contract' },
  'binance:BTCEUR': { base: 'BTC', quote: 'EUR', quantityUnit: 'base' },
  'binance:ETHBTC': { base: 'ETH', quote: 'BTC', quantityUnit: 'base' },
  'deribit:BTC-OPTION': { base: 'BTC', quote: 'BTC', quantityUnit: 'base' },
}

function statsAt(asOf = epoch): RollingStats {
  return new RollingStats(asOf, (instrumentId) => terms[instrumentId])
}

function decimal(text: string): Decimal {
  return parseDecimal(text) ?? zero
}

function text(value: Decimal | null | undefined): string | null | undefined {
  return value && formatDecimal(value)
}

type Amounts = Partial<Record<'volume' | 'buyVolume' | 'quoteVolume', string>>

/** The last closed minute of `spot`, with 3 trades of 2 in all at 100, unless told otherwise. */
function candle({ volume = '2', buyVolume = '1', quoteVolume = '200', ...facts }: Facts): Candle {
  const interval = facts.interval ?? '1m'
  const length = isInterval(interval) ? intervalMs(interval) : 0
  const windowEnd = facts.windowEnd ?? epoch
  return {
    instrumentId: spot,
    interval,
    windowStart: windowEnd - length,
    windowEnd,
    open: zero,
    high: zero,
    low: zero,
    close: zero,
    volume: decimal(volume),
    buyVolume: decimal(buyVolume),
    quoteVolume: decimal(quoteVolume),
    notionalUsd: decimal('200'),
    vwap: null,
    tradeCount: 3,
    indicators: {},
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: null,
    lastSequence: null,
    rebuildId: null,
    ...facts,
  }
}

type Facts = Amounts & Partial<Omit<Candle, keyof Amounts>>

const flat: Facts = {
  volume: '0',
  buyVolume: '0',
  quoteVolume: '0',
  notionalUsd: zero,
  tradeCount: 0,
  quality: 'quiet',
}

describe('what a span covers', () => {
  test('a window that ends at the time counts, and leaves when it is a span old', () => {
    const stats = statsAt()
    stats.apply(candle({}))
    expect(stats.instrument(spot, '1h')).toMatchObject({
      tradeCount: 3,
      from: epoch - hour,
      to: epoch,
      firstWindowStart: epoch - minute,
      lastWindowEnd: epoch,
    })
    stats.advance(epoch + hour - 1)
    expect(stats.instrument(spot, '1h')).toMatchObject({ tradeCount: 3 })
    stats.advance(epoch + hour)
    expect(stats.instrument(spot, '1h')).toMatchObject({ tradeCount: 0, firstWindowStart: null })
    expect(stats.instrument(spot, '24h')).toMatchObject({ tradeCount: 3 })
    stats.advance(epoch + day)
    expect(stats.instrument(spot, '24h')).toBeUndefined()
  })

  test('the 5 minutes slide by the second and the hour by the minute', () => {
    const stats = statsAt(epoch + 30_999)
    stats.apply(candle({ interval: '1s', windowEnd: epoch + 30_000 }))
    expect(stats.instrument(spot, '5m')).toMatchObject({ tradeCount: 3, to: epoch + 30_000 })
    expect(stats.instrument(spot, '1h')).toMatchObject({ tradeCount: 0, to: epoch })
    stats.advance(epoch + 330_000)
    expect(stats.instrument(spot, '5m')).toBeUndefined()
  })

  test('sums that slide for two days end at nothing', () => {
    const stats = statsAt()
    for (let step = 0; step < 2 * 1_440; step += 1) {
      const windowEnd = epoch + step * minute
      stats.advance(windowEnd)
      stats.apply(candle({ windowEnd, volume: `0.${step + 1}`, quoteVolume: `${step}e-30` }))
    }
    stats.advance(stats.asOf + day - minute)
    expect(text(stats.instrument(spot, '24h')?.volume)).toBe('0.288')
    stats.advance(stats.asOf + minute)
    expect(stats.instrumentIds()).toEqual([])
  })
})

describe('time', () => {
  test('a candle ahead of the time waits for it', () => {
    const stats = statsAt()
    expect(stats.apply(candle({ windowEnd: epoch + minute }))).toBe('applied')
    expect(stats.instrument(spot, '24h')).toBeUndefined()
    stats.advance(epoch + minute)
    expect(stats.instrument(spot, '24h')).toMatchObject({ tradeCount: 3 })
  })

  test('a candle too far ahead is not kept, and counts when it comes again in time', () => {
    const stats = statsAt()
    const early = candle({ windowEnd: epoch + statsAheadMs + minute })
    expect(stats.apply(early)).toBe('ahead')
    stats.advance(epoch + minute)
    expect(stats.apply(early)).toBe('applied')
  })

  test('an earlier time moves nothing', () => {
    const stats = statsAt()
    stats.apply(candle({}))
    stats.advance(epoch - hour)
    expect(stats.asOf).toBe(epoch)
    expect(stats.instrument(spot, '5m')).toMatchObject({ to: epoch })
  })

  test('a window that left the longest span of its interval is late', () => {
    const stats = statsAt()
    expect(stats.apply(candle({ windowEnd: epoch - day }))).toBe('late')
    expect(stats.apply(candle({ windowEnd: epoch - day + minute }))).toBe('applied')
    expect(stats.apply(candle({ interval: '1s', windowEnd: epoch - 300_000 }))).toBe('late')
    expect(stats.apply(candle({ interval: '1s', windowEnd: epoch - 299_000 }))).toBe('applied')
  })
})

describe('versions', () => {
  test('a revision counts by its difference, in whatever order the two come', () => {
    const revised = candle({ revision: 1, volume: '5', tradeCount: 4, notionalUsd: null })
    for (const candles of [
      [candle({}), revised],
      [revised, candle({})],
    ]) {
      const stats = statsAt()
      const outcomes = candles.map((each) => stats.apply(each))
      expect(outcomes).toEqual(['applied', candles[0] === revised ? 'superseded' : 'applied'])
      const found = stats.instrument(spot, '1h')
      expect(found).toMatchObject({ tradeCount: 4, notionalUsd: null })
      expect(text(found?.volume)).toBe('5')
    }
  })

  test('a rebuilt candle replaces every revision before it', () => {
    const stats = statsAt()
    stats.apply(candle({ revision: 3 }))
    expect(stats.apply(candle({ revision: 0, rebuildId: 0, tradeCount: 7 }))).toBe('applied')
    expect(stats.apply(candle({ revision: 4 }))).toBe('superseded')
    expect(stats.apply(candle({ revision: 0, rebuildId: 0 }))).toBe('duplicate')
    expect(stats.instrument(spot, '1h')).toMatchObject({ tradeCount: 7 })
  })

  test('a revision that cancels every trade leaves nothing of them', () => {
    const stats = statsAt()
    stats.apply(candle({ notionalUsd: null }))
    stats.apply(candle({ ...flat, revision: 1 }))
    expect(stats.instrument(spot, '24h')).toMatchObject({
      volume: zero,
      buyVolume: zero,
      quoteVolume: zero,
      notionalUsd: zero,
      tradeCount: 0,
      vwap: null,
      lastWindowEnd: null,
      quality: 'quiet',
    })
  })

  test('a candle in progress and a candle of a longer interval count for nothing', () => {
    const stats = statsAt()
    expect(stats.apply(candle({ final: false }))).toBe('unused')
    expect(stats.apply(candle({ interval: '5m' }))).toBe('unused')
    expect(stats.instrumentIds()).toEqual([])
  })
})

describe('what is known', () => {
  test('a span with a candle for every minute is complete, and one without is not', () => {
    const stats = statsAt()
    for (const ago of [0, 1, 2, 4]) stats.apply(candle({ windowEnd: epoch - ago * minute }))
    expect(stats.instrument(spot, '5m')).toMatchObject({
      isComplete: false,
      quality: 'complete',
      minutes: { complete: 4, missing: 1 },
    })
    stats.apply(candle({ ...flat, windowEnd: epoch - 3 * minute }))
    expect(stats.instrument(spot, '5m')).toMatchObject({
      isComplete: true,
      minutes: { complete: 4, quiet: 1, missing: 0 },
    })
    expect(stats.instrument(spot, '1h')).toMatchObject({ isComplete: false })
  })

  test('a gap without trades shows in the 5 minutes through its minute, until it is filled', () => {
    const stats = statsAt()
    for (const ago of [0, 1, 2, 3]) stats.apply(candle({ windowEnd: epoch - ago * minute }))
    stats.apply(candle({ ...flat, windowEnd: epoch - 4 * minute, quality: 'gap' }))
    expect(stats.instrument(spot, '5m')).toMatchObject({ quality: 'gap', isComplete: false })
    stats.apply(candle({ windowEnd: epoch - 4 * minute, quality: 'backfilled', revision: 1 }))
    expect(stats.instrument(spot, '5m')).toMatchObject({ quality: 'backfilled', isComplete: true })
  })

  test('a gap in a second of the running minute shows in the 5 minutes at once', () => {
    const stats = statsAt(epoch + 5_000)
    stats.apply(candle({ interval: '1s', windowEnd: epoch + 5_000, quality: 'gap' }))
    expect(stats.instrument(spot, '5m')).toMatchObject({ quality: 'gap' })
  })

  test('a minute that no feed has told of is missing once time has passed it', () => {
    const stats = statsAt()
    stats.apply(candle({}))
    stats.advance(epoch + 2 * minute)
    expect(stats.instrument(spot, '5m')).toMatchObject({
      isComplete: false,
      minutes: { complete: 1, missing: 4 },
    })
  })
})

describe('units', () => {
  test('the vwap of an inverse contract is volume / quoteVolume, half to even', () => {
    const stats = statsAt()
    stats.apply(candle({ volume: '2', quoteVolume: '1' }))
    stats.apply(candle({ instrumentId: inverse, volume: '200', quoteVolume: '3' }))
    expect(text(stats.instrument(spot, '1h')?.vwap)).toBe('0.5')
    expect(text(stats.instrument(inverse, '1h')?.vwap)).toBe('66.666666666666666667')
  })

  test('a pair adds base to base and quote to quote, whatever the contract counts in', () => {
    const stats = statsAt()
    stats.apply(candle({}))
    stats.apply(candle({ instrumentId: inverse, volume: '300', quoteVolume: '3.5' }))
    const pair = stats.pair('BTC', 'USD', '24h')
    expect(pair).toMatchObject({ instruments: 2, tradeCount: 6, buyVolume: null })
    expect(text(pair?.volume)).toBe('5.5')
    expect(text(pair?.quoteVolume)).toBe('500')
    expect(text(pair?.notionalUsd)).toBe('400')
    expect(stats.pair('USD', 'BTC', '24h')).toBeUndefined()
  })

  test('trades counted in contracts leave the volumes of their pair unknown while they last', () => {
    const stats = statsAt()
    stats.apply(candle({ windowEnd: epoch }))
    stats.apply(candle({ instrumentId: 'okx:BTC-USD-SWAP', windowEnd: epoch - 55 * minute }))
    expect(stats.pair('BTC', 'USD', '1h')).toMatchObject({ volume: null, quoteVolume: null })
    expect(stats.pair('BTC', 'USD', '1h')?.tradeCount).toBe(6)
    stats.advance(epoch + 10 * minute)
    expect(text(stats.pair('BTC', 'USD', '1h')?.volume)).toBe('2')
  })

  test('a token counts what changed hands of it, as base and as quote', () => {
    const stats = statsAt()
    stats.apply(candle({ volume: '2', buyVolume: '1' }))
    stats.apply(candle({ instrumentId: 'binance:BTCEUR', volume: '3', buyVolume: '0.5' }))
    stats.apply(candle({ instrumentId: 'binance:ETHBTC', volume: '90', quoteVolume: '4' }))
    const token = stats.token('BTC', '24h')
    expect(token).toMatchObject({ instruments: 3, tradeCount: 9 })
    expect(text(token?.volume)).toBe('9')
    expect(text(token?.volumeAsBase)).toBe('5')
    expect(text(token?.volumeAsQuote)).toBe('4')
    expect(text(token?.buyVolume)).toBe('1.5')
    expect(text(stats.token('USD', '24h')?.volume)).toBe('200')
    expect(stats.token('XRP', '24h')).toBeUndefined()
  })

  test('an option priced in its own base counts once, by what it is on', () => {
    const stats = statsAt()
    stats.apply(candle({ instrumentId: 'deribit:BTC-OPTION', volume: '7', quoteVolume: '0.1' }))
    const token = stats.token('BTC', '24h')
    expect(token).toMatchObject({ instruments: 1, tradeCount: 3 })
    expect(text(token?.volume)).toBe('7')
  })
})

describe('terms', () => {
  test('an instrument joins its pair and tokens when its terms are known', () => {
    const table = new Map<string, InstrumentTerms>()
    const stats = new RollingStats(epoch, (instrumentId) => table.get(instrumentId))
    stats.apply(candle({}))
    expect(stats.instrument(spot, '24h')).toMatchObject({ tradeCount: 3, vwap: null })
    expect(stats.tokens()).toEqual([])
    table.set(spot, { base: 'BTC', quote: 'USDT', quantityUnit: null })
    stats.termsChanged(spot)
    expect(stats.pairs()).toEqual([{ base: 'BTC', quote: 'USDT' }])
    table.set(spot, { base: 'BTC', quote: 'USD', quantityUnit: 'base' })
    stats.termsChanged(spot)
    expect(stats.pairs()).toEqual([{ base: 'BTC', quote: 'USD' }])
    expect([...stats.tokens()].sort()).toEqual(['BTC', 'USD'])
    expect(text(stats.instrument(spot, '24h')?.vwap)).toBe('100')
    expect(text(stats.pair('BTC', 'USD', '24h')?.volume)).toBe('2')
  })

  test('pairs and tokens without a candle for a day are not listed', () => {
    const stats = statsAt()
    stats.apply(candle({}))
    stats.apply(candle({ instrumentId: 'binance:ETHBTC', windowEnd: epoch + 5 * minute }))
    stats.advance(epoch + day)
    expect(stats.pairs()).toEqual([{ base: 'ETH', quote: 'BTC' }])
    expect([...stats.tokens()].sort()).toEqual(['BTC', 'ETH'])
    stats.advance(epoch + 3 * day)
    expect(stats.tokens()).toEqual([])
  })
})
