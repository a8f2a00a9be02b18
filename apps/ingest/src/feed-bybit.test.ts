import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { bybitMarkets } from './bybit-market.ts'
import { ConnectionLost } from './feed.ts'
import { connectBybit } from './feed-bybit.ts'
import { BybitRecentTrades } from './history-bybit.ts'
import { localVenue } from './testing/local-venue.ts'

const { linear, spot } = bybitMarkets

interface Request {
  readonly op: string
  readonly req_id?: string
  readonly args?: readonly string[]
}

function requestIn(text: string): Request {
  // What the client under test writes.
  return JSON.parse(text) as Request
}

function answer(client: WebSocket, { op, req_id }: Request, success: boolean, said = ''): void {
  client.send(JSON.stringify({ success, ret_msg: said, conn_id: 'c', req_id: req_id ?? '', op }))
}

const pong = '{"success":true,"ret_msg":"pong","conn_id":"c","req_id":"","op":"ping"}'

describe('a connection to Bybit', () => {
  // One unknown topic makes the venue refuse all of its request: the whole batch stayed silent.
  it('keeps the instruments that stand in a request with one that is refused', async () => {
    const taken: string[] = []
    const venue = await localVenue({
      onFrame: (text, client) => {
        const request = requestIn(text)
        const unknown = request.args?.find((topic) => topic.includes('NOSUCH'))
        if (unknown === undefined) {
          taken.push(...(request.args ?? []))
          answer(client, request, true, 'subscribe')
        } else {
          answer(client, request, false, `error:handler not found,topic:${unknown}`)
        }
      },
    })
    const connection = await connectBybit(venue.options, linear)
    const { refused } = await connection.subscribe(['NOSUCH1', 'BTCUSDT', 'NOSUCH2', 'ETHUSDT'])
    expect(refused).toEqual(['NOSUCH1', 'NOSUCH2'])
    expect(taken).toEqual(['publicTrade.BTCUSDT', 'publicTrade.ETHUSDT'])
    expect(venue.handed.errors).toHaveLength(2)
  })

  it('finds the one that is refused where the venue does not name it', async () => {
    const venue = await localVenue({
      onFrame: (text, client) => {
        const request = requestIn(text)
        const fine = !request.args?.includes('publicTrade.NOSUCH')
        answer(client, request, fine, fine ? 'subscribe' : 'error:internal')
      },
    })
    const connection = await connectBybit(venue.options, linear)
    const { refused } = await connection.subscribe(['BTCUSDT', 'NOSUCH', 'ETHUSDT'])
    expect(refused).toEqual(['NOSUCH'])
  })

  it('has what it is told to have already', async () => {
    const venue = await localVenue({
      onFrame: (text, client) => {
        const request = requestIn(text)
        const had = request.args?.includes('publicTrade.BTCUSDT') === true
        answer(
          client,
          request,
          !had,
          had ? 'error:already subscribed,topic:publicTrade.BTCUSDT' : '',
        )
      },
    })
    const connection = await connectBybit(venue.options, linear)
    expect(await connection.subscribe(['BTCUSDT', 'ETHUSDT'])).toEqual({ refused: [] })
    expect(venue.handed.errors).toEqual([])
  })

  it('asks for ten topics at once, and knows the answers apart in any order', async () => {
    const requests: Request[] = []
    const venue = await localVenue({
      onFrame: (text, client) => {
        requests.push(requestIn(text))
        if (requests.length < 3) return
        for (const request of requests.toReversed()) {
          const bad = request.args?.[0] === 'publicTrade.C20'
          answer(client, request, !bad, bad ? 'error:handler not found,topic:publicTrade.C20' : '')
        }
        requests.length = 2
      },
    })
    const connection = await connectBybit(venue.options, spot)
    const { refused } = await connection.subscribe(Array.from({ length: 21 }, (_, n) => `C${n}`))
    expect(refused).toEqual(['C20'])
    expect(requests.map(({ args }) => args?.length)).toEqual([10, 10])
  })

  it('gives a venue up that does not answer a subscription', async () => {
    const venue = await localVenue({})
    const connection = await connectBybit(venue.options, linear, { patienceMs: 20 })
    await expect(connection.subscribe(['BTCUSDT'])).rejects.toThrow(ConnectionLost)
  })

  it('tells the venue time behind everything that was sent before it', async () => {
    const trade = { T: 1_779_235_200_000, s: 'BTCUSDT', S: 'Buy', v: '1', p: '1', i: 'a' }
    const venue = await localVenue({
      onGet: () =>
        '{"retCode":0,"retMsg":"OK","result":{"timeSecond":"1779235200","timeNano":"1779235200123456789"}}',
      onFrame: (_text, client) => {
        client.send(JSON.stringify({ topic: 'publicTrade.BTCUSDT', data: [trade] }))
        client.send(pong)
      },
    })
    const connection = await connectBybit(venue.options, linear)
    expect(await connection.venueTime()).toBe(1_779_235_200_123)
    expect(venue.handed.trades).toHaveLength(1)
    expect(venue.asked).toEqual(['/v5/market/time?'])
  })

  it('has no venue time if the venue tells none, and lives on', async () => {
    const venue = await localVenue({
      onGet: () => '{"retCode":10006,"retMsg":"Too many visits.","result":{}}',
      onFrame: (_text, client) => client.send(pong),
    })
    const connection = await connectBybit(venue.options, linear)
    expect(await connection.venueTime()).toBeUndefined()
  })
})

describe("Bybit's recent trades", () => {
  const never = new AbortController().signal

  it.each([
    [spot, '/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=60'],
    [linear, '/v5/market/recent-trade?category=linear&symbol=BTCUSDT&limit=1000'],
  ])('are as many as the market tells', async (market, address) => {
    const venue = await localVenue({
      onGet: () => '{"retCode":0,"retMsg":"OK","result":{"category":"x","list":[]}}',
    })
    const { mapping, rest } = venue.options
    expect(await new BybitRecentTrades(market, rest, mapping).recent('BTCUSDT', never)).toEqual([])
    expect(venue.asked).toEqual([address])
  })

  // Bybit refuses with an HTTP status of 200.
  it.each([
    [10001, 'refused'],
    [10006, 'rate_limited'],
    [10018, 'rate_limited'],
    [10016, 'unavailable'],
  ])('with the code %i are %s', async (retCode, meaning) => {
    const venue = await localVenue({
      onGet: () => JSON.stringify({ retCode, retMsg: 'no', result: {} }),
    })
    const { mapping, rest } = venue.options
    const history = new BybitRecentTrades(linear, rest, mapping)
    await expect(history.recent('BTCUSDT', never)).rejects.toMatchObject({ code: meaning })
  })
})
