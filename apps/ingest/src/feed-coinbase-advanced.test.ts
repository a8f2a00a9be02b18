import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { connectCoinbaseAdvanced } from './feed-coinbase-advanced.ts'
import { localVenue } from './testing/local-venue.ts'

interface Request {
  readonly type: string
  readonly channel: string
  readonly product_ids?: readonly string[]
}

const timestamp = '2026-05-20T00:00:01.000213456Z'

/** Advanced Trade, which knows BTC-USD and ETH-USD and refuses a request with anything else. */
async function advanced() {
  const requests: Request[] = []
  const clients: WebSocket[] = []
  const products = new Set<string>()
  let number = 0
  function message(channel: string, event: object): string {
    const text = JSON.stringify({ channel, timestamp, sequence_num: number, events: [event] })
    number += 1
    return text
  }
  const venue = await localVenue({
    onFrame: (text, client) => {
      // What the client under test writes.
      const request = JSON.parse(text) as Request
      requests.push(request)
      clients.push(client)
      const asked = request.product_ids ?? []
      if (asked.some((each) => !['BTC-USD', 'ETH-USD'].includes(each))) {
        client.send('{"type":"error","message":"failure to subscribe"}')
        return
      }
      for (const each of asked) products.add(each)
      client.send(message('subscriptions', { subscriptions: { market_trades: [...products] } }))
    },
  })
  const connection = await connectCoinbaseAdvanced(venue.options, { patienceMs: 500 })
  await waitUntil('the first request', () => requests.length > 0)
  return {
    connection,
    requests,
    venue,
    beat: () => clients[0]?.send(message('heartbeats', {})),
    trade: (id: number) => {
      const trade = {
        trade_id: String(id),
        product_id: 'BTC-USD',
        price: '1.5',
        size: '2',
        side: 'BUY',
        time: timestamp,
      }
      clients[0]?.send(message('market_trades', { type: 'update', trades: [trade] }))
    },
    breakOne: () => clients[0]?.send(message('market_trades', { type: 'update' }).slice(0, 40)),
    loseOne: () => void message('market_trades', { type: 'update', trades: [] }),
  }
}

describe('a connection to Advanced Trade', () => {
  it('asks for heartbeats at once, and for one channel with each message', async () => {
    const { beat, connection, requests } = await advanced()
    expect(requests).toEqual([{ type: 'subscribe', channel: 'heartbeats' }])
    const venueTime = connection.venueTime()
    beat()
    expect(await venueTime).toBe(Date.UTC(2026, 4, 20, 0, 0, 1))
    await connection.subscribe(['BTC-USD', 'ETH-USD'])
    expect(requests.slice(1)).toEqual([
      { type: 'subscribe', product_ids: ['BTC-USD', 'ETH-USD'], channel: 'market_trades' },
    ])
  })

  it('finds out which product a request was refused for', async () => {
    const { connection } = await advanced()
    const { refused } = await connection.subscribe(['BTC-USD', 'NO-SUCH', 'ETH-USD'])
    expect(refused).toEqual(['NO-SUCH'])
  })

  it('asks for the time behind everything that was sent before it', async () => {
    const { beat, connection, trade, venue } = await advanced()
    const venueTime = connection.venueTime()
    trade(1)
    trade(2)
    beat()
    await venueTime
    expect(venue.handed.trades.map(({ sequence }) => sequence)).toEqual([1, 2])
  })

  // A message that is missing may have held the last trade of an instrument, and nothing else shows it.
  it('ends when the venue has left out a message', async () => {
    const { beat, connection, loseOne, trade, venue } = await advanced()
    trade(1)
    loseOne()
    trade(3)
    beat()
    expect(await connection.closed).toBe('ended by us')
    expect(venue.handed.errors).toHaveLength(1)
  })

  it('goes on behind a frame that cannot be read, whose number nobody knows', async () => {
    const { beat, breakOne, connection, trade, venue } = await advanced()
    trade(1)
    breakOne()
    trade(2)
    const venueTime = connection.venueTime()
    beat()
    expect(await venueTime).toBe(Date.UTC(2026, 4, 20, 0, 0, 1))
    expect(venue.handed.malformed).toHaveLength(1)
  })
})
