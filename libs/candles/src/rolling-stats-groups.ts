import type { CandleQuality, Decimal, QuantityUnit } from '@tickertape/market-model'
import { zero } from '@tickertape/market-model'
import { DecimalSum } from './decimal-sum.ts'
import { worstQuality } from './quality.ts'
import type { SpanReading, StatsFacts, StatsMinutes } from './rolling-stats-instrument.ts'
import { isCompleteSpan } from './rolling-stats-instrument.ts'

/** What the instruments table says of one; null: unknown. */
export interface InstrumentTerms {
  readonly base: string | null
  readonly quote: string | null
  /** quote on a contract: it is inverse, its volume in quote and its quoteVolume in base */
  readonly quantityUnit: QuantityUnit | null
}

/** What stats of several instruments say. */
export interface GroupFacts extends StatsFacts {
  /** How many instruments the parts are of: those with a candle within the last 24 hours. */
  readonly instruments: number
}

/** One pair over all venues and kinds of contract. */
export interface PairStats extends GroupFacts {
  readonly base: string
  readonly quote: string
  /** In base; null if a part with trades is counted in contracts or in an unknown unit */
  readonly volume: Decimal | null
  /** What takers bought, in base; null as volume, and where an inverse contract has trades */
  readonly buyVolume: Decimal | null
  /** In quote; null as volume */
  readonly quoteVolume: Decimal | null
}

/**
 * One token over all instruments whose base or quote it is. A trade counts for both its tokens, so
 * stats of several tokens do not add up to those of the market.
 */
export interface TokenStats extends GroupFacts {
  readonly token: string
  /** Units of the token that changed hands: volumeAsBase + volumeAsQuote */
  readonly volume: Decimal | null
  /** In the token, of instruments whose base it is; null as volume of a pair */
  readonly volumeAsBase: Decimal | null
  /** In the token, of instruments that are priced in it and have another base; null likewise */
  readonly volumeAsQuote: Decimal | null
  /** What takers bought of volumeAsBase; null as buyVolume of a pair */
  readonly buyVolume: Decimal | null
}

export interface GroupPart {
  readonly terms: InstrumentTerms
  readonly reading: SpanReading
}

/** Amounts of one instrument in units that can be added; null where its unit does not tell. */
interface Amounts {
  readonly base: Decimal | null
  readonly boughtBase: Decimal | null
  readonly quote: Decimal | null
}

const noAmounts: Amounts = { base: zero, boughtBase: zero, quote: zero }
const unknownAmounts: Amounts = { base: null, boughtBase: null, quote: null }

/** Exact; null once a part was. */
class NullableSum {
  readonly #sum = new DecimalSum()
  #isKnown = true

  add(value: Decimal | null): void {
    if (value === null) this.#isKnown = false
    else this.#sum.add(value)
  }

  toDecimal(): Decimal | null {
    return this.#isKnown ? this.#sum.toDecimal() : null
  }
}

/** undefined without parts. All are readings of one span at one time. */
export function pairStats(
  base: string,
  quote: string,
  parts: readonly GroupPart[],
): PairStats | undefined {
  const facts = groupFacts(parts)
  if (facts === undefined) return undefined
  const volume = new NullableSum()
  const buyVolume = new NullableSum()
  const quoteVolume = new NullableSum()
  for (const part of parts) {
    const amounts = amountsOf(part)
    volume.add(amounts.base)
    buyVolume.add(amounts.boughtBase)
    quoteVolume.add(amounts.quote)
  }
  return {
    base,
    quote,
    ...facts,
    volume: volume.toDecimal(),
    buyVolume: buyVolume.toDecimal(),
    quoteVolume: quoteVolume.toDecimal(),
  }
}

/**
 * undefined without parts. All are readings of one span at one time. An option with premiums in its
 * own base counts by what it is on, not by the premium.
 */
export function tokenStats(token: string, parts: readonly GroupPart[]): TokenStats | undefined {
  const facts = groupFacts(parts)
  if (facts === undefined) return undefined
  const volume = new NullableSum()
  const asBase = new NullableSum()
  const asQuote = new NullableSum()
  const buyVolume = new NullableSum()
  for (const part of parts) {
    const amounts = amountsOf(part)
    const isBase = part.terms.base === token
    const amount = isBase ? amounts.base : amounts.quote
    volume.add(amount)
    if (isBase) {
      asBase.add(amount)
      buyVolume.add(amounts.boughtBase)
    } else asQuote.add(amount)
  }
  return {
    token,
    ...facts,
    volume: volume.toDecimal(),
    volumeAsBase: asBase.toDecimal(),
    volumeAsQuote: asQuote.toDecimal(),
    buyVolume: buyVolume.toDecimal(),
  }
}

/** The instrument's volume is in contracts of a size that candles do not tell, or in an unknown unit. */
function amountsOf({ terms, reading }: GroupPart): Amounts {
  if (reading.tradeCount === 0) return noAmounts
  const { volume, buyVolume, quoteVolume } = reading
  switch (terms.quantityUnit) {
    case 'base':
      return { base: volume, boughtBase: buyVolume, quote: quoteVolume }
    case 'quote':
      // Candles do not tell what part of the quoteVolume, which is in base, was bought.
      return { base: quoteVolume, boughtBase: null, quote: volume }
    default:
      return unknownAmounts
  }
}

function groupFacts(parts: readonly GroupPart[]): GroupFacts | undefined {
  const one = parts[0]?.reading
  if (one === undefined) return undefined
  const notionalUsd = new NullableSum()
  let tradeCount = 0
  let firstWindowStart: number | null = null
  let lastWindowEnd: number | null = null
  let quality: CandleQuality | null = null
  const minutes = { gap: 0, partial: 0, backfilled: 0, complete: 0, quiet: 0, missing: 0 }
  for (const { reading } of parts) {
    notionalUsd.add(reading.notionalUsd)
    tradeCount += reading.tradeCount
    firstWindowStart = chosen(Math.min, firstWindowStart, reading.firstWindowStart)
    lastWindowEnd = chosen(Math.max, lastWindowEnd, reading.lastWindowEnd)
    quality = worse(quality, reading.quality)
    addMinutes(minutes, reading.minutes)
  }
  return {
    from: one.from,
    to: one.to,
    instruments: parts.length,
    tradeCount,
    notionalUsd: notionalUsd.toDecimal(),
    firstWindowStart,
    lastWindowEnd,
    quality,
    minutes,
    isComplete: isCompleteSpan(quality, minutes),
  }
}

function addMinutes(sum: Record<keyof StatsMinutes, number>, minutes: StatsMinutes): void {
  sum.gap += minutes.gap
  sum.partial += minutes.partial
  sum.backfilled += minutes.backfilled
  sum.complete += minutes.complete
  sum.quiet += minutes.quiet
  sum.missing += minutes.missing
}

function chosen(
  choose: (a: number, b: number) => number,
  a: number | null,
  b: number | null,
): number | null {
  if (a === null) return b
  return b === null ? a : choose(a, b)
}

function worse(a: CandleQuality | null, b: CandleQuality | null): CandleQuality | null {
  if (a === null) return b
  return b === null ? a : worstQuality(a, b)
}
