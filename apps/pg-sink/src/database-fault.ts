import { isOutage } from '@tickertape/market-store'

/**
 * What an error of the database says of what was sent:
 * - `outage`: nothing; it passes by itself.
 * - `duplicate`: a row is there already.
 * - `no-partition`: trades of a day whose partition is not there, or no longer.
 * - `data`: some row cannot be stored, the others can.
 * - `refusal`: nothing can be stored until somebody mends the database: a table, a column or a right is
 *   missing, or something that is not known here.
 * - `defect`: it is no error of the database.
 */
export type DatabaseFault = 'outage' | 'duplicate' | 'no-partition' | 'data' | 'refusal' | 'defect'

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const uniqueViolation = '23505'
const checkViolation = '23514'
/** What a row says (22), a constraint (23), a limit such as an index entry's (54), `raise` in a trigger (P0). */
const dataClasses = ['22', '23', '54', 'P0']

export function databaseFaultOf(error: unknown): DatabaseFault {
  if (isOutage(error)) return 'outage'
  if (!(error instanceof Error)) return 'defect'
  // The driver's errors carry PostgreSQL's fields.
  const { code, routine } = error as { code?: unknown; routine?: unknown }
  if (typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return 'defect'
  if (code === uniqueViolation) return 'duplicate'
  // Told apart from a table's own checks by where it comes from: messages are in the server's language.
  if (code === checkViolation && routine === 'ExecFindPartition') return 'no-partition'
  return dataClasses.includes(code.slice(0, 2)) ? 'data' : 'refusal'
}
