import { expect, it } from 'vitest'

import type { MarketEvent } from '@tickertape/market-model'
import { waitUntil } from '@tickertape/testing'

import { readinessSays } from './admin-port.ts'
import { CatalogProxy } from './catalog-proxy.ts'
import { gapsOnceClosed } from './gap-facts.ts'
import { IngestRun } from './ingest-run.ts'
import { duplicatesOf, tradesOf, truthOf } from './log-facts.ts'

const perpetuals = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL']

interface Given {
  readonly instruments: string
  readonly subscribed: readonly string[]
  readonly hidden?: readonly string[]
  readonly broken?: boolean
}

async function given({ instruments, subscribed, hidden = [], broken = false }: Given) {
  const catalog = await CatalogProxy.open()
  catalog.broken = broken
  for (const each of hidden) catalog.hidden.add(each)
  const run = await IngestRun.open({
    venue: 'deribit',
    instruments: subscribed,
    settings: (simulator) => {
      catalog.target = simulator.deribitRestUrl
      return {
        INGEST_INSTRUMENTS: instruments,
        INGEST_REST_URL: catalog.url,
        INGEST_CATALOG_MS: '200',
      }
    },
  })
  return { catalog, run }
}

type StatusRecord = Extract<MarketEvent, { type: 'InstrumentStatus' }>['value']

async function statusesOf(run: IngestRun, instrument: string): Promise<readonly StatusRecord[]> {
  const records = await run.records()
  return records.flatMap(({ value }) =>
    value.type === 'InstrumentStatus' && value.value.instrumentId === `deribit:${instrument}`
      ? [value.value]
      : [],
  )
}

async function statusIs(run: IngestRun, instrument: string, status: string): Promise<void> {
  await waitUntil(
    `${instrument} to be ${status}`,
    async () => (await statusesOf(run, instrument)).at(-1)?.status === status,
    { withinMs: 60_000, everyMs: 200 },
  )
}

it.concurrent('a pattern takes what the venue lists, with what the venue tells of it', async () => {
  const venue = await given({ instruments: '*-PERPETUAL', subscribed: perpetuals })
  await using catalog = venue.catalog
  await using run = venue.run
  await run.advance(5_000)
  expect(catalog.hidden.size).toBe(0)
  expect(await statusesOf(run, 'BTC-PERPETUAL')).toMatchObject([
    { status: 'listed', base: 'BTC', quote: 'USD', kind: 'perpetual', quantityUnit: 'quote' },
  ])
  expect(await statusesOf(run, 'SOL_USDC-PERPETUAL')).toMatchObject([
    { status: 'listed', base: 'SOL', quote: 'USDC', kind: 'perpetual', quantityUnit: 'base' },
  ])
  expect(await statusesOf(run, 'BTC-25JUN27')).toEqual([])
  // What an instrument is decides how its trades are counted.
  const records = await run.records()
  for (const instrument of perpetuals) {
    const own = records.filter(({ key }) => key === `deribit:${instrument}`)
    expect(own[0]?.value.type).toBe('InstrumentStatus')
  }
})

it.concurrent('a listing comes in and an expiry goes out while the connection goes on, and no trade is lost', async () => {
  const venue = await given({
    instruments: '*-PERPETUAL',
    subscribed: perpetuals.slice(0, 2),
    hidden: ['SOL_USDC-PERPETUAL'],
  })
  await using catalog = venue.catalog
  await using run = venue.run
  await run.advance(5_000)
  catalog.hidden.delete('SOL_USDC-PERPETUAL')
  await statusIs(run, 'SOL_USDC-PERPETUAL', 'listed')
  catalog.hidden.add('ETH-PERPETUAL')
  await statusIs(run, 'ETH-PERPETUAL', 'expired')
  await run.advance(5_000)
  const until = await run.venueTime()
  await run.covered(until)
  expect(await run.stop('SIGTERM'), run.output).toBe(0)

  expect(run.output.split('"msg":"connected"')).toHaveLength(2)
  const records = await run.records()
  for (const instrument of ['BTC-PERPETUAL', 'SOL_USDC-PERPETUAL']) {
    const delivered = tradesOf(records, instrument)
    const first = delivered[0]?.sequence ?? 0
    // The simulator's market has traded long before it is listed here: it begins behind its last trade.
    const truth = truthOf(run.simulator, 'deribit', instrument, until).filter(
      ({ sequence }) => sequence >= first,
    )
    expect(truth.length).toBeGreaterThan(0)
    expect(delivered.slice(0, truth.length)).toEqual(truth)
  }
  expect(duplicatesOf(records).conflicts).toEqual([])
  const ethereum = records.filter(({ key }) => key === 'deribit:ETH-PERPETUAL')
  expect(ethereum.at(-1)?.value).toMatchObject({
    type: 'InstrumentStatus',
    value: { status: 'expired', base: 'ETH' },
  })
})

// The cursors' names were read once, and a second time when nothing was left of them: what had left the venue's list
// meanwhile was followed no more, and nobody told of its end. Without the list nothing at all was read.
it.concurrent('what is delisted while we are down ends once, and leaves nothing open over two restarts', async () => {
  const venue = await given({ instruments: '*-PERPETUAL', subscribed: perpetuals })
  await using catalog = venue.catalog
  await using run = venue.run
  await run.advance(3_000)
  await run.stop('SIGKILL')
  catalog.hidden.add('ETH-PERPETUAL')
  for (let restarts = 1; restarts <= 2; restarts += 1) {
    const before = (await statusesOf(run, 'ETH-PERPETUAL')).length
    run.start()
    await waitUntil('it to be told as expired', async () => {
      const since = (await statusesOf(run, 'ETH-PERPETUAL')).slice(before)
      return since.at(-1)?.status === 'expired'
    })
    await run.advance(3_000)
    await gapsOnceClosed(run, 'deribit:ETH-PERPETUAL')
    const cursors = await run.standingCursors()
    const own = cursors.filter(({ instrument }) => instrument === 'ETH-PERPETUAL')
    expect(own.flatMap(({ openGaps }) => openGaps)).toEqual([])
    await run.stop('SIGKILL')
  }
  const records = await run.records()
  const own = records.filter(({ key }) => key === 'deribit:ETH-PERPETUAL')
  expect(own.at(-1)?.value).toMatchObject({
    type: 'InstrumentStatus',
    value: { status: 'expired' },
  })
})

it.concurrent('without the catalog the names are read, and the reason is in readiness', async () => {
  const venue = await given({
    instruments: 'BTC-PERPETUAL,ETH-*',
    subscribed: ['BTC-PERPETUAL'],
    broken: true,
  })
  await using catalog = venue.catalog
  await using run = venue.run
  await run.advance(5_000)
  await readinessSays(run.process, "the venue's instruments are not known")
  catalog.broken = false
  await statusIs(run, 'ETH-PERPETUAL', 'listed')
  await waitUntil('the facts of the name', async () => {
    return (await statusesOf(run, 'BTC-PERPETUAL')).at(-1)?.base === 'BTC'
  })
  expect(run.output).toContain("the venue's instruments cannot be asked for")
})
