import { Client } from 'pg'

import type { RunningStack } from '@tickertape/stack'
import { testDatabase } from '@tickertape/testing'

import type { Bench, BenchOptions, Figures } from './bench-frame.ts'
import { BenchMarket } from './bench-market.ts'
import { marketEvents } from './fill-plan.ts'
import type { FillPlan } from './fill-plan.ts'
import { copyProgram, measureCopyLimit } from './sink-copy-limit.ts'
import { fillCandles, fillTrades } from './sink-fill.ts'
import type { SinkFill } from './sink-fill.ts'
import { doubledMarketEvents } from './sink-market.ts'
import type { CandlePlan } from './sink-market.ts'
import { measureSink } from './sink-throughput.ts'

/** 2,000,000 trades. */
const tradesPlan: FillPlan = { instruments: 100, tradesPerWindow: 200, seconds: 100 }

/** 1,000,000 trades, each of them twice. */
const doubledPlan: FillPlan = { instruments: 100, tradesPerWindow: 200, seconds: 50 }

/** 1,000,000 candles. */
const candlePlan: CandlePlan = { instruments: 1_000, windows: 1_000 }

export const sinkBench: Bench = {
  name: 'sink',
  about:
    'market-events and candles -> pg-sink -> PostgreSQL with fsync, one process beside broker and database, exactly once, tables with all their partitions and indexes; the rows of each run are checked. rowsPerSecond, cpuMicrosPerRow, rssMb: 2,000,000 trades in 4 partitions into an empty table. copyLimitPerSecond: psql \\copy of the same rows into the same table, emptied. doubled…: 1,000,000 trades of which each comes twice, interleaved; rows are trades. upserts…: 1,000,000 candles of revision 1 over those of revision 0.',
  parts: ['trades', 'doubled', 'candles'],
  prepare: async (stack, options, print) => {
    await requireDurable(stack)
    if ((await copyProgram()) !== 'psql') {
      print('There is no psql on the PATH: copyLimitPerSecond is the same COPY by pg-copy-streams')
    }
    const fills = await fillTopics(stack, options, print)
    let runs = 0
    return async function* () {
      runs += 1
      const run: Run = { stack, groupId: `run-${runs}`, cpuProf: options.cpuProf }
      if (fills.trades) yield* trades(run, fills.trades)
      if (fills.doubled) yield* doubled(run, fills.doubled)
      if (fills.candles) yield* candles(run, fills.candles)
    }
  },
}

/** What the parts of one run share. */
interface Run {
  readonly stack: RunningStack
  readonly groupId: string
  readonly cpuProf: string | undefined
}

interface CandleFills {
  readonly first: SinkFill
  readonly revised: SinkFill
}

async function fillTopics(
  stack: RunningStack,
  { only }: BenchOptions,
  print: (line: string) => void,
) {
  const wants = (part: string): boolean => only === undefined || only === part
  const noted = async <T>(what: string, write: () => Promise<T>): Promise<T> => {
    print(`Writing ${what}`)
    const began = performance.now()
    const filled = await write()
    print(`  written in ${Math.round((performance.now() - began) / 1_000)} s`)
    return filled
  }
  const market = new BenchMarket(tradesPlan.instruments)
  return {
    trades: wants('trades')
      ? await noted('2,000,000 trades', () =>
          fillTrades(stack, 'bench.', marketEvents(tradesPlan, market)),
        )
      : undefined,
    doubled: wants('doubled')
      ? await noted('1,000,000 trades twice', () =>
          fillTrades(stack, 'bench-doubled.', doubledMarketEvents(doubledPlan)),
        )
      : undefined,
    candles: wants('candles')
      ? await noted('1,000,000 candles and a revision of each', async () => ({
          first: await fillCandles(stack, 'bench-first.', candlePlan, 0),
          revised: await fillCandles(stack, 'bench-revised.', candlePlan, 1),
        }))
      : undefined,
  }
}

async function* trades(run: Run, fill: SinkFill): AsyncGenerator<Figures> {
  await using database = await testDatabase(run.stack.databaseUrl)
  const measured = await measureSink({ ...run, databaseUrl: database.url }, fill)
  yield { ...measured }
  const copyLimitPerSecond = await measureCopyLimit(database.url, fill, run.stack.folder)
  yield { copyLimitPerSecond, copyRatio: measured.rowsPerSecond / copyLimitPerSecond }
}

async function* doubled(run: Run, fill: SinkFill): AsyncGenerator<Figures> {
  await using database = await testDatabase(run.stack.databaseUrl)
  const measured = await measureSink({ ...run, databaseUrl: database.url }, fill)
  yield {
    doubledRowsPerSecond: measured.rowsPerSecond,
    doubledCpuMicrosPerRow: measured.cpuMicrosPerRow,
    doubledRssMb: measured.rssMb,
  }
}

async function* candles(run: Run, { first, revised }: CandleFills): AsyncGenerator<Figures> {
  await using database = await testDatabase(run.stack.databaseUrl)
  const inserted = await measureSink({ ...run, databaseUrl: database.url }, first)
  yield { candleInsertsPerSecond: inserted.rowsPerSecond }
  const measured = await measureSink({ ...run, databaseUrl: database.url }, revised)
  yield {
    upsertsPerSecond: measured.rowsPerSecond,
    upsertsCpuMicrosPerRow: measured.cpuMicrosPerRow,
    upsertsRssMb: measured.rssMb,
  }
}

/** @throws Error if PostgreSQL may lose what it has committed: its speed is no figure then. */
async function requireDurable({ databaseUrl }: RunningStack): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
      const { rows } = await client.query<Record<string, string>>(`show ${setting}`)
      const value = rows[0]?.[setting]
      if (value !== 'on') {
        throw new Error(`PostgreSQL of this bench has ${setting} ${value}: it must be on`)
      }
    }
  } finally {
    await client.end()
  }
}
