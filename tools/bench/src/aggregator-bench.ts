import type { RunningStack } from '@tickertape/stack'

import type { Bench, BenchOptions, Figures } from './bench-frame.ts'
import { measureCloseLatency } from './close-latency.ts'
import { consumerPerf } from './consumer-perf.ts'
import { tradesOf } from './fill-plan.ts'
import type { FillPlan } from './fill-plan.ts'
import { fillMarket } from './market-fill.ts'
import type { MarketFill } from './market-fill.ts'
import { measureRestore } from './restore.ts'
import { measureThroughput } from './throughput.ts'
import { measureTracingCost, tracedOneIn } from './tracing-cost.ts'

/** 2,000,000 trades each. */
const throughputPlan: FillPlan = { instruments: 100, tradesPerWindow: 200, seconds: 100 }
const manyInstrumentsPlan: FillPlan = { instruments: 10_000, tradesPerWindow: 2, seconds: 100 }

export const aggregatorBench: Bench = {
  name: 'aggregator',
  about:
    'market-events -> aggregator -> candles, one process beside the broker, exactly once, 1s and 1m candles with two EWMAs; the candles of each run are checked. tradesPerSecond, cpuMicrosPerTrade, rssMb: 2,000,000 trades of 100 instruments. manyInstruments: 2,000,000 trades of 10,000. limitPerSecond: kafka-consumer-perf-test on the topic of the first. closeToCandle: from the acknowledged heartbeat that closes a window to its readable candle, at 5,000 trades/s. restoreSeconds: 1,000,000 changelog records. tracing, which runs only where it is asked for: what traces of 1 trade in 1,000 add to the CPU time a trade (tracingCost) and to the time (tracingTime), by 7 interleaved pairs of runs, with the ends of the 95 % interval.',
  parts: ['throughput', 'many', 'latency', 'restore', 'tracing'],
  prepare: async (stack, options, print) => {
    if (options.only === 'tracing') return await prepareTracing(stack, options, print)
    const fills = {
      throughput: wants(options, 'throughput')
        ? await fill(stack, 'bench.', throughputPlan, print)
        : undefined,
      // What a restore finds is what the run of many instruments leaves.
      many:
        wants(options, 'many') || wants(options, 'restore')
          ? await fill(stack, 'bench-many.', manyInstrumentsPlan, print)
          : undefined,
    }
    let runs = 0
    return async function* () {
      runs += 1
      const run: Run = { stack, groupId: `run-${runs}`, cpuProf: options.cpuProf }
      if (fills.throughput) yield* throughput(run, fills.throughput)
      if (fills.many) yield* many(run, fills.many, wants(options, 'restore'))
      if (wants(options, 'latency')) yield* closeToCandle(run, `bench-live-${runs}.`)
    }
  },
}

/** What the parts of one run share. */
interface Run {
  readonly stack: RunningStack
  readonly groupId: string
  readonly cpuProf: string | undefined
}

function wants({ only }: BenchOptions, part: string): boolean {
  return only === undefined || only === part
}

async function fill(
  stack: RunningStack,
  prefix: string,
  plan: FillPlan,
  print: (line: string) => void,
  traceOneIn?: number,
): Promise<MarketFill> {
  const trades = tradesOf(plan).toLocaleString('en-US')
  print(`Writing ${trades} trades of ${plan.instruments.toLocaleString('en-US')} instruments`)
  const began = performance.now()
  const filled = await fillMarket(stack, prefix, plan, traceOneIn)
  print(`  written in ${Math.round((performance.now() - began) / 1_000)} s`)
  return filled
}

/** Its runs are pairs of their own: however often it is measured, these are run once. */
async function prepareTracing(
  stack: RunningStack,
  { cpuProf }: BenchOptions,
  print: (line: string) => void,
): Promise<() => AsyncIterable<Figures>> {
  const filled = await fill(stack, 'bench-traced.', throughputPlan, print, tracedOneIn)
  let measured: Promise<Figures> | undefined
  return async function* () {
    measured ??= measureTracingCost({ stack, fill: filled, groupId: 'traced', cpuProf, print })
    yield await measured
  }
}

async function* throughput(run: Run, filled: MarketFill): AsyncGenerator<Figures> {
  const measured = await measureThroughput({ ...run, fill: filled })
  yield { ...measured }
  const limitPerSecond = await consumerPerf(run.stack, filled.topic, tradesOf(filled.plan))
  yield { limitPerSecond, limitRatio: measured.tradesPerSecond / limitPerSecond }
}

async function* many(run: Run, filled: MarketFill, andRestore: boolean): AsyncGenerator<Figures> {
  const { tradesPerSecond, rssMb } = await measureThroughput({ ...run, fill: filled })
  yield { manyInstrumentsTradesPerSecond: tradesPerSecond, manyInstrumentsRssMb: rssMb }
  if (andRestore) yield { restoreSeconds: await measureRestore({ ...run, fill: filled }) }
}

async function* closeToCandle(run: Run, prefix: string): AsyncGenerator<Figures> {
  const { p50Ms, p99Ms, appendP50Ms } = await measureCloseLatency({ ...run, prefix })
  yield {
    closeToCandleP50Ms: p50Ms,
    closeToCandleP99Ms: p99Ms,
    heartbeatAppendP50Ms: appendP50Ms,
  }
}
