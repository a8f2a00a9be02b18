import { multiplyDecimals, normalizeDecimal } from '@tickertape/market-model'
import type { Decimal } from '@tickertape/market-model'

import { okxRows } from './mapper-okx.ts'
import type { OkxContract, OkxContractOf } from './mapper-okx.ts'
import { okxAnswer } from './okx-answer.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import { isObject, positiveDecimal } from './venue-row.ts'

/** Pairs of currencies have two parts in their names: `BTC-USDT`, and `BTC-USDT-SWAP`. */
const spotParts = 2

/**
 * What a contract of each of OKX's derivatives is worth, by the venue's list of instruments. It is asked for what the
 * catalog has not told yet, before the first trade of an instrument is mapped.
 */
export class OkxContracts {
  readonly #known = new Map<string, OkxContract>()

  readonly contractOf: OkxContractOf = (instrument) => this.#known.get(instrument)

  /** @param row of GET /api/v5/public/instruments. */
  take(row: unknown): void {
    const contract = okxContract(row)
    if (contract === undefined || !isObject(row) || typeof row['instId'] !== 'string') return
    this.#known.set(row['instId'], contract)
  }

  /** @returns the instruments whose list cannot be had, and why. */
  async learn(
    instruments: readonly string[],
    rest: RestClient,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, RestError>> {
    const lists = new Map<string, Readonly<Record<string, string>>>()
    const unknown = new Map<string, string[]>()
    for (const instrument of instruments) {
      const query = this.#known.has(instrument) ? undefined : listOf(instrument)
      if (query === undefined) continue
      const list = JSON.stringify(query)
      lists.set(list, query)
      unknown.set(list, [...(unknown.get(list) ?? []), instrument])
    }
    const missing = new Map<string, RestError>()
    for (const [list, query] of lists) {
      try {
        const body = await rest.get('/api/v5/public/instruments', query, 1, signal)
        for (const row of okxAnswer(() => okxRows(body))) this.take(row)
      } catch (error) {
        if (!(error instanceof RestError)) throw error
        for (const instrument of unknown.get(list) ?? []) missing.set(instrument, error)
      }
    }
    return missing
  }
}

/** What a row of the venue's list says of its contracts; undefined for pairs, and where their worth is in neither currency. */
export function okxContract(row: unknown): OkxContract | undefined {
  if (!isObject(row)) return undefined
  const { ctMult, ctVal, ctValCcy, instFamily } = row
  const [base, quote] = typeof instFamily === 'string' ? instFamily.split('-') : []
  const unit = ctValCcy === base ? 'base' : ctValCcy === quote ? 'quote' : undefined
  const value = positiveDecimal(ctVal)
  // Most contracts have no multiplier; those of options do.
  const multiplier = positiveDecimal(ctMult === '' || ctMult === undefined ? '1' : ctMult)
  if (!base || !quote || unit === undefined) return undefined
  if (value === undefined || multiplier === undefined) return undefined
  return { size: product(value, multiplier), unit }
}

/** The question whose answer holds an instrument; undefined for a pair. */
function listOf(instrument: string): Readonly<Record<string, string>> | undefined {
  const parts = instrument.split('-')
  if (parts.length <= spotParts) return undefined
  if (parts.at(-1) === 'SWAP') return { instType: 'SWAP' }
  if (parts.length === spotParts + 1) return { instType: 'FUTURES' }
  return { instType: 'OPTION', instFamily: parts.slice(0, spotParts).join('-') }
}

function product(one: Decimal, other: Decimal): Decimal {
  return normalizeDecimal(multiplyDecimals(one, other))
}
