import type { Decimal, Trade } from '@tickertape/market-model'

import type { EncodedTrade } from '../market-view.ts'
import { inOnePiece } from './json-values.ts'
import { KnownTrades } from './known-trades.ts'
import { expiredTradeJson, tradeJson } from './trade-json.ts'

interface HeldTrade {
  encoded: EncodedTrade
  readonly maturesAt: number | null
  isExpired: boolean
  /** null if it does not count for prices. */
  readonly price: Decimal | null
}

/** The latest trades of one instrument by event time, each once: the highest of its versions. */
export class TradeTape {
  readonly #instrumentId: string
  readonly #depth: number
  readonly #known: KnownTrades
  readonly #trades: HeldTrade[] = []

  /** @param identities how many of the latest trades are known again at least. */
  constructor(instrumentId: string, depth: number, identities: number) {
    this.#instrumentId = instrumentId
    this.#depth = depth
    this.#known = new KnownTrades(Math.max(identities, depth))
  }

  /**
   * @param now ms since the epoch.
   * @returns undefined for a trade that is known, of this version or a higher one.
   */
  apply(trade: Trade, now: number): EncodedTrade | undefined {
    if (!this.#known.isNew(trade.tradeId, trade.version)) return undefined
    if (trade.version > 0) this.#remove(trade.tradeId)
    const held = this.#hold(trade, now)
    let at = this.#trades.length
    // Late ones are few, and not very late.
    while (at > 0 && this.#timeAt(at - 1) > trade.eventTime) at -= 1
    if (at > 0 || this.#trades.length < this.#depth) {
      if (at === this.#trades.length) this.#trades.push(held)
      else this.#trades.splice(at, 0, held)
      if (this.#trades.length > this.#depth) this.#trades.shift()
    }
    return held.encoded
  }

  /** Knows a trade again without holding it: it and its earlier versions are not new. */
  know(tradeId: string, version: number): void {
    this.#known.isNew(tradeId, version)
  }

  /** The latest `count`, oldest first. */
  latest(count: number, now: number): readonly EncodedTrade[] {
    const latest: EncodedTrade[] = []
    for (let at = Math.max(0, this.#trades.length - count); at < this.#trades.length; at += 1) {
      const held = this.#trades[at]
      if (held !== undefined) latest.push(asOf(held, now))
    }
    return latest
  }

  /** The latest trade that counts. */
  lastPrice(): { readonly price: Decimal; readonly eventTime: number } | undefined {
    for (let at = this.#trades.length - 1; at >= 0; at -= 1) {
      const held = this.#trades[at]
      if (held !== undefined && held.price !== null) {
        return { price: held.price, eventTime: held.encoded.eventTime }
      }
    }
    return undefined
  }

  #remove(tradeId: string): void {
    const at = this.#trades.findIndex(({ encoded }) => encoded.tradeId === tradeId)
    if (at >= 0) this.#trades.splice(at, 1)
  }

  #hold(trade: Trade, now: number): HeldTrade {
    const { tradeId, version, eventTime, maturesAt } = trade
    const json = inOnePiece(tradeJson(this.#instrumentId, trade))
    const encoded = { instrumentId: this.#instrumentId, tradeId, version, eventTime, json }
    const price = trade.status === 'confirmed' ? trade.price : null
    const held = { encoded, maturesAt, isExpired: false, price }
    asOf(held, now)
    return held
  }

  #timeAt(at: number): number {
    return this.#trades[at]?.encoded.eventTime ?? -Infinity
  }
}

/** What a trade is can change with time alone: by its `maturesAt`. */
function asOf(held: HeldTrade, now: number): EncodedTrade {
  if (held.maturesAt !== null && !held.isExpired && held.maturesAt <= now) {
    held.isExpired = true
    held.encoded = { ...held.encoded, json: expiredTradeJson(held.encoded.json) }
  }
  return held.encoded
}
