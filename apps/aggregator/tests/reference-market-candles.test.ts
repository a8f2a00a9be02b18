import { describe, expect, it } from 'vitest'

import type { Candle } from '@tickertape/market-model'

import { checkCandles } from './reference-market-candles.ts'
import { PartitionPass } from './reference-market-pass.ts'
import { byPartition, referenceMarket } from './reference-market.ts'

const market = referenceMarket({ seed: 3, trades: 20_000, tradingMs: 720_000, partitions: 4 })
const partitions = byPartition(market.records, 4).map((log) => {
  const { candles, rejected } = new PartitionPass(log).passUntil(log.length)
  return { log, candles, rejected: new Set(rejected.map(({ offset }) => offset)) }
})

describe('the check of candles by their trades', () => {
  it('has nothing against those of one pass', () => {
    for (const { log, candles, rejected } of partitions) {
      const check = checkCandles(log, rejected, candles)
      expect(check.problems).toEqual([])
      expect(check.compared).toBeGreaterThan(500)
    }
  })

  it('leaves out what was rejected: late trades counted in make a difference', () => {
    const found = partitions.flatMap(({ log, candles, rejected }) => {
      const others = [...rejected].filter((offset) => log[offset]?.intent !== 'late')
      return checkCandles(log, new Set(others), candles).problems
    })
    expect(found.length).toBeGreaterThan(20)
  })

  it.each<readonly [string, (candle: Candle) => Candle]>([
    ['a count', (candle) => ({ ...candle, tradeCount: candle.tradeCount + 1 })],
    ['a volume', (candle) => ({ ...candle, volume: candle.quoteVolume })],
    ['the last digit of a vwap', (candle) => ({ ...candle, vwap: nudged(candle.vwap) })],
    ['a close', (candle) => ({ ...candle, close: nudged(candle.close) })],
    ['the first sequence', (candle) => ({ ...candle, firstSequence: -1 })],
  ])('finds %s that is wrong', (_, spoil) => {
    for (const { log, candles, rejected } of partitions) {
      const at = candles.findLastIndex(({ tradeCount }) => tradeCount > 0)
      const spoilt = candles.map((candle, index) => (index === at ? spoil(candle) : candle))
      expect(checkCandles(log, rejected, spoilt).problems.length).toBeGreaterThan(0)
    }
  })

  it('finds a candle that is missing', () => {
    for (const { log, candles, rejected } of partitions) {
      const some = candles.find(({ revision, tradeCount }) => revision === 0 && tradeCount > 0)
      const without = candles.filter(
        ({ instrumentId, interval, windowStart }) =>
          instrumentId !== some?.instrumentId ||
          interval !== some.interval ||
          windowStart !== some.windowStart,
      )
      expect(checkCandles(log, rejected, without).problems).toHaveLength(1)
    }
  })
})

function nudged(value: Candle['vwap']): { mantissa: bigint; exponent: number } {
  const { mantissa, exponent } = value ?? { mantissa: 0, exponent: -18 }
  const finest = BigInt(mantissa) * 10n ** BigInt(exponent + 18)
  return { mantissa: finest + 1n, exponent: -18 }
}
