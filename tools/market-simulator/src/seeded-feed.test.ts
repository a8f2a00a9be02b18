import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SeededTrade } from './market/market.ts'
import { SeededMarket, tradesBetween } from './market/seeded-market.ts'
import { defaultInstruments } from './venues.ts'
import { SeededFeed } from './seeded-feed.ts'
import { SentTrades } from './sent-trades.ts'

const start = Date.UTC(2026, 4, 20)

const channels: Readonly<Record<string, { instruments: readonly string[]; sliceMs: number }>> = {
  each: { instruments: ['BTC-PERPETUAL'], sliceMs: 1 },
  slices: { instruments: ['BTC-PERPETUAL'], sliceMs: 100 },
  seconds: { instruments: ['ETH-PERPETUAL', 'BTC-PERPETUAL'], sliceMs: 1000 },
}

function feedOf(withholds: (instrument: string, sequence: number) => boolean = () => false) {
  const market = new SeededMarket({ venue: 'deribit', instruments: defaultInstruments, seed: 's' })
  const frames: { readonly channel: string; readonly trades: readonly SeededTrade[] }[] = []
  const sent = new SentTrades()
  const feed = new SeededFeed({
    market,
    sent,
    withholds,
    start,
    channel: (name) => channels[name],
    publish: (channel, trades) => frames.push({ channel, trades }),
  })
  const of = (channel: string) =>
    frames.filter((frame) => frame.channel === channel).flatMap(({ trades }) => trades)
  return { market, feed, frames, sent, of }
}

describe('a feed', () => {
  test('publishes each trade once and in order, however the clock moves and whoever asks it', () => {
    const anyStep = fc.record({ ms: fc.integer({ min: 0, max: 3000 }), flush: fc.boolean() })
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
        const { feed, market, of } = feedOf()
        for (const channel of Object.keys(channels)) feed.open(channel)
        let now = start
        for (const { flush, ms } of steps) {
          now += ms
          feed.advance(now, flush)
        }
        feed.advance(now, true)
        const bitcoin = tradesBetween(market, 'BTC-PERPETUAL', start + 1, now + 1)
        const ether = tradesBetween(market, 'ETH-PERPETUAL', start + 1, now + 1)
        expect(of('each')).toEqual(bitcoin)
        expect(of('slices')).toEqual(bitcoin)
        const seconds = of('seconds')
        expect(seconds.filter((trade) => trade.instrument === 'BTC-PERPETUAL')).toEqual(bitcoin)
        expect(seconds.filter((trade) => trade.instrument === 'ETH-PERPETUAL')).toEqual(ether)
        const times = seconds.map(({ eventTime }) => eventTime)
        expect(times).toEqual(times.toSorted((one, other) => one - other))
      }),
      { numRuns: 30 },
    )
  })

  test('puts the trades of one slice, and of no other, into a frame', () => {
    const { feed, frames } = feedOf()
    feed.open('slices')
    // Long enough for trades in the first and in the last millisecond of a slice.
    feed.advance(start + 300_000, false)
    const slices = frames.map(({ trades }) => [
      ...new Set(trades.map(({ eventTime }) => Math.floor(eventTime / 100))),
    ])
    expect(slices.length).toBeGreaterThan(1000)
    for (const slice of slices) expect(slice).toHaveLength(1)
    expect(new Set(slices.flat()).size).toBe(slices.length)
  })

  test('holds an unfinished slice back until it is flushed', () => {
    const { feed, market, of } = feedOf()
    const first = market.trade('BTC-PERPETUAL', market.nextSequence('BTC-PERPETUAL', start))
    feed.open('seconds')
    feed.advance(first.eventTime, false)
    expect(of('seconds')).toEqual([])
    feed.advance(first.eventTime, true)
    expect(of('seconds').map(({ eventTime }) => eventTime)).toContain(first.eventTime)
  })

  test('begins for a new channel with what comes after', () => {
    const { feed, of } = feedOf()
    feed.advance(start + 5000, false)
    feed.open('each')
    feed.advance(start + 10_000, true)
    expect(of('each')[0]?.eventTime).toBeGreaterThan(start + 5000)
  })

  test('publishes nothing to a channel that nobody listens to any more', () => {
    const { feed, frames } = feedOf()
    feed.open('each')
    feed.close('each')
    feed.advance(start + 5000, true)
    expect(frames).toEqual([])
  })

  test('leaves withheld trades out, and out of the count', () => {
    const { feed, market, of, sent } = feedOf((_instrument, sequence) => sequence % 2 === 0)
    feed.open('each')
    feed.advance(start + 5000, true)
    const odd = tradesBetween(market, 'BTC-PERPETUAL', start + 1, start + 5001).filter(
      ({ sequence }) => sequence % 2 === 1,
    )
    expect(of('each')).toEqual(odd)
    expect(sent.of('BTC-PERPETUAL')).toEqual({
      trades: odd.length,
      firstSequence: odd[0]?.sequence,
      lastSequence: odd.at(-1)?.sequence,
    })
  })
})
