import type { InstrumentKind } from '@tickertape/market-model'

import type { InstrumentFacts } from './instrument-catalog.ts'
import { okxRows } from './mapper-okx.ts'
import { okxAnswer } from './okx-answer.ts'
import { okxContract } from './okx-contracts.ts'
import type { OkxContracts } from './okx-contracts.ts'
import type { RestClient } from './rest-client.ts'
import { isObject } from './venue-row.ts'

const kinds: Readonly<Record<string, InstrumentKind>> = {
  SPOT: 'spot',
  SWAP: 'perpetual',
  FUTURES: 'future',
  OPTION: 'option',
}

/**
 * GET /api/v5/public/instruments, a kind at a time; options by the family of their underlying.
 *
 * @param contracts learn what contracts are worth.
 * @throws RestError
 */
export async function okxCatalog(
  rest: RestClient,
  signal: AbortSignal,
  contracts: OkxContracts,
): Promise<readonly InstrumentFacts[]> {
  const facts: InstrumentFacts[] = []
  for (const instType of ['SPOT', 'SWAP', 'FUTURES']) {
    facts.push(...(await listed({ instType })))
  }
  const underlyings = await ask('/api/v5/public/underlying', { instType: 'OPTION' })
  // One row, which is the list.
  const families: readonly unknown[] = Array.isArray(underlyings[0]) ? underlyings[0] : []
  for (const instFamily of families) {
    if (typeof instFamily !== 'string') continue
    facts.push(...(await listed({ instType: 'OPTION', instFamily })))
  }
  return facts

  async function listed(query: Readonly<Record<string, string>>): Promise<InstrumentFacts[]> {
    const rows = await ask('/api/v5/public/instruments', query)
    for (const row of rows) contracts.take(row)
    return rows.flatMap((row) => factsOf(row) ?? [])
  }

  async function ask(
    path: string,
    query: Readonly<Record<string, string>>,
  ): Promise<readonly unknown[]> {
    const body = await rest.get(path, query, 1, signal)
    return okxAnswer(() => okxRows(body))
  }
}

/** @returns undefined for what does not trade now, and for what is not described. */
export function factsOf(row: unknown): InstrumentFacts | undefined {
  if (!isObject(row) || row['state'] !== 'live') return undefined
  const { instId, instType, baseCcy, quoteCcy, instFamily } = row
  const kind = typeof instType === 'string' ? kinds[instType] : undefined
  if (typeof instId !== 'string' || kind === undefined) return undefined
  if (kind === 'spot') {
    if (typeof baseCcy !== 'string' || typeof quoteCcy !== 'string') return undefined
    return { instrument: instId, base: baseCcy, quote: quoteCcy, kind, quantityUnit: 'base' }
  }
  // A derivative has no currencies of its own: its family names them.
  const [base, quote] = typeof instFamily === 'string' ? instFamily.split('-') : []
  const contract = okxContract(row)
  if (!base || !quote || contract === undefined) return undefined
  // The mapper turns contracts into what they are worth.
  return { instrument: instId, base, quote, kind, quantityUnit: contract.unit }
}
