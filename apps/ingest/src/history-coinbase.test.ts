import { describe, expect, it } from 'vitest'

import { coinbaseCatalog } from './catalog-coinbase.ts'
import { CoinbaseHistory } from './history-coinbase.ts'
import { localVenue } from './testing/local-venue.ts'

const never = new AbortController().signal

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

/** A Coinbase with the trades of these ids, behind its own paging. */
async function historyOf(ids: readonly number[]) {
  const { asked, options } = await localVenue({
    onGet: (address) => {
      const query = new URL(address, 'http://coinbase').searchParams
      const after = Number(query.get('after') ?? Infinity)
      const rows = ids
        .filter((id) => id < after)
        .toSorted((one, other) => other - one)
        .slice(0, Math.min(1_000, Number(query.get('limit') ?? 1_000)))
        .map((id) => ({
          trade_id: id,
          side: 'buy',
          size: '1.00000000',
          price: '1',
          time: new Date(1_000 + id).toISOString(),
        }))
      return JSON.stringify(rows)
    },
  })
  const { mapping, rest } = options
  return { asked, history: new CoinbaseHistory({ venue: 'coinbase', rest, mapping }) }
}

async function sequencesOf(
  history: CoinbaseHistory,
  from: number,
  to?: number,
): Promise<{ readonly sequences: readonly unknown[]; readonly hasMore: boolean }> {
  const { hasMore, trades } = await history.page('BTC-USD', from, to, never)
  return { sequences: trades.map(({ sequence }) => sequence), hasMore }
}

describe("Coinbase's history", () => {
  it('gives the page behind a sequence, however far the present is', async () => {
    const { asked, history } = await historyOf(range(1, 5_000))
    expect(await sequencesOf(history, 1_301)).toEqual({
      sequences: range(1_301, 2_300),
      hasMore: true,
    })
    expect(asked).toEqual(['/products/BTC-USD/trades?after=2301&limit=1000'])
  })

  it('asks for no more than what is wanted', async () => {
    const { asked, history } = await historyOf(range(1, 5_000))
    const { sequences } = await sequencesOf(history, 1_301, 1_303)
    expect(sequences).toEqual([1_301, 1_302, 1_303])
    expect(asked).toEqual(['/products/BTC-USD/trades?after=1304&limit=3'])
  })

  it('ends at the present', async () => {
    const { history } = await historyOf(range(1, 250))
    expect(await sequencesOf(history, 201)).toEqual({
      sequences: range(201, 250),
      hasMore: false,
    })
    expect(await sequencesOf(history, 251)).toEqual({ sequences: [], hasMore: false })
  })

  it('has more behind ids that the venue passed over', async () => {
    const { history } = await historyOf([...range(1, 50), ...range(2_000, 2_010)])
    expect(await sequencesOf(history, 1)).toEqual({ sequences: range(1, 50), hasMore: true })
  })

  it('ends where nothing was ever traded', async () => {
    const { history } = await historyOf([])
    expect(await history.newest('BTC-USD', never)).toBeUndefined()
    expect(await sequencesOf(history, 1)).toEqual({ sequences: [], hasMore: false })
  })

  it('that is no list of trades has to be asked for again', async () => {
    const { options } = await localVenue({ onGet: () => '{"message":"Internal server error"}' })
    const { mapping, rest } = options
    const history = new CoinbaseHistory({ venue: 'coinbase', rest, mapping })
    await expect(history.newest('BTC-USD', never)).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe("Coinbase's catalog", () => {
  it('has the pairs that trade now', async () => {
    const product = {
      id: 'BTC-USD',
      base_currency: 'BTC',
      quote_currency: 'USD',
      status: 'online',
      trading_disabled: false,
    }
    const { options } = await localVenue({
      onGet: () =>
        JSON.stringify([
          product,
          { ...product, id: 'OLD-USD', status: 'delisted' },
          { ...product, id: 'NOT-USD', trading_disabled: true },
          { id: 'BROKEN-USD', status: 'online' },
          7,
        ]),
    })
    expect(await coinbaseCatalog(options.rest, never)).toEqual([
      { instrument: 'BTC-USD', base: 'BTC', quote: 'USD', kind: 'spot', quantityUnit: 'base' },
    ])
  })

  it.each(['<html>', '{"message":"NotFound"}'])('%s is none', async (body) => {
    const { options } = await localVenue({ onGet: () => body })
    await expect(coinbaseCatalog(options.rest, never)).rejects.toThrow('told no products')
  })
})
