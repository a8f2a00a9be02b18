import { expect, it } from 'vitest'

import { IngestRun } from '../ingest-run.ts'

it.concurrent('the versions of an OTC trade stand in the log with its counterparty, book and maturity', async () => {
  await using run = await IngestRun.open({ venue: 'otc', instruments: ['EUR-USD'] })
  await run.advance(60_000)
  expect(await run.stop('SIGTERM')).toBe(0)
  const records = await run.records()
  const trades = records.flatMap(({ value }) => (value.type === 'Trade' ? [value.value] : []))
  const versions = Map.groupBy(trades, ({ tradeId }) => tradeId)
  const corrected = [...versions.values()].filter(({ length }) => length > 1)
  expect(corrected.length).toBeGreaterThan(5)
  for (const each of corrected) {
    expect(new Set(each.map(({ book, counterparty }) => `${counterparty} ${book}`)).size).toBe(1)
    expect(each.every(({ eventTime, maturesAt }) => (maturesAt ?? 0) >= eventTime)).toBe(true)
  }
  expect(new Set(trades.map(({ status }) => status))).toEqual(new Set(['confirmed', 'cancelled']))
})

it.concurrent('a swap stands in the log as it waits, and again as it came out', async () => {
  await using run = await IngestRun.open({ venue: 'swaps', instruments: ['WETH-USDC'] })
  await run.advance(30_000)
  expect(await run.stop('SIGTERM')).toBe(0)
  const records = await run.records()
  const trades = records.flatMap(({ value }) => (value.type === 'Trade' ? [value.value] : []))
  const lives = Map.groupBy(trades, ({ txHash }) => txHash)
  const courses = [...lives.values()].map((each) =>
    each.map(({ status, version }) => `${version} ${status}`).join(', '),
  )
  expect(new Set(courses)).toEqual(
    new Set(['0 pending, 1 confirmed', '0 pending, 1 cancelled', '0 pending', '1 confirmed']),
  )
  expect(
    trades.every(({ baseToken, quoteToken }) => `${baseToken} ${quoteToken}` === 'WETH USDC'),
  ).toBe(true)
})
