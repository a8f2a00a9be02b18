import { describe, expect, it } from 'vitest'

import { instrumentIdOf } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import { byPartition, referenceMarket } from './reference-market.ts'
import type { MarketRecord } from './reference-market.ts'
import { isWithin, marketInstruments, successorFeed } from './reference-market-instruments.ts'
import { forgottenAfterMs } from './reference-market-settings.ts'
import { tradeKey } from './reference-market-trades.ts'

const options = { seed: 11, trades: 30_000, tradingMs: 720_000, partitions: 4 }
const { records, timeline } = referenceMarket(options)
const trades = records.flatMap((record) =>
  record.event.type === 'Trade' ? [{ ...record, trade: record.event.value }] : [],
)
const heartbeats = records.flatMap(({ event }) =>
  event.type === 'FeedHeartbeat' ? [event.value] : [],
)
const gaps = records.flatMap(({ event }) => (event.type === 'SequenceGap' ? [event.value] : []))

function countOf(claim: (record: MarketRecord & { readonly trade: Trade }) => boolean): number {
  return trades.filter(claim).length
}

function intents(reason: MarketRecord['intent']): number {
  return records.filter(({ intent }) => intent === reason).length
}

/** Records of one version of a trade, by their identity. */
const identities = Map.groupBy(
  trades.filter(({ intent }) => intent === null),
  ({ trade }) => `${tradeKey(trade)}/${trade.version}`,
)

describe('the reference market', () => {
  it('is the same log for the same seed, and another for another', () => {
    expect(referenceMarket(options).records).toEqual(records)
    expect(referenceMarket({ ...options, seed: 12 }).records.slice(0, 500)).not.toEqual(
      records.slice(0, 500),
    )
  })

  it('numbers the records of each partition without a hole', () => {
    for (const log of byPartition(records, 4)) {
      expect(log.every(({ offset }, index) => offset === index)).toBe(true)
    }
  })

  it('has nearly all of the trades that were asked for, each about twice', () => {
    const distinct = new Set(trades.map(({ trade }) => tradeKey(trade))).size
    expect(distinct).toBeGreaterThan(0.85 * options.trades)
    expect(trades.length).toBeGreaterThan(1.8 * distinct)
  })

  it('has instruments of two or more feeds in each partition', () => {
    for (const log of byPartition(records, 4)) {
      const feeds = log.flatMap(({ event }) => (event.type === 'Trade' ? [event.value.feedId] : []))
      expect(new Set(feeds).size).toBeGreaterThanOrEqual(2)
    }
  })

  it('has trades that only one replica delivers, and more that both do', () => {
    const once = [...identities.values()].filter((copies) => copies.length === 1).length
    expect(once).toBeGreaterThan(100)
    expect(identities.size).toBeGreaterThan(4 * once)
  })

  it('has trades out of order within grace, copies beyond it, and late trades', () => {
    let newest = 0
    let outOfOrder = 0
    let behindGrace = 0
    for (const { trade } of trades) {
      if (trade.eventTime < newest) outOfOrder += 1
      if (trade.receivedAt - trade.eventTime > 2_500) behindGrace += 1
      newest = Math.max(newest, trade.eventTime)
    }
    expect(outOfOrder).toBeGreaterThan(1_000)
    expect(behindGrace).toBeGreaterThan(500)
  })

  it('has versions, statuses and trades that move to another time', () => {
    expect(countOf(({ trade }) => trade.version === 1)).toBeGreaterThan(300)
    expect(countOf(({ trade }) => trade.version === 2)).toBeGreaterThan(50)
    expect(countOf(({ trade }) => trade.status === 'pending')).toBeGreaterThan(50)
    expect(countOf(({ trade }) => trade.status === 'cancelled')).toBeGreaterThan(100)
    const times = Map.groupBy(trades, ({ trade }) => tradeKey(trade))
    const moved = [...times.values()].filter(
      (versions) => new Set(versions.map(({ trade }) => trade.eventTime)).size > 1,
    )
    expect(moved.length).toBeGreaterThan(20)
    const unordered = [...times.values()].filter((versions) =>
      versions.some(({ trade }, at) => trade.version < (versions[at - 1]?.trade.version ?? 0)),
    )
    expect(unordered.length).toBeGreaterThan(20)
  })

  it('has all that must be rejected, and says why', () => {
    for (const reason of ['late', 'future', 'invalid', 'conflict', 'undecodable'] as const) {
      expect(intents(reason), reason).toBeGreaterThan(8)
    }
    expect(intents('unknown_schema_id')).toBeGreaterThan(0)
    const early = countOf(
      ({ intent, trade }) =>
        intent === 'late' && trade.receivedAt - trade.eventTime < forgottenAfterMs,
    )
    expect(early).toBe(0)
    const ahead = heartbeats.filter(({ upTo, receivedAt }) => upTo > receivedAt + 5_000)
    expect(ahead.length).toBeGreaterThan(4)
  })

  it('has numbers that fit no long, and prices of combos at and below zero', () => {
    expect(countOf(({ trade }) => typeof trade.quantity.mantissa === 'bigint')).toBeGreaterThan(10)
    const isCombo = (trade: Trade) => trade.instrument.includes('-FS-')
    expect(countOf(({ trade }) => isCombo(trade) && trade.price.mantissa <= 0)).toBeGreaterThan(5)
  })

  it('has a feed that dies and comes back, one that does not, and a replica that does', () => {
    const beats = (feedId: string, replicaId: string, from: number, to: number) =>
      heartbeats.filter(
        (beat) =>
          beat.feedId === feedId &&
          beat.replicaId === replicaId &&
          isWithin(beat.receivedAt, { from, to }),
      ).length
    const { binanceDeath, okxDeath, replicaDeath, end } = timeline
    expect(beats('binance', 'a', binanceDeath.from, binanceDeath.to)).toBe(0)
    expect(beats('binance', 'b', binanceDeath.from, binanceDeath.to)).toBe(0)
    expect(beats('binance', 'a', binanceDeath.to, end)).toBeGreaterThan(100)
    expect(beats('okx', 'a', okxDeath, end)).toBe(0)
    expect(beats('okx', 'b', okxDeath, end)).toBe(0)
    expect(beats('deribit', 'b', replicaDeath.from, replicaDeath.to)).toBe(0)
    expect(beats('deribit', 'a', replicaDeath.from, replicaDeath.to)).toBeGreaterThan(100)
    const moved = countOf(
      ({ trade }) => trade.feedId === successorFeed && trade.instrument === 'ETH-USDT',
    )
    expect(moved).toBeGreaterThan(100)
  })

  it('has gaps that open, are filled beyond the horizon, given up, and left open', () => {
    const states = Map.groupBy(gaps, ({ gapId }) => gapId)
    const histories = [...states.values()].map((all) => all.map(({ state }) => state))
    expect(histories).toContainEqual(['open', 'backfilled'])
    expect(histories).toContainEqual(['open', 'unrecoverable'])
    expect(histories).toContainEqual(['open'])
    const whole = gaps.filter(({ gapId }) => gapId === 'a/binance/1')
    expect(whole.filter(({ instrumentId }) => instrumentId === null)).toHaveLength(4)
    expect(new Set(whole.map(({ state }) => state)).size).toBe(3)
    const backfilled = countOf(
      ({ trade }) => trade.feedId === 'binance' && isWithin(trade.eventTime, timeline.binanceDeath),
    )
    expect(backfilled).toBeGreaterThan(100)
    const held = countOf(
      ({ trade, intent }) =>
        intent === null &&
        instrumentIdOf(trade).includes('SOL') &&
        trade.version === 0 &&
        trade.receivedAt - trade.eventTime > forgottenAfterMs - 25_000,
    )
    expect(held).toBeGreaterThan(3)
  })

  it('has instruments that hardly trade, and one that expires', () => {
    for (const { instrumentId } of marketInstruments.filter(({ weight }) => weight === 0)) {
      const count = countOf(({ trade }) => instrumentIdOf(trade) === instrumentId)
      expect(count, instrumentId).toBeGreaterThan(1)
      expect(count, instrumentId).toBeLessThan(60)
    }
    const expired = records.filter(
      ({ event }) => event.type === 'InstrumentStatus' && event.value.status === 'expired',
    )
    expect(expired).toHaveLength(1)
  })
})
