import { RecordedTracing } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

import type { MarketUpdate } from '../market-view.ts'
import { fanOut } from './fan-out.ts'
import { MarketIndex } from './market-index.ts'
import { Outbox } from './outbox.ts'
import { SendTraces } from './send-traces.ts'
import { SendingsUnderway } from './sendings-underway.ts'

const parent = { traceId: 'a'.repeat(32), spanId: '1'.repeat(16) }
const instrumentId = 'deribit:BTC-PERPETUAL'

function trade(offset: number): MarketUpdate {
  return {
    type: 'trade',
    trade: { instrumentId, tradeId: `${offset}`, version: 0, eventTime: offset, json: '{}' },
    place: { topic: 'market-events', partition: 0, offset },
  }
}

function candle(windowStart: number, final: boolean): MarketUpdate {
  const key = { instrumentId, interval: '1s', windowStart } as const
  return {
    type: 'candle',
    candle: { ...key, revision: 0, rebuildId: null, final, json: '{}' },
    place: { topic: 'candles', partition: 0, offset: windowStart },
  }
}

class Client {
  readonly outbox = new Outbox()
  readonly underway = new SendingsUnderway()
  /** What to call when the socket has taken a frame. */
  readonly frames: ((error?: Error) => void)[] = []

  send(most = 1_000_000): void {
    this.outbox.take(most)
    this.frames.push(this.underway.inFrame(this.outbox.taken, () => undefined))
  }
}

function stream(...clients: readonly Client[]) {
  const tracing = new RecordedTracing()
  const traces = new SendTraces(tracing)
  const index = new MarketIndex<Client>()
  const following = { live: true, names: [instrumentId], admits: () => false }
  for (const follower of clients) {
    index.trades.follow({ follower, ...following }, false)
    index.candles('1s').follow({ follower, ...following }, false)
  }
  const tell = (updates: readonly MarketUpdate[], sampled: readonly MarketUpdate[]): void => {
    const contexts = new Map(sampled.map((update) => [update, parent]))
    fanOut(index, updates, () => undefined, traces.of(contexts))
  }
  return { tracing, traces, tell }
}

describe('the way of a sampled update to the sockets', () => {
  it('ends when the last of them has taken it', () => {
    const [one, other] = [new Client(), new Client()]
    const { tracing, tell } = stream(one, other)
    const [before, sampled, after] = [trade(1), trade(2), trade(3)]
    tell([before, sampled, after], [sampled])
    for (const client of [one, other]) client.send()
    one.frames[0]?.()
    expect(tracing.spans).toEqual([])
    other.frames[0]?.()
    expect(tracing.spans).toMatchObject([
      {
        name: 'send stream',
        kind: 'producer',
        parent,
        error: undefined,
        attributes: {
          'tickertape.clients': 2,
          'tickertape.bytes': 2 * '{"type":"trade","trade":{}}'.length,
          'tickertape.lost': 0,
          'tickertape.conflated': 0,
        },
      },
    ])
    expect(tracing.open).toBe(0)
  })

  it('goes by the frame that holds it, not by one before', () => {
    const client = new Client()
    const { tracing, tell } = stream(client)
    const sampled = trade(2)
    tell([trade(1), sampled], [sampled])
    client.send(1)
    client.frames[0]?.()
    expect(tracing.spans).toEqual([])
    client.send(1)
    client.frames[1]?.()
    expect(tracing.spans).toHaveLength(1)
  })

  it('ends for an open candle as well, sent or not: a later one or the final one takes its place', () => {
    const [quick, slow] = [new Client(), new Client()]
    const { tracing, tell } = stream(quick, slow)
    const [first, second, final] = [candle(0, false), candle(0, false), candle(0, true)]
    tell([first], [first])
    quick.send()
    quick.frames[0]?.()
    expect(tracing.spans).toEqual([])
    tell([second, final], [second, final])
    expect(tracing.spans.map(({ attributes }) => attributes)).toMatchObject([
      { 'tickertape.clients': 2, 'tickertape.conflated': 1, 'tickertape.lost': 0 },
      { 'tickertape.clients': 2, 'tickertape.conflated': 2, 'tickertape.bytes': 0 },
    ])
    for (const client of [quick, slow]) client.send()
    quick.frames[1]?.()
    slow.frames[0]?.()
    expect(tracing.spans[2]?.attributes).toMatchObject({
      'tickertape.conflated': 0,
      'tickertape.bytes': 2 * '{"type":"candle","candle":{}}'.length,
    })
    expect(tracing.spans.map(({ error }) => error)).toEqual([undefined, undefined, undefined])
  })

  it('ends for a client that goes, whether the update waits, or is in a frame', () => {
    const [waiting, underway, failed] = [new Client(), new Client(), new Client()]
    const { tracing, traces, tell } = stream(waiting, underway, failed)
    const sampled = trade(1)
    tell([sampled], [sampled])
    expect(traces.followed).toBe(1)
    underway.send()
    failed.send()
    waiting.outbox.clear()
    underway.underway.end()
    underway.frames[0]?.()
    expect(tracing.spans).toEqual([])
    failed.frames[0]?.(new Error('the socket is closed'))
    expect(tracing.spans).toMatchObject([
      {
        error: 'every client had gone before it was written',
        attributes: { 'tickertape.lost': 3 },
      },
    ])
    expect(traces.followed).toBe(0)
  })

  it('is told once of each client, however much of its outbox was taken before it went', () => {
    const client = new Client()
    const { tracing, tell } = stream(client)
    const updates = [trade(1), trade(2)]
    tell(updates, updates)
    client.send(1)
    client.frames[0]?.()
    client.outbox.clear()
    client.underway.end()
    expect(tracing.spans.map(({ attributes }) => attributes)).toMatchObject([
      { 'tickertape.lost': 0 },
      { 'tickertape.lost': 1 },
    ])
  })

  it('is not told where nobody subscribed, nor of an update that is not sampled', () => {
    const { tracing, tell } = stream()
    tell([trade(1)], [trade(1)])
    const client = new Client()
    const subscribed = stream(client)
    subscribed.tell([trade(1)], [])
    client.send()
    client.frames[0]?.()
    expect([...tracing.spans, ...subscribed.tracing.spans]).toEqual([])
    expect(tracing.open + subscribed.tracing.open).toBe(0)
  })

  it('is followed for a bounded number of updates at once', () => {
    const client = new Client()
    const { tracing, traces, tell } = stream(client)
    const updates = Array.from({ length: 1_100 }, (_, offset) => trade(offset))
    tell(updates, updates)
    expect(traces.followed).toBe(1_000)
    client.send()
    client.frames[0]?.()
    expect(tracing.spans).toHaveLength(1_000)
    expect(traces.followed).toBe(0)
  })
})
