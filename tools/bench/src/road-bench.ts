import { Client } from 'pg'

import { Road } from '@tickertape/end-to-end'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'

import type { Bench, Figures } from './bench-frame.ts'
import { drainFeed } from './feed-limit.ts'
import { statusOf, withSimulator } from './simulated-market.ts'
import type { SimulatorAddress } from './simulated-market.ts'

const start = Date.UTC(2026, 0, 5, 9, 30)

/** About 3,000 trades a venue second over all instruments, for 100 venue seconds. */
const throughputMarket = {
  SIMULATOR_RATE: '15',
  SIMULATOR_SPEED: 'max',
  SIMULATOR_START: String(start),
  SIMULATOR_END: String(start + 100_000),
}

/** About 1,000 trades a second in real time, for 20 seconds. */
const latencyMarket = { SIMULATOR_RATE: '5', SIMULATOR_SPEED: '1' }
const latencySeconds = 20

export const roadBench: Bench = {
  name: 'road',
  about:
    "Simulator's WebSocket -> ingest -> Kafka -> aggregator -> Kafka -> pg-sink -> PostgreSQL, each a process on one machine. tradesPerSecond: a market sent as fast as the road takes it. frameToRow: from a frame's receipt by ingest to the commit of its rows, at about 1,000 trades/s. feedLimitTradesPerSecond: the same market read by a client that throws it away.",
  prepare: async (stack) =>
    async function* () {
      const feedLimitTradesPerSecond = await withSimulator(throughputMarket, drainFeed)
      yield { tradesPerSecond: await throughput(stack) }
      yield await frameToRow(stack)
      yield { feedLimitTradesPerSecond }
    },
}

async function withRoad<T>(
  stack: RunningStack,
  address: SimulatorAddress,
  use: (database: Client) => Promise<T>,
): Promise<T> {
  await using road = await Road.open({ stack, venue: 'deribit', ...address })
  const database = new Client({ connectionString: road.databaseUrl })
  await database.connect()
  try {
    await waitUntil('ingest to subscribe', async () => {
      const { connections } = await statusOf(address)
      const count = connections.flatMap(({ subscriptions }) => subscriptions).length
      return count >= address.instruments.length
    })
    await waitUntil(
      'the tables',
      async () => (await database.query('select 1 from trades limit 1')) && true,
    )
    await fetch(`${address.controlUrl}/start`, { method: 'POST' })
    return await use(database)
  } catch (error) {
    throw new Error(`The road stopped half way:\n${road.output}`, { cause: error })
  } finally {
    await database.end()
  }
}

/** Trades over the time from the market's start to the commit of the last row. */
async function throughput(stack: RunningStack): Promise<number> {
  return await withSimulator(throughputMarket, (address) =>
    withRoad(stack, address, async (database) => {
      const began = Date.now()
      await waitUntil(
        'the whole market to be sent',
        async () => (await statusOf(address)).finished,
        {
          withinMs: 240_000,
          everyMs: 200,
        },
      )
      const { instruments: counts } = await statusOf(address)
      const sent = counts.reduce((sum, { sentTrades }) => sum + sentTrades, 0)
      await waitUntil(
        'every trade in PostgreSQL',
        async () => (await countTrades(database)) >= sent,
        {
          withinMs: 240_000,
          everyMs: 200,
        },
      )
      const { rows } = await database.query<{ last: string }>(
        'select extract(epoch from max(pg_xact_commit_timestamp(xmin))) * 1000 as last from trades',
      )
      return sent / ((Number(rows[0]?.last) - began) / 1000)
    }),
  )
}

/** Percentiles over all trades of a market in real time. */
async function frameToRow(stack: RunningStack): Promise<Figures> {
  return await withSimulator(latencyMarket, (address) =>
    withRoad(stack, address, async (database) => {
      const end = Date.now() + latencySeconds * 1000
      await waitUntil('the market to have run for a while', () => Date.now() > end, {
        withinMs: 2 * latencySeconds * 1000,
      })
      const { rows } = await database.query<{ p50: number; p99: number }>(
        `select percentile_cont(0.5) within group (order by latency) as p50,
                percentile_cont(0.99) within group (order by latency) as p99
         from (select extract(epoch from pg_xact_commit_timestamp(xmin) - received_at)::float8 * 1000
                      as latency
               from trades) as latencies`,
      )
      return {
        frameToRowP50Ms: rows[0]?.p50 ?? Number.NaN,
        frameToRowP99Ms: rows[0]?.p99 ?? Number.NaN,
      }
    }),
  )
}

async function countTrades(database: Client): Promise<number> {
  const { rows } = await database.query<{ count: string }>('select count(*) from trades')
  return Number(rows[0]?.count)
}
