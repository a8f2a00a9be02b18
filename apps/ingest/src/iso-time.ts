const instant = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/

/**
 * A time in UTC as RFC 3339 writes it, with any number of decimals up to nanoseconds.
 *
 * @returns the millisecond that it lies in, since the epoch; undefined for anything else.
 */
export function isoMilliseconds(value: unknown): number | undefined {
  const match = typeof value === 'string' ? instant.exec(value) : null
  if (match === null) return undefined
  const [, seconds, decimals = ''] = match
  const time = Date.parse(`${seconds}.${decimals.slice(0, 3).padEnd(3, '0')}Z`)
  return time >= 0 ? time : undefined
}
