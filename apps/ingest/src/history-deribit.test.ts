import { expect, it } from 'vitest'

import { DeribitHistory } from './history-deribit.ts'
import { localVenue } from './testing/local-venue.ts'

const { signal } = new AbortController()
const mapping = () => ({ feedId: 'deribit', receivedAt: 10_000, futureToleranceMs: 0 })

/** A host that keeps the trades of these sequences, as Deribit tells them. */
async function hostWith(firstKept: number, lastKept: number) {
  const { asked, options } = await localVenue({
    onGet: (address) => {
      const query = new URL(address, 'http://venue').searchParams
      const from = Math.max(Number(query.get('start_seq')), firstKept)
      const to = Math.min(Number(query.get('end_seq') ?? Infinity), lastKept)
      const count = Math.min(Math.max(0, to - from + 1), 4)
      const trades = Array.from({ length: count }, (_, index) => row(from + index))
      return JSON.stringify({ result: { trades, has_more: from + count <= to } })
    },
  })
  return { asked, rest: options.rest, url: options.url.replace('ws:', 'http:') }
}

function row(sequence: number): object {
  return {
    instrument_name: 'BTC-PERPETUAL',
    trade_seq: sequence,
    trade_id: String(sequence),
    timestamp: sequence,
    price: 1.5,
    amount: 10,
    direction: 'buy',
  }
}

it('what the own host no longer keeps comes from the archive, in order and once', async () => {
  const own = await hostWith(20, 26)
  const archive = await hostWith(1, 22)
  const history = new DeribitHistory(own.rest, mapping, archive.url)
  const read: (number | null | undefined)[] = []
  for (let from = 12; ;) {
    const page = await history.page('BTC-PERPETUAL', from, undefined, signal)
    read.push(...page.trades.map(({ sequence }) => sequence))
    if (!page.hasMore) break
    from = (read.at(-1) ?? from) + 1
  }
  expect(read).toEqual(Array.from({ length: 15 }, (_, index) => 12 + index))
})

it('a hole that is older than all that the own host keeps is closed from the archive', async () => {
  const own = await hostWith(20, 26)
  const archive = await hostWith(1, 22)
  const history = new DeribitHistory(own.rest, mapping, archive.url)
  const page = await history.page('BTC-PERPETUAL', 5, 7, signal)
  expect(page.trades.map(({ sequence }) => sequence)).toEqual([5, 6, 7])
})

it('the archive is not asked for what the own host has', async () => {
  const own = await hostWith(1, 26)
  const archive = await hostWith(1, 22)
  const history = new DeribitHistory(own.rest, mapping, archive.url)
  const page = await history.page('BTC-PERPETUAL', 5, 8, signal)
  expect(page.trades.map(({ sequence }) => sequence)).toEqual([5, 6, 7, 8])
  expect(archive.asked).toEqual([])
})
