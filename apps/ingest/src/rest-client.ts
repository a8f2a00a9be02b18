import type { RequestBudgetOptions } from './request-budget.ts'
import { VenueLimits } from './venue-limits.ts'
import type { LimitNotice } from './venue-limits.ts'

/**
 * What a failed request means for its caller: `rate_limited` and `unavailable` pass, `refused` comes
 * again for the same request.
 */
export type RestErrorCode = 'rate_limited' | 'unavailable' | 'refused'

export class RestError extends Error {
  override readonly name = 'RestError'
  readonly code: RestErrorCode

  constructor(code: RestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * What an answer says.
 *
 * @throws RestError `unavailable` if `read` throws: the next answer to the same request may be another.
 */
export function readAnswer<T>(whose: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new RestError('unavailable', `${whose} answer cannot be read: ${String(error)}`, {
      cause: error,
    })
  }
}

export interface RestClientOptions {
  /** Base address; paths are appended to it. */
  readonly url: string
  readonly timeoutMs: number
  /** Of every request to the base address: a venue's key. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly budget: RequestBudgetOptions
  readonly saysRateLimited: (body: string) => boolean
  /** Whether an answer with status 400 or 404 says that the same request never succeeds. */
  readonly saysRefused: (body: string) => boolean
  /** Attempts to connect that the venue allows; by default few. */
  readonly connects?: RequestBudgetOptions | undefined
  /** The venue asks us to stay away, until a time in milliseconds since the epoch. */
  readonly onSilence?: ((notice: LimitNotice, until: number) => void) | undefined
  /** Called once for every answer: its HTTP status, or 0 if none came. */
  readonly onAnswer: (status: number) => void
}

/** Some venues answer 200 and tell the failure in the body, which is short then. */
const longestFailure = 1_000

/** GET requests to one venue, within its limits. */
export class RestClient {
  readonly #options: RestClientOptions
  /** Of all that is sent to the venue; connections go by them as well. */
  readonly limits: VenueLimits

  constructor(options: RestClientOptions) {
    this.#options = options
    this.limits = new VenueLimits(options)
  }

  /**
   * @param path behind the base address; an address with a host of its own, such as a venue's archive,
   *   stands for itself.
   * @param weight in the venue's own units.
   * @returns the body.
   * @throws RestError; whatever the signal's reason is, if it is aborted.
   */
  async get(
    path: string,
    query: Readonly<Record<string, string | number>>,
    weight: number,
    signal: AbortSignal,
  ): Promise<string> {
    await this.limits.beforeRequest(weight, signal)
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) parameters.set(name, String(value))
    const isElsewhere = /^https?:\/\//.test(path)
    const place = isElsewhere ? path : `${this.#options.url}${path}`
    const address = `${place}?${parameters.toString()}`
    const headers = isElsewhere ? undefined : this.#options.headers
    const { status, body, retryAfter } = await this.#fetch(address, headers, signal)
    this.#options.onAnswer(status)
    const succeeded = status >= 200 && status < 300
    const limited = (): boolean => this.#options.saysRateLimited(body)
    if (succeeded && (body.length > longestFailure || !limited())) return body
    const said = `GET ${address} was answered with ${status}: ${body.slice(0, 300)}`
    // 418 is Binance's: banned for not heeding 429.
    if ([429, 418, 403].includes(status) || limited()) {
      this.limits.said({ status, retryAfter, body })
      throw new RestError('rate_limited', said)
    }
    const refused = (status === 400 || status === 404) && this.#options.saysRefused(body)
    throw new RestError(refused ? 'refused' : 'unavailable', said)
  }

  async #fetch(
    address: string,
    headers: Readonly<Record<string, string>> | undefined,
    signal: AbortSignal,
  ): Promise<{ status: number; body: string; retryAfter: string | null }> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs)
    try {
      const response = await fetch(address, {
        signal: AbortSignal.any([signal, timeout]),
        ...(headers === undefined ? {} : { headers }),
      })
      return {
        status: response.status,
        body: await response.text(),
        retryAfter: response.headers.get('retry-after'),
      }
    } catch (error) {
      signal.throwIfAborted()
      this.#options.onAnswer(0)
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw new RestError('unavailable', `GET ${address} had no answer: ${String(cause)}`, {
        cause: error,
      })
    }
  }
}
