/** Candle intervals, each made of the one below it. Windows are aligned to the epoch (UTC). */
export const intervals = ['1s', '1m', '5m', '15m', '1h', '4h', '1d'] as const

export type Interval = (typeof intervals)[number]

const durations: Readonly<Record<Interval, number>> = {
  '1s': 1_000,
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '1d': 86_400_000,
}

export function isInterval(text: string): text is Interval {
  return Object.hasOwn(durations, text)
}

/** Length of the interval's windows in milliseconds. */
export function intervalMs(interval: Interval): number {
  return durations[interval]
}

/** Start of the window [start, start + length) that holds the event time; both in ms since the epoch. */
export function windowStartOf(eventTime: number, interval: Interval): number {
  const length = durations[interval]
  return Math.floor(eventTime / length) * length
}
