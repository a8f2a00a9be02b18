import type { InstrumentKind, QuantityUnit } from '@tickertape/market-model'

import type { InstrumentFacts } from './instrument-catalog.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

/** Credits of the request, which may be made once a second: https://docs.deribit.com, "Rate Limits". */
const requestCredits = 10_000

/**
 * Every instrument that trades now: `public/get_instruments` of all currencies and kinds.
 *
 * @throws RestError
 */
export async function readDeribitCatalog(
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly InstrumentFacts[]> {
  const query = { currency: 'any', expired: 'false' }
  const body = await rest.get('/public/get_instruments', query, requestCredits, signal)
  const rows = rowsIn(body)
  if (rows !== undefined) return rows.flatMap((row) => factsOf(row) ?? [])
  throw new RestError('unavailable', `Deribit's instruments cannot be read: ${body.slice(0, 200)}`)
}

type InstrumentRow = Readonly<Record<string, unknown>>

function rowsIn(body: string): readonly InstrumentRow[] | undefined {
  try {
    const answer: unknown = JSON.parse(body)
    const rows = isObject(answer) ? answer['result'] : undefined
    return Array.isArray(rows) ? rows.filter(isObject) : undefined
  } catch {
    return undefined
  }
}

/** @returns undefined for what does not trade now, and for a kind that is not known. */
function factsOf(row: InstrumentRow): InstrumentFacts | undefined {
  const { base_currency: base, instrument_name: instrument, quote_currency: quote } = row
  const kind = kindOf(row)
  if (row['is_active'] !== true || kind === undefined) return undefined
  if (typeof instrument !== 'string' || typeof base !== 'string' || typeof quote !== 'string') {
    return undefined
  }
  return { instrument, base, quote, kind, quantityUnit: unitOf(row, kind) }
}

function kindOf({ kind, settlement_period }: InstrumentRow): InstrumentKind | undefined {
  switch (kind) {
    case 'spot':
    case 'option':
      return kind
    case 'future':
      return settlement_period === 'perpetual' ? 'perpetual' : 'future'
    case 'future_combo':
    case 'option_combo':
      return 'combo'
    default:
      return undefined
  }
}

/**
 * A reversed future's amount is in dollars; that of options, also of those settled in coin, is in base.
 * A spread of reversed futures has amounts in dollars too, but a price that is a difference: nothing can
 * be divided by it, so it is no inverse contract to a reader.
 */
function unitOf(row: InstrumentRow, kind: InstrumentKind): QuantityUnit {
  if (row['instrument_type'] !== 'reversed') return 'base'
  if (row['kind'] === 'future_combo') return 'contract'
  return kind === 'perpetual' || kind === 'future' ? 'quote' : 'base'
}
