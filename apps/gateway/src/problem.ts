import type { Problem, ProblemCode } from '@tickertape/market-api'

/** What is the same for every problem of a kind. */
interface ProblemKind {
  readonly status: number
  readonly title: string
  /** For whoever reads the page of the kind: what it means and what to do. */
  readonly about: string
}

export const problemKinds: Readonly<Record<ProblemCode, ProblemKind>> = {
  invalid_request: {
    status: 400,
    title: 'The request cannot be used',
    about:
      'A parameter has a value that it cannot have, is missing, or is none that the resource knows. `errors` names each of them at once. Sent again unchanged, the request fails again.',
  },
  unauthenticated: {
    status: 401,
    title: 'A valid key or token is missing',
    about:
      'This gateway asks for an API key or a token, and the request had none, or one that is not known, has expired or was revoked.',
  },
  forbidden: {
    status: 403,
    title: 'The key, token or origin does not allow this',
    about:
      'The gateway knows who asks, but its key or token lacks the scope, or a page of an origin that is not allowed has asked. Another key is needed, or a setting of the gateway.',
  },
  not_found: {
    status: 404,
    title: 'There is nothing under this address',
    about:
      'No resource has this address, or nothing of this name is known. /v1/instruments lists the instruments, /docs the resources.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The resource does not take this method',
    about: 'The header Allow names the methods that it takes. Everything here is read with GET.',
  },
  payload_too_large: {
    status: 413,
    title: 'The request is too large',
    about: 'No resource takes a body, and an address has a limited length.',
  },
  too_many_requests: {
    status: 429,
    title: 'Too many requests',
    about:
      'The header Retry-After tells how many seconds to wait, the RateLimit headers what is left. The stream at /v1/stream brings changes without asking again and again.',
  },
  not_ready: {
    status: 503,
    title: 'The gateway cannot answer now',
    about:
      'It is starting, or what it depends on is away; `detail` tells which. It goes on by itself: try again after the seconds in the header Retry-After.',
  },
  internal: {
    status: 500,
    title: 'The gateway failed',
    about:
      'A fault of the gateway. Its log has the cause under the id in `instance`; please report it.',
  },
}

export interface ProblemFacts {
  /** What happened and what to do. */
  readonly detail: string
  readonly errors?: Problem['errors']
  /** Of the answer. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** Ends a request with a problem document. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly code: ProblemCode
  readonly errors: Problem['errors']
  readonly headers: Readonly<Record<string, string>>

  constructor(code: ProblemCode, { detail, errors, headers = {}, cause }: ProblemFacts) {
    super(detail, { cause })
    this.code = code
    this.errors = errors
    this.headers = headers
  }
}

/** The document, for one request. */
export function problemDocument(
  { code, message, errors }: Pick<ProblemError, 'code' | 'message' | 'errors'>,
  requestId: string,
): Problem {
  const { status, title } = problemKinds[code]
  return {
    type: `/problems/${code}`,
    title,
    status,
    detail: message,
    instance: requestId,
    code,
    ...(errors === undefined ? {} : { errors }),
  }
}
