/** Requests that are answered with 429 before the address is banned for going on. */
const patience = 10

/** A first ban: https://developers.binance.com, "Limits", "IP Limits". */
const banMs = 120_000

const minuteMs = 60_000

export interface WeightVerdict {
  /** Weight that was used in this minute, this request's included. */
  readonly used: number
  /** Undefined for a request that is answered. */
  readonly refusal: { readonly status: 418 | 429; readonly retryAfterSeconds: number } | undefined
}

/** Weight that an address uses within each minute of real time, and what comes of too much. */
export class BinanceWeights {
  readonly #limit: number
  readonly #realTime: () => number
  #minute = -1
  #used = 0
  #refused = 0
  #bannedUntil = 0

  /** @param realTime milliseconds that grow steadily. */
  constructor(limit: number, realTime: () => number) {
    this.#limit = limit
    this.#realTime = realTime
  }

  take(weight: number): WeightVerdict {
    const now = this.#realTime()
    const minute = Math.floor(now / minuteMs)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#used = 0
      this.#refused = 0
    }
    this.#used += weight
    const used = this.#used
    const leftMs = this.#bannedUntil - now
    if (leftMs > 0) return { used, refusal: refusal(418, leftMs) }
    if (used <= this.#limit) return { used, refusal: undefined }
    this.#refused += 1
    if (this.#refused <= patience) {
      return { used, refusal: refusal(429, (minute + 1) * minuteMs - now) }
    }
    this.#bannedUntil = now + banMs
    return { used, refusal: refusal(418, banMs) }
  }
}

function refusal(status: 418 | 429, leftMs: number): WeightVerdict['refusal'] {
  return { status, retryAfterSeconds: Math.ceil(leftMs / 1000) }
}
