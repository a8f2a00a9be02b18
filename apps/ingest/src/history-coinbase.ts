import { mapCoinbaseHistory } from './coinbase-row.ts'
import type { CoinbaseVenue } from './coinbase-row.ts'
import { ascendingPage } from './descending-pages.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { readAnswer } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

/** Most trades in one answer. */
const pageSize = 1000

export interface CoinbaseHistoryOptions {
  readonly venue: CoinbaseVenue
  readonly rest: RestClient
  readonly mapping: () => MappingContext
}

/**
 * GET /products/{product}/trades of Coinbase Exchange, by trade id, which is the sequence. Advanced Trade,
 * which is the same market, has no public history by id; what it alone lists is refused here.
 */
export class CoinbaseHistory implements TradeHistory {
  readonly firstSequence = 1
  readonly #options: CoinbaseHistoryOptions

  constructor(options: CoinbaseHistoryOptions) {
    this.#options = options
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const trades = await this.#ask(instrument, { limit: 1 }, signal)
    return trades.at(-1)
  }

  /** Coinbase counts its pages down from the cursor `after`, which is not in them. */
  async page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const pages = {
      pageSize,
      below: (end: number, limit: number) => this.#ask(instrument, { after: end, limit }, signal),
      newest: () => this.newest(instrument, signal),
    }
    return await ascendingPage(pages, from, to)
  }

  async #ask(
    instrument: string,
    query: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<readonly MappedTrade[]> {
    const { mapping, rest, venue } = this.#options
    const path = `/products/${encodeURIComponent(instrument)}/trades`
    const body = await rest.get(path, query, 1, signal)
    return readAnswer("Coinbase's", () => mapCoinbaseHistory(venue, instrument, body, mapping()))
  }
}
