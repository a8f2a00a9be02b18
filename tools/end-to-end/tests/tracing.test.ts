import { createClient } from '@tickertape/client'
import { StackProblem } from '@tickertape/stack'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'
import { describe, expect, it, vi } from 'vitest'
import type { TestContext } from 'vitest'

import { followTrade, hopTimes } from './followed-trade.ts'
import type { FollowedTrade } from './followed-trade.ts'
import { TracedSystem, startTracedStack } from './tracing-system.ts'
import { ZipkinTraces } from './zipkin-traces.ts'
import type { Trace, ZipkinSpan } from './zipkin-traces.ts'

/** Skips the test for what keeps Zipkin from being downloaded, and for nothing else. */
async function stackOrSkip({ skip }: TestContext): Promise<RunningStack> {
  try {
    return await startTracedStack()
  } catch (error) {
    if (!(error instanceof StackProblem) || !['maven', 'download'].includes(error.code)) throw error
    return skip(error.message)
  }
}

function placeOf({ tags }: ZipkinSpan): readonly (string | undefined)[] {
  return [
    tags['messaging.destination.name'],
    tags['messaging.destination.partition.id'],
    tags['messaging.kafka.offset'],
  ]
}

/** From what each of the hops begins with, to the hop. */
function steps(trade: FollowedTrade): readonly (readonly [ZipkinSpan, ZipkinSpan])[] {
  const { received, sent, applied, candleSent, tradeStored, candleStored } = trade
  return [
    [received, sent],
    [sent, applied],
    [applied, candleSent],
    [sent, tradeStored],
    [candleSent, candleStored],
    [candleSent, trade.candleViewed],
    [trade.candleViewed, trade.streamed],
  ]
}

function expectKinds(trade: FollowedTrade): void {
  const kinds = Object.fromEntries(Object.entries(trade).map(([hop, { kind }]) => [hop, kind]))
  expect(kinds).toEqual({
    received: 'CONSUMER',
    sent: 'PRODUCER',
    applied: 'CONSUMER',
    candleSent: 'PRODUCER',
    tradeStored: 'CONSUMER',
    candleStored: 'CONSUMER',
    committed: 'CLIENT',
    candleViewed: 'CONSUMER',
    streamed: 'PRODUCER',
  })
}

/** Whoever reads a record tells the place of the one that was written. */
function expectPlaces(trade: FollowedTrade, topicPrefix: string): void {
  const { sent, applied, candleSent, tradeStored, candleStored, candleViewed } = trade
  const place = placeOf(sent)
  expect(place).toEqual([
    `${topicPrefix}market-events`,
    expect.stringMatching(/^\d+$/),
    expect.stringMatching(/^\d+$/),
  ])
  expect(placeOf(applied)).toEqual(place)
  expect(placeOf(tradeStored)).toEqual(place)
  expect(placeOf(candleStored)).toEqual([
    `${topicPrefix}candles`,
    place[1],
    expect.stringMatching(/^\d+$/),
  ])
  expect(placeOf(candleViewed)).toEqual(placeOf(candleStored))
  expect(placeOf(candleSent).slice(0, 2)).toEqual(placeOf(candleStored).slice(0, 2))
}

function expectOrder(trade: FollowedTrade): void {
  for (const [before, hop] of steps(trade)) {
    expect(hop.parentId, hop.name).toBe(before.id)
    expect(hop.timestamp, hop.name).toBeGreaterThanOrEqual(before.timestamp)
  }
  const { committed, tradeStored, candleStored } = trade
  const stored = committed.parentId === tradeStored.id ? tradeStored : candleStored
  expect(committed.timestamp).toBeGreaterThanOrEqual(stored.timestamp)
  // The record is done when its row is committed.
  expect(end(committed)).toBe(end(stored))
}

function end({ timestamp, duration }: ZipkinSpan): number {
  return Math.round((timestamp + duration) / 1_000)
}

function links(trace: Trace): number {
  const spans = [
    ...trace.all({ service: 'aggregator', name: 'send candles' }),
    ...trace.all({ service: 'pg-sink', name: 'commit' }),
  ]
  return spans.filter(({ tags }) => tags['otel.link.0'] !== undefined).length
}

// A stack of its own and five services that start: a bound against hanging, not a measure.
vi.setConfig({ testTimeout: 600_000 })

describe('a sampled trade', () => {
  it('is one trace from the venue’s frame to the row of its candle and to a socket', async (context) => {
    await using stack = await stackOrSkip(context)
    await using system = await TracedSystem.open(stack)
    using client = createClient({ url: system.gateway.url })
    let candles = 0
    client.stream().candles(
      { instruments: ['deribit:*'], intervals: ['1s'] },
      {
        event: () => {
          candles += 1
        },
      },
    )
    const zipkin = new ZipkinTraces(system.zipkinUrl)
    try {
      const trade = await waitUntil(
        'a whole trace',
        async () => {
          const traces = await zipkin.having({ service: 'gateway', name: 'send stream' })
          return traces.map(followTrade).find((followed) => followed !== undefined)
        },
        { withinMs: 120_000, everyMs: 500 },
      )
      console.log(`trace ${trade.received.traceId}\n${hopTimes(trade)}`)
      expect(new Set(Object.values(trade).map(({ traceId }: ZipkinSpan) => traceId)).size).toBe(1)
      expectKinds(trade)
      expectOrder(trade)
      expectPlaces(trade, system.road.topicPrefix)
      expect(Number(trade.streamed.tags['tickertape.clients'])).toBe(1)
      expect(Number(trade.committed.tags['messaging.batch.message_count'])).toBeGreaterThan(0)
      expect(candles).toBeGreaterThan(0)
      await waitUntil('a span that links those of its batch which it does not continue', async () =>
        (await zipkin.having({ service: 'pg-sink', name: 'commit' })).some(
          (trace) => links(trace) > 0,
        ),
      )
    } catch (error) {
      throw new Error(`The trade was not followed. The services wrote:\n${system.output}`, {
        cause: error,
      })
    }
  })
})
