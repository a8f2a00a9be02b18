import { describe, expect, it } from 'vitest'

import { OkxHistory } from './history-okx.ts'
import { OkxContracts } from './okx-contracts.ts'
import { localVenue } from './testing/local-venue.ts'

const never = new AbortController().signal

/** An OKX with the trades of these ids, behind its own paging. */
async function historyOf(ids: readonly number[]) {
  const venue = await localVenue({
    onGet: (address) => {
      const query = new URL(address, 'http://okx').searchParams
      const after = Number(query.get('after') ?? Infinity)
      const data = ids
        .filter((id) => id < after)
        .toSorted((one, other) => other - one)
        .slice(0, Math.min(100, Number(query.get('limit') ?? 100)))
        .map((id) => ({
          instId: query.get('instId'),
          tradeId: String(id),
          px: '1',
          sz: '1',
          side: 'buy',
          ts: String(1_779_235_200_000 + id),
        }))
      return JSON.stringify({ code: '0', msg: '', data })
    },
  })
  return new OkxHistory(venue.options.rest, venue.options.mapping, new OkxContracts())
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}

describe("OKX's history", () => {
  it('gives the page behind a sequence, however far the present is', async () => {
    const history = await historyOf(range(1, 1_000))
    const page = await history.page('BTC-USDT', 301, undefined, never)
    expect(page.trades.map(({ sequence }) => sequence)).toEqual(range(301, 400))
    expect(page.hasMore).toBe(true)
  })

  it('asks for no more than what is wanted', async () => {
    const history = await historyOf(range(1, 1_000))
    const page = await history.page('BTC-USDT', 301, 303, never)
    expect(page.trades.map(({ sequence }) => sequence)).toEqual([301, 302, 303])
  })

  it('ends at the present', async () => {
    const history = await historyOf(range(1, 250))
    const page = await history.page('BTC-USDT', 201, undefined, never)
    expect(page.trades.map(({ sequence }) => sequence)).toEqual(range(201, 250))
    expect(page.hasMore).toBe(false)
    expect(await history.page('BTC-USDT', 251, undefined, never)).toEqual({
      trades: [],
      hasMore: false,
      newest: 250,
    })
  })

  it('has more behind ids that the venue passed over', async () => {
    const history = await historyOf([...range(1, 50), ...range(200, 210)])
    const page = await history.page('BTC-USDT', 1, undefined, never)
    expect(page.trades.map(({ sequence }) => sequence)).toEqual(range(1, 50))
    expect(page.hasMore).toBe(true)
  })

  it('ends where nothing was ever traded', async () => {
    const history = await historyOf([])
    expect(await history.newest('BTC-USDT', never)).toBeUndefined()
    expect(await history.page('BTC-USDT', 1, undefined, never)).toEqual({
      trades: [],
      hasMore: false,
      newest: 0,
    })
  })

  // OKX may refuse with an HTTP status of 200.
  it.each([
    ['51001', 'refused'],
    ['50011', 'rate_limited'],
    ['50001', 'unavailable'],
  ])('an answer with the code %s is %s', async (code, meaning) => {
    const venue = await localVenue({
      onGet: () => JSON.stringify({ code, msg: 'no', data: [] }),
    })
    const history = new OkxHistory(venue.options.rest, venue.options.mapping, new OkxContracts())
    await expect(history.newest('BTC-USDT', never)).rejects.toMatchObject({ code: meaning })
  })
})
