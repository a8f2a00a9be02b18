import type { Problem, ProblemCode } from '@tickertape/market-api'

/** `unreachable`: no answer came. `unreadable`: what came is not an answer of a gateway. */
export type GatewayErrorCode = ProblemCode | 'unreachable' | 'unreadable'

/** A request that was not answered with what was asked for. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError'
  readonly code: GatewayErrorCode
  /** Status of the answer; undefined if none came. */
  readonly status: number | undefined
  /** What the gateway says of it (RFC 9457). */
  readonly problem: Problem | undefined
  /** How long the gateway asks to wait before the next try, in ms. */
  readonly retryAfterMs: number | undefined

  constructor(
    message: string,
    facts: {
      readonly code: GatewayErrorCode
      readonly status?: number | undefined
      readonly problem?: Problem | undefined
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    },
  ) {
    super(message, { cause: facts.cause })
    this.code = facts.code
    this.status = facts.status
    this.problem = facts.problem
    this.retryAfterMs = facts.retryAfterMs
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return (
      this.code === 'unreachable' ||
      this.code === 'not_ready' ||
      this.code === 'too_many_requests' ||
      this.code === 'internal'
    )
  }
}

/** Makes the error of an answer that is no success. */
export async function errorOf(response: Response): Promise<GatewayError> {
  const { status } = response
  const retryAfterMs = retryAfterOf(response.headers.get('retry-after'))
  const problem = await problemOf(response)
  if (problem === undefined) {
    return new GatewayError(
      `${response.url} answered ${status} without a problem document: is a Tickertape gateway there?`,
      { code: codeOfStatus(status), status, retryAfterMs },
    )
  }
  return new GatewayError(`${problem.title}: ${problem.detail}`, {
    code: problem.code,
    status,
    problem,
    retryAfterMs,
  })
}

async function problemOf(response: Response): Promise<Problem | undefined> {
  const type = response.headers.get('content-type') ?? ''
  try {
    if (!type.includes('application/problem+json')) return undefined
    // The gateway's contract; a document without a code is treated as none.
    const problem = (await response.json()) as Problem
    return typeof problem.code === 'string' ? problem : undefined
  } catch {
    return undefined
  }
}

/** What stands between a client and the gateway answers for it at times: a proxy's 401, 429, 502. */
function codeOfStatus(status: number): GatewayErrorCode {
  if (status === 401) return 'unauthenticated'
  if (status === 403) return 'forbidden'
  if (status === 429) return 'too_many_requests'
  if (status >= 502 && status <= 504) return 'not_ready'
  return 'unreadable'
}

/** Retry-After in seconds, RFC 9110; the form with a date is not used by the gateway. */
function retryAfterOf(header: string | null): number | undefined {
  return header !== null && /^\d+$/.test(header) ? Number(header) * 1_000 : undefined
}
