import type { RunningStack } from '@tickertape/stack'

import type { Figures } from './bench-frame.ts'
import { tradesOf } from './fill-plan.ts'
import type { MarketFill } from './market-fill.ts'
import { pairedInterval } from './paired-interval.ts'
import type { Interval95 } from './paired-interval.ts'
import { startSpanCounter } from './span-counter.ts'
import type { SpanCounter } from './span-counter.ts'
import { measureThroughput } from './throughput.ts'
import type { Throughput } from './throughput.ts'

/** One trade in so many of the log is sampled. */
export const tracedOneIn = 1_000

const pairs = 7

export interface TracingCostOptions {
  readonly stack: RunningStack
  /** Its log has a traceparent in one of `tracedOneIn` trades. */
  readonly fill: MarketFill
  readonly groupId: string
  readonly cpuProf: string | undefined
  readonly print: (line: string) => void
}

/**
 * What tracing costs the aggregator: pairs of runs over one log, without an exporter and with one whose collector
 * takes everything. Within a pair they follow each other, in turns the one or the other first, so that a machine
 * whose speed drifts costs both alike.
 *
 * @throws Error if no spans came, or some were lost: then tracing was not what ran.
 */
export async function measureTracingCost(options: TracingCostOptions): Promise<Figures> {
  await using collector = await startSpanCounter()
  const measured: { readonly off: Throughput; readonly on: Throughput }[] = []
  for (let pair = 1; pair <= pairs; pair += 1) {
    const run = (isOn: boolean) => measureOnce(options, pair, isOn ? collector : undefined)
    const isOnFirst = pair % 2 === 0
    const first = await run(isOnFirst)
    const second = await run(!isOnFirst)
    const both = isOnFirst ? { off: second, on: first } : { off: first, on: second }
    measured.push(both)
    options.print(`  pair ${pair} of ${pairs}: off ${told(both.off)}, on ${told(both.on)}`)
  }
  const cpu = costOf(measured, ({ cpuMicrosPerTrade }) => cpuMicrosPerTrade)
  const time = costOf(measured, ({ tradesPerSecond }) => 1 / tradesPerSecond)
  options.print(`  CPU time a trade with tracing: ${toldInterval(cpu)}`)
  options.print(`  time a trade with tracing: ${toldInterval(time)}`)
  return {
    tracingCostPercent: cpu.mean,
    tracingCostLowerPercent: cpu.low,
    tracingCostUpperPercent: cpu.high,
    tracingTimePercent: time.mean,
    tracingTimeUpperPercent: time.high,
    tracingSpansPerRun: collector.count / pairs,
  }
}

async function measureOnce(
  { stack, fill, groupId, cpuProf }: TracingCostOptions,
  pair: number,
  collector: SpanCounter | undefined,
): Promise<Throughput> {
  const name = `${groupId}-${pair}-${collector === undefined ? 'off' : 'on'}`
  if (collector === undefined)
    return await measureThroughput({ stack, fill, groupId: name, cpuProf })
  const before = collector.count
  const environment = {
    OTEL_TRACES_EXPORTER: 'zipkin',
    OTEL_EXPORTER_ZIPKIN_ENDPOINT: collector.endpoint,
  }
  const measured = await measureThroughput({ stack, fill, groupId: name, cpuProf, environment })
  const sampled = Math.floor(tradesOf(fill.plan) / tracedOneIn)
  if (collector.count - before < sampled) {
    throw new Error(
      `Only ${collector.count - before} spans came of ${sampled} sampled trades: tracing was not what ran`,
    )
  }
  return measured
}

function costOf(
  measured: readonly { readonly off: Throughput; readonly on: Throughput }[],
  of: (throughput: Throughput) => number,
): Interval95 {
  return pairedInterval(measured.map(({ off, on }) => (of(on) / of(off) - 1) * 100))
}

function told({ cpuMicrosPerTrade, tradesPerSecond }: Throughput): string {
  const perSecond = Math.round(tradesPerSecond).toLocaleString('en-US')
  return `${cpuMicrosPerTrade.toFixed(3)} us CPU a trade at ${perSecond}/s`
}

function toldInterval({ mean, low, high }: Interval95): string {
  const [a, b, c] = [mean, low, high].map(
    (value) => `${value >= 0 ? '+' : ''}${value.toFixed(2)} %`,
  )
  return `${a}, 95 % interval of ${pairs} pairs ${b} to ${c}`
}
