import {
  intervalMs,
  isInterval,
  noOptionalFacts,
  parseDecimal,
  zero,
} from '@tickertape/market-model'
import type { Candle, Decimal, MarketEvent, Trade } from '@tickertape/market-model'

/** Records of a test's market: what a test does not name is ordinary. */

export function decimal(text: string): Decimal {
  return parseDecimal(text) ?? zero
}

export function candle(changes: Partial<Candle> = {}): Candle {
  const { interval = '1m', windowStart = 0 } = changes
  return {
    instrumentId: 'venue:a',
    interval,
    windowStart,
    windowEnd: windowStart + (isInterval(interval) ? intervalMs(interval) : 0),
    open: decimal('100'),
    high: decimal('102.5'),
    low: decimal('99'),
    close: decimal('101'),
    volume: decimal('3'),
    buyVolume: decimal('1'),
    quoteVolume: decimal('300.75'),
    notionalUsd: decimal('300.75'),
    vwap: decimal('100.25'),
    tradeCount: 3,
    indicators: { 'close:span=12': 100.5 },
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: 1,
    lastSequence: 3,
    rebuildId: null,
    ...changes,
  }
}

export function trade(number: number, changes: Partial<Trade> = {}): Trade {
  return {
    ...noOptionalFacts,
    venue: 'venue',
    feedId: 'feed',
    instrument: 'a',
    tradeId: `t${number}`,
    version: 0,
    status: 'confirmed',
    sequence: number,
    venueOrder: null,
    price: decimal('100.5'),
    quantity: decimal('2'),
    notionalUsd: null,
    takerSide: 'buy',
    eventTime: number * 10,
    receivedAt: number * 10 + 5,
    ...changes,
  }
}

export function heartbeat(upTo: number, feedId = 'feed'): MarketEvent {
  return { type: 'FeedHeartbeat', value: { feedId, replicaId: 'r', upTo, receivedAt: upTo + 10 } }
}
