import { describe, expect, it } from 'vitest'

import { formatReport, isProven } from './report.ts'
import type { VerifyReport } from './verify.ts'

const none = { '1s': 0, '1m': 0, '5m': 0, '15m': 0, '1h': 0, '4h': 0, '1d': 0 }

const agreed: VerifyReport = {
  trades: 1_234_567,
  unstoredTrades: 0,
  leftOut: [],
  candles: { ...none, '1s': 2_000, '1m': 60, '5m': 12 },
  differences: 0,
  firstDifferences: [],
  undecided: 0,
}

const where = {
  instrumentId: 'deribit:BTC-PERPETUAL',
  interval: '1m',
  windowStart: new Date('2026-01-05T00:01:00Z'),
}

describe('the report', () => {
  it('of candles that agree is one line, and proves them', () => {
    expect(formatReport(agreed)).toBe(
      '1,234,567 trades stored, 2,000 1s, 60 1m and 12 5m candles recomputed from them: 0 differences',
    )
    expect(isProven(agreed)).toBe(true)
  })

  it('tells of trades that only the sink has rejected, and of those that are left out', () => {
    const leftOut = ['market-events [0] offset 7: its time is -1 ms']
    const [first, ...lines] = formatReport({ ...agreed, unstoredTrades: 2, leftOut }).split('\n')
    expect(first).toMatch(/^1,234,567 trades stored, 2 that only the sink has rejected, 2,000 1s/)
    expect(lines).toEqual([
      '1 trades that only the sink has rejected are left out, and the candles that have them may differ:',
      '  market-events [0] offset 7: its time is -1 ms',
    ])
  })

  it('names window, column and both values of what differs', () => {
    const report: VerifyReport = {
      ...agreed,
      differences: 5,
      firstDifferences: [
        {
          kind: 'different',
          ...where,
          columns: [
            { column: 'close', stored: '1.5', recomputed: '1.25' },
            { column: 'vwap', stored: null, recomputed: '1' },
          ],
        },
        { kind: 'missing', ...where, columns: [] },
        { kind: 'extra', ...where, columns: [] },
      ],
    }
    expect(formatReport(report).split('\n').slice(1)).toEqual([
      '1m deribit:BTC-PERPETUAL 2026-01-05T00:01:00.000Z: close is 1.5, recomputed 1.25; vwap is null, recomputed 1',
      '1m deribit:BTC-PERPETUAL 2026-01-05T00:01:00.000Z: its trades make a candle, but none is stored',
      '1m deribit:BTC-PERPETUAL 2026-01-05T00:01:00.000Z: a candle is stored, but no trades make it',
      '… and 2 more',
    ])
    expect(isProven(report)).toBe(false)
  })

  it('tells of windows that were revised meanwhile, which are no differences', () => {
    const report: VerifyReport = { ...agreed, undecided: 3 }
    expect(formatReport(report).split('\n').slice(1)).toEqual([
      '3 windows were revised while they were compared: another run will tell of them',
    ])
    expect(isProven(report)).toBe(true)
  })

  it('of nothing proves nothing, and says so', () => {
    const empty: VerifyReport = { ...agreed, candles: none }
    expect(isProven(empty)).toBe(false)
    expect(formatReport(empty)).toContain('Nothing could be compared')
  })
})
