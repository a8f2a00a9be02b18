import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { otcEvent, otcSubject } from '../otc/otc-events.ts'
import { otcInstruments } from '../otc/otc-venue.ts'
import { swapBegun, swapEvent } from '../swaps/swap-events.ts'
import { swapInstruments } from '../swaps/swaps-venue.ts'
import { SeededMarket } from './seeded-market.ts'
import { VersionedMarket } from './versioned-market.ts'

const day = Date.UTC(2026, 4, 20)

const otc = new VersionedMarket(
  new SeededMarket({ venue: 'otc', instruments: otcInstruments, seed: 's' }),
  otcEvent,
)
const swaps = new VersionedMarket(
  new SeededMarket({ venue: 'swaps', instruments: swapInstruments, seed: 's' }),
  swapEvent,
)

function told(market: VersionedMarket, instrument: string, minutes: number) {
  return market.history({
    instrument,
    fromTime: day,
    toTime: day + minutes * 60_000,
    publishedBy: Infinity,
    limit: 100_000,
    newestFirst: false,
  }).trades
}

describe.each([
  ['otc', otc, 'EUR-USD'],
  ['swaps', swaps, 'WETH-USDC'],
])('the events of %s', (_name, market, instrument) => {
  const events = told(market, instrument, 10)

  test('have contiguous sequences, whatever they are about', () => {
    const first = events[0]?.sequence ?? 0
    expect(events.length).toBeGreaterThan(100)
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => first + index))
  })

  test('tell the versions of a trade once each, in their order, beginning with 0', () => {
    const versions = Map.groupBy(events, ({ tradeId }) => tradeId)
    for (const [, each] of versions) {
      const numbers = each.map(({ version = 0 }) => version)
      // A trade may have begun before the stretch.
      expect(numbers).toEqual(numbers.map((_, index) => (numbers[0] ?? 0) + index))
    }
    expect(new Set(events.map(({ version }) => version)).size).toBeGreaterThan(1)
  })

  test('of one sequence are the same whenever they are asked for', () => {
    const again = told(market, instrument, 10)
    expect(again).toEqual(events)
  })
})

test('every booked trade that is corrected is told of before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (sequence) => {
      const { booked, version } = otcSubject(sequence)
      expect(booked <= sequence && (booked === sequence) === (version === 0)).toBe(true)
      expect(otcSubject(booked)).toEqual({ booked, version: 0 })
    }),
  )
})

test('every swap that ends is told of before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000_000 }), (sequence) => {
      expect(swapBegun(swapBegun(sequence))).toBe(swapBegun(sequence))
    }),
  )
})

test('a thousand swaps a minute begin, most are confirmed and some fail', () => {
  const statuses = swapInstruments.flatMap(({ name }) =>
    told(swaps, name, 10).map(({ status }) => status),
  )
  const count = (wanted: string): number => statuses.filter((each) => each === wanted).length
  expect(count('pending')).toBe(10_000)
  expect(count('confirmed') + count('cancelled')).toBe(10_000)
  expect(count('cancelled')).toBeGreaterThan(200)
  expect(count('confirmed')).toBeGreaterThan(9_000)
})

test('what a swap tells is JSON whose amounts have up to 18 digits behind the point', () => {
  const market = new SeededMarket({ venue: 'swaps', instruments: swapInstruments, seed: 's' })
  const sequence = market.sequenceAt('WETH-LINK', day)
  const event: unknown = JSON.parse(swapEvent(market, 'WETH-LINK', sequence).text)
  expect(event).toMatchObject({
    instrument: 'WETH-LINK',
    sequence,
    fromAmount: expect.stringMatching(/^\d+\.\d{16,18}$/),
    toAmount: expect.stringMatching(/^\d+\.\d{16,18}$/),
    txHash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
  })
})
