import {
  isDataError,
  isMissingPartition,
  isOutage,
  isUniqueViolation,
} from '@tickertape/market-store'

/**
 * What an error of the database says of what was sent:
 * - `outage`: nothing; it passes by itself.
 * - `duplicate`: a row is there already.
 * - `no-partition`: trades of a day whose partition is not there, or no longer.
 * - `data`: some row cannot be stored, the others can: one broke a rule of the table, or has a value that a column
 *   does not hold. That no new row can be stored is not told by the error: `isTableToBlame` asks other records.
 * - `refusal`: nothing can be stored until somebody mends the database: a table, a column or a right is
 *   missing, a column is of another type than what COPY writes, or something that is not known here.
 * - `defect`: it is no error of the database.
 */
export type DatabaseFault = 'outage' | 'duplicate' | 'no-partition' | 'data' | 'refusal' | 'defect'

/** `raise` in a trigger: what somebody has put there speaks of a row. */
const raised = 'P0001'

export function databaseFaultOf(error: unknown): DatabaseFault {
  if (isOutage(error)) return 'outage'
  if (isUniqueViolation(error)) return 'duplicate'
  if (isMissingPartition(error)) return 'no-partition'
  if (isDataError(error)) return 'data'
  // The driver's errors carry PostgreSQL's SQLSTATE.
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  if (code === raised) return 'data'
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? 'refusal' : 'defect'
}
