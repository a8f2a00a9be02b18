import { ConnectionLost } from './feed.ts'

/** A key of the venue's, for channels that are for authorized sessions only. */
export interface DeribitAccount {
  readonly clientId: string
  readonly clientSecret: string
}

export interface DeribitSessionOptions {
  readonly account: DeribitAccount
  /** @throws ConnectionLost, with what the venue answered. */
  readonly call: (method: string, params: object) => Promise<unknown>
  /** The session can no longer be authorized: its channels end. */
  readonly onLost: (reason: string) => void
}

/** A token is asked for anew when so much of its time has passed. */
const renewedAt = 0.8

/** What a timer can wait, in ms. */
const longestWaitMs = 2 ** 31 - 1

/** Keeps a connection authorized for as long as it lives. */
export class DeribitSession implements Disposable {
  readonly #options: DeribitSessionOptions
  #renewal: NodeJS.Timeout | undefined
  #over = false

  constructor(options: DeribitSessionOptions) {
    this.#options = options
  }

  /** @throws ConnectionLost if the venue does not take the key. */
  async authorize(): Promise<void> {
    const { account, call } = this.#options
    let result: unknown
    try {
      result = await call('public/auth', {
        grant_type: 'client_credentials',
        client_id: account.clientId,
        client_secret: account.clientSecret,
      })
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error)
      throw new ConnectionLost(
        `the account in INGEST_DERIBIT_CLIENT_ID is not authorized: ${said}`,
        { cause: error },
      )
    }
    const seconds = secondsOf(result)
    if (seconds !== undefined && !this.#over) this.#renewIn(seconds * 1000 * renewedAt)
  }

  [Symbol.dispose](): void {
    this.#over = true
    clearTimeout(this.#renewal)
  }

  #renewIn(waitMs: number): void {
    clearTimeout(this.#renewal)
    this.#renewal = setTimeout(
      () => {
        this.authorize().catch((error: unknown) => {
          if (!this.#over) this.#options.onLost(String(error))
        })
      },
      Math.min(waitMs, longestWaitMs),
    ).unref()
  }
}

function secondsOf(result: unknown): number | undefined {
  if (typeof result !== 'object' || result === null || !('expires_in' in result)) return undefined
  const { expires_in: seconds } = result
  return typeof seconds === 'number' && seconds > 0 ? seconds : undefined
}
