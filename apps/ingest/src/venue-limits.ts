import { setTimeout as delay } from 'node:timers/promises'

import { RequestBudget } from './request-budget.ts'
import type { RequestBudgetOptions } from './request-budget.ts'
import { untilAborted } from './until-aborted.ts'

/** A venue's word that it was asked too much. */
export interface LimitNotice {
  /** The HTTP status; 0 where it came over a WebSocket. */
  readonly status: number
  /** Of the header Retry-After: seconds, or a date. */
  readonly retryAfter: string | null
  /** The answer's body, or the reason of a closed connection. */
  readonly body: string
}

export interface VenueLimitsOptions {
  readonly budget: RequestBudgetOptions
  /** Attempts to connect, each of weight 1. */
  readonly connects?: RequestBudgetOptions | undefined
  /** Told with the time until which nothing is sent, milliseconds since the epoch. */
  readonly onSilence?: ((notice: LimitNotice, until: number) => void) | undefined
}

/** Where a venue says "too many" and not how long to stay away. */
const untoldMs = 2_000

/** The same for a firewall in front of the venue (403), whose bans last minutes: Binance's mostly five. */
const firewallMs = 60_000

/** The same after heeding no 429 (418 is Binance's): bans begin at two minutes. */
const banMs = 120_000

/** Longest silence, in ms: Binance bans for up to three days, but a misread date must not be one for ever. */
const longestMs = 3 * 86_400_000

/** No venue is known to refuse this many connections. */
const carefulConnects = { capacity: 10, refillPerSecond: 1 }

/**
 * What one venue allows us, for all that is sent to it: requests over REST and attempts to connect wait in
 * turn for the venue's budget, and all of them for the end of a silence that the venue asked for.
 */
export class VenueLimits {
  readonly #requests: RequestBudget
  readonly #connects: RequestBudget
  readonly #onSilence: NonNullable<VenueLimitsOptions['onSilence']>
  /** In performance.now's milliseconds. */
  #silentUntil = 0
  #lastRequest: Promise<void> = Promise.resolve()
  #lastConnect: Promise<void> = Promise.resolve()

  constructor({ budget, connects, onSilence }: VenueLimitsOptions) {
    const now = performance.now()
    this.#requests = new RequestBudget(budget, now)
    this.#connects = new RequestBudget(connects ?? carefulConnects, now)
    this.#onSilence = onSilence ?? (() => undefined)
  }

  /** How long nothing may be sent from now on, in ms. */
  get silentForMs(): number {
    return Math.max(0, this.#silentUntil - performance.now())
  }

  /**
   * Waits until a request of this weight may go.
   *
   * @throws the signal's reason.
   */
  async beforeRequest(weight: number, signal: AbortSignal): Promise<void> {
    const before = this.#lastRequest
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#lastRequest = promise
    try {
      await untilAborted(before, signal)
      await this.#pass(this.#requests, weight, signal)
    } finally {
      void before.then(resolve)
    }
  }

  /** The same for an attempt to connect. */
  async beforeConnect(signal: AbortSignal): Promise<void> {
    const before = this.#lastConnect
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#lastConnect = promise
    try {
      await untilAborted(before, signal)
      await this.#pass(this.#connects, 1, signal)
    } finally {
      void before.then(resolve)
    }
  }

  /** The venue has said that it was asked too much: nothing more is sent for as long as it says. */
  said(notice: LimitNotice): void {
    const silenceMs = silenceOf(notice, Date.now())
    const now = performance.now()
    // What was saved up is gone: the venue counts otherwise than we do.
    this.#requests.drain(now)
    if (now + silenceMs <= this.#silentUntil) return
    this.#silentUntil = now + silenceMs
    this.#onSilence(notice, Date.now() + silenceMs)
  }

  async #pass(budget: RequestBudget, weight: number, signal: AbortSignal): Promise<void> {
    const waitMs = budget.take(weight, performance.now())
    if (waitMs > 0) await delay(waitMs, undefined, { signal })
    // A silence may begin, or grow, while we wait for its end.
    for (let left = this.silentForMs; left > 0; left = this.silentForMs) {
      await delay(Math.ceil(left), undefined, { signal })
    }
  }
}

/**
 * How long a venue asks us to stay away, in ms: by Retry-After in seconds or as a date
 * (https://www.rfc-editor.org/rfc/rfc9110#field.retry-after), by the "banned until" of Binance's message,
 * or what is usual for the status.
 */
export function silenceOf({ status, retryAfter, body }: LimitNotice, now: number): number {
  const told = toldMs(retryAfter, body, now)
  const usual = status === 403 ? firewallMs : status === 418 ? banMs : untoldMs
  return Math.min(longestMs, Math.max(0, told ?? usual))
}

function toldMs(retryAfter: string | null, body: string, now: number): number | undefined {
  const until = Number(/\bbanned until (\d{13})\b/.exec(body)?.[1] ?? Number.NaN)
  const ban = Number.isFinite(until) ? until - now : undefined
  const text = retryAfter?.trim() ?? ''
  if (text === '') return ban
  const seconds = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
  const date = Date.parse(text)
  const header =
    seconds !== undefined ? seconds * 1000 : Number.isNaN(date) ? undefined : date - now
  return header === undefined ? ban : Math.max(header, ban ?? 0)
}
