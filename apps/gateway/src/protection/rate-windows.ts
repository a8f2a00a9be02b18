import type { RatePolicy } from './settings.ts'

export interface RateVerdict {
  readonly allowed: boolean
  /** Requests that the window still has. */
  readonly remaining: number
  /** Until the window ends. */
  readonly resetMs: number
}

/** What was counted since it was told to others. */
export interface RateShare {
  readonly caller: string
  readonly requests: number
  readonly resetMs: number
}

interface Window {
  endsAt: number
  /** Of all instances, as far as they are known. */
  requests: number
  /** Of these, what others do not know of yet. */
  untold: number
}

/** Some 150 bytes each. */
const mostCallers = 100_000

/**
 * Requests of each caller in windows of a fixed length, which begin with the first of them. Requests that are refused
 * are not counted. At the seam of two windows a caller can send twice the amount, no more.
 *
 * `now` is any clock in ms that never goes back.
 */
export class RateWindows {
  readonly policy: RatePolicy
  /** In the order in which they began. */
  readonly #windows = new Map<string, Window>()

  constructor(policy: RatePolicy) {
    this.policy = policy
  }

  take(caller: string, now: number): RateVerdict {
    const window = this.#current(caller, now) ?? this.#begin(caller, now)
    const allowed = window.requests < this.policy.requests
    if (allowed) {
      window.requests += 1
      window.untold += 1
    }
    return { allowed, ...this.#rest(window, now) }
  }

  /** What `take` would say, without a request. */
  look(caller: string, now: number): RateVerdict {
    const window = this.#current(caller, now)
    if (window === undefined) {
      return { allowed: true, remaining: this.policy.requests, resetMs: this.policy.windowMs }
    }
    return { allowed: window.requests < this.policy.requests, ...this.#rest(window, now) }
  }

  /** What was counted since the last call, for the other instances. */
  tell(now: number): readonly RateShare[] {
    const shares: RateShare[] = []
    for (const [caller, window] of this.#windows) {
      if (window.untold === 0 || window.endsAt <= now) continue
      shares.push({ caller, requests: window.untold, resetMs: window.endsAt - now })
      window.untold = 0
    }
    return shares
  }

  /** What was told has not arrived: it is told again. */
  takeBack(shares: readonly RateShare[]): void {
    for (const { caller, requests } of shares) {
      const window = this.#windows.get(caller)
      if (window !== undefined) window.untold += requests
    }
  }

  /** @param total what all instances have told of the caller's window. */
  learn(caller: string, total: number, resetMs: number, now: number): void {
    const window = this.#windows.get(caller)
    if (window === undefined) return
    window.requests = total + window.untold
    window.endsAt = now + resetMs
  }

  #rest({ requests, endsAt }: Window, now: number): Omit<RateVerdict, 'allowed'> {
    return { remaining: Math.max(0, this.policy.requests - requests), resetMs: endsAt - now }
  }

  #current(caller: string, now: number): Window | undefined {
    const window = this.#windows.get(caller)
    return window !== undefined && window.endsAt > now ? window : undefined
  }

  #begin(caller: string, now: number): Window {
    // An entry that is set again keeps its old place.
    this.#windows.delete(caller)
    for (const [oldest, { endsAt }] of this.#windows) {
      // Beyond the bound the caller that has waited longest is forgotten: memory before exactness.
      if (endsAt > now && this.#windows.size < mostCallers) break
      this.#windows.delete(oldest)
    }
    const window = { endsAt: now + this.policy.windowMs, requests: 0, untold: 0 }
    this.#windows.set(caller, window)
    return window
  }
}
