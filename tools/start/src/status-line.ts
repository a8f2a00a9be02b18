/** What the services have counted so far; undefined while one does not answer. */
export interface Counts {
  readonly trades: number | undefined
  readonly candles: number | undefined
  readonly lag: number | undefined
  readonly rows: number | undefined
}

/**
 * `12:00:03  trades 203/s  candles 4/s  lag 12  rows 1,234,567`; a dash where nothing is known. A counter
 * that went back belongs to a process that was started again: its rate is not known for one line.
 *
 * @param seconds between the two counts.
 */
export function formatStatus(time: Date, before: Counts, now: Counts, seconds: number): string {
  const clock = time.toTimeString().slice(0, 8)
  return [
    clock,
    `trades ${rate(before.trades, now.trades, seconds)}`,
    `candles ${rate(before.candles, now.candles, seconds)}`,
    `lag ${whole(now.lag)}`,
    `rows ${whole(now.rows)}`,
  ].join('  ')
}

/**
 * Carries a total over a counter that begins at zero with each process.
 *
 * @returns the total after the counter went from `before` to `now`.
 */
export function carryTotal(
  total: number,
  before: number | undefined,
  now: number | undefined,
): number {
  if (now === undefined) return total
  return total + (before === undefined || now < before ? now : now - before)
}

function rate(before: number | undefined, now: number | undefined, seconds: number): string {
  if (before === undefined || now === undefined || now < before) return '-/s'
  return `${whole((now - before) / seconds)}/s`
}

function whole(value: number | undefined): string {
  return value === undefined ? '-' : Math.round(value).toLocaleString('en-US')
}
