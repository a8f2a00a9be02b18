import { intervals } from '@tickertape/market-model'

import type { Difference } from './comparison.ts'
import type { VerifyReport } from './verify.ts'

/** Of those that are left out. */
const shownLeftOut = 10

/** Whether the candles are proven: something was compared, and nothing differs. */
export function isProven({ candles, differences }: VerifyReport): boolean {
  return differences === 0 && intervals.some((interval) => candles[interval] > 0)
}

/** The report as lines for a person. */
export function formatReport(report: VerifyReport): string {
  const { differences, firstDifferences, leftOut, trades, undecided, unstoredTrades } = report
  const unstored =
    unstoredTrades === 0 ? '' : `, ${count(unstoredTrades)} that only the sink has rejected`
  const lines = [
    `${count(trades)} trades stored${unstored}, ${compared(report)} candles recomputed from them: ${count(differences)} differences`,
    ...firstDifferences.map(formatDifference),
  ]
  const unlisted = differences - firstDifferences.length
  if (unlisted > 0) lines.push(`… and ${count(unlisted)} more`)
  if (leftOut.length > 0) {
    lines.push(
      `${count(leftOut.length)} trades that only the sink has rejected are left out, and the candles that have them may differ:`,
      ...leftOut.slice(0, shownLeftOut).map((line) => `  ${line}`),
    )
  }
  if (undecided > 0) {
    lines.push(
      `${count(undecided)} windows were revised while they were compared: another run will tell of them`,
    )
  }
  if (differences === 0 && !isProven(report)) {
    lines.push(
      'Nothing could be compared: no window with trades has closed yet. Wait for some seconds of trades, and check that the services run on this database',
    )
  }
  return lines.join('\n')
}

/** `2,000 1s, 60 1m and 12 5m`: the intervals of which any window has closed. */
function compared({ candles }: VerifyReport): string {
  const counts = intervals
    .filter((interval) => candles[interval] > 0)
    .map((interval) => `${count(candles[interval])} ${interval}`)
  const last = counts.pop() ?? '0'
  return counts.length === 0 ? last : `${counts.join(', ')} and ${last}`
}

function formatDifference({ kind, interval, instrumentId, windowStart, columns }: Difference) {
  const where = `${interval} ${instrumentId} ${windowStart.toISOString()}`
  if (kind === 'missing') return `${where}: its trades make a candle, but none is stored`
  if (kind === 'extra') return `${where}: a candle is stored, but no trades make it`
  const list = columns.map(
    ({ column, stored, recomputed }) =>
      `${column} is ${stored ?? 'null'}, recomputed ${recomputed ?? 'null'}`,
  )
  return `${where}: ${list.join('; ')}`
}

function count(value: number): string {
  return value.toLocaleString('en-US')
}
