import type { ServerMessage } from '@tickertape/market-api'
import { repetitions, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { candle, trade } from '../src/market-view/testing/market.ts'
import { createViewLog } from './market-view/view-log.ts'
import type { ViewLog } from './market-view/view-log.ts'
import { Peer, StreamBed } from './stream-bed.ts'

const instruments = ['a', 'b', 'c', 'd'].map((name) => `venue:${name}`)
const base = Date.UTC(2026, 0, 5)

/** Rounds of a market, each with a final candle, the open window behind it and a trade of each instrument. */
async function writeMarket(log: ViewLog, signal: AbortSignal): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const windowStart = base + number * 1_000
    const facts = { interval: '1s' } as const
    const next = { ...facts, windowStart: windowStart + 1_000, final: false }
    await log.appendOpenCandles(
      instruments.map((instrumentId) => candle({ ...next, instrumentId })),
    )
    await log.appendEvents(
      instruments.map((instrumentId) => ({
        type: 'Trade',
        value: trade(number, {
          instrument: instrumentId.slice(6),
          eventTime: windowStart,
          receivedAt: windowStart,
        }),
      })),
    )
    await log.appendCandles(
      instruments.map((instrumentId) => candle({ ...facts, instrumentId, windowStart })),
    )
  }
}

/** By instrument, what came in its order: seconds of finals, numbers of trades. */
class Received {
  readonly finals = new Map<string, number[]>()
  readonly trades = new Map<string, number[]>()

  take(messages: readonly ServerMessage[]): void {
    for (const message of messages) {
      const candles = message.type === 'candle' ? [message.candle] : ofSnapshot(message, 'candles')
      for (const { instrumentId, windowStart, final } of candles) {
        if (final) append(this.finals, instrumentId, (windowStart - base) / 1_000)
      }
      const trades = message.type === 'trade' ? [message.trade] : ofSnapshot(message, 'trades')
      for (const { instrumentId, tradeId } of trades) {
        append(this.trades, instrumentId, Number(tradeId.slice(1)))
      }
    }
  }
}

/** Of each instrument every number from the first on, once and in order. */
function expectWhole({ finals, trades }: Received): void {
  for (const lists of [finals, trades]) {
    expect([...lists.keys()].toSorted()).toEqual(instruments)
    for (const list of lists.values()) {
      expect(list).toEqual(list.map((_, index) => (list[0] ?? 0) + index))
    }
  }
}

function ofSnapshot<K extends 'candles' | 'trades'>(message: ServerMessage, kind: K) {
  return (message.type === 'snapshot' ? message[kind] : undefined) ?? []
}

function append(lists: Map<string, number[]>, key: string, item: number): void {
  const list = lists.get(key) ?? []
  list.push(item)
  lists.set(key, list)
}

/** Reads for a while, from a position on if there is one. @returns the position of the last cursor. */
async function readOn(
  url: string,
  received: Received,
  resume: string | undefined,
): Promise<string> {
  using peer = await Peer.connect(url)
  const facts = resume === undefined ? {} : { resume }
  peer.subscribe({
    id: 'c',
    channel: 'candles',
    instruments: ['venue:*'],
    intervals: ['1s'],
    snapshot: 3,
    ...facts,
  })
  peer.subscribe({ id: 't', channel: 'trades', instruments, snapshot: 3, ...facts })
  await peer.until('finals, trades and cursors', () => {
    const finals = peer.of('candle').filter(({ candle: { final } }) => final)
    return finals.length >= 12 && peer.of('trade').length >= 12 && peer.of('cursor').length > 0
  })
  // What came behind the last cursor comes again to whoever goes on from it.
  const end = peer.messages.findLastIndex(({ type }) => type === 'cursor')
  received.take(peer.messages.slice(0, end))
  for (const { resumed } of peer.of('subscribed')) expect(resumed).toBe(resume !== undefined)
  const [last] = peer.messages.slice(end)
  return last?.type === 'cursor' ? last.position : ''
}

it('clients over the real topics that come and come again with their cursors have everything once', async () => {
  await using log = await createViewLog()
  await using sink = log.startSink()
  const stopping = new AbortController()
  const writing = writeMarket(log, stopping.signal)
  try {
    await using view = await log.open().opened
    await using bed = await StreamBed.over(view)
    await waitUntil(
      'the market to begin',
      () => view.instrumentIds()[Symbol.iterator]().next().done !== true,
    )
    const joins = repetitions({ short: 8, long: 200 })
    for (let join = 0; join < joins; join += 1) {
      const received = new Received()
      let cursor: string | undefined
      for (let visit = 0; visit < 4; visit += 1) cursor = await readOn(bed.url, received, cursor)
      expectWhole(received)
    }
    expect(await bed.metric('gateway_stream_freshness_seconds')).toBeGreaterThan(0)
  } finally {
    stopping.abort()
    await writing
  }
  expect(sink.running).toBe(true)
})
