import type { InstrumentKind } from '@tickertape/market-model'

import type { InstrumentFacts } from './instrument-catalog.ts'
import { RestError } from './rest-client.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

/**
 * Every instrument of a venue of the system's own: GET /instruments.
 *
 * @param kind what they all are; their quantities are in base.
 * @throws RestError
 */
export async function readNumberedEventsCatalog(
  kind: InstrumentKind,
  rest: RestClient,
  signal: AbortSignal,
): Promise<readonly InstrumentFacts[]> {
  const body = await rest.get('/instruments', {}, 1, signal)
  const rows = rowsIn(body)
  if (rows === undefined) {
    throw new RestError('unavailable', `The instruments cannot be read: ${body.slice(0, 200)}`)
  }
  return rows.flatMap(({ base, instrument, quote }) =>
    typeof instrument === 'string' && typeof base === 'string' && typeof quote === 'string'
      ? [{ instrument, base, quote, kind, quantityUnit: 'base' }]
      : [],
  )
}

function rowsIn(body: string): readonly Readonly<Record<string, unknown>>[] | undefined {
  try {
    const answer: unknown = JSON.parse(body)
    const rows = isObject(answer) ? answer['instruments'] : undefined
    return Array.isArray(rows) ? rows.filter(isObject) : undefined
  } catch {
    return undefined
  }
}
