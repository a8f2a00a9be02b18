import { isInterval } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'

/** What a record of the changelog is about. */
export type ChangelogKey =
  | { readonly kind: 'partition' }
  | { readonly kind: 'instrument'; readonly instrumentId: string }
  | ({ readonly kind: 'window' } & WindowKey)

export interface WindowKey {
  readonly instrumentId: string
  readonly interval: Interval
  /** Event time in ms. */
  readonly windowStart: number
}

/** Key of a partition's own state; instrumentIds have a colon. */
export const partitionKey = 'partition'

export function windowKey(window: {
  readonly instrumentId: string
  readonly interval: Interval
  readonly windowStart: number
}): string {
  return `${window.instrumentId}|${window.interval}|${window.windowStart}`
}

/** Read from its end: a venue's names may have any character. */
export function parseChangelogKey(key: string): ChangelogKey {
  if (key === partitionKey) return { kind: 'partition' }
  const last = key.lastIndexOf('|')
  const middle = key.lastIndexOf('|', last - 1)
  const instrument = { kind: 'instrument', instrumentId: key } as const
  if (middle < 1) return instrument
  const interval = key.slice(middle + 1, last)
  const start = key.slice(last + 1)
  const windowStart = Number(start)
  // No window begins before 1970.
  if (!isInterval(interval) || start === '' || !Number.isSafeInteger(windowStart)) return instrument
  return { kind: 'window', instrumentId: key.slice(0, middle), interval, windowStart }
}
