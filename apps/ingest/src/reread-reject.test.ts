import { describe, expect, it } from 'vitest'

import type { MappingContext } from './mapped-trade.ts'
import { okxReader, rejectReaders } from './reject-readers.ts'
import type { RejectReader } from './reject-readers.ts'
import { rereadReject } from './reread-reject.ts'
import type { VenueName } from './venue-registry.ts'

const executedAt = Date.UTC(2026, 4, 20, 9, 30)
const time = '2026-05-20T09:30:00.000Z'

/** A frame with two trades, or one where the venue sends each by itself. */
const frames: Readonly<Partial<Record<VenueName, unknown>>> = {
  deribit: {
    method: 'subscription',
    params: {
      channel: 'trades.BTC-PERPETUAL.100ms',
      data: [1, 2].map((number) => ({
        trade_seq: number,
        trade_id: `4036918${number}`,
        timestamp: executedAt,
        price: 92294.5,
        amount: 10,
        direction: 'sell',
        index_price: 92276.75,
        mark_price: 92287.11,
        tick_direction: 2,
        instrument_name: 'BTC-PERPETUAL',
      })),
    },
  },
  binance: {
    stream: 'btcusdt@trade',
    data: {
      e: 'trade',
      E: executedAt,
      s: 'BTCUSDT',
      t: 7,
      p: '61.5',
      q: '2',
      T: executedAt,
      m: true,
    },
  },
  kraken: {
    channel: 'trade',
    type: 'update',
    data: [1, 2].map((number) => ({
      symbol: 'BTC/USD',
      side: 'sell',
      price: 77012.5,
      qty: 0.0031,
      ord_type: 'market',
      trade_id: number,
      timestamp: time,
    })),
  },
  okx: {
    arg: { channel: 'trades-all', instId: 'BTC-USDT' },
    data: [1, 2].map((number) => okxRow(String(number))),
  },
  'bybit-linear': {
    topic: 'publicTrade.BTCUSDT',
    type: 'snapshot',
    ts: executedAt,
    data: ['a', 'b'].map((id) => ({
      T: executedAt,
      s: 'BTCUSDT',
      S: 'Sell',
      v: '0.031',
      p: '77012.5',
      L: 'MinusTick',
      i: id,
      seq: 1,
    })),
  },
  coinbase: {
    type: 'match',
    trade_id: 7,
    side: 'sell',
    size: '0.0031',
    price: '77012.5',
    product_id: 'BTC-USD',
    sequence: 9,
    time,
  },
  'coinbase-advanced': {
    channel: 'market_trades',
    timestamp: time,
    sequence_num: 1,
    events: [
      {
        type: 'update',
        trades: ['2', '1'].map((id) => ({
          trade_id: id,
          product_id: 'BTC-USD',
          price: '77012.5',
          size: '0.0031',
          side: 'BUY',
          time,
        })),
      },
    ],
  },
  otc: {
    events: [1, 2].map((number) => ({
      instrument: 'EUR-USD',
      sequence: number,
      tradeId: `OTC-${number}`,
      version: 0,
      status: 'confirmed',
      side: 'sell',
      price: '1.0835',
      quantity: '250000',
      counterparty: 'Halden Bank',
      book: 'FX-LDN',
      executedAt,
      maturesAt: executedAt + 86_400_000,
    })),
  },
}

const now: MappingContext = { feedId: 'f', receivedAt: executedAt + 50, futureToleranceMs: 5_000 }

function okxRow(tradeId: string) {
  return {
    instId: 'BTC-USDT',
    tradeId,
    px: '77012.5',
    sz: '0.0031',
    side: 'sell',
    source: '0',
    ts: String(executedAt),
  }
}

/** Our clock was slow: what came then was from its future. */
const slow: MappingContext = { ...now, receivedAt: executedAt - 60_000 }

describe.each(Object.entries(frames))('%s', (venue, frame) => {
  // The keys of `frames` are venues, and all of them can be read again.
  const reader = rejectReaders[venue as VenueName] as RejectReader
  const text = JSON.stringify(frame)
  const trades = reader
    .frame(text, now)
    .map((mapped) => (mapped.kind === 'trade' ? mapped.trade : mapped.message))

  it('a frame that could not be read then gives its trades', () => {
    expect(trades.length).toBeGreaterThan(0)
    expect(rereadReject(reader, text, undefined, now)).toEqual(trades)
  })

  it('each row that was turned away gives its trade', () => {
    const rejects = reader.frame(text, slow)
    const reread = rejects.map((mapped) =>
      mapped.kind === 'rejected'
        ? rereadReject(reader, mapped.original, mapped.instrument, now)
        : 'not rejected',
    )
    expect(reread.flat()).toEqual(trades)
  })

  it('what is turned away still stays, with its reason', () => {
    expect(rereadReject(reader, text, undefined, slow)).toMatch(/after it was received/)
  })
})

it('the history of a venue writes rows of its own', () => {
  const rows: readonly [VenueName, unknown, string][] = [
    [
      'binance',
      { id: 7, price: '61.5', qty: '2', time: executedAt, isBuyerMaker: true },
      'BTCUSDT',
    ],
    ['kraken', ['77012.5', '0.0031', executedAt / 1_000, 's', 'm', '', 7], 'BTC/USD'],
    ['coinbase', { trade_id: 7, side: 'buy', size: '0.0031', price: '77012.5', time }, 'BTC-USD'],
    [
      'bybit-linear',
      {
        execId: 'a',
        symbol: 'BTCUSDT',
        price: '77012.5',
        size: '0.031',
        side: 'Sell',
        time: String(executedAt),
      },
      'BTCUSDT',
    ],
  ]
  for (const [venue, row, instrument] of rows) {
    const reader = rejectReaders[venue]
    if (reader === undefined) throw new Error(venue)
    const found = rereadReject(reader, JSON.stringify(row), instrument, now)
    expect(found).toMatchObject([{ venue, instrument, eventTime: executedAt }])
  }
})

// Its rows fit the channel of single trades as well, and came back as trade 7 with a sequence instead of a7 without.
it("an aggregate of OKX's stays one", () => {
  const row = { ...okxRow('7'), count: '3' }
  const found = rereadReject(okxReader(), JSON.stringify(row), 'BTC-USDT', now)
  expect(found).toMatchObject([{ tradeId: 'a7', sequence: null }])
})

it('what is no trade at all stays', () => {
  for (const reader of Object.values(rejectReaders)) {
    for (const text of ['', 'pong', '{}', '[1]', '{"events":', 'null']) {
      expect(typeof rereadReject(reader, text, 'BTC-USD', now)).toBe('string')
    }
  }
})
