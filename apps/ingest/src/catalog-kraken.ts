import { krakenAnswer } from './history-kraken.ts'
import type { InstrumentFacts } from './instrument-catalog.ts'
import { krakenSymbol } from './kraken-names.ts'
import { krakenResult } from './mapper-kraken.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

/**
 * GET /0/public/AssetPairs: every spot pair that trades now, as the WebSocket names it.
 *
 * @throws RestError
 */
export async function krakenCatalog(
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly InstrumentFacts[]> {
  const body = await rest.get('/0/public/AssetPairs', {}, 1, signal)
  const pairs = krakenAnswer(() => krakenResult(body))
  return Object.values(pairs).flatMap((row) => factsOf(row) ?? [])
}

function factsOf(row: unknown): InstrumentFacts | undefined {
  if (!isObject(row) || row['status'] !== 'online' || typeof row['wsname'] !== 'string') {
    return undefined
  }
  const instrument = krakenSymbol(row['wsname'])
  const [base, quote] = instrument.split('/')
  if (!base || !quote) return undefined
  return { instrument, base, quote, kind: 'spot', quantityUnit: 'base' }
}
