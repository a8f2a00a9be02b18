import { describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { getJson, VenueClient } from './venue-client.ts'

interface Match {
  readonly trade_id: number
  readonly side: string
  readonly price: string
  readonly size: string
}

interface AdvancedFrame {
  readonly channel: string
  readonly sequence_num: number
  readonly events: readonly {
    readonly type?: string
    readonly trades?: readonly { readonly trade_id: string; readonly side: string }[]
  }[]
}

function exchange(type: string, products: readonly string[], channels = ['matches', 'heartbeat']) {
  return { type, product_ids: products, channels }
}

function isTrade(frame: string): boolean {
  return frame.startsWith('{"type":"match"')
}

/** What was written by the simulator, in the shapes above. */
function read<Shape>(frames: readonly string[]): readonly Shape[] {
  return frames.map((frame) => JSON.parse(frame) as Shape)
}

describe('the socket of Coinbase Exchange', () => {
  test('carries every trade to the end once, in order, with the side of the maker', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.wsUrl('coinbase'))
    client.send(exchange('subscribe', ['BTC-USD']))
    expect(await client.frame((frame) => frame.includes('"last_match"'))).toContain('"BTC-USD"')
    await client.frame((frame) => frame.includes('"subscriptions"'))
    simulator.release()
    const sequences = sequencesBetween('coinbase', 'BTC-USD', start, start + 120_000)
    await client.until(() => client.frames.filter(isTrade).length >= sequences.length)
    const matches = read<Match>(client.frames.filter(isTrade))
    expect(matches.map((match) => match.trade_id)).toEqual(sequences)
    const truth = groundTruth('coinbase').trade('BTC-USD', sequences[0] ?? 0)
    expect(matches[0]).toMatchObject({
      price: truth.price,
      size: truth.quantity,
      side: truth.takerSide === 'buy' ? 'sell' : 'buy',
    })
  })

  test('refuses a message with a wrong product, and all of it', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.wsUrl('coinbase'))
    client.send(exchange('subscribe', ['BTC-USD', 'NO-SUCH']))
    expect(await client.frame((frame) => frame.includes('"error"'))).toContain(
      '"reason":"NO-SUCH is not a valid product"',
    )
    client.send(exchange('subscribe', ['ETH-USD'], ['matches']))
    const answer = await client.frame((frame) => frame.includes('"subscriptions"'))
    expect(JSON.parse(answer)).toMatchObject({
      channels: [
        { name: 'matches', product_ids: ['ETH-USD'] },
        { name: 'heartbeat', product_ids: [] },
      ],
    })
  })

  test('has a heartbeat for each product, with its last trade, behind all of them', async () => {
    const options = { ...twoMinutes, protocolSecondMs: 20 }
    await using simulator = await startSimulator(options)
    await using client = await VenueClient.connect(simulator.wsUrl('coinbase'))
    client.send(exchange('subscribe', ['BTC-USD']))
    await client.frame((frame) => frame.includes('"subscriptions"'))
    simulator.release()
    const last = sequencesBetween('coinbase', 'BTC-USD', start, start + 120_000).at(-1)
    const final = `"last_trade_id":${last},"product_id":"BTC-USD"`
    await client.frame((frame) => frame.includes(final))
    const wrong: string[] = []
    let seen = 0
    for (const frame of client.frames) {
      const told = /^\{"type":"heartbeat","last_trade_id":(\d+)/.exec(frame)
      if (told !== null && seen > 0 && Number(told[1]) !== seen) wrong.push(frame)
      // In the shape above.
      if (isTrade(frame)) seen = (JSON.parse(frame) as Match).trade_id
    }
    expect(wrong).toEqual([])
    expect(seen).toBe(last)
  })

  test('closes when nothing is subscribed within 5 s', async () => {
    await using simulator = await startSimulator({ ...heldMarket, protocolSecondMs: 10 })
    await using client = await VenueClient.connect(simulator.wsUrl('coinbase'))
    expect(await client.closed()).toBe(1008)
  })
})

describe('the socket of Advanced Trade', () => {
  test('numbers its messages, has a snapshot first and the newest trade first', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.wsUrl('coinbase-advanced'))
    client.send({ type: 'subscribe', channel: 'heartbeats' })
    client.send({ type: 'subscribe', channel: 'market_trades', product_ids: ['BTC-USD'] })
    await client.frame((frame) => frame.includes('"market_trades":["BTC-USD"]'))
    simulator.release()
    const sequences = sequencesBetween('coinbase-advanced', 'BTC-USD', start, start + 120_000)
    await client.frame((frame) => frame.includes(`"trade_id":"${sequences.at(-1)}"`))
    const frames = read<AdvancedFrame>(client.frames)
    expect(frames.map(({ sequence_num: number }) => number)).toEqual(frames.map((_, n) => n))
    const events = frames.flatMap((frame) => frame.events)
    const snapshot = events.find(({ type }) => type === 'snapshot')
    const before = (sequences[0] ?? 0) - 1
    expect(snapshot?.trades?.map((trade) => Number(trade.trade_id))).toEqual(
      Array.from({ length: 100 }, (_, index) => before - index),
    )
    const updates = events.filter(({ type }) => type === 'update')
    const ids = updates.map(({ trades = [] }) => trades.map((trade) => Number(trade.trade_id)))
    expect(ids.flatMap((each) => each.toReversed())).toEqual(sequences)
    expect(ids.some(({ length }) => length > 1)).toBe(true)
  })
})

describe('REST of Coinbase', () => {
  test('pages down from a cursor, the newest first', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.restUrl('coinbase')}/products/BTC-USD/trades`
    const last = groundTruth('coinbase').nextSequence('BTC-USD', start) - 1
    const newest = await getJson<Match[]>(`${url}?limit=3`)
    const ids = newest.body.map((match) => match.trade_id)
    expect(ids).toEqual([last, last - 1, last - 2])
    const below = await getJson<Match[]>(`${url}?limit=2&after=${last - 2}`)
    expect(below.body.map((match) => match.trade_id)).toEqual([last - 3, last - 4])
    const above = await getJson<Match[]>(`${url}?before=${last - 1}`)
    expect(above.body.map((match) => match.trade_id)).toEqual([last])
  })

  test('refuses unknown products, and too many requests', async () => {
    await using simulator = await startSimulator(heldMarket)
    const base = simulator.restUrl('coinbase-advanced')
    const unknown = await getJson(`${base}/products/NO-SUCH/trades`)
    expect([unknown.status, unknown.text]).toEqual([404, '{"message":"NotFound"}'])
    const all = await Promise.all(Array.from({ length: 40 }, () => getJson(`${base}/products`)))
    expect(all.map(({ status }) => status)).toContain(429)
  })
})
