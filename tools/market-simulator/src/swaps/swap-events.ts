import { findInstrument, type SeededTrade } from '../market/market.ts'
import { hashText } from '../market/random.ts'
import type { SeededMarket } from '../market/seeded-market.ts'
import type { EventOf } from '../market/versioned-market.ts'

/** Sequences between a swap that waits and what its transaction came to: odd, so that each meets one. */
const outcomeAfter = 31

/** Of a hundred transactions so many fail. */
const failures = 4

/** Digits behind the point of an amount; a price has 2, so that what is paid has 18. */
const amountScale = 16
const priceScale = 2

/** Dollars of a quote token, for the value of a swap. */
const dollars: Readonly<Record<string, number>> = { USDC: 1, LINK: 13.8 }

/**
 * Every odd sequence is a swap that waits, and every even one the end of the swap 31 before it.
 *
 * @returns the sequence under which the swap was seen first.
 */
export function swapBegun(sequence: number): number {
  return sequence % 2 === 0 && sequence > outcomeAfter ? sequence - outcomeAfter : sequence
}

/** Swaps of tokens: seen while they wait, then told to be in a block or to have failed. */
export const swapEvent: EventOf = (market, instrument, sequence) => {
  const begun = swapBegun(sequence)
  const seen = market.trade(instrument, begun)
  const amounts = amountsOf(seen, begun)
  const outcome = swapOutcome(instrument, sequence, begun)
  const trade: SeededTrade = {
    ...seen,
    sequence,
    tradeId: txHash(instrument, begun),
    version: outcome === 'pending' ? 0 : 1,
    status: outcome === 'failed' ? 'cancelled' : outcome,
    // A swap that came to something has the time of its block.
    eventTime: market.trade(instrument, sequence).eventTime,
    quantity: amounts.base,
  }
  return { trade, text: swapText(market, trade, amounts, outcome) }
}

type Outcome = 'pending' | 'confirmed' | 'failed'

function swapOutcome(instrument: string, sequence: number, begun: number): Outcome {
  if (begun === sequence) return 'pending'
  return hashText(`swaps/${instrument}/${begun}/outcome`) % 100 < failures ? 'failed' : 'confirmed'
}

interface Amounts {
  readonly base: string
  readonly quote: string
}

/** The lots of the seeded trade with further digits, and what they cost to the last digit. */
function amountsOf({ instrument, price, quantity }: SeededTrade, begun: number): Amounts {
  const further = [0, 1].map((part) => hashText(`swaps/${instrument}/${begun}/${part}`))
  const [whole = '0', fraction = ''] = quantity.split('.')
  const digits = `${fraction}${further.map((each) => String(each).padStart(10, '0')).join('')}`
  const base = `${whole}.${digits.slice(0, amountScale)}`
  const units = BigInt(base.replace('.', '')) * BigInt(price.replace('.', ''))
  const paid = String(units).padStart(amountScale + priceScale + 1, '0')
  const point = paid.length - amountScale - priceScale
  return { base, quote: `${paid.slice(0, point)}.${paid.slice(point)}` }
}

function txHash(instrument: string, begun: number): string {
  const parts = Array.from({ length: 8 }, (_, part) =>
    hashText(`swaps/${instrument}/${begun}/hash/${part}`).toString(16).padStart(8, '0'),
  )
  return `0x${parts.join('')}`
}

function swapText(
  market: SeededMarket,
  trade: SeededTrade,
  { base, quote }: Amounts,
  status: Outcome,
): string {
  const tokens = findInstrument(market, trade.instrument)
  const [baseToken = '', quoteToken = ''] = [tokens?.base, tokens?.quote]
  const sells = trade.takerSide === 'sell'
  return JSON.stringify({
    instrument: trade.instrument,
    sequence: trade.sequence,
    txHash: trade.tradeId,
    status,
    fromToken: sells ? baseToken : quoteToken,
    fromAmount: sells ? base : quote,
    toToken: sells ? quoteToken : baseToken,
    toAmount: sells ? quote : base,
    usdValue: (Number(quote) * (dollars[quoteToken] ?? 1)).toFixed(2),
    timestamp: trade.eventTime,
  })
}
