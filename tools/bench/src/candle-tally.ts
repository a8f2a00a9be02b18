import { addDecimals, compareDecimals, formatDecimal, zero } from '@tickertape/market-model'
import type { Candle, Decimal, Interval } from '@tickertape/market-model'

/** What the candles of a log must come to. */
export interface ExpectedCandles {
  readonly candles: ReadonlyMap<Interval, number>
  readonly trades: number
  /** Sum of the quantities of all trades. */
  readonly volume: Decimal
}

interface IntervalSums {
  candles: number
  trades: number
  volume: Decimal
}

/** Adds up the candles of a partition-ordered topic and says where they are not what they must be. */
export class CandleTally {
  readonly #sums = new Map<string, IntervalSums>()
  /** Last windowStart by instrument and interval: a window that comes twice comes out of order. */
  readonly #lastWindow = new Map<string, number>()
  readonly #problems: string[] = []

  add(candle: Candle): void {
    const { instrumentId, interval, windowStart } = candle
    const sums = this.#sums.get(interval) ?? { candles: 0, trades: 0, volume: zero }
    sums.candles += 1
    sums.trades += candle.tradeCount
    sums.volume = addDecimals(sums.volume, candle.volume)
    this.#sums.set(interval, sums)

    const chain = `${instrumentId} ${interval}`
    const last = this.#lastWindow.get(chain)
    if (last !== undefined && windowStart <= last) {
      this.#problem(`${chain} ${windowStart} comes twice or out of order`)
    }
    this.#lastWindow.set(chain, windowStart)
    // An instrument's first window may have begun before it was known.
    const quality = last === undefined ? 'partial' : 'complete'
    if (candle.revision !== 0 || !candle.final || candle.quality !== quality) {
      this.#problem(
        `${chain} ${windowStart} is ${candle.quality}, revision ${candle.revision}, final ${candle.final}, instead of ${quality}, 0, true`,
      )
    }
  }

  /** Empty if the candles are what they must be. */
  problems(expected: ExpectedCandles): readonly string[] {
    const wrongSums = [...expected.candles].flatMap(([interval, candles]) => {
      const found = this.#sums.get(interval) ?? { candles: 0, trades: 0, volume: zero }
      return [
        ...differs(`candles of ${interval}`, found.candles, candles),
        ...differs(`trades in candles of ${interval}`, found.trades, expected.trades),
        ...(compareDecimals(found.volume, expected.volume) === 0
          ? []
          : [
              `volume of ${interval}: ${formatDecimal(found.volume)} instead of ${formatDecimal(expected.volume)}`,
            ]),
      ]
    })
    const others = [...this.#sums.keys()].filter((name) => !isExpected(expected, name))
    return [...wrongSums, ...others.map((name) => `candles of ${name}`), ...this.#problems]
  }

  /** The first few tell enough. */
  #problem(text: string): void {
    if (this.#problems.length < 5) this.#problems.push(text)
  }
}

function differs(what: string, found: number, wanted: number): readonly string[] {
  return found === wanted ? [] : [`${what}: ${found} instead of ${wanted}`]
}

function isExpected(expected: ExpectedCandles, name: string): boolean {
  return [...expected.candles.keys()].some((interval) => interval === name)
}
