import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, it } from 'vitest'

import { IngestRun } from './ingest-run.ts'
import { tradesOf } from './log-facts.ts'

const markets = [
  { venue: 'deribit', instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'] },
  { venue: 'binance', instruments: ['BTCUSDT'] },
] as const

it.concurrent.for(markets)(
  "a replay of $venue's recorded frames gives the same trades",
  async ({ venue, instruments }, { onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), 'tickertape-recording-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const settings = { INGEST_RECORD_FOLDER: folder }
    await using recorded = await IngestRun.open({ venue, instruments, settings })
    await recorded.advance(10_000)
    expect(await recorded.stop('SIGTERM'), recorded.output).toBe(0)
    const log = await recorded.records()
    const trades = instruments.map((instrument) => tradesOf(log, instrument))
    expect(trades.every(({ length }) => length > 10)).toBe(true)

    const [file = '', ...more] = await readdir(folder)
    expect(more).toEqual([])
    await using replayed = await IngestRun.open({
      venue,
      instruments,
      simulator: { replay: join(folder, file) },
    })
    await replayed.covered(Math.max(...trades.flat().map(({ eventTime }) => eventTime)))
    expect(await replayed.stop('SIGTERM'), replayed.output).toBe(0)
    const again = await replayed.records()
    expect(instruments.map((instrument) => tradesOf(again, instrument))).toEqual(trades)
  },
)
