import { setTimeout as delay } from 'node:timers/promises'

import { krakenPair } from './kraken-names.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { KrakenRefusal, krakenResult, mapKrakenHistory } from './mapper-kraken.ts'
import type { KrakenPastTrade } from './mapper-kraken.ts'
import { RequestBudget } from './request-budget.ts'
import type { RequestBudgetOptions } from './request-budget.ts'
import { RestError } from './rest-client.ts'
import type { RestClient, RestErrorCode } from './rest-client.ts'
import { TimesOfSequences } from './times-of-sequences.ts'
import type { HistoryPage, TradeHistory } from './trade-history.ts'

/** Most trades in one answer. */
const pageSize = 1000

/** For a pair and an address: https://docs.kraken.com/api, "API rate limits", public endpoints. */
const pairBudget = { capacity: 1, refillPerSecond: 1 }

/**
 * The trades of an order share a time, which an answer gives as a double: a page begins this much before
 * the time that is known.
 */
const overlap = 1_000n

/** Pages that are looked at before a sequence is said not to be found; a handful is usual. */
const maxSearch = 40

/**
 * GET /0/public/Trades, which asks by time: the trades after `since`, in nanoseconds. A sequence is
 * looked for among the times of those that are known, beginning with the venue's last thousand trades.
 */
export class KrakenHistory implements TradeHistory {
  /** Kraken counts a pair's trades from 1. */
  readonly firstSequence = 1
  readonly #rest: RestClient
  readonly #mapping: () => MappingContext
  readonly #times = new Map<string, TimesOfSequences>()
  readonly #budgetOfPair: RequestBudgetOptions
  readonly #budgets = new Map<string, RequestBudget>()

  constructor(
    rest: RestClient,
    mapping: () => MappingContext,
    budgetOfPair: RequestBudgetOptions = pairBudget,
  ) {
    this.#rest = rest
    this.#mapping = mapping
    this.#budgetOfPair = budgetOfPair
  }

  async newest(instrument: string, signal: AbortSignal): Promise<MappedTrade | undefined> {
    const rows = await this.#ask(instrument, undefined, signal)
    return rows.at(-1)?.mapped
  }

  async page(
    instrument: string,
    from: number,
    _to: number | undefined,
    signal: AbortSignal,
  ): Promise<HistoryPage> {
    for (let tries = 0; tries < maxSearch; tries += 1) {
      const since = from <= this.firstSequence ? 0n : this.#sinceOf(instrument, from)
      const rows = await this.#ask(instrument, since, signal)
      const trades = rows.map(({ mapped }) => mapped)
      const first = trades.find(({ sequence }) => typeof sequence === 'number')?.sequence
      const last = trades.findLast(({ sequence }) => typeof sequence === 'number')?.sequence
      // Without `since` it is the venue's present that the page ends at.
      const isLast = since === undefined || rows.length < pageSize
      const isBelow = since === 0n || (first ?? Infinity) <= from
      const found = trades.filter(({ sequence }) => (sequence ?? from) >= from)
      if (isLast && (isBelow || found.length === 0)) return { trades: found, hasMore: false }
      if (isBelow && (last ?? 0) >= from) return { trades: found, hasMore: true }
    }
    const said = `Kraken's history was asked ${maxSearch} times for ${instrument} ${from}`
    throw new RestError('unavailable', `${said} and told other trades`)
  }

  /** @returns undefined for the venue's last trades. */
  #sinceOf(instrument: string, from: number): bigint | undefined {
    const since = this.#times.get(instrument)?.before(from)
    if (since === undefined) return undefined
    return since > overlap ? since - overlap : 0n
  }

  async #ask(
    instrument: string,
    since: bigint | undefined,
    signal: AbortSignal,
  ): Promise<readonly KrakenPastTrade[]> {
    const query = {
      pair: krakenPair(instrument),
      count: pageSize,
      ...(since === undefined ? {} : { since: String(since) }),
    }
    await this.#pace(instrument, signal)
    const body = await this.#rest.get('/0/public/Trades', query, 1, signal)
    const rows = krakenAnswer(() => mapKrakenHistory(instrument, body, this.#mapping()))
    this.#learn(instrument, rows)
    return rows
  }

  async #pace(instrument: string, signal: AbortSignal): Promise<void> {
    const now = performance.now()
    const budget = this.#budgets.get(instrument) ?? new RequestBudget(this.#budgetOfPair, now)
    this.#budgets.set(instrument, budget)
    const waitMs = budget.take(1, now)
    if (waitMs > 0) await delay(waitMs, undefined, { signal })
  }

  #learn(instrument: string, rows: readonly KrakenPastTrade[]): void {
    const times = this.#times.get(instrument) ?? new TimesOfSequences(pageSize)
    this.#times.set(instrument, times)
    for (const row of [rows[0], rows.at(-1)]) {
      const sequence = row?.mapped.sequence
      if (typeof sequence !== 'number' || row?.nanoseconds === undefined) continue
      times.learn(sequence, row.nanoseconds)
    }
  }
}

/**
 * Reads an answer.
 *
 * @throws RestError with the meaning of what the venue refused.
 */
export function krakenAnswer<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof KrakenRefusal ? meaningOf(error.errors) : 'unavailable'
    throw new RestError(code, `Kraken's answer cannot be used: ${String(error)}`, { cause: error })
  }
}

/** What a short answer says, whatever its HTTP status. */
export function meaningOfKrakenAnswer(body: string): RestErrorCode {
  try {
    krakenResult(body)
  } catch (error) {
    if (error instanceof KrakenRefusal) return meaningOf(error.errors)
  }
  return 'unavailable'
}

/** https://docs.kraken.com/api, "Error codes" and "API rate limits". */
function meaningOf(errors: readonly string[]): RestErrorCode {
  const said = errors.join(' ')
  if (/:(?:Rate limit exceeded|Too many requests|Throttled)/i.test(said)) return 'rate_limited'
  return /EQuery:Unknown asset pair|EGeneral:Invalid arguments/.test(said)
    ? 'refused'
    : 'unavailable'
}
