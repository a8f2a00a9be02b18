import { describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { getJson, VenueClient } from './venue-client.ts'

interface HistoricalTrade {
  readonly id: number
  readonly price: string
  readonly qty: string
  readonly quoteQty: string
  readonly isBuyerMaker: boolean
}

interface BinanceErrorBody {
  readonly code: number
  readonly msg: string
}

describe('streams', () => {
  test('answer SUBSCRIBE, LIST_SUBSCRIPTIONS and UNSUBSCRIBE', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(`${simulator.binanceWsUrl}/stream`)
    client.send({ method: 'SUBSCRIBE', params: ['btcusdt@trade', 'ethusdt@trade'], id: 1 })
    expect(await client.frame((text) => text.endsWith('"id":1}'))).toBe('{"result":null,"id":1}')
    client.send({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 2 })
    client.send({ method: 'LIST_SUBSCRIPTIONS', id: 3 })
    expect(await client.frame((text) => text.endsWith('"id":3}'))).toBe(
      '{"result":["ethusdt@trade"],"id":3}',
    )
    client.send({ method: 'SHOUT', id: 4 })
    expect(await client.frame((text) => text.endsWith('"id":4}'))).toContain('"error":{"code":2')
  })

  test('named in the address carry every trade to the end once, in order, as written by the venue', async () => {
    await using simulator = await startSimulator(twoMinutes)
    const url = `${simulator.binanceWsUrl}/stream?streams=btcusdt@trade/ethusdt@trade`
    await using client = await VenueClient.connect(url)
    simulator.release()
    const wanted = ['BTCUSDT', 'ETHUSDT'].map((name) => ({
      name,
      sequences: sequencesBetween('binance', name, start, start + 120_000),
    }))
    const total = wanted.reduce((sum, { sequences }) => sum + sequences.length, 0)
    await client.until(() => client.frames.length >= total)
    const received = client.trades
    for (const { name, sequences } of wanted) {
      const own = received.filter(({ instrument }) => instrument === name)
      expect(own.map(({ sequence }) => sequence)).toEqual(sequences)
    }
    const truth = groundTruth('binance').trade('BTCUSDT', wanted[0]?.sequences[0] ?? 0)
    const frame = client.frames.find((text) => text.includes(`"t":${truth.sequence},`)) ?? '{}'
    expect(JSON.parse(frame)).toMatchObject({
      stream: 'btcusdt@trade',
      data: {
        e: 'trade',
        s: 'BTCUSDT',
        p: `${truth.price}000000`,
        q: `${truth.quantity}000`,
        T: truth.eventTime,
        m: truth.takerSide === 'sell',
        M: true,
      },
    })
  })

  test('at /ws come without their wrapper', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using raw = await VenueClient.connect(`${simulator.binanceWsUrl}/ws/btcusdt@trade`)
    await using combined = await VenueClient.connect(
      `${simulator.binanceWsUrl}/stream?streams=btcusdt@trade`,
    )
    simulator.release()
    const frame = await combined.frame((text) => text.includes('"e":"trade"'))
    const event = frame.slice('{"stream":"btcusdt@trade","data":'.length, -1)
    expect(await raw.frame((text) => text.includes('"e":"trade"'))).toBe(event)
  })

  test('are behind the time by nothing: T by REST, then a round trip, brings all trades up to T', async () => {
    await using simulator = await startSimulator({ ...heldMarket, speed: 30, limits: false })
    const url = `${simulator.binanceWsUrl}/stream?streams=btcusdt@trade`
    await using client = await VenueClient.connect(url)
    simulator.release()
    for (let round = 0; round < 20; round += 1) {
      const { body } = await getJson<{ serverTime: number }>(
        `${simulator.binanceRestUrl}/api/v3/time`,
      )
      client.send({ method: 'LIST_SUBSCRIPTIONS', id: round })
      await client.frame((text) => text.endsWith(`"id":${round}}`))
      const due = sequencesBetween('binance', 'BTCUSDT', start, body.serverTime)
      const seen = client.trades.map(({ sequence }) => sequence)
      expect(seen.slice(0, due.length)).toEqual(due)
    }
  })
})

describe('keep-alive', () => {
  test('pings every 20 s and keeps who answers; who does not is cut off after a minute', async () => {
    await using simulator = await startSimulator({ ...heldMarket, protocolSecondMs: 20 })
    const url = `${simulator.binanceWsUrl}/ws`
    await using silent = await VenueClient.connect(url, { autoPong: false })
    await silent.until(() => silent.closeCode !== undefined)
    expect(silent.pings).toBeGreaterThanOrEqual(2)
    await using lively = await VenueClient.connect(url, { autoPong: true })
    await lively.until(() => lively.pings >= 3 || lively.closeCode !== undefined)
    expect(lively.pings).toBe(3)
  })

  test('more than 5 messages a second end the session', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(`${simulator.binanceWsUrl}/ws`)
    for (let id = 0; id < 12; id += 1) client.send({ method: 'LIST_SUBSCRIPTIONS', id })
    expect(await client.closed()).toBe(1008)
    expect(client.frames.length).toBeGreaterThanOrEqual(5)
    expect(client.frames.length).toBeLessThan(12)
  })
})

describe('REST', () => {
  const past = sequencesBetween('binance', 'BTCUSDT', start - 60_000, start)

  test('historicalTrades pages upwards from fromId, up to the present and not beyond', async () => {
    await using simulator = await startSimulator(heldMarket)
    const found: number[] = []
    let page: readonly HistoricalTrade[] = []
    do {
      const fromId = (past[0] ?? 0) + found.length
      const answer = await getJson<readonly HistoricalTrade[]>(
        `${simulator.binanceRestUrl}/api/v3/historicalTrades?symbol=BTCUSDT&fromId=${fromId}&limit=1000`,
      )
      page = answer.body
      found.push(...page.map(({ id }) => id))
    } while (page.length > 0)
    expect(found).toEqual(past)
    expect(found.length).toBeGreaterThan(1000)
  })

  test('historicalTrades without fromId gives the newest 500, oldest first, exact to 8 decimals', async () => {
    await using simulator = await startSimulator(heldMarket)
    const { body, headers } = await getJson<readonly HistoricalTrade[]>(
      `${simulator.binanceRestUrl}/api/v3/historicalTrades?symbol=BTCUSDT`,
    )
    expect(body.map(({ id }) => id)).toEqual(past.slice(-500))
    expect(headers.get('x-mbx-used-weight-1m')).toBe('25')
    const [trade] = body
    const truth = groundTruth('binance').trade('BTCUSDT', trade?.id ?? 0)
    expect(trade).toMatchObject({ price: `${truth.price}000000`, qty: `${truth.quantity}000` })
    const [whole = '', fraction = ''] = (trade?.quoteQty ?? '').split('.')
    const product =
      BigInt(truth.price.replace('.', '')) * BigInt(truth.quantity.replace('.', '')) * 10n
    expect(BigInt(whole + fraction)).toBe(product)
  })

  test('errors have a code, a message and a status', async () => {
    await using simulator = await startSimulator(heldMarket)
    const base = `${simulator.binanceRestUrl}/api/v3/historicalTrades`
    const unknown = await getJson<BinanceErrorBody>(`${base}?symbol=NOTHING`)
    expect(unknown.status).toBe(400)
    expect(unknown.body).toEqual({ code: -1121, msg: 'Invalid symbol.' })
    expect((await getJson<BinanceErrorBody>(base)).body.code).toBe(-1102)
    const bad = await getJson<BinanceErrorBody>(`${base}?symbol=BTCUSDT&fromId=one`)
    expect(bad.body.code).toBe(-1100)
  })

  test('over 6,000 of weight in a minute is refused with 429', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.binanceRestUrl}/api/v3/historicalTrades?symbol=BTCUSDT&limit=1`
    const ask = async () => (await getJson<BinanceErrorBody>(url)).status
    // More than twice the limit: a minute may turn on the way.
    const statuses: number[] = []
    for (let batch = 0; batch < 20; batch += 1) {
      statuses.push(...(await Promise.all(Array.from({ length: 25 }, ask))))
    }
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(240)
    expect(statuses).toContain(429)
  })

  test('exchangeInfo describes the symbols', async () => {
    await using simulator = await startSimulator(heldMarket)
    const { body } = await getJson<{ symbols: { symbol: string; baseAsset: string }[] }>(
      `${simulator.binanceRestUrl}/api/v3/exchangeInfo?symbol=ETHUSDT`,
    )
    expect(body.symbols).toMatchObject([
      { symbol: 'ETHUSDT', baseAsset: 'ETH', quoteAsset: 'USDT', status: 'TRADING' },
    ])
  })
})
