import { instrumentIdOf, noOptionalFacts, normalizeDecimal } from '@tickertape/market-model'
import type { Decimal, TakerSide, Trade } from '@tickertape/market-model'

import type { MarketInstrument, Timeline } from './reference-market-instruments.ts'
import { successorFeed } from './reference-market-instruments.ts'
import { seededRandom } from './reference-market-random.ts'
import type { Random } from './reference-market-random.ts'

/** A quiet instrument trades about once in this time. */
const quietPauseMs = 150_000

const takerSides: readonly TakerSide[] = ['buy', 'sell', 'buy', 'sell', 'unknown']

/**
 * The trades of one instrument as they happened, in the venue's order; receivedAt is the eventTime here.
 *
 * @param count how many; a quiet instrument has few, whatever it says.
 */
export function tradesOf(
  instrument: MarketInstrument,
  timeline: Timeline,
  count: number,
  seed: number,
): readonly Trade[] {
  const random = seededRandom(seed, `trades of ${instrument.instrumentId}`)
  const prices = priceWalk(instrument, random)
  return timesOf(instrument, timeline, count, random).map((eventTime, index) => {
    const price = prices()
    const quantity = quantityOf(instrument, random)
    return {
      venue: instrument.venue,
      feedId: feedAt(instrument, timeline, eventTime),
      instrument: instrument.name,
      tradeId: tradeIdOf(instrument, index, random),
      version: 0,
      status: 'confirmed',
      sequence: instrument.sequenced ? index + 1 : null,
      venueOrder: instrument.ordered ? index % 7 : null,
      price,
      quantity,
      notionalUsd: notionalOf(instrument, price, quantity, random),
      takerSide: takerSides[random.between(0, takerSides.length)] ?? 'unknown',
      eventTime,
      receivedAt: eventTime,
      ...noOptionalFacts,
    }
  })
}

/** What makes a trade one trade, over its versions. */
export function tradeKey(trade: Trade): string {
  return `${instrumentIdOf(trade)}/${trade.tradeId}`
}

function timesOf(
  instrument: MarketInstrument,
  { begin, tradesEnd, expiry }: Timeline,
  count: number,
  random: Random,
): readonly number[] {
  const end = instrument.kind === 'future' ? expiry : tradesEnd
  if (instrument.weight === 0) {
    const times = [begin + random.between(2_000, 20_000)]
    for (;;) {
      const next = (times.at(-1) ?? begin) + random.between(1, 2 * quietPauseMs)
      if (next >= end) return times
      times.push(next)
    }
  }
  const times = Array.from({ length: count }, () => begin + random.between(0, end - begin)).sort(
    (a, b) => a - b,
  )
  // Takers sweep several orders at once: one trade in eight shares the time of the one before.
  return times
    .map((time, index) => (random.chance(0.125) ? (times[index - 1] ?? time) : time))
    .sort((a, b) => a - b)
}

function priceWalk({ kind }: MarketInstrument, random: Random): () => Decimal {
  let ticks = kind === 'combo' ? 10 : random.between(2_000, 90_000)
  return () => {
    ticks += random.between(-3, 4)
    // A combo's price is a difference: it stays around zero.
    ticks = kind === 'combo' ? Math.min(15, Math.max(-15, ticks)) : Math.max(1, ticks)
    return normalizeDecimal({ mantissa: ticks, exponent: -1 })
  }
}

function quantityOf({ quantityUnit, name }: MarketInstrument, random: Random): Decimal {
  if (quantityUnit === 'quote' && name.startsWith('BTC')) {
    return normalizeDecimal({ mantissa: random.between(1, 500), exponent: 1 })
  }
  // A token amount of 18 decimals fits no long.
  if (name.startsWith('DOGE') && random.chance(0.05)) {
    const wide = 10n ** 19n + BigInt(random.between(1, 1_000_000_000))
    return normalizeDecimal({ mantissa: wide, exponent: -18 })
  }
  return normalizeDecimal({ mantissa: random.between(1, 20_000), exponent: -3 })
}

function notionalOf(
  { venue }: MarketInstrument,
  price: Decimal,
  quantity: Decimal,
  random: Random,
): Decimal | null {
  if (venue === 'bybit' || venue === 'paradigm') return null
  if (venue === 'okx' && random.chance(0.02)) return null
  return normalizeDecimal({
    mantissa: BigInt(price.mantissa) * BigInt(quantity.mantissa),
    exponent: price.exponent + quantity.exponent,
  })
}

function tradeIdOf({ venue, sequenced }: MarketInstrument, index: number, random: Random): string {
  if (sequenced) return venue === 'binance' ? `a${index + 1}` : `t-${index + 1}`
  const salt = random.between(0, 2 ** 32).toString(16)
  // Of unequal length: the order by bytes is not that of arrival.
  return venue === 'paradigm' ? `block_${salt}-${index}` : `${salt}-${index}`
}

/** One instrument of okx goes over to another feed, and only the log says so. */
function feedAt(instrument: MarketInstrument, timeline: Timeline, time: number): string {
  const { venue, name, feedId } = instrument
  const moves = venue === 'okx' && name === 'ETH-USDT' && time >= timeline.okxSuccession
  return moves ? successorFeed : feedId
}
