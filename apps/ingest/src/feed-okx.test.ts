import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { waitUntil } from '@tickertape/testing'

import { ConnectionLost } from './feed.ts'
import { connectOkx } from './feed-okx.ts'
import { OkxContracts } from './okx-contracts.ts'
import { localVenue } from './testing/local-venue.ts'

const feed = { channel: 'trades-all', contracts: new OkxContracts() } as const

interface Request {
  readonly op: string
  readonly args: readonly { readonly channel: string; readonly instId: string }[]
}

/** OKX's frames go on to `subscribed`, its pings are answered here. */
function okxSocket(subscribed: (request: Request, client: WebSocket) => void) {
  return (text: string, client: WebSocket): void => {
    // What the client under test writes.
    if (text === 'ping') client.send('pong')
    else subscribed(JSON.parse(text) as Request, client)
  }
}

function acknowledgement(instId: string): string {
  return JSON.stringify({ event: 'subscribe', arg: { channel: 'trades-all', instId }, connId: 'c' })
}

function refusal(instId: string): string {
  return JSON.stringify({
    event: 'error',
    code: '60018',
    msg: `Wrong URL or channel:trades-all,instId:${instId} doesn't exist.`,
    connId: 'c',
  })
}

describe('a connection to OKX', () => {
  it('tells which instruments are refused, by an error or by no word', async () => {
    const requests: Request[] = []
    const venue = await localVenue({
      onFrame: okxSocket((request, client) => {
        requests.push(request)
        for (const { instId } of request.args) {
          if (instId === 'NO-SUCH') client.send(refusal(instId))
          else if (instId !== 'SILENT-ONE') client.send(acknowledgement(instId))
        }
      }),
    })
    const connection = await connectOkx(venue.options, { ...feed, patienceMs: 50 })
    const { refused } = await connection.subscribe(['BTC-USDT', 'NO-SUCH', 'SILENT-ONE'])
    expect(refused).toEqual(['NO-SUCH', 'SILENT-ONE'])
    expect(requests.map(({ args }) => args.map(({ instId }) => instId))).toEqual([
      ['BTC-USDT', 'NO-SUCH', 'SILENT-ONE'],
      ['SILENT-ONE'],
    ])
    expect(venue.handed.errors).toHaveLength(1)
  })

  // Whether OKX reads on behind an argument that it refuses is not documented.
  it('asks again for what stood in a request behind one that is refused', async () => {
    const venue = await localVenue({
      onFrame: okxSocket(({ args }, client) => {
        const [first] = args
        if (first?.instId === 'NO-SUCH') client.send(refusal(first.instId))
        else for (const { instId } of args) client.send(acknowledgement(instId))
      }),
    })
    const connection = await connectOkx(venue.options, { ...feed, patienceMs: 50 })
    const { refused } = await connection.subscribe(['NO-SUCH', 'BTC-USDT'])
    expect(refused).toEqual(['NO-SUCH'])
  })

  it('subscribes to many instruments in requests of a bounded size', async () => {
    const sizes: number[] = []
    const venue = await localVenue({
      onGet: () => '{"code":"0","msg":"","data":[]}',
      onFrame: okxSocket(({ args }, client) => {
        sizes.push(JSON.stringify(args).length)
        for (const { instId } of args) client.send(acknowledgement(instId))
      }),
    })
    const connection = await connectOkx(venue.options, feed)
    const names = Array.from({ length: 1_000 }, (_, n) => `BTC-USD-261225-${100_000 + n}-C`)
    expect(await connection.subscribe(names)).toEqual({ refused: [] })
    expect(Math.max(...sizes)).toBeLessThan(64 * 1024)
    expect(sizes.length).toBeLessThan(480)
  })

  it('subscribes to no contract before it is known what that is worth', async () => {
    let isAway = true
    const requests: Request[] = []
    const swap = {
      instType: 'SWAP',
      instId: 'BTC-USD-SWAP',
      instFamily: 'BTC-USD',
      ctVal: '100',
      ctMult: '1',
      ctValCcy: 'USD',
    }
    const venue = await localVenue({
      onGet: () => (isAway ? '' : JSON.stringify({ code: '0', msg: '', data: [swap] })),
      onFrame: okxSocket((request, client) => {
        requests.push(request)
        const row = {
          instId: swap.instId,
          tradeId: '7',
          px: '50',
          sz: '3',
          side: 'buy',
          ts: '1779235200000',
        }
        for (const { instId } of request.args) {
          client.send(acknowledgement(instId))
          if (instId !== swap.instId) continue
          client.send(JSON.stringify({ arg: { channel: 'trades-all' }, data: [row] }))
        }
      }),
    })
    const contracts = new OkxContracts()
    const connection = await connectOkx(venue.options, { channel: 'trades-all', contracts })
    // This ended the connection of all instruments, and one name that the venue does not know kept it from ever delivering.
    expect(await connection.subscribe([swap.instId, 'BTC-USDT'])).toEqual({
      refused: [swap.instId],
    })
    expect(requests.flatMap(({ args }) => args.map(({ instId }) => instId))).toEqual(['BTC-USDT'])
    expect(venue.handed.errors).toHaveLength(1)
    isAway = false
    expect(await connection.subscribe([swap.instId])).toEqual({ refused: [] })
    await waitUntil('the trade', () => venue.handed.trades.length > 0)
    expect(venue.handed.trades).toMatchObject([
      { trade: { quantity: { mantissa: 3, exponent: 2 } } },
    ])
  })

  it('tells the venue time behind everything that was sent before it', async () => {
    const trade = {
      instId: 'BTC-USDT',
      tradeId: '7',
      px: '1',
      sz: '1',
      side: 'buy',
      ts: '1779235200040',
    }
    const venue = await localVenue({
      onGet: () => '{"code":"0","msg":"","data":[{"ts":"1779235200100"}]}',
      onFrame: (text, client) => {
        client.send(JSON.stringify({ arg: { channel: 'trades-all' }, data: [trade] }))
        if (text === 'ping') client.send('pong')
      },
    })
    const connection = await connectOkx(venue.options, feed)
    expect(await connection.venueTime()).toBe(1_779_235_200_100)
    expect(venue.handed.trades).toHaveLength(1)
    expect(venue.handed.malformed).toEqual([])
    expect(venue.asked).toEqual(['/api/v5/public/time?'])
  })

  it('has no venue time if the venue tells none, and lives on', async () => {
    const venue = await localVenue({
      onGet: () => '{"code":"50001","msg":"Service temporarily unavailable.","data":[]}',
      onFrame: okxSocket(() => undefined),
    })
    const connection = await connectOkx(venue.options, feed)
    expect(await connection.venueTime()).toBeUndefined()
  })

  it('announces its end before a service upgrade', async () => {
    const venue = await localVenue({
      onFrame: (_text, client) => {
        client.send('{"event":"notice","code":"64008","msg":"Closed soon.","connId":"c"}')
        client.send('{"event":"channel-conn-count","connCount":"1","connId":"c"}')
        client.send('pong')
      },
    })
    const connection = await connectOkx(venue.options, feed)
    await connection.venueTime()
    expect(venue.handed).toMatchObject({
      closing: ['OKX announces 64008 Closed soon.'],
      errors: [],
      malformed: [],
    })
  })

  it('takes a pong for which nobody asked, at whatever moment', async () => {
    const venue = await localVenue({
      onConnect: (client) => client.send('pong'),
      onFrame: okxSocket(() => undefined),
    })
    const connection = await connectOkx(venue.options, feed)
    expect(await connection.venueTime()).toBeUndefined()
    expect(venue.handed.malformed).toEqual([])
  })

  it('ends whoever waits for a pong', async () => {
    const venue = await localVenue({ onFrame: (_text, client) => client.close(4004, 'No data') })
    const connection = await connectOkx(venue.options, feed)
    await expect(connection.venueTime()).rejects.toThrow('4004 No data')
    await expect(connection.venueTime()).rejects.toThrow(ConnectionLost)
  })
})
