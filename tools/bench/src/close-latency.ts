import { defaultPartitions } from '@tickertape/kafka-avro'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'

import { startAggregator } from './aggregator-process.ts'
import { BenchMarket, heartbeat } from './bench-market.ts'
import { CandleArrivals } from './candle-arrivals.ts'
import { graceMs, heartbeatMs } from './fill-plan.ts'
import { openMarketLog } from './market-fill.ts'
import type { OpenMarketLog } from './market-fill.ts'
import { percentile } from './percentile.ts'

const instruments = 100
const tradesPerSecond = 5_000

/** Windows of the first seconds are left out: code that runs for the first time is compiled then. */
const warmUpSeconds = 15
const measuredSeconds = 35

export interface CloseLatency {
  readonly p50Ms: number
  readonly p99Ms: number
  /**
   * From handing such a heartbeat over to its acknowledgement, the wait for company in a request
   * included: the latencies are short by no more than this.
   */
  readonly appendP50Ms: number
}

/**
 * Writes trades and heartbeats in real time and measures, for each candle, the time from the
 * acknowledgement of the heartbeat that closes its window, in its partition, to its arrival at a reader
 * of committed records. Both moments are taken in this process, by one clock.
 *
 * @throws Error if a window's candle is missing.
 */
export async function measureCloseLatency(options: {
  readonly stack: RunningStack
  /** Of topics that do not exist yet. */
  readonly prefix: string
  readonly cpuProf: string | undefined
}): Promise<CloseLatency> {
  const { stack, prefix } = options
  await using log = await openMarketLog(stack, prefix)
  const market = new BenchMarket(instruments)
  const listedAt = Date.now() - 1_000
  for (const listing of market.listings(listedAt)) log.append(listing)
  await log.producer.acknowledged()

  await using arrivals = await CandleArrivals.open(stack, prefix)
  await using aggregator = startAggregator({ ...options, groupId: 'aggregator' })
  await aggregator.joined()
  const begin = Math.ceil(wallClock() / 1_000) * 1_000
  const from = begin + warmUpSeconds * 1_000
  const to = from + measuredSeconds * 1_000
  // The last window closes with the last heartbeat.
  const { acknowledged, appendMs } = await trade(log, market, begin, to + graceMs)
  const expected = instruments * measuredSeconds
  const seconds = () => arrivals.between(from, to).filter(({ interval }) => interval === '1s')
  await waitUntil(`${expected} candles of 1s`, () => seconds().length >= expected, {
    withinMs: 30_000,
  })
  await aggregator.stop()
  const latencies = arrivals.between(from, to).map(({ partition, windowEnd, at }) => {
    const closedAt = acknowledged.get(closerOf(partition, windowEnd + graceMs))
    if (closedAt === undefined) throw new Error(`No heartbeat closes windows at ${windowEnd}`)
    return at - closedAt
  })
  return {
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    appendP50Ms: percentile(appendMs, 0.5),
  }
}

/**
 * Trades of all instruments in turn at an even pace, and heartbeats, from one moment to the other; event
 * time is wall-clock time.
 *
 * @returns when each heartbeat was acknowledged, by performance.now(), and how long that took.
 */
async function trade(
  log: OpenMarketLog,
  market: BenchMarket,
  begin: number,
  end: number,
): Promise<{
  readonly acknowledged: ReadonlyMap<string, number>
  readonly appendMs: readonly number[]
}> {
  const acknowledged = new Map<string, number>()
  const appendMs: number[] = []
  const reports: Promise<void>[] = []
  let trades = 0
  let upTo = begin + heartbeatMs
  while (upTo <= end) {
    const now = wallClock()
    for (;;) {
      const due = begin + (trades * 1_000) / tradesPerSecond
      if (due < upTo && due <= now) {
        log.append(market.trade(trades % instruments, Math.floor(due)))
        trades += 1
      } else if (upTo <= now && upTo <= end) {
        for (let partition = 0; partition < defaultPartitions; partition += 1) {
          const closer = closerOf(partition, upTo)
          const handedOver = performance.now()
          log.appendTo(partition, heartbeat(upTo))
          const report = log.producer.acknowledged().then(() => {
            const at = performance.now()
            acknowledged.set(closer, at)
            appendMs.push(at - handedOver)
          })
          reports.push(report)
        }
        upTo += heartbeatMs
      } else {
        break
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await Promise.all(reports)
  return { acknowledged, appendMs }
}

function closerOf(partition: number, upTo: number): string {
  return `${partition} ${upTo}`
}

/** Milliseconds since the epoch that never go back. */
function wallClock(): number {
  return performance.timeOrigin + performance.now()
}
