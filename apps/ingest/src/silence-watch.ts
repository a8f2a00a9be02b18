import { emptyEwma, ewmaValue, observe } from '@tickertape/ewma'
import type { EwmaSettings } from '@tickertape/ewma'

/** The usual time between two frames with trades, over all instruments of a connection. */
const usual: EwmaSettings = { decay: { span: 200 }, adjust: true, minPeriods: 50 }

/** A silence this many times as long as usual does not happen by chance. */
const factor = 50

/** Nor is a market dead that is quiet for less than this, in ms, however busy it was. */
const leastMs = 30_000

/**
 * Finds a connection that answers and brings no trades any more. It is judged by all instruments
 * together, and by what is usual between them: a quiet instrument is none, and a connection of quiet
 * instruments alone is given the more time.
 */
export class SilenceWatch {
  #mean = emptyEwma
  #heardAt: number | undefined

  /** A frame with trades came, `now` in ms of a clock that grows steadily. */
  heard(now: number): void {
    if (this.#heardAt !== undefined) this.#mean = observe(usual, this.#mean, now - this.#heardAt)
    this.#heardAt = now
  }

  /** Nothing was read: the time until now says nothing. */
  restart(): void {
    this.#heardAt = undefined
  }

  /** @returns why the connection is taken for dead; undefined if it is not. */
  verdict(now: number): string | undefined {
    const usualMs = ewmaValue(usual, this.#mean)
    if (usualMs === null || this.#heardAt === undefined) return undefined
    const silentMs = now - this.#heardAt
    if (silentMs <= Math.max(leastMs, factor * usualMs)) return undefined
    return `no trade for ${Math.round(silentMs)} ms, where one comes every ${Math.round(usualMs)} ms: the venue has stopped sending`
  }
}
