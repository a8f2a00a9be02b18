import type { SeededTrade } from '../market/market.ts'
import { hashText } from '../market/random.ts'
import type { SeededMarket } from '../market/seeded-market.ts'
import type { EventOf } from '../market/versioned-market.ts'

const dayMs = 86_400_000

const counterparties = ['Halden Bank', 'Norrvik Capital', 'Castell & Daughters', 'Ostra Pension']
const books = ['FX-LDN', 'FX-NYC', 'METALS-ZRH']

/** Sequences between a trade and its first and second correction. */
const firstCorrection = 13
const secondCorrection = 32

/** What one event is about. */
interface Subject {
  /** Sequence under which the trade was booked. */
  readonly booked: number
  readonly version: 0 | 1 | 2
}

/**
 * Of the trades booked under a sequence of 2 modulo 5 each gets a second version 13 sequences later, and
 * every other one a third version 32 later; all other sequences book a trade.
 */
export function otcSubject(sequence: number): Subject {
  if (sequence % 5 === 0 && sequence > firstCorrection) {
    return { booked: sequence - firstCorrection, version: 1 }
  }
  if (sequence % 10 === 4 && sequence > secondCorrection) {
    return { booked: sequence - secondCorrection, version: 2 }
  }
  return { booked: sequence, version: 0 }
}

/** The first correction cancels three trades in ten. */
function isCancelledFirst(instrument: string, booked: number): boolean {
  return hashText(`otc/${instrument}/${booked}/cancel`) % 10 < 3
}

/** Trades over the counter: booked, then some of them corrected, cancelled, or booked again. */
export const otcEvent: EventOf = (market, instrument, sequence) => {
  const trade = otcTrade(market, instrument, sequence)
  return { trade, text: otcText(trade, otcSubject(sequence).booked) }
}

function otcTrade(market: SeededMarket, instrument: string, sequence: number): SeededTrade {
  const { booked, version } = otcSubject(sequence)
  const first = market.trade(instrument, booked)
  const identity = { sequence, version, tradeId: `OTC-${instrument}-${booked}` }
  if (version === 0) return { ...first, ...identity, status: 'confirmed' }
  const now = market.trade(instrument, sequence)
  if (version === 1) {
    return isCancelledFirst(instrument, booked)
      ? { ...first, ...identity, status: 'cancelled' }
      : { ...first, ...identity, status: 'confirmed', price: now.price }
  }
  // A trade that was cancelled by mistake is booked again; one that stands is cancelled or made larger.
  if (isCancelledFirst(instrument, booked)) return { ...first, ...identity, status: 'confirmed' }
  const { price } = market.trade(instrument, booked + firstCorrection)
  return hashText(`otc/${instrument}/${booked}/again`) % 2 === 0
    ? { ...first, ...identity, price, status: 'cancelled' }
    : { ...first, ...identity, price, status: 'confirmed', quantity: now.quantity }
}

/** @param booked decides what all versions of the trade have in common. */
function otcText(trade: SeededTrade, booked: number): string {
  const { eventTime, instrument, price, quantity, sequence, status, takerSide, tradeId } = trade
  const hash = hashText(`otc/${instrument}/${booked}`)
  const midnight = Math.ceil(eventTime / dayMs) * dayMs
  return JSON.stringify({
    instrument,
    sequence,
    tradeId,
    version: trade.version,
    status,
    side: takerSide,
    price,
    quantity,
    counterparty: counterparties[hash % counterparties.length],
    book: books[(hash >>> 8) % books.length],
    executedAt: eventTime,
    maturesAt: midnight + ((hash >>> 16) % 365) * dayMs,
  })
}
