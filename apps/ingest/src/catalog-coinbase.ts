import type { InstrumentFacts } from './instrument-catalog.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

/**
 * GET /products: every spot pair that trades now.
 *
 * @throws RestError
 */
export async function coinbaseCatalog(
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly InstrumentFacts[]> {
  const body = await rest.get('/products', {}, 1, signal)
  const rows = listIn(body)
  if (rows === undefined) {
    throw new RestError('unavailable', `Coinbase told no products: ${body.slice(0, 200)}`)
  }
  return rows.flatMap((row) => factsOf(row) ?? [])
}

function listIn(body: string): readonly unknown[] | undefined {
  try {
    const answer: unknown = JSON.parse(body)
    return Array.isArray(answer) ? answer : undefined
  } catch {
    return undefined
  }
}

function factsOf(row: unknown): InstrumentFacts | undefined {
  if (!isObject(row) || row['status'] !== 'online' || row['trading_disabled'] === true) {
    return undefined
  }
  const { base_currency: base, id: instrument, quote_currency: quote } = row
  if (typeof instrument !== 'string' || typeof base !== 'string' || typeof quote !== 'string') {
    return undefined
  }
  return { instrument, base, quote, kind: 'spot', quantityUnit: 'base' }
}
