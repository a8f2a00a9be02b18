import { instrumentIdOf, isInterval } from '@tickertape/market-model'
import type { Candle, Trade } from '@tickertape/market-model'

import type { EncodedCandle, EncodedTrade } from '../market-view.ts'
import { encodeCandle } from './closed-candles.ts'
import { TradeTape } from './trade-tape.ts'

/**
 * Encodes records that the rows reflect already, for the backlog alone: what memory holds is later than they are,
 * so it can neither take them nor say which of them is new. Of a trade's copies the first is, as far as they go.
 */
export class RecalledRecords {
  readonly #identities: number
  readonly #tapes = new Map<string, TradeTape>()

  /** @param identities how many of the latest trades of an instrument are known again at least. */
  constructor(identities: number) {
    this.#identities = identities
  }

  /** A closed candle; undefined if its interval is not known. */
  candle(candle: Candle): EncodedCandle | undefined {
    return isInterval(candle.interval) ? encodeCandle(candle, candle.interval) : undefined
  }

  /**
   * @param now ms since the epoch.
   * @returns undefined for a copy of one that came before, or an earlier version.
   */
  trade(trade: Trade, now: number): EncodedTrade | undefined {
    const instrumentId = instrumentIdOf(trade)
    let tape = this.#tapes.get(instrumentId)
    if (tape === undefined) {
      tape = new TradeTape(instrumentId, 1, this.#identities)
      this.#tapes.set(instrumentId, tape)
    }
    return tape.apply(trade, now)
  }

  /** Lets go of the identities of trades. */
  clear(): void {
    this.#tapes.clear()
  }
}
