import type { RunningStack } from '@tickertape/stack'
import { testDatabase } from '@tickertape/testing'

import type { Bench, BenchOptions, Figures } from './bench-frame.ts'
import { fillStart } from './bench-market.ts'
import { measureBrowserRoad } from './browser-road.ts'
import { measureFanOut } from './fan-out.ts'
import { startGateway } from './gateway-process.ts'
import type { GatewayRun } from './gateway-process.ts'
import { measureHttp } from './http-load.ts'
import { fillCandles } from './sink-fill.ts'
import type { SinkFill } from './sink-fill.ts'
import type { CandlePlan } from './sink-market.ts'
import { startFilledSink } from './sink-throughput.ts'

/** Seconds of which the gateway holds the last 300 in memory; the first 1,000 are asked of the database. */
const plan: CandlePlan = { instruments: 100, windows: 2_000 }

/** Instruments that are asked for in turn. */
const asked = 50

const prefix = 'bench-gateway.'

export const gatewayBench: Bench = {
  name: 'gateway',
  about:
    "candles-live -> gateway -> 1,000 WebSocket clients in two processes, each following 20 of 500 open windows that change 4 times a second, beside one that follows all and reads nothing; one gateway process beside broker and database. fanout…Ms: from handing a candle to the producer to its arrival at the last of its 40 clients; fanoutConflatedShare: updates that a newer one replaced for some client. fanoutCpuMicrosPerUpdate: CPU time of the gateway for each update of each client. candlesFrom…PerSecond: /v1/candles of 50 instruments in turn by autocannon from 20 connections, uncompressed, 200 rows from memory and 1,000 from PostgreSQL; …P99Ms: at half that rate; …CpuMillis: CPU time of the gateway for a request. frameToBrowser…: from the write of a venue's frame through ingest, Kafka, the aggregator, Kafka and the gateway to the candle that a page shows, at 1,000 trades/s; the hops are medians of their own.",
  parts: ['fanout', 'rest', 'browser'],
  prepare: async (stack, options, print) => {
    const wants = wanted(options)
    const measureFilled = await filled(stack, options, print)
    return async function* () {
      yield* measureFilled()
      if (wants('browser')) yield { ...(await measureBrowserRoad(stack, print)) }
    }
  },
}

/** The parts that a gateway over many candles is measured by. */
async function filled(
  stack: RunningStack,
  options: BenchOptions,
  print: (line: string) => void,
): Promise<() => AsyncGenerator<Figures>> {
  const wants = wanted(options)
  if (!wants('fanout') && !wants('rest')) return async function* () {}
  let number = 0
  print(`Writing ${plan.instruments * plan.windows} candles`)
  const fill = await fillCandles(stack, prefix, plan, 0)
  return async function* () {
    number += 1
    await using database = await testDatabase(stack.databaseUrl)
    await writeRows(stack, fill, database.url, number)
    const run = { stack, prefix, databaseUrl: database.url, cpuProf: options.cpuProf }
    if (wants('fanout')) yield await fanOut(run)
    if (wants('rest')) yield* rest(run)
  }
}

function wanted({ only }: BenchOptions): (part: string) => boolean {
  return (part) => only === undefined || only === part
}

async function writeRows(
  stack: RunningStack,
  fill: SinkFill,
  databaseUrl: string,
  number: number,
): Promise<void> {
  const groupId = `bench-${number}`
  await using sink = await startFilledSink(
    { stack, databaseUrl, groupId, cpuProf: undefined },
    fill,
  )
  await sink.stop()
}

async function fanOut(run: GatewayRun): Promise<Figures> {
  const { p50Ms, p99Ms, conflatedShare, rssMb, cpuMicrosPerUpdate } = await measureFanOut(run)
  return {
    fanoutP50Ms: p50Ms,
    fanoutP99Ms: p99Ms,
    fanoutConflatedShare: conflatedShare,
    fanoutRssMb: rssMb,
    fanoutCpuMicrosPerUpdate: cpuMicrosPerUpdate,
  }
}

async function* rest(run: GatewayRun): AsyncGenerator<Figures> {
  await using gateway = await startGateway(run)
  const memory = await measureHttp(gateway, pathsOf('&limit=200'))
  yield {
    candlesFromMemoryPerSecond: memory.perSecond,
    candlesFromMemoryP99Ms: memory.halfLoadP99Ms,
    candlesFromMemoryCpuMillis: memory.cpuMillis,
  }
  const stored = await measureHttp(
    gateway,
    pathsOf(`&from=${fillStart}&to=${fillStart + 1_000_000}&limit=1000`),
  )
  yield {
    candlesFromPostgresPerSecond: stored.perSecond,
    candlesFromPostgresP99Ms: stored.halfLoadP99Ms,
    candlesFromPostgresCpuMillis: stored.cpuMillis,
  }
  await gateway.service.stop()
}

function pathsOf(query: string): readonly string[] {
  return Array.from(
    { length: asked },
    (_, index) => `/v1/candles?instrument=deribit:BENCH-${index}&interval=1s${query}`,
  )
}
