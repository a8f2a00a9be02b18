import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapEventsHistory } from './mapper-numbered-events.ts'
import type { NumberedEvents } from './mapper-numbered-events.ts'
import { readAnswer } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

/** Most events in one answer. */
const pageSize = 1000

/** GET /events of a venue of the system's own, by sequence. */
export class NumberedEventsHistory implements TradeHistory {
  readonly firstSequence = 1
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext
  readonly #events: NumberedEvents

  constructor(rest: RestClient, mapping: () => MappingContext, events: NumberedEvents) {
    this.#rest = rest
    this.#mapping = mapping
    this.#events = events
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const { trades } = await this.#ask({ instrument, limit: 1 }, signal)
    return trades.at(-1)
  }

  async page(
    instrument: string,
    from: number,
    to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const last = to === undefined ? {} : { to }
    return await this.#ask({ instrument, from, ...last, limit: pageSize }, signal)
  }

  async #ask(
    query: Readonly<Record<string, string | number>>,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    const body = await this.#rest.get('/events', query, 1, signal)
    return readAnswer('The', () => mapEventsHistory(body, this.#mapping(), this.#events))
  }
}
