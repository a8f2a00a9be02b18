import { describe, expect, it } from 'vitest'

import type { CandleResource } from '@tickertape/client'

import { CandleBook } from './candle-book.ts'

const minute = 60_000

function candleAt(window: number, facts: Partial<CandleResource> = {}): CandleResource {
  return {
    instrumentId: 'binance:BTCUSDT',
    interval: '1m',
    windowStart: window * minute,
    windowEnd: (window + 1) * minute,
    open: '1',
    high: '1',
    low: '1',
    close: '1',
    volume: '1',
    buyVolume: '1',
    quoteVolume: '1',
    notionalUsd: null,
    vwap: '1',
    tradeCount: 1,
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

describe('a book of candles', () => {
  it('keeps the candle that stands, whichever comes first', () => {
    const book = new CandleBook('1m')
    book.apply(candleAt(2, { revision: 2 }))
    expect(book.apply(candleAt(2, { revision: 1 }))).toEqual({ outcome: 'known' })
    expect(book.apply(candleAt(2, { final: false }))).toEqual({ outcome: 'known' })
    expect(book.apply(candleAt(2, { revision: 3 })).outcome).toBe('replaced')
    expect(book.at(2 * minute)?.revision).toBe(3)
  })

  it('an open window grows with each telling, and its final stands above them', () => {
    const book = new CandleBook('1m')
    book.apply(candleAt(1, { final: false, close: '2' }))
    expect(book.apply(candleAt(1, { final: false, close: '3' })).outcome).toBe('replaced')
    book.apply(candleAt(1, { close: '4' }))
    expect(book.last?.close).toBe('4')
  })

  it('is in order however pages come', () => {
    const book = new CandleBook('1m')
    book.applyAll([candleAt(5), candleAt(6)])
    book.applyAll([candleAt(3), candleAt(4), candleAt(5)])
    expect(book.candles.map(({ windowStart }) => windowStart / minute)).toEqual([3, 4, 5, 6])
  })

  it('keeps room for windows without a candle', () => {
    const book = new CandleBook('1m')
    book.applyAll([candleAt(1), candleAt(4)])
    expect(book.bars().map(({ candle }) => candle?.windowStart)).toEqual([
      minute,
      undefined,
      undefined,
      4 * minute,
    ])
  })

  it('tells gaps from quiet: only what is not known is a stretch', () => {
    const book = new CandleBook('1m')
    book.applyAll([
      candleAt(1),
      candleAt(2, { quality: 'gap' }),
      candleAt(3, { quality: 'gap' }),
      candleAt(4, { quality: 'quiet' }),
      candleAt(5, { quality: 'backfilled' }),
      candleAt(8),
    ])
    book.noteGaps([
      {
        gapId: 'a',
        feedId: 'binance',
        instrumentId: null,
        fromTime: 6 * minute + 1,
        toTime: 7 * minute,
        fromSequence: null,
        toSequence: null,
        state: 'open',
      },
    ])
    expect(book.stretches()).toEqual([
      { from: 2 * minute, to: 3 * minute, kind: 'gap' },
      { from: 5 * minute, to: 5 * minute, kind: 'backfilled' },
      { from: 6 * minute, to: 6 * minute, kind: 'gap' },
    ])
  })
})
