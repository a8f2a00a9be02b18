import { setTimeout as delay } from 'node:timers/promises'

import { AwaitedSubscriptions } from './awaited-subscriptions.ts'
import type { Subscribed } from './feed.ts'
import { RequestBudget } from './request-budget.ts'

/** Instruments in one request: the snapshots that answer it may come in one frame. */
const instrumentsAtOnce = 50

/** Half of what a connection may send: https://docs.cdp.coinbase.com, "WebSocket Rate Limits". */
const messageBudget = { capacity: 25, refillPerSecond: 50 }

/** How long the venue may take to acknowledge subscriptions. */
const defaultPatienceMs = 5_000

export interface CoinbaseSubscriptionsOptions {
  /** Sends one request for these instruments. */
  readonly ask: (instruments: readonly string[]) => void
  readonly signal: AbortSignal
  readonly patienceMs: number | undefined
}

/**
 * Subscribing at Coinbase: the answer to each request lists all that the connection is subscribed to, and
 * one instrument that is refused refuses the request that it is in.
 */
export class CoinbaseSubscriptions {
  readonly #options: CoinbaseSubscriptionsOptions
  readonly #budget = new RequestBudget(messageBudget, performance.now())
  readonly #awaited = new Set<AwaitedSubscriptions>()

  constructor(options: CoinbaseSubscriptionsOptions) {
    this.#options = options
  }

  async subscribe(instruments: readonly string[]): Promise<Subscribed> {
    const { patienceMs = defaultPatienceMs, signal } = this.#options
    const awaited = new AwaitedSubscriptions(instruments)
    this.#awaited.add(awaited)
    try {
      for (let at = 0; at < instruments.length; at += instrumentsAtOnce) {
        await this.#ask(instruments.slice(at, at + instrumentsAtOnce))
      }
      await awaited.settled(patienceMs, signal)
      if (awaited.open.length > 0) {
        for (const each of awaited.open) await this.#ask([each])
        await awaited.settled(patienceMs, signal)
      }
      return { refused: [...awaited.refused, ...awaited.open] }
    } finally {
      this.#awaited.delete(awaited)
    }
  }

  accepted(instruments: readonly string[]): void {
    for (const awaited of this.#awaited) for (const each of instruments) awaited.accept(each)
  }

  /** @returns whether it was waited for. */
  refused(instrument: string): boolean {
    return [...this.#awaited].map((awaited) => awaited.refuse(instrument)).includes(true)
  }

  async #ask(instruments: readonly string[]): Promise<void> {
    const waitMs = this.#budget.take(1, performance.now())
    if (waitMs > 0) await delay(waitMs, undefined, { signal: this.#options.signal })
    this.#options.ask(instruments)
  }
}
