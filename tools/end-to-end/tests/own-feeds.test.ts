import { describe, expect, it } from 'vitest'

import { formatReport } from '@tickertape/verify'

import { differences, runMarket, standing } from './market-run.ts'
import type { MarketRunOptions, MarketRunResult, PlainTrade } from './market-run.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 5, 9, 30)

const simulator = { start, end: start + 4 * minute, speed: 24, speedAfterEnd: 60, limits: false }

const otc: MarketRunOptions = {
  venue: 'otc',
  instruments: ['EUR-USD', 'GBP-USD', 'XAU-USD'],
  simulator,
}

const swaps: MarketRunOptions = {
  venue: 'swaps',
  instruments: ['WETH-USDC', 'WBTC-USDC', 'WETH-LINK'],
  simulator,
}

/** Every version is a row, the view has those that stand, and candles count what of these is confirmed. */
function expectVersions({
  current,
  rejected,
  report,
  stored,
  tradesInCandles,
  truth,
}: MarketRunResult) {
  expect(differences(truth, stored).slice(0, 5)).toEqual([])
  const standingTruth = standing(truth)
  expect(differences(standingTruth, current).slice(0, 5)).toEqual([])
  expect(tradesInCandles).toBe(standingTruth.filter(isConfirmed).length)
  expect(formatReport(report)).toContain(': 0 differences')
  expect(report.candles['1s']).toBeGreaterThan(0)
  expect(report.candles['1m']).toBeGreaterThan(0)
  expect(rejected).toEqual([])
}

function isConfirmed({ status }: PlainTrade): boolean {
  return status === 'confirmed'
}

function versionsOf({ stored }: MarketRunResult): ReadonlySet<string> {
  return new Set(stored.map(({ status, version }) => `${version} ${status}`))
}

describe('trades over the counter', () => {
  it('are in PostgreSQL version by version, and candles have each as its last correction left it', async () => {
    const result = await runMarket(otc)
    expect(result.truth.length).toBeGreaterThan(1_000)
    expect(versionsOf(result)).toEqual(
      new Set(['0 confirmed', '1 confirmed', '1 cancelled', '2 confirmed', '2 cancelled']),
    )
    expectVersions(result)
  })
})

describe('swaps', () => {
  it('are in PostgreSQL as they wait and as they come out, and candles have those that were confirmed', async () => {
    const result = await runMarket(swaps)
    expect(result.truth.length).toBeGreaterThan(5_000)
    expect(versionsOf(result)).toEqual(new Set(['0 pending', '1 confirmed', '1 cancelled']))
    expectVersions(result)
  })
})
