import type { CandleResource, TradeResource } from '@tickertape/market-api'

/**
 * Keeps what came twice from being told twice. A stream goes on from the last cursor, and what had come behind
 * that cursor comes again. So the versions since the last cursor are remembered, and no others: a cursor says that
 * everything before it has been sent.
 */
export class ReplayFilter {
  readonly #candles = new Map<string, CandleResource>()
  readonly #trades = new Map<string, number>()

  /** Whether the candle says anything that was not told; remembers it if so. */
  takesCandle(candle: CandleResource): boolean {
    const key = `${candle.instrumentId}|${candle.interval}|${candle.windowStart}`
    const known = this.#candles.get(key)
    if (known !== undefined && !standsAbove(candle, known)) return false
    if (candle.final) this.#candles.set(key, candle)
    return true
  }

  takesTrade({ instrumentId, tradeId, version }: TradeResource): boolean {
    const key = `${instrumentId}|${tradeId}`
    if (version <= (this.#trades.get(key) ?? -1)) return false
    this.#trades.set(key, version)
    return true
  }

  /** Everything so far lies before a cursor. */
  forget(): void {
    this.#candles.clear()
    this.#trades.clear()
  }
}

/**
 * Whether a candle stands above another one of its window: a final one above an open one, then by rebuild and
 * revision.
 */
export function standsAbove(candle: CandleResource, other: CandleResource): boolean {
  if (candle.final !== other.final) return candle.final
  const rebuilds = (candle.rebuildId ?? -1) - (other.rebuildId ?? -1)
  return rebuilds !== 0 ? rebuilds > 0 : candle.revision > other.revision
}
