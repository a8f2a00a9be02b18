import { expect, it } from 'vitest'

import { defaultInstruments, deribitOptionsAndSpreads } from '@tickertape/market-simulator'

import { IngestRun } from '../ingest-run.ts'

it("Deribit's options have an implied volatility, its spreads prices below zero", async () => {
  const instruments = deribitOptionsAndSpreads.map(({ name }) => name)
  const market = { venue: 'deribit', instruments } as const
  const listed = [...defaultInstruments, ...deribitOptionsAndSpreads]
  await using run = await IngestRun.open({ ...market, simulator: { instruments: listed } })
  await run.advance(60_000)
  expect(await run.stop('SIGTERM')).toBe(0)
  const records = await run.records()
  const trades = records.flatMap(({ value }) => (value.type === 'Trade' ? [value.value] : []))
  const [options, spreads] = [/-[CP]$/, /-FS-/].map((form) =>
    trades.filter(({ instrument }) => form.test(instrument)),
  )
  expect(options?.length).toBeGreaterThan(20)
  expect(options?.filter(({ impliedVolatility }) => impliedVolatility === null)).toEqual([])
  expect(spreads?.some(({ price }) => price.mantissa < 0)).toBe(true)
  expect(await run.rejected()).toEqual([])
})
