import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { connectKraken } from './feed-kraken.ts'
import { localVenue } from './testing/local-venue.ts'

interface Request {
  readonly method: string
  readonly req_id?: number
  readonly params?: {
    readonly channel: string
    readonly symbol: readonly string[]
    readonly snapshot: boolean
  }
}

/** A Kraken that refuses NO/SUCH, does not answer for SILENT/ONE, and tells the time. */
async function kraken(
  onRequest?: (request: Request, client: WebSocket) => void,
  patienceMs = 5_000,
) {
  const requests: Request[] = []
  const venue = await localVenue({
    onFrame: (text, client) => {
      // What the client under test writes.
      const request = JSON.parse(text) as Request
      requests.push(request)
      onRequest?.(request, client)
      for (const symbol of request.params?.symbol ?? []) {
        if (symbol === 'SILENT/ONE') continue
        const answer =
          symbol === 'NO/SUCH'
            ? { method: 'subscribe', error: 'Currency pair not supported', success: false, symbol }
            : { method: 'subscribe', result: { channel: 'trade', symbol }, success: true }
        client.send(JSON.stringify(answer))
      }
      if (request.method !== 'ping') return
      const time_out = '2026-05-20T00:00:01.799703Z'
      client.send(JSON.stringify({ method: 'pong', req_id: request.req_id, time_out }))
    },
  })
  return { connection: await connectKraken(venue.options, { patienceMs }), requests, venue }
}

describe('a connection to Kraken', () => {
  it('tells which instruments are refused, by an answer or by none', async () => {
    const { connection, requests, venue } = await kraken(undefined, 300)
    const { refused } = await connection.subscribe(['BTC/USD', 'NO/SUCH', 'SILENT/ONE'])
    expect(refused).toEqual(['NO/SUCH', 'SILENT/ONE'])
    // Whether a snapshot is the default depends on who tells it.
    expect(requests).toEqual([
      {
        method: 'subscribe',
        params: { channel: 'trade', symbol: ['BTC/USD', 'NO/SUCH', 'SILENT/ONE'], snapshot: true },
      },
    ])
    expect(venue.handed.errors).toHaveLength(1)
  })

  it('subscribes to many instruments in requests of a bounded size', async () => {
    const { connection, requests } = await kraken()
    const names = Array.from({ length: 250 }, (_, index) => `A${index}/USD`)
    expect(await connection.subscribe(names)).toEqual({ refused: [] })
    expect(requests.map(({ params }) => params?.symbol.length)).toEqual([100, 100, 50])
  })

  it('asks for the time behind everything that was sent before it', async () => {
    const { connection, venue } = await kraken((request, client) => {
      if (request.method !== 'ping') return
      const row =
        '"symbol":"BTC/USD","side":"buy","qty":1.0,"timestamp":"2026-05-20T00:00:01.1Z","trade_id":7'
      client.send(`{"channel":"trade","data":[{"price":12345678.123456789,${row}}]}`)
    })
    expect(await connection.venueTime()).toBe(Date.UTC(2026, 4, 20, 0, 0, 1, 799))
    expect(venue.handed.trades).toMatchObject([
      { sequence: 7, trade: { price: { mantissa: 12345678123456789n, exponent: -9 } } },
    ])
  })

  it('says what the venue complains of', async () => {
    const { connection, venue } = await kraken((_request, client) => {
      client.send('{"error":"Internal error","success":false}')
      client.send('{"channel":"status","type":"update","data":[{"system":"maintenance"}]}')
      client.send('{"channel":"trade","da')
    })
    await connection.venueTime()
    expect(venue.handed.errors).toEqual([
      'Kraken answered Internal error',
      'Kraken is in maintenance',
    ])
    expect(venue.handed.malformed).toEqual(['{"channel":"trade","da'])
  })
})
