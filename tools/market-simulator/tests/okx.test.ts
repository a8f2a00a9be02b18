import { describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { getJson, VenueClient } from './venue-client.ts'

interface TradeRow {
  readonly instId: string
  readonly tradeId: string
  readonly px: string
  readonly sz: string
  readonly side: string
  readonly ts: string
  readonly count?: string
}

interface Rows<Row> {
  readonly code: string
  readonly data: readonly Row[]
}

function subscription(op: string, ...instruments: readonly string[]): unknown {
  return { op, args: instruments.map((instId) => ({ channel: 'trades-all', instId })) }
}

function rowsIn(frames: readonly string[]): readonly TradeRow[] {
  return frames
    .filter((frame) => frame.includes('"data":['))
    .flatMap((frame) => (JSON.parse(frame) as { data: TradeRow[] }).data)
}

describe('the socket of OKX', () => {
  test('acknowledges each instrument, refuses unknown ones by name, and answers text with text', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.wsUrl('okx'))
    client.send(subscription('subscribe', 'BTC-USDT', 'NO-SUCH', 'ETH-USDT'))
    client.send('ping')
    await client.frame((text) => text === 'pong')
    const events = client.frames
      .filter((text) => text !== 'pong' && !text.includes('channel-conn-count'))
      .map((text) => JSON.parse(text) as { event: string; code?: string; msg?: string })
    expect(events).toMatchObject([
      { event: 'subscribe', arg: { channel: 'trades-all', instId: 'BTC-USDT' } },
      { event: 'error', code: '60018' },
      { event: 'subscribe', arg: { channel: 'trades-all', instId: 'ETH-USDT' } },
    ])
    expect(events[1]?.msg).toContain("channel:trades-all,instId:NO-SUCH doesn't exist")
    client.send({ op: 'shout' })
    expect(await client.frame((text) => text.includes('"60012"'))).toContain('Invalid request')
  })

  test('carries every trade to the end once, in order, as written by the venue', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.wsUrl('okx'))
    client.send(subscription('subscribe', 'BTC-USDT'))
    await client.frame((text) => text.includes('"event":"subscribe"'))
    simulator.release()
    const sequences = sequencesBetween('okx', 'BTC-USDT', start, start + 120_000)
    await client.until(() => rowsIn(client.frames).length >= sequences.length)
    const rows = rowsIn(client.frames)
    expect(rows.map(({ tradeId }) => Number(tradeId))).toEqual(sequences)
    const truth = groundTruth('okx').trade('BTC-USDT', sequences[0] ?? 0)
    expect(rows[0]).toMatchObject({
      instId: 'BTC-USDT',
      px: truth.price,
      sz: truth.quantity,
      side: truth.takerSide,
      ts: String(truth.eventTime),
    })
  })

  test('gathers at /public what one order makes at one price, and leaves no quantity out', async () => {
    await using simulator = await startSimulator(twoMinutes)
    const url = simulator.wsUrl('okx').replace('business', 'public')
    await using client = await VenueClient.connect(url)
    client.send(subscription('subscribe', 'BTC-USDT'))
    expect(await client.frame((text) => text.includes('"event":'))).toContain('"60018"')
    client.send({ op: 'subscribe', args: [{ channel: 'trades', instId: 'BTC-USDT' }] })
    await client.frame((text) => text.includes('"event":"subscribe"'))
    simulator.release()
    const sequences = sequencesBetween('okx', 'BTC-USDT', start, start + 120_000)
    const last = String(sequences.at(-1))
    await client.until(() => rowsIn(client.frames).at(-1)?.tradeId === last)
    const rows = rowsIn(client.frames)
    expect(rows.length).toBeLessThan(sequences.length)
    expect(rows.reduce((sum, { count }) => sum + Number(count), 0)).toBe(sequences.length)
    const market = groundTruth('okx')
    const size = (text: string): bigint => BigInt(Math.round(Number(text) * 1e8))
    const traded = sequences.reduce(
      (sum, sequence) => sum + size(market.trade('BTC-USDT', sequence).quantity),
      0n,
    )
    expect(rows.reduce((sum, { sz }) => sum + size(sz), 0n)).toBe(traded)
  })

  test('closes a connection without a push and without a word for 30 s', async () => {
    await using simulator = await startSimulator({ ...heldMarket, protocolSecondMs: 5 })
    await using client = await VenueClient.connect(simulator.wsUrl('okx'))
    expect(await client.closed()).toBe(4004)
  })

  test('is open to three new connections a second', async () => {
    await using simulator = await startSimulator(heldMarket)
    const attempts = await Promise.allSettled(
      Array.from({ length: 4 }, () => VenueClient.connect(simulator.wsUrl('okx'))),
    )
    for (const attempt of attempts) {
      if (attempt.status === 'fulfilled') await attempt.value[Symbol.asyncDispose]()
    }
    expect(attempts.filter(({ status }) => status === 'rejected')).toHaveLength(1)
  })

  test('refuses more than 480 requests an hour', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.wsUrl('okx'))
    for (let count = 0; count < 481; count += 1) client.send(subscription('subscribe', 'BTC-USDT'))
    expect(await client.frame((text) => text.includes('"60014"'))).toContain('too frequent')
  })
})

describe("OKX's REST interface", () => {
  test('tells the time, behind which every trade up to it is on the sockets', async () => {
    await using simulator = await startSimulator({ ...heldMarket, speed: 30 })
    await using client = await VenueClient.connect(simulator.wsUrl('okx'))
    client.send(subscription('subscribe', 'BTC-USDT'))
    await client.frame((text) => text.includes('"event":"subscribe"'))
    simulator.release()
    await client.until(() => rowsIn(client.frames).length > 20)
    const { body } = await getJson<Rows<{ ts: string }>>(
      `${simulator.restUrl('okx')}/api/v5/public/time`,
    )
    client.send('ping')
    await client.frame((text) => text === 'pong')
    const time = Number(body.data[0]?.ts)
    const seen = rowsIn(client.frames).filter(({ ts }) => Number(ts) <= time)
    expect(seen.map(({ tradeId }) => Number(tradeId))).toEqual(
      sequencesBetween('okx', 'BTC-USDT', start, time),
    )
  })

  test('pages history down from `after`, and gives the newest above `before`', async () => {
    await using simulator = await startSimulator({ ...heldMarket, start: start + 60_000 })
    const url = `${simulator.restUrl('okx')}/api/v5/market/history-trades?instId=BTC-USDT`
    const last = sequencesBetween('okx', 'BTC-USDT', start, start + 60_000).at(-1) ?? 0
    const ids = async (query: string): Promise<readonly number[]> => {
      const { body } = await getJson<Rows<TradeRow>>(url + query)
      return body.data.map(({ tradeId }) => Number(tradeId))
    }
    const newest = await ids('')
    expect(newest).toHaveLength(100)
    expect(newest[0]).toBe(last)
    expect(await ids(`&type=1&after=${last}&limit=2`)).toEqual([last - 1, last - 2])
    expect(await ids(`&before=${last - 500}&limit=3`)).toEqual([last, last - 1, last - 2])
    const { body, status } = await getJson<Rows<TradeRow>>(url.replace('BTC-USDT', 'NO-SUCH'))
    expect([status, body.code]).toEqual([200, '51001'])
  })

  test('answers 429 beyond 20 requests in 2 s', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.restUrl('okx')}/api/v5/market/history-trades?instId=BTC-USDT&limit=1`
    const answers = await Promise.all(
      Array.from({ length: 60 }, () => getJson<Rows<TradeRow>>(url)),
    )
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused[0]?.body.code).toBe('50011')
  })

  test('lists the instruments of a kind', async () => {
    await using simulator = await startSimulator(heldMarket)
    const { body } = await getJson<Rows<{ instId: string; instFamily: string }>>(
      `${simulator.restUrl('okx')}/api/v5/public/instruments?instType=SWAP`,
    )
    expect(body.data).toMatchObject([{ instId: 'BTC-USDT-SWAP', instFamily: 'BTC-USDT' }])
  })
})
