import { compareDecimals, decimalToNumber } from '@tickertape/market-model'
import type { Candle, Decimal } from '@tickertape/market-model'

/** What prices did within a span of time; exact. */
export interface PriceSpan {
  readonly open: Decimal
  readonly high: Decimal
  readonly low: Decimal
  /** Closing price of each of the latest hours by the clock that has one, oldest first. */
  readonly hourlyCloses: readonly Decimal[]
}

export const dayMs = 86_400_000
const hourMs = 3_600_000
const minuteMs = 60_000
const minutesPerHour = 60
const sparklineHours = 24

/** Places of a minute's prices. */
const open = 0
const high = 1
const low = 2
const close = 3
const pricesPerMinute = 4
const absent = 32_767

/**
 * Prices of the closed 1m candles of one instrument over 24 hours, for what statistics do not keep: 54 KB
 * where every minute has a candle.
 */
export class DayPrices {
  /** By hours since the epoch. */
  readonly #hours = new Map<number, HourPrices>()
  #newest = -Infinity

  /** Takes a 1m candle that stands. */
  set(candle: Candle): void {
    const hour = Math.floor(candle.windowStart / hourMs)
    // Of hours that have left the day nothing is asked any more.
    if (hour < this.#newest - sparklineHours - 1) return
    const prices = this.#hours.get(hour) ?? new HourPrices()
    if (prices.isEmpty) this.#hours.set(hour, prices)
    prices.set((candle.windowStart % hourMs) / minuteMs, candle)
    if (hour <= this.#newest) return
    this.#newest = hour
    for (const held of this.#hours.keys()) {
      if (held < hour - sparklineHours - 1) this.#hours.delete(held)
    }
  }

  /** Of the minutes that end in (to - 24 h, to]; undefined without one. */
  read(to: number): PriceSpan | undefined {
    const end = Math.floor(to / minuteMs)
    const begin = end - dayMs / minuteMs
    const found = new Extremes()
    const hourlyCloses: Decimal[] = []
    const lastHour = Math.floor((end - 1) / minutesPerHour)
    for (let hour = Math.floor(begin / minutesPerHour); hour <= lastHour; hour += 1) {
      const prices = this.#hours.get(hour)
      if (prices === undefined) continue
      const first = Math.max(0, begin - hour * minutesPerHour)
      const last = Math.min(minutesPerHour, end - hour * minutesPerHour)
      const lastClose = prices.addTo(found, first, last)
      if (lastClose !== undefined && hour > lastHour - sparklineHours) hourlyCloses.push(lastClose)
    }
    const { open, high, low } = found
    if (open === undefined || high === undefined || low === undefined) return undefined
    return { open, high, low, hourlyCloses }
  }
}

class Extremes {
  open: Decimal | undefined
  high: Decimal | undefined
  low: Decimal | undefined
}

class HourPrices {
  readonly #mantissas = new Float64Array(minutesPerHour * pricesPerMinute)
  readonly #exponents = new Int16Array(minutesPerHour * pricesPerMinute).fill(absent)
  /** Mantissas that no double holds. */
  #wide: Map<number, bigint> | undefined
  isEmpty = true

  set(minute: number, candle: Candle): void {
    this.isEmpty = false
    const at = minute * pricesPerMinute
    this.#put(at + open, candle.open)
    this.#put(at + high, candle.high)
    this.#put(at + low, candle.low)
    this.#put(at + close, candle.close)
  }

  /** @returns the close of the last minute in [first, last) that is known. */
  addTo(found: Extremes, first: number, last: number): Decimal | undefined {
    let highest = -1
    let lowest = -1
    let latest = -1
    for (let minute = first; minute < last; minute += 1) {
      const at = minute * pricesPerMinute
      if (this.#exponents[at] === absent) continue
      found.open ??= this.#get(at + open)
      if (highest < 0 || this.#isHigher(at + high, highest)) highest = at + high
      if (lowest < 0 || this.#isHigher(lowest, at + low)) lowest = at + low
      latest = at + close
    }
    if (latest < 0) return undefined
    const high24 = this.#get(highest)
    const low24 = this.#get(lowest)
    if (found.high === undefined || compareDecimals(high24, found.high) > 0) found.high = high24
    if (found.low === undefined || compareDecimals(low24, found.low) < 0) found.low = low24
    return this.#get(latest)
  }

  #isHigher(a: number, b: number): boolean {
    const scale = this.#exponents[a]
    if (scale === this.#exponents[b] && this.#wide === undefined) {
      return (this.#mantissas[a] ?? 0) > (this.#mantissas[b] ?? 0)
    }
    return compareDecimals(this.#get(a), this.#get(b)) > 0
  }

  #put(at: number, { mantissa, exponent }: Decimal): void {
    this.#exponents[at] = exponent
    this.#wide?.delete(at)
    if (typeof mantissa === 'number') this.#mantissas[at] = mantissa
    else {
      this.#mantissas[at] = decimalToNumber({ mantissa, exponent: 0 })
      this.#wide ??= new Map()
      this.#wide.set(at, mantissa)
    }
  }

  #get(at: number): Decimal {
    const mantissa = this.#wide?.get(at) ?? this.#mantissas[at] ?? 0
    return { mantissa, exponent: this.#exponents[at] ?? 0 }
  }
}
