import type { Candle, MarketEvent } from '@tickertape/market-model'
import { repetitions, waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'

import type { MarketUpdate } from '../../src/market-view.ts'
import { candle, heartbeat, trade } from '../../src/market-view/testing/market.ts'
import { createViewLog } from './view-log.ts'
import type { ViewLog } from './view-log.ts'

const instruments = ['a', 'b', 'c', 'd']
const base = Date.UTC(2026, 0, 5)
const joinsAtOnce = 4

/** Round n of a market: of each instrument trade n, twice as from two replicas, and its candle of second n. */
function round(number: number): { events: MarketEvent[]; candles: Candle[] } {
  const eventTime = base + number * 1_000
  const events: MarketEvent[] = instruments.flatMap((instrument) =>
    [1, 2].map((copy) => ({
      type: 'Trade',
      value: trade(number, { instrument, eventTime, receivedAt: eventTime + copy }),
    })),
  )
  const candles = instruments.flatMap((instrument) => {
    const facts = { instrumentId: `venue:${instrument}`, interval: '1s', windowStart: eventTime }
    // Every fifth is revised in the next round.
    const revised = { ...facts, windowStart: eventTime - 1_000, revision: 1 }
    return number % 5 === 0 ? [candle(facts), candle(revised)] : [candle(facts)]
  })
  return { events: [...events, heartbeat(eventTime + 999)], candles }
}

/** Writes rounds until it is stopped. */
function startMarket(log: ViewLog): { stop(): Promise<number> } {
  const stopping = new AbortController()
  const run = async (): Promise<number> => {
    let number = 0
    while (!stopping.signal.aborted) {
      number += 1
      const { events, candles } = round(number)
      await log.appendEvents(events)
      await log.appendCandles(candles)
    }
    return number
  }
  const running = run()
  return {
    stop: async () => {
      stopping.abort()
      return await running
    },
  }
}

/** What a client would have: the snapshot and every update behind it, by instrument. */
class Client {
  readonly trades = new Map<string, string[]>()
  readonly candles = new Map<string, string[]>()

  takeTrade(instrumentId: string, tradeId: string): void {
    append(this.trades, instrumentId, tradeId)
  }

  takeCandle(instrumentId: string, windowStart: number, revision: number): void {
    append(this.candles, instrumentId, `${(windowStart - base) / 1_000}.${revision}`)
  }

  take(updates: readonly MarketUpdate[]): void {
    for (const update of updates) {
      if (update.type === 'trade') this.takeTrade(update.trade.instrumentId, update.trade.tradeId)
      if (update.type === 'candle') {
        const { instrumentId, windowStart, revision } = update.candle
        this.takeCandle(instrumentId, windowStart, revision)
      }
    }
  }
}

function append(lists: Map<string, string[]>, key: string, item: string): void {
  const list = lists.get(key) ?? []
  list.push(item)
  lists.set(key, list)
}

/** The trades from the first one that is held on, each once and in order. */
function expectWhole(client: Client): void {
  expect([...client.trades.keys()].toSorted()).toEqual(instruments.map((name) => `venue:${name}`))
  for (const ids of client.trades.values()) {
    const first = Number(ids[0]?.slice(1))
    expect(ids).toEqual(ids.map((_, at) => `t${first + at}`))
  }
  for (const held of client.candles.values()) {
    const firsts = held.filter((name) => name.endsWith('.0')).map((name) => Number.parseInt(name))
    const whole = firsts.filter((number) => number % 5 !== 4)
    const revised = held.filter((name) => name.endsWith('.1')).map((name) => Number.parseInt(name))
    // A window whose revision stood already when it was joined comes by that alone.
    const seen = [...new Set([...firsts, ...revised])].toSorted((a, b) => a - b)
    expect(seen).toEqual(seen.map((_, at) => (seen[0] ?? 0) + at))
    expect(new Set(held).size).toBe(held.length)
    expect(whole.toSorted((a, b) => a - b)).toEqual(whole)
    const last = seen.at(-1) ?? 0
    expect(revised).toEqual(seen.filter((number) => number % 5 === 4 && number < last))
  }
}

async function join(log: ViewLog): Promise<Client> {
  await using view = await log.open().opened
  const client = new Client()
  // In one turn: nothing can come between what is held and what is told.
  for (const name of instruments) {
    const instrumentId = `venue:${name}`
    for (const { tradeId } of view.trades(instrumentId, 50)) {
      client.takeTrade(instrumentId, tradeId)
    }
    for (const held of view.candles(instrumentId, '1s', 50)) {
      client.takeCandle(instrumentId, held.windowStart, held.revision)
    }
  }
  const position = view.position()
  const updates: MarketUpdate[] = []
  using listening = view.listen((batch) => {
    updates.push(...batch)
    // What a client resumes from is what it has been told.
    expect(view.since(view.position())).toEqual([])
  })
  await waitUntil('some more trades of each instrument', () => {
    const count = updates.filter(({ type }) => type === 'trade').length
    return count >= 5 * instruments.length
  })
  listening[Symbol.dispose]()
  client.take(updates)
  const resumed = view.since(position)
  const placed = updates.filter((update) => update.type !== 'stats')
  expect(resumed).toHaveLength(placed.length)
  expect(new Set<unknown>(resumed)).toEqual(new Set(placed))
  return client
}

describe('joining rows and topics', () => {
  it('misses nothing and doubles nothing, whenever a view is opened under load', async () => {
    await using log = await createViewLog()
    await using sink = log.startSink()
    const market = startMarket(log)
    try {
      await waitUntil('the sink to write', async () => {
        const { rows } = await log.database.query<{ count: string }>('select count(*) from trades')
        return Number(rows[0]?.count) > 20
      })
      const joins = repetitions({ short: 40, long: 200 })
      for (let number = 0; number < joins; number += joinsAtOnce) {
        const clients = await Promise.all(Array.from({ length: joinsAtOnce }, () => join(log)))
        for (const client of clients) expectWhole(client)
      }
    } finally {
      await market.stop()
    }
    expect(sink.running).toBe(true)
  })
})
