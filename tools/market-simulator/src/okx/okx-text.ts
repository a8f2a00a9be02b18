import type { Instrument } from '../market/instrument.ts'
import type { SimulatedTrade } from '../market/market.ts'
import { fixedPoint } from '../market/number-text.ts'

/** A push of `trades-all`: one trade. */
export function tradePush(trade: SimulatedTrade): string {
  return `{"arg":{"channel":"trades-all","instId":"${trade.instrument}"},"data":[${tradeRow(trade)}]}`
}

/** A push of `trades`: what one taker bought or sold at one price, under the last trade's id. */
export function aggregatePush(trades: readonly SimulatedTrade[]): string {
  const last = trades.at(-1)
  if (last === undefined) return ''
  const size = trades.reduce((sum, { quantity }) => sum + unitsOf(quantity), 0n)
  const row =
    `{"instId":"${last.instrument}","tradeId":"${last.tradeId}","px":"${last.price}",` +
    `"sz":"${plainText(size)}","side":"${last.takerSide}","ts":"${last.eventTime}",` +
    `"count":"${trades.length}","source":"0","seqId":${last.sequence * 3 + (last.eventTime % 3)}}`
  return `{"arg":{"channel":"trades","instId":"${last.instrument}"},"data":[${row}]}`
}

/** Runs of trades that one order made at one price. */
export function aggregates<Trade extends SimulatedTrade>(
  trades: readonly Trade[],
): readonly (readonly Trade[])[] {
  const runs: Trade[][] = []
  for (const trade of trades) {
    const run = runs.at(-1)
    const last = run?.at(-1)
    const belongs =
      last?.eventTime === trade.eventTime &&
      last.price === trade.price &&
      last.takerSide === trade.takerSide
    if (run !== undefined && belongs) run.push(trade)
    else runs.push([trade])
  }
  return runs
}

/** A trade as `trades-all` and history-trades both write it. */
export function tradeRow(trade: SimulatedTrade): string {
  return (
    `{"instId":"${trade.instrument}","tradeId":"${trade.tradeId}","px":"${trade.price}",` +
    `"sz":"${trade.quantity}","side":"${trade.takerSide}","source":"0","ts":"${trade.eventTime}"}`
  )
}

/** A row of public/instruments. */
export function instrumentRow(instrument: Instrument): unknown {
  const { base, lotUnits, name, priceDecimals, quantityDecimals, quote, tickUnits } = instrument
  const spot = instrument.kind === 'spot'
  return {
    instType: instType(instrument),
    instId: name,
    instFamily: spot ? '' : `${base}-${quote}`,
    baseCcy: spot ? base : '',
    quoteCcy: spot ? quote : '',
    settleCcy: spot ? '' : quote,
    ctVal: spot ? '' : '0.01',
    ctValCcy: spot ? '' : base,
    ctType: spot ? '' : 'linear',
    tickSz: fixedPoint(tickUnits, priceDecimals),
    lotSz: fixedPoint(lotUnits, quantityDecimals),
    state: 'live',
  }
}

export function instType({ kind }: Instrument): string {
  return kind === 'spot' ? 'SPOT' : kind === 'perpetual' ? 'SWAP' : 'FUTURES'
}

const places = 18

function unitsOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(places, '0'))
}

function plainText(units: bigint): string {
  const digits = units.toString().padStart(places + 1, '0')
  const fraction = digits.slice(-places).replace(/0+$/, '')
  const whole = digits.slice(0, -places)
  return fraction === '' ? whole : `${whole}.${fraction}`
}
