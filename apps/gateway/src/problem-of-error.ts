import { isOutage } from '@tickertape/market-store'

import { ProblemError } from './problem.ts'

/** The problem that an error is for whoever asked; what is not known is a fault of ours. */
export function problemOf(error: unknown, requestId: string): ProblemError {
  if (error instanceof ProblemError) return error
  if (isOutage(error)) {
    return new ProblemError('not_ready', {
      detail: 'The database does not answer: what is not in memory cannot be read now. Try again',
      headers: { 'retry-after': '2' },
      cause: error,
    })
  }
  // Errors of the HTTP framework carry the status that they stand for.
  const { statusCode, message } = error as { statusCode?: unknown; message?: unknown }
  if (statusCode === 413) {
    return new ProblemError('payload_too_large', {
      detail: 'The body is larger than 16 KiB, and no resource takes one',
    })
  }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new ProblemError('invalid_request', { detail: String(message) })
  }
  return new ProblemError('internal', {
    detail: `The gateway failed to answer: its log has the cause under ${requestId}. Try again`,
    cause: error,
  })
}
