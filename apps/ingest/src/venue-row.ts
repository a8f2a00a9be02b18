import { parseDecimal } from '@tickertape/market-model'
import type { Decimal, Trade } from '@tickertape/market-model'

import { timeProblem } from './mapped-trade.ts'
import type { MappedTrade, MappingContext } from './mapped-trade.ts'

/** What a mapper read of one row of a venue's frame or answer. */
export interface VenueRow {
  /** The trade, or for a person what is wrong with the row. */
  readonly trade: Trade | string
  readonly instrument: unknown
  /** null where the venue has none; undefined if it has, or an id in its place, that cannot be read. */
  readonly sequence: number | null | undefined
}

/**
 * The row for the log: a trade, or turned away with its reason and its bytes.
 *
 * @param original the row as the venue wrote it; asked for only if it is turned away.
 */
export function mappedRow(
  { trade, instrument, sequence }: VenueRow,
  { futureToleranceMs }: MappingContext,
  original: () => string,
): MappedTrade {
  if (typeof trade === 'string') return rejection('invalid', trade)
  const problem = timeProblem(trade, futureToleranceMs)
  if (problem !== undefined) return rejection(problem.reason, problem.message)
  if (sequence === undefined) return rejection('invalid', 'it has neither sequence nor id')
  return { kind: 'trade', trade, sequence }

  function rejection(reason: 'future' | 'invalid', message: string): MappedTrade {
    return {
      kind: 'rejected',
      reason,
      message,
      original: original(),
      instrument: typeof instrument === 'string' ? instrument : undefined,
      sequence,
    }
  }
}

/** A number that the venue writes in quotes, above zero; undefined for anything else. */
export function positiveDecimal(value: unknown): Decimal | undefined {
  const decimal = typeof value === 'string' ? parseDecimal(value) : undefined
  return decimal === undefined || decimal.mantissa <= 0 ? undefined : decimal
}

/** What is wrong with a field, for a person. */
export function notA(field: string, wanted: string, value: unknown): string {
  return `${field} is not ${wanted}: ${JSON.stringify(value) ?? 'missing'}`
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
