import { noOptionalFacts } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'

import type { MappedTrade } from '../mapped-trade.ts'

/** One trade a second: the one with sequence n is of second n. */
export function sampleTrade(sequence: number, instrument = 'X'): MappedTrade {
  const trade: Trade = {
    venue: 'sample',
    feedId: 'f',
    instrument,
    tradeId: String(sequence),
    version: 0,
    status: 'confirmed',
    sequence,
    venueOrder: null,
    price: { mantissa: 1, exponent: 0 },
    quantity: { mantissa: 1, exponent: 0 },
    notionalUsd: null,
    takerSide: 'buy',
    eventTime: sequence * 1000,
    receivedAt: sequence * 1000,
    ...noOptionalFacts,
  }
  return { kind: 'trade', trade, sequence }
}

export function sampleTrades(from: number, to: number, instrument = 'X'): readonly MappedTrade[] {
  const length = Math.max(0, to - from + 1)
  return Array.from({ length }, (_, index) => sampleTrade(from + index, instrument))
}

/** The same of a venue without sequences. */
export function unsequencedTrades(
  from: number,
  to: number,
  instrument?: string,
): readonly MappedTrade[] {
  return sampleTrades(from, to, instrument).map((mapped) =>
    mapped.kind === 'trade'
      ? { ...mapped, trade: { ...mapped.trade, sequence: null }, sequence: null }
      : mapped,
  )
}
