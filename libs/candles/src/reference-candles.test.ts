import type { Candle, MarketEvent, Trade } from '@tickertape/market-model'
import { describe, expect, test } from 'vitest'
import type { AggregationSettings } from './aggregation-settings.ts'
import { epoch, heartbeat, instrumentStatus, sequenceGap, tradeEvent } from './market-logs.ts'
import { referenceRun } from './reference-candles.ts'

const settings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  horizonMs: 60_000,
  gapSpanMs: 400_000,
  quietSpanMs: 240_000,
  intervals: ['1s', '1m', '5m'],
  indicators: [],
}

/** Seconds after `epoch`. */
function trade(seconds: number, facts: Partial<Trade> = {}): MarketEvent {
  const eventTime = epoch + seconds * 1_000
  return tradeEvent({ eventTime, price: { mantissa: 7, exponent: 0 }, ...facts })
}

/** Every window that ends `seconds` after `epoch`, or before, closes. */
function closing(seconds: number): MarketEvent {
  return heartbeat(epoch + seconds * 1_000 + 1_000)
}

/** Interval, start in seconds, revision, quality, trades and close of each candle. */
function told(events: readonly MarketEvent[], own: Partial<AggregationSettings> = {}): string[] {
  return referenceRun({ ...settings, ...own }, events).candles.map(line)
}

function line({ interval, windowStart, revision, quality, tradeCount, close }: Candle): string {
  const start = (windowStart - epoch) / 1_000
  return `${interval} ${start} r${revision} ${quality} ${tradeCount} ${close.mantissa}`
}

function outcomes(events: readonly MarketEvent[]): string {
  return referenceRun(settings, events).outcomes.join(' ')
}

describe('what becomes of a trade', () => {
  const later = closing(30)

  test('by its sequence', () => {
    const first = trade(1, { sequence: 1 })
    expect(
      outcomes([
        first,
        first,
        trade(1, { sequence: 1, takerSide: 'sell' }),
        trade(1, { sequence: 1, version: 2, status: 'cancelled' }),
        trade(1, { sequence: 1, version: 1 }),
        first,
        trade(2, { sequence: 2 }),
        later,
        trade(2, { sequence: 2, takerSide: 'sell' }),
        trade(2, { sequence: 2, version: 1, takerSide: 'sell' }),
        closing(120),
        trade(2, { sequence: 2 }),
        trade(2, { sequence: 2, version: 2 }),
        trade(2, { sequence: 3 }),
      ]),
    ).toBe(
      'accepted duplicate conflict uncounted superseded superseded accepted accepted duplicate revised accepted' +
        // Forgotten: the end of the minute and the horizon are past.
        ' duplicate late late',
    )
  })

  test('by its id', () => {
    const first = trade(1, { tradeId: 'a' })
    expect(
      outcomes([
        first,
        later,
        first,
        trade(40, { tradeId: 'a' }),
        trade(40, { tradeId: 'a', version: 1 }),
        trade(40, { tradeId: 'b', status: 'pending' }),
        trade(100, { tradeId: 'c' }),
        closing(120),
        trade(100, { tradeId: 'a' }),
        trade(1, { tradeId: 'c', version: 1 }),
      ]),
    ).toBe('accepted accepted duplicate conflict revised uncounted accepted accepted revised late')
  })

  test('by its numbers', () => {
    const price = { mantissa: 0, exponent: 0 }
    const id = 'deribit:BTC'
    expect(
      outcomes([
        trade(1, { receivedAt: epoch - 4_001 }),
        trade(1, { price }),
        trade(1, { quantity: { mantissa: -1, exponent: 0 } }),
        trade(1, { quantity: { mantissa: 1, exponent: 401 }, status: 'pending' }),
        trade(1, { price, status: 'cancelled' }),
        instrumentStatus('listed', epoch, id, 'deribit', { kind: 'combo' }),
        trade(2, { price }),
      ]),
    ).toBe('future invalid invalid invalid uncounted accepted accepted')
  })
})

describe('what a window comes to', () => {
  test('a quiet market goes on flat, and a late trade revises what follows it', () => {
    expect(
      told([
        trade(1),
        closing(120),
        trade(61, { price: { mantissa: 9, exponent: 0 } }),
        closing(180),
      ]),
    ).toStrictEqual([
      '1s 1 r0 partial 1 7',
      '1m 0 r0 partial 1 7',
      '1m 60 r0 quiet 0 7',
      '1s 61 r1 complete 1 9',
      '1m 60 r1 complete 1 9',
      '1m 120 r0 quiet 0 9',
    ])
  })

  test('a cancel leaves flat candles at the close before', () => {
    const second = trade(2, { sequence: 2, price: { mantissa: 9, exponent: 0 } })
    const cancel = trade(2, { sequence: 2, version: 1, status: 'cancelled' })
    expect(
      told([trade(1, { sequence: 1 }), second, closing(60), cancel, closing(60)]),
    ).toStrictEqual([
      '1s 1 r0 partial 1 7',
      '1s 2 r0 complete 1 9',
      '1m 0 r0 partial 2 9',
      '1s 2 r1 quiet 0 7',
      '1m 0 r1 partial 1 7',
    ])
  })

  test('the first window with trades is partial as long as it is the first', () => {
    expect(told([trade(2), closing(4), trade(1), closing(60)])).toStrictEqual([
      '1s 2 r0 partial 1 7',
      '1s 1 r1 partial 1 7',
      '1s 2 r1 complete 1 7',
      '1m 0 r0 partial 2 7',
    ])
  })

  test('a flat candle that is due late is a first revision', () => {
    const events = [trade(1), closing(310), trade(150, { sequence: 1 }), closing(310)]
    expect(told(events, { horizonMs: 200_000, quietSpanMs: 120_000 })).toStrictEqual([
      '1s 1 r0 partial 1 7',
      '1m 0 r0 partial 1 7',
      '1m 60 r0 quiet 0 7',
      '1m 120 r0 quiet 0 7',
      '5m 0 r0 partial 1 7',
      '1s 150 r1 complete 1 7',
      '1m 120 r1 complete 1 7',
      '1m 180 r1 quiet 0 7',
      '1m 240 r1 quiet 0 7',
      '5m 0 r1 partial 2 7',
    ])
  })

  test('a gap goes up the tree, and holds its windows until it is filled', () => {
    const gap = { fromTime: epoch + 1_000, toTime: epoch + 2_000, fromSequence: 2, toSequence: 2 }
    const own = { ...gap, instrumentId: 'deribit:BTC' }
    expect(
      told([
        trade(0, { sequence: 1 }),
        trade(1, { sequence: 3 }),
        sequenceGap(own),
        closing(60),
        closing(240),
        trade(1.5, { sequence: 2 }),
        sequenceGap({ ...own, state: 'backfilled' }),
        closing(241),
        sequenceGap({ ...own, state: 'unrecoverable' }),
        closing(300),
      ]).filter((text) => !text.includes('quiet')),
    ).toStrictEqual([
      '1s 0 r0 partial 1 7',
      '1s 1 r0 gap 1 7',
      '1m 0 r0 gap 2 7',
      '1s 1 r1 backfilled 2 7',
      '1m 0 r1 partial 3 7',
      '5m 0 r0 partial 3 7',
    ])
  })

  test('on an inverse contract quantities are in quote', () => {
    const terms = { kind: 'perpetual', quantityUnit: 'quote' } as const
    const events = [
      instrumentStatus('listed', epoch, 'deribit:BTC', 'deribit', terms),
      trade(1, { sequence: 1, quantity: { mantissa: 10, exponent: 0 } }),
      trade(1, { sequence: 2, quantity: { mantissa: 4, exponent: 0 } }),
      closing(2),
    ]
    expect(referenceRun(settings, events).candles).toMatchObject([
      {
        volume: { mantissa: 14, exponent: 0 },
        // 1.428571428571428571 and 0.571428571428571429
        quoteVolume: { mantissa: 2, exponent: 0 },
        vwap: { mantissa: 7, exponent: 0 },
      },
    ])
  })
})

test('a revision goes on from the means before it and adds nothing to the chain', () => {
  const price = (mantissa: number) => ({ price: { mantissa, exponent: 0 } })
  const indicators = ['close:alpha=0.5,adjust=false', 'price:alpha=0.5,adjust=false']
  const events = [
    trade(1, { ...price(8), sequence: 1 }),
    closing(2),
    trade(3, { ...price(16), sequence: 3 }),
    closing(4),
    trade(2, { ...price(4), sequence: 4 }),
    trade(3, { ...price(32), sequence: 5 }),
    closing(5),
    trade(5, { ...price(8), sequence: 6 }),
    closing(6),
  ]
  const { candles } = referenceRun({ ...settings, indicators }, events)
  expect(
    candles.map((candle) => [line(candle), ...Object.values(candle.indicators)]),
  ).toStrictEqual([
    ['1s 1 r0 partial 1 8', 8, 8],
    ['1s 3 r0 complete 1 16', 12, 12],
    ['1s 2 r1 complete 1 4', 6, 6],
    ['1s 3 r1 complete 2 32', 20, 22],
    ['1s 5 r0 complete 1 8', 10, 10],
  ])
})
