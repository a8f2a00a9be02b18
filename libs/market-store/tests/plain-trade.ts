import type { Trade } from '@tickertape/market-model'
import { noOptionalFacts } from '@tickertape/market-model'

/** A trade with nothing special about it, of 2026-01-05. */
export function plainTrade(tradeId: string, changes: Partial<Trade> = {}): Trade {
  return {
    venue: 'deribit',
    feedId: 'deribit',
    instrument: 'BTC-PERPETUAL',
    tradeId,
    version: 0,
    status: 'confirmed',
    sequence: null,
    venueOrder: null,
    price: { mantissa: 1, exponent: 0 },
    quantity: { mantissa: 1, exponent: 0 },
    notionalUsd: null,
    takerSide: 'buy',
    eventTime: Date.UTC(2026, 0, 5),
    receivedAt: Date.UTC(2026, 0, 5),
    ...noOptionalFacts,
    ...changes,
  }
}
