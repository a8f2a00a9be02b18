import { describe, expect, it } from 'vitest'

import { binanceCoinm, binanceSpot, binanceUsdm } from './binance-market.ts'
import type { BinanceMarket } from './binance-market.ts'
import { localVenue } from './testing/local-venue.ts'
import { binance } from './venue-binance.ts'

interface Request {
  readonly id: number
  readonly method: string
  readonly params?: readonly string[]
}

const time = 1_770_000_000_000

const contracts = [
  { symbol: 'BTCUSD_PERP', contractStatus: 'TRADING', contractSize: 100 },
  { symbol: 'ETHUSD_PERP', contractStatus: 'TRADING', contractSize: 10 },
]

/** A market that acknowledges everything; `frames` follow each subscription. */
async function marketAnswering(market: BinanceMarket, frames: readonly object[] = []) {
  const requests: Request[] = []
  const local = await localVenue({
    onFrame: (text, client) => {
      // What the client under test writes.
      const request = JSON.parse(text) as Request
      requests.push(request)
      client.send(JSON.stringify({ result: null, id: request.id }))
      if (request.method !== 'SUBSCRIBE') return
      for (const frame of frames) client.send(JSON.stringify(frame))
    },
    onGet: (address) =>
      address.includes('/exchangeInfo')
        ? JSON.stringify({ symbols: contracts })
        : `{"serverTime":${time}}`,
  })
  const venue = binance(market, { stream: 'auto', apiKey: '' })
  return { ...local, requests, connect: () => venue.connect(local.options) }
}

describe("a connection to Binance's market", () => {
  it.each([
    [binanceSpot, 'btcusdt@trade'],
    [binanceUsdm, 'btcusdt@aggTrade'],
  ])('asks for what the market documents', async (market, stream) => {
    const { connect, requests } = await marketAnswering(market)
    using connection = await connect()
    expect(await connection.subscribe(['BTCUSDT'])).toEqual({ refused: [] })
    expect(requests[0]).toMatchObject({ method: 'SUBSCRIBE', params: [stream] })
  })

  it('tells the time by REST and a barrier behind it on the socket', async () => {
    const { asked, connect, requests } = await marketAnswering(binanceCoinm)
    using connection = await connect()
    expect(await connection.venueTime()).toBe(time)
    expect(asked).toEqual(['/dapi/v1/time?'])
    expect(requests.map(({ method }) => method)).toEqual(['LIST_SUBSCRIPTIONS'])
  })

  it('knows the size of coin-margined contracts before their first trade', async () => {
    const event = { e: 'aggTrade', a: 7, p: '90000.1', q: '3', f: 1, l: 1, T: time, m: true }
    const { connect, handed } = await marketAnswering(binanceCoinm, [
      { stream: 'x', data: { ...event, s: 'BTCUSD_PERP' } },
      { stream: 'x', data: { ...event, s: 'ETHUSD_PERP' } },
    ])
    using connection = await connect()
    await connection.subscribe(['BTCUSD_PERP', 'ETHUSD_PERP'])
    await connection.venueTime()
    const quantities = handed.trades.map((each) => each.kind === 'trade' && each.trade.quantity)
    expect(quantities).toEqual([
      { mantissa: 3, exponent: 2 },
      { mantissa: 3, exponent: 1 },
    ])
  })

  it('refuses what is more than a connection may carry', async () => {
    const { connect, requests } = await marketAnswering(binanceUsdm)
    using connection = await connect()
    const names = Array.from({ length: 1026 }, (_, index) => `X${index}USDT`)
    expect(await connection.subscribe(names)).toEqual({ refused: ['X1024USDT', 'X1025USDT'] })
    const streams = requests.flatMap(({ params }) => params ?? [])
    expect(new Set(streams).size).toBe(1024)
    expect(Math.max(...requests.map(({ params }) => params?.length ?? 0))).toBeLessThanOrEqual(200)
  })

  it('passes on that the venue will end it, and how long it lets one live', async () => {
    const { connect, handed } = await marketAnswering(binanceSpot, [
      { e: 'serverShutdown', E: time },
    ])
    using connection = await connect()
    await connection.subscribe(['BTCUSDT'])
    await connection.venueTime()
    expect(handed.closing).toEqual(['Binance announces that it will close this connection'])
    expect(handed.errors).toEqual([])
    const { maxConnectionMs } = binance(binanceSpot, { stream: 'auto', apiKey: '' })
    expect(maxConnectionMs).toBe(86_400_000)
  })
})

it('a key goes with every request over REST, and only where there is one', () => {
  const headers = (apiKey: string) => binance(binanceUsdm, { stream: 'trade', apiKey }).restHeaders
  expect(headers('k')).toEqual({ 'X-MBX-APIKEY': 'k' })
  expect(headers('')).toBeUndefined()
})
