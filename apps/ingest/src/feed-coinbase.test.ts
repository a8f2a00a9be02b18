import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { connectCoinbase } from './feed-coinbase.ts'
import { localVenue } from './testing/local-venue.ts'

interface Request {
  readonly type: string
  readonly product_ids: readonly string[]
  readonly channels: readonly string[]
}

const time = '2026-05-20T00:00:01.000213Z'

function heartbeat(product: string, lastTradeId: number, at = time): string {
  return JSON.stringify({
    type: 'heartbeat',
    sequence: 1,
    last_trade_id: lastTradeId,
    product_id: product,
    time: at,
  })
}

function row(id: number) {
  return { trade_id: id, side: 'buy', size: '1.0', price: '2.0', time }
}

function match(id: number, type = 'match'): string {
  return JSON.stringify({ ...row(id), type, product_id: 'BTC-USD', sequence: id * 9 })
}

/** A Coinbase that subscribes to anything but NO-SUCH, and tells of it. */
async function coinbase(history: readonly number[] = []) {
  const requests: Request[] = []
  const clients: WebSocket[] = []
  const matches = new Set<string>()
  const venue = await localVenue({
    onFrame: (text, client) => {
      // What the client under test writes.
      const request = JSON.parse(text) as Request
      requests.push(request)
      clients.push(client)
      if (request.product_ids.includes('NO-SUCH')) {
        const reason = 'NO-SUCH is not a valid product'
        client.send(JSON.stringify({ type: 'error', message: 'Failed to subscribe', reason }))
        return
      }
      if (request.channels.includes('matches')) {
        for (const each of request.product_ids) matches.add(each)
      }
      const channels = [{ name: 'matches', product_ids: [...matches] }]
      client.send(JSON.stringify({ type: 'subscriptions', channels }))
    },
    onGet: (address) => {
      const query = new URL(address, 'http://coinbase').searchParams
      const after = Number(query.get('after') ?? Infinity)
      const limit = Number(query.get('limit'))
      const ids = history.filter((id) => id < after).toReversed()
      return JSON.stringify(ids.slice(0, limit).map(row))
    },
  })
  const connection = await connectCoinbase(venue.options, {
    patienceMs: 500,
    heartbeatPatienceMs: 60_000,
  })
  await waitUntil('the first request', () => requests.length > 0)
  const say = (text: string): void => clients[0]?.send(text)
  const handed = (): readonly unknown[] => venue.handed.trades.map(({ sequence }) => sequence)
  return { connection, handed, requests, say, venue }
}

describe('a connection to Coinbase Exchange', () => {
  // Where nothing is subscribed within 5 s the venue closes.
  it('asks at once for heartbeats, which tell the time before anything is subscribed', async () => {
    const { connection, requests, say } = await coinbase()
    expect(requests).toEqual([
      { type: 'subscribe', product_ids: ['BTC-USD'], channels: ['heartbeat'] },
    ])
    const venueTime = connection.venueTime()
    say(heartbeat('BTC-USD', 7))
    expect(await venueTime).toBe(Date.parse(time))
  })

  it('refuses what the venue names, and asks again for what stood beside it', async () => {
    const { connection, requests, venue } = await coinbase()
    const { refused } = await connection.subscribe(['BTC-USD', 'NO-SUCH', 'ETH-USD'])
    expect(refused).toEqual(['NO-SUCH'])
    expect(requests.slice(1).map((request) => request.product_ids)).toEqual([
      ['BTC-USD', 'NO-SUCH', 'ETH-USD'],
      ['BTC-USD'],
      ['ETH-USD'],
    ])
    expect(venue.handed.errors).toHaveLength(1)
  })

  it('tells the time when each product has told its own', async () => {
    const { connection, say } = await coinbase()
    await connection.subscribe(['BTC-USD', 'ETH-USD'])
    const venueTime = connection.venueTime()
    say(heartbeat('BTC-USD', 7, '2026-05-20T00:00:03Z'))
    say(heartbeat('ETH-USD', 7, '2026-05-20T00:00:02Z'))
    expect(await venueTime).toBe(Date.UTC(2026, 4, 20, 0, 0, 2))
  })

  it('hands over the last match before the subscription, and what follows it', async () => {
    const { connection, handed, say } = await coinbase()
    await connection.subscribe(['BTC-USD'])
    say(match(7, 'last_match'))
    say(match(8))
    await waitUntil('both', () => handed().length === 2)
    expect(handed()).toEqual([7, 8])
  })

  it('fetches a trade that the venue tells of and did not send, and no time before that', async () => {
    const { connection, handed, say, venue } = await coinbase([6, 7, 8, 9])
    await connection.subscribe(['BTC-USD'])
    say(match(7, 'last_match'))
    const venueTime = connection.venueTime()
    say(heartbeat('BTC-USD', 9, '2026-05-20T00:00:02Z'))
    say(heartbeat('BTC-USD', 9, '2026-05-20T00:00:03Z'))
    // The time of the heartbeat that told of it first.
    expect(await venueTime).toBe(Date.UTC(2026, 4, 20, 0, 0, 2))
    expect(handed()).toEqual([7, 8, 9])
    expect(venue.asked).toEqual(['/products/BTC-USD/trades?after=10&limit=2'])
  })

  it('lets instruments go, but not the product that tells the time', async () => {
    const { connection, requests, say } = await coinbase()
    await connection.subscribe(['BTC-USD', 'ETH-USD'])
    connection.unsubscribe?.(['BTC-USD', 'ETH-USD'])
    await waitUntil('the requests', () => requests.length === 4)
    expect(requests.slice(2)).toEqual([
      { type: 'unsubscribe', product_ids: ['BTC-USD', 'ETH-USD'], channels: ['matches'] },
      { type: 'unsubscribe', product_ids: ['ETH-USD'], channels: ['heartbeat'] },
    ])
    const venueTime = connection.venueTime()
    say(heartbeat('BTC-USD', 7))
    expect(await venueTime).toBe(Date.parse(time))
  })

  it('tells of frames that cannot be read, and goes on', async () => {
    const { connection, handed, say, venue } = await coinbase()
    await connection.subscribe(['BTC-USD'])
    say('{"type":"match","trade_id":7')
    say(match(8))
    await waitUntil('the match', () => handed().length === 1)
    expect(venue.handed.malformed).toEqual(['{"type":"match","trade_id":7'])
  })
})
