import type { Instrument } from '../market/instrument.ts'
import type { SeededTrade, SimulatedTrade } from '../market/market.ts'
import { fixedPoint } from '../market/number-text.ts'
import type { BybitMarket } from './bybit-market.ts'

/** Most rows in one push. */
const maxRows = 1024

const sides = { buy: 'Buy', sell: 'Sell' } as const

const ticks = ['PlusTick', 'ZeroPlusTick', 'MinusTick', 'ZeroMinusTick'] as const

/** Pushes of publicTrade: one for each sweep, whose trades share time and `seq`. */
export function tradePushes(
  topic: string,
  { category }: BybitMarket,
  trades: readonly SeededTrade[],
): readonly string[] {
  return sweeps(trades).map((sweep) => {
    const [first] = sweep
    const seq = sequenceOf(first)
    const rows = sweep.map((trade) => streamRow(trade, seq, category !== 'spot'))
    const sentAt = (first?.eventTime ?? 0) + 2
    return `{"topic":"${topic}","type":"snapshot","ts":${sentAt},"data":[${rows.join(',')}]}`
  })
}

function sweeps(trades: readonly SeededTrade[]): readonly (readonly SeededTrade[])[] {
  const found: SeededTrade[][] = []
  for (const trade of trades) {
    const sweep = found.at(-1)
    const belongs = sweep?.[0]?.eventTime === trade.eventTime && sweep.length < maxRows
    if (sweep !== undefined && belongs) sweep.push(trade)
    else found.push([trade])
  }
  return found
}

/** Bybit's counter of its order book: it grows, and has no meaning for trades. */
function sequenceOf(trade: SimulatedTrade | undefined): number {
  return 391_000_000_000 + (trade?.sequence ?? 0) * 7
}

function streamRow(trade: SeededTrade, seq: number, isContract: boolean): string {
  const tick = isContract ? `"L":"${ticks[trade.tickDirection]}",` : ''
  return (
    `{"T":${trade.eventTime},"s":"${trade.instrument}","S":"${sides[trade.takerSide]}",` +
    `"v":"${trade.quantity}","p":"${trade.price}",${tick}"i":"${trade.tradeId}",` +
    `"BT":false,"RPI":false,"seq":${seq}}`
  )
}

/** A row of recent-trade. */
export function recentRow(trade: SimulatedTrade): string {
  return (
    `{"execId":"${trade.tradeId}","symbol":"${trade.instrument}","price":"${trade.price}",` +
    `"size":"${trade.quantity}","side":"${sides[trade.takerSide]}","time":"${trade.eventTime}",` +
    `"isBlockTrade":false,"isRPITrade":false,"seq":"${sequenceOf(trade)}"}`
  )
}

/** A row of instruments-info. */
export function instrumentRow(instrument: Instrument, { category }: BybitMarket): unknown {
  const contractType = category === 'inverse' ? 'InversePerpetual' : 'LinearPerpetual'
  return {
    symbol: instrument.name,
    ...(category === 'spot' ? {} : { contractType, settleCoin: instrument.quote }),
    status: 'Trading',
    baseCoin: instrument.base,
    quoteCoin: instrument.quote,
    priceFilter: { tickSize: fixedPoint(instrument.tickUnits, instrument.priceDecimals) },
    lotSizeFilter: { qtyStep: fixedPoint(instrument.lotUnits, instrument.quantityDecimals) },
  }
}
