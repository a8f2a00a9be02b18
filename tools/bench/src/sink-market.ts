import { normalizeDecimal } from '@tickertape/market-model'
import type { Candle, MarketEvent } from '@tickertape/market-model'

import { BenchMarket, fillStart, venue } from './bench-market.ts'
import { marketEvents } from './fill-plan.ts'
import type { FillPlan } from './fill-plan.ts'

/** How many trades the second replica is behind the first. */
const replicaBehind = 200

/** How much later the second replica receives a trade, in ms. */
const replicaLaterMs = 7

/**
 * The plan's log as two replicas of ingest write it: every trade comes twice, the second time among later
 * trades and with another receive time.
 */
export function* doubledMarketEvents(plan: FillPlan): Generator<MarketEvent> {
  const behind: MarketEvent[] = []
  for (const event of marketEvents(plan, new BenchMarket(plan.instruments))) {
    yield event
    if (event.type !== 'Trade') continue
    const { value } = event
    behind.push({
      type: 'Trade',
      value: { ...value, receivedAt: value.receivedAt + replicaLaterMs },
    })
    if (behind.length > replicaBehind) yield* behind.splice(0, 1)
  }
  yield* behind
}

export interface CandlePlan {
  readonly instruments: number
  /** Windows of a second, each with a candle of every instrument. */
  readonly windows: number
}

/** The candles of a plan as the aggregator writes them, window by window; another revision of all of them. */
export function* candlesOf(plan: CandlePlan, revision: number): Generator<Candle> {
  for (let window = 0; window < plan.windows; window += 1) {
    for (let instrument = 0; instrument < plan.instruments; instrument += 1) {
      yield candleAt(instrument, window, revision)
    }
  }
}

function candleAt(instrument: number, window: number, revision: number): Candle {
  const windowStart = fillStart + window * 1_000
  // Prices that differ from window to window, as in a market that moves.
  const ticks = 500_000 + ((instrument * 7_919 + window * 104_729) % 9_973)
  const price = (change: number) => normalizeDecimal({ mantissa: ticks + change, exponent: -2 })
  const lots = 1_000 + ((instrument + window * 31) % 997) + revision
  const volume = normalizeDecimal({ mantissa: lots, exponent: -3 })
  return {
    instrumentId: `${venue}:BENCH-${instrument}`,
    interval: '1s',
    windowStart,
    windowEnd: windowStart + 1_000,
    open: price(0),
    high: price(25),
    low: price(-25),
    close: price(revision),
    volume,
    buyVolume: normalizeDecimal({ mantissa: Math.floor(lots / 2), exponent: -3 }),
    quoteVolume: normalizeDecimal({ mantissa: ticks * lots, exponent: -5 }),
    notionalUsd: null,
    vwap: price(3),
    tradeCount: 40 + revision,
    indicators: { 'close:span=12': ticks / 100 + 0.123, 'close:halflife=5': ticks / 100 - 0.456 },
    quality: 'complete',
    revision,
    final: true,
    firstSequence: window * 40,
    lastSequence: window * 40 + 39,
    rebuildId: null,
  }
}
