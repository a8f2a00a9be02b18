import type { InstrumentKind } from '@tickertape/market-model'

import type { BybitMarket } from './bybit-market.ts'
import { bybitAnswer } from './history-bybit.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { bybitResult } from './mapper-bybit.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

/** Most instruments in one answer; the spot market tells all of its at once. */
const pageSize = 1000

/**
 * GET /v5/market/instruments-info, page after page.
 *
 * @throws RestError
 */
export async function bybitCatalog(
  market: BybitMarket,
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly InstrumentFacts[]> {
  const facts: InstrumentFacts[] = []
  let cursor = ''
  do {
    const { category } = market
    const query = { category, limit: pageSize, ...(cursor === '' ? {} : { cursor }) }
    const body = await rest.get('/v5/market/instruments-info', query, 1, signal)
    const { list, nextPageCursor } = bybitAnswer(() => bybitResult(body))
    const rows: readonly unknown[] = Array.isArray(list) ? list : []
    facts.push(...rows.flatMap((row) => factsOf(row, market) ?? []))
    // A cursor behind an empty page would lead nowhere.
    cursor = typeof nextPageCursor === 'string' && rows.length > 0 ? nextPageCursor : ''
  } while (cursor !== '')
  return facts
}

/** @returns undefined for an instrument that does not trade now. */
export function factsOf(row: unknown, { category }: BybitMarket): InstrumentFacts | undefined {
  if (!isObject(row) || row['status'] !== 'Trading') return undefined
  const { baseCoin: base, contractType, quoteCoin: quote, symbol: instrument } = row
  if (typeof instrument !== 'string' || typeof base !== 'string' || typeof quote !== 'string') {
    return undefined
  }
  const quantityUnit = category === 'inverse' ? 'quote' : 'base'
  return { instrument, base, quote, kind: kindOf(category, contractType), quantityUnit }
}

function kindOf(category: BybitMarket['category'], contractType: unknown): InstrumentKind {
  if (category === 'spot') return 'spot'
  return String(contractType).endsWith('Futures') ? 'future' : 'perpetual'
}
