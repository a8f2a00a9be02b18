import { describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { getJson, VenueClient } from './venue-client.ts'

function subscription(symbol: readonly string[], snapshot = false): unknown {
  return { method: 'subscribe', params: { channel: 'trade', symbol, snapshot } }
}

/** The ids of a frame's trades, in order. */
function idsIn(frame: string): readonly number[] {
  return [...frame.matchAll(/"trade_id":(\d+)/g)].map(([, id]) => Number(id))
}

type Row = readonly [string, string, number, string, string, string, number]

interface Trades {
  readonly error: readonly string[]
  readonly result: Readonly<Record<string, readonly Row[] | string>>
}

function rowsOf({ result }: Trades): readonly Row[] {
  const rows = Object.entries(result).find(([name]) => name !== 'last')?.[1]
  return typeof rows === 'string' || rows === undefined ? [] : rows
}

describe('the socket of Kraken', () => {
  test('answers for each pair by itself, then sends its last 50 trades', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.wsUrl('kraken'))
    await client.frame((frame) => frame.includes('"system":"online"'))
    client.send(subscription(['BTC/USD', 'NO/SUCH', 'ETH/USD'], true))
    await client.frame((frame) => frame.includes('"symbol":"ETH/USD","side"'))
    const answers = client.frames.filter((frame) => frame.includes('"method":"subscribe"'))
    expect(answers.map((answer) => JSON.parse(answer) as unknown)).toMatchObject([
      { success: true, result: { channel: 'trade', symbol: 'BTC/USD', snapshot: true } },
      { success: false, symbol: 'NO/SUCH', error: 'Currency pair not supported NO/SUCH' },
      { success: true, result: { channel: 'trade', symbol: 'ETH/USD' } },
    ])
    const last = groundTruth('kraken').nextSequence('BTC/USD', start) - 1
    const snapshot = await client.frame((frame) => frame.includes('"type":"snapshot"'))
    expect(idsIn(snapshot)).toEqual(Array.from({ length: 50 }, (_, index) => last - 49 + index))
  })

  test('carries every trade to the end once, in order, numbers as numbers', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.wsUrl('kraken'))
    client.send(subscription(['DOGE/USD']))
    await client.frame((frame) => frame.includes('"success":true'))
    simulator.release()
    const sequences = sequencesBetween('kraken', 'DOGE/USD', start, start + 120_000)
    const updates = (): readonly string[] =>
      client.frames.filter((frame) => frame.includes('"type":"update"') && idsIn(frame).length > 0)
    await client.until(() => updates().flatMap(idsIn).length >= sequences.length)
    expect(updates().flatMap(idsIn)).toEqual(sequences)
    const truth = groundTruth('kraken').trade('DOGE/USD', sequences[0] ?? 0)
    expect(updates()[0]).toContain(`"price":${truth.price},"qty":${truth.quantity},`)
  })

  test('answers a ping behind every trade up to the time that it tells', async () => {
    await using simulator = await startSimulator({ ...heldMarket, speed: 20 })
    await using client = await VenueClient.connect(simulator.wsUrl('kraken'))
    client.send(subscription(['BTC/USD']))
    await client.frame((frame) => frame.includes('"success":true'))
    simulator.release()
    await client.frame((frame) => frame.includes('"type":"update","data":[{"symbol"'))
    client.send({ method: 'ping', req_id: 7 })
    const pong = await client.frame((frame) => frame.includes('"method":"pong"'))
    const { time_out: time } = JSON.parse(pong) as { time_out: string }
    const before = client.frames.slice(0, client.frames.indexOf(pong)).flatMap(idsIn)
    expect(before).toEqual(sequencesBetween('kraken', 'BTC/USD', start, Date.parse(time)))
  })
})

describe('REST of Kraken', () => {
  test('gives the trades behind a time, and where to go on', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.restUrl('kraken')}/0/public/Trades?pair=XBTUSD`
    const since = BigInt(start - 60_000) * 1_000_000n
    const first = await getJson<Trades>(`${url}&since=${since}&count=10`)
    const next = await getJson<Trades>(`${url}&since=${String(first.body.result['last'])}&count=10`)
    const ids = [...rowsOf(first.body), ...rowsOf(next.body)].map((row) => row[6])
    const from = groundTruth('kraken').sequenceAt('BTC/USD', start - 60_000)
    expect(ids).toEqual(Array.from({ length: 20 }, (_, index) => from + index))
    const truth = groundTruth('kraken').trade('BTC/USD', from)
    const [price, volume, seconds, side] = rowsOf(first.body)[0] ?? []
    expect([price, volume, side]).toEqual([
      truth.price,
      truth.quantity,
      truth.takerSide === 'buy' ? 'b' : 's',
    ])
    expect(Math.floor(Number(seconds) * 1000)).toBe(truth.eventTime)
  })

  test('without a time gives the last ones, oldest first', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.restUrl('kraken')}/0/public/Trades?pair=XBTUSD&count=3`
    const last = groundTruth('kraken').nextSequence('BTC/USD', start) - 1
    const { body } = await getJson<Trades>(url)
    expect(rowsOf(body).map((row) => row[6])).toEqual([last - 2, last - 1, last])
  })

  test('tells failures with a status of 200', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.restUrl('kraken')}/0/public/Trades`
    const unknown = await getJson(`${url}?pair=NOSUCH`)
    expect([unknown.status, unknown.text]).toEqual([200, '{"error":["EQuery:Unknown asset pair"]}'])
    const all = await Promise.all(
      Array.from({ length: 6 }, () => getJson(`${url}?pair=ETHUSD&count=1`)),
    )
    expect(all.map(({ text }) => text)).toContain('{"error":["EGeneral:Too many requests"]}')
  })

  test('names its pairs in the way of the first WebSocket', async () => {
    await using simulator = await startSimulator(heldMarket)
    const { body } = await getJson(`${simulator.restUrl('kraken')}/0/public/AssetPairs`)
    expect(body).toMatchObject({
      error: [],
      result: {
        XXBTZUSD: { altname: 'XBTUSD', wsname: 'XBT/USD', status: 'online' },
        XXDGZUSD: { wsname: 'XDG/USD' },
      },
    })
  })
})
