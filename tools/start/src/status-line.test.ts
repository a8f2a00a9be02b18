import { describe, expect, it } from 'vitest'

import { carryTotal, formatStatus } from './status-line.ts'

const time = new Date(2026, 0, 1, 12, 0, 3)

describe('status line', () => {
  it('shows rates between two counts', () => {
    const before = { trades: 100, candles: 10, lag: 3, rows: 1_000 }
    const now = { trades: 500, candles: 14, lag: 5, rows: 1_234_567 }
    expect(formatStatus(time, before, now, 2)).toBe(
      '12:00:03  trades 200/s  candles 2/s  lag 5  rows 1,234,567',
    )
  })

  it('carries the rows on when the process that counts them begins anew', () => {
    const counts = [undefined, 5, 9, undefined, 2, 3]
    let before: number | undefined
    let total = 100
    for (const now of counts) {
      total = carryTotal(total, before, now)
      before = now ?? before
    }
    expect(total).toBe(100 + 9 + 3)
  })

  it('shows a dash for what is not known, and after a counter began anew', () => {
    const before = { trades: 100, candles: undefined, lag: undefined, rows: 5 }
    const now = { trades: 1, candles: 4, lag: undefined, rows: undefined }
    expect(formatStatus(time, before, now, 1)).toBe(
      '12:00:03  trades -/s  candles -/s  lag -  rows -',
    )
  })
})
