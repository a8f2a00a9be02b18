/**
 * Classes of SQLSTATE that say nothing about the statement, only about the moment: connection (08),
 * transaction rollback (40: deadlock, serialization), insufficient resources (53: disk, memory,
 * connections), operator intervention (57: shutdown, recovery), system error (58).
 *
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const passingClasses = ['08', '40', '53', '57', '58']

/** A replica, or a primary that was just demoted, refuses to write; a transaction was idle for too long. */
const passingStates = ['25006', '25P03']

const passingSystemErrors = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ENOTFOUND',
])

/** Errors of the driver itself have no code. */
const passingMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/

/** Whether a failed statement may well succeed later, unchanged, on another connection. */
export function isOutage(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isOutage)
  if (!(error instanceof Error)) return false
  // Both the driver's and Node's errors carry a code.
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return passingMessages.test(error.message)
  if (passingSystemErrors.has(code) || passingStates.includes(code)) return true
  return /^[0-9A-Z]{5}$/.test(code) && passingClasses.includes(code.slice(0, 2))
}
