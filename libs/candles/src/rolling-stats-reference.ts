/**
 * Rolling stats for tests, computed again at every question from the list of all candles that came,
 * with BigInt fractions and nothing kept in between.
 */
import type { Candle, CandleQuality, Decimal } from '@tickertape/market-model'
import { normalizeDecimal } from '@tickertape/market-model'
import type { InstrumentTerms, PairStats, TokenStats } from './rolling-stats-groups.ts'
import type { StatsSpan } from './rolling-stats-instrument.ts'
import type { InstrumentStats, StatsOutcome } from './rolling-stats.ts'

/** Sums are integers of 10^-200. */
const unitPlaces = 200
const minute = 60_000
const day = 86_400_000
const qualities: readonly CandleQuality[] = ['gap', 'partial', 'backfilled', 'complete', 'quiet']
const spanMs: Readonly<Record<StatsSpan, number>> = { '5m': 300_000, '1h': 3_600_000, '24h': day }

type Terms = ReadonlyMap<string, InstrumentTerms>
type Amount = bigint | null

export class ReferenceStats {
  readonly #candles: Candle[] = []
  readonly #terms: Terms
  #asOf: number

  constructor(asOf: number, terms: Terms) {
    this.#asOf = asOf
    this.#terms = terms
  }

  advance(eventTime: number): void {
    this.#asOf = Math.max(this.#asOf, eventTime)
  }

  apply(candle: Candle): StatsOutcome {
    const { interval, windowEnd } = candle
    if (!candle.final || (interval !== '1s' && interval !== '1m')) return 'unused'
    if (windowEnd <= this.#asOf - (interval === '1s' ? 300_000 : day)) return 'late'
    if (windowEnd > this.#asOf + 600_000) return 'ahead'
    const versions = this.#candles.filter((other) => isSameWindow(other, candle))
    this.#candles.push(candle)
    if (versions.some((other) => order(other, candle) > 0)) return 'superseded'
    return versions.some((other) => order(other, candle) === 0) ? 'duplicate' : 'applied'
  }

  instrument(instrumentId: string, span: StatsSpan): InstrumentStats | undefined {
    if (!this.#isKnown(instrumentId)) return undefined
    const { volume, buyVolume, quoteVolume } = this.#sums(instrumentId, span)
    const terms = this.#terms.get(instrumentId)
    const isInverse = terms?.quantityUnit === 'quote'
    return {
      instrumentId,
      ...this.#facts([instrumentId], span),
      volume: decimal(volume),
      buyVolume: decimal(buyVolume),
      quoteVolume: decimal(quoteVolume),
      vwap:
        terms === undefined
          ? null
          : quotient(isInverse ? volume : quoteVolume, isInverse ? quoteVolume : volume),
    }
  }

  pair(base: string, quote: string, span: StatsSpan): PairStats | undefined {
    const members = this.#known().filter((id) => {
      const terms = this.#terms.get(id)
      return terms?.base === base && terms.quote === quote
    })
    if (members.length === 0) return undefined
    return {
      base,
      quote,
      ...this.#facts(members, span),
      instruments: members.length,
      volume: nullable(total(members.map((id) => this.#amount(id, span, 'base')))),
      buyVolume: nullable(total(members.map((id) => this.#amount(id, span, 'bought')))),
      quoteVolume: nullable(total(members.map((id) => this.#amount(id, span, 'quote')))),
    }
  }

  token(token: string, span: StatsSpan): TokenStats | undefined {
    const asBase = this.#known().filter((id) => this.#terms.get(id)?.base === token)
    const asQuote = this.#known().filter(
      (id) => this.#terms.get(id)?.quote === token && !asBase.includes(id),
    )
    const members = [...asBase, ...asQuote]
    if (members.length === 0) return undefined
    const volumeAsBase = total(asBase.map((id) => this.#amount(id, span, 'base')))
    const volumeAsQuote = total(asQuote.map((id) => this.#amount(id, span, 'quote')))
    return {
      token,
      ...this.#facts(members, span),
      instruments: members.length,
      volume: nullable(total([volumeAsBase, volumeAsQuote])),
      volumeAsBase: nullable(volumeAsBase),
      volumeAsQuote: nullable(volumeAsQuote),
      buyVolume: nullable(total(asBase.map((id) => this.#amount(id, span, 'bought')))),
    }
  }

  #known(): string[] {
    const ids = new Set(this.#candles.map(({ instrumentId }) => instrumentId))
    return [...ids].filter((id) => this.#isKnown(id))
  }

  #isKnown(id: string): boolean {
    return this.#inSpan(id, '1m', day).length > 0 || this.#inSpan(id, '1s', 300_000).length > 0
  }

  /** The standing candles of the windows that end in (asOf - length, asOf], both cut to whole windows. */
  #inSpan(instrumentId: string, interval: string, length: number): Candle[] {
    const to = floor(this.#asOf, interval === '1s' ? 1_000 : minute)
    const candles = this.#candles.filter(
      (candle) =>
        candle.instrumentId === instrumentId &&
        candle.interval === interval &&
        candle.windowEnd > to - length &&
        candle.windowEnd <= to,
    )
    return candles.filter((candle, at) =>
      candles.every((other, otherAt) => {
        if (!isSameWindow(other, candle)) return true
        const difference = order(candle, other)
        return difference > 0 || (difference === 0 && at <= otherAt)
      }),
    )
  }

  #facts(ids: readonly string[], span: StatsSpan) {
    const length = spanMs[span]
    const windowMs = span === '5m' ? 1_000 : minute
    const to = floor(this.#asOf, windowMs)
    const counted = ids.flatMap((id) => this.#counted(id, span))
    const minutes = ids.flatMap((id) => this.#inSpan(id, '1m', length))
    const traded = counted.filter(({ tradeCount }) => tradeCount > 0)
    const worst = qualities.find((each) =>
      [...counted, ...minutes].some(({ quality }) => quality === each),
    )
    const missing = (ids.length * length) / minute - minutes.length
    const count = (each: CandleQuality) => minutes.filter(({ quality }) => quality === each).length
    return {
      from: to - length,
      to,
      tradeCount: counted.reduce((sum, { tradeCount }) => sum + tradeCount, 0),
      notionalUsd: nullable(
        total(counted.map(({ notionalUsd }) => notionalUsd && fraction(notionalUsd))),
      ),
      firstWindowStart:
        traded.length === 0 ? null : Math.min(...traded.map(({ windowStart }) => windowStart)),
      lastWindowEnd:
        traded.length === 0 ? null : Math.max(...traded.map(({ windowEnd }) => windowEnd)),
      quality: worst ?? null,
      minutes: {
        gap: count('gap'),
        partial: count('partial'),
        backfilled: count('backfilled'),
        complete: count('complete'),
        quiet: count('quiet'),
        missing,
      },
      isComplete: missing === 0 && worst !== 'gap' && worst !== 'partial',
    }
  }

  #counted(id: string, span: StatsSpan): Candle[] {
    return this.#inSpan(id, span === '5m' ? '1s' : '1m', spanMs[span])
  }

  #sums(id: string, span: StatsSpan) {
    const counted = this.#counted(id, span)
    return {
      volume: sum(counted.map(({ volume }) => fraction(volume))),
      buyVolume: sum(counted.map(({ buyVolume }) => fraction(buyVolume))),
      quoteVolume: sum(counted.map(({ quoteVolume }) => fraction(quoteVolume))),
      tradeCount: counted.reduce((count, { tradeCount }) => count + tradeCount, 0),
    }
  }

  #amount(id: string, span: StatsSpan, side: 'base' | 'bought' | 'quote'): Amount {
    const { volume, buyVolume, quoteVolume, tradeCount } = this.#sums(id, span)
    const unit = this.#terms.get(id)?.quantityUnit ?? 'contract'
    if (tradeCount === 0) return 0n
    if (unit === 'contract') return null
    if (unit === 'base') return { base: volume, bought: buyVolume, quote: quoteVolume }[side]
    return { base: quoteVolume, bought: null, quote: volume }[side]
  }
}

function isSameWindow(a: Candle, b: Candle): boolean {
  return (
    a.instrumentId === b.instrumentId &&
    a.interval === b.interval &&
    a.windowStart === b.windowStart
  )
}

function order(a: Candle, b: Candle): number {
  const left = a.rebuildId === null ? -1 : a.rebuildId
  const right = b.rebuildId === null ? -1 : b.rebuildId
  return left === right ? a.revision - b.revision : left - right
}

function floor(time: number, length: number): number {
  return time - (time % length)
}

function fraction({ mantissa, exponent }: Decimal): bigint {
  return BigInt(mantissa) * 10n ** BigInt(exponent + unitPlaces)
}

function decimal(mantissa: bigint): Decimal {
  return normalizeDecimal({ mantissa, exponent: -unitPlaces })
}

function nullable(amount: Amount): Decimal | null {
  return amount === null ? null : decimal(amount)
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((a, b) => a + b, 0n)
}

function total(amounts: readonly Amount[]): Amount {
  return amounts.includes(null) ? null : sum(amounts.map((amount) => amount ?? 0n))
}

/** At 18 decimals, half to even; of amounts that are not negative. */
function quotient(dividend: bigint, divisor: bigint): Decimal | null {
  if (divisor === 0n) return null
  const scaled = dividend * 10n ** 18n
  let whole = scaled / divisor
  const rest = 2n * (scaled - whole * divisor)
  if (rest > divisor || (rest === divisor && whole % 2n === 1n)) whole += 1n
  return normalizeDecimal({ mantissa: whole, exponent: -18 })
}
