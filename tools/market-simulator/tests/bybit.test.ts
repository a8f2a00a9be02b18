import { describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { getJson, VenueClient } from './venue-client.ts'

interface StreamRow {
  readonly T: number
  readonly s: string
  readonly S: string
  readonly v: string
  readonly p: string
  readonly i: string
  readonly seq: number
}

interface RestAnswer<Row> {
  readonly retCode: number
  readonly result: { readonly list?: readonly Row[]; readonly timeNano?: string }
}

function pushes(frames: readonly string[]): readonly (readonly StreamRow[])[] {
  return frames
    .filter((frame) => frame.startsWith('{"topic"'))
    .map((frame) => (JSON.parse(frame) as { data: StreamRow[] }).data)
}

function subscription(id: string, ...symbols: readonly string[]): unknown {
  return { op: 'subscribe', req_id: id, args: symbols.map((symbol) => `publicTrade.${symbol}`) }
}

describe('a socket of Bybit', () => {
  test('answers with the id of the request, and refuses all of it for one unknown topic', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.wsUrl('bybit-linear'))
    const answers: unknown[] = []
    for (const [message, id] of [
      [subscription('a', 'BTCUSDT', 'NOSUCH'), '"a"'],
      [subscription('b', 'BTCUSDT'), '"b"'],
      [subscription('c', 'BTCUSDT'), '"c"'],
      [subscription('d', ...Array.from({ length: 11 }, (_, n) => `C${n}`)), '"d"'],
      [{ op: 'shout', req_id: 'e' }, '"e"'],
    ] as const) {
      client.send(message)
      answers.push(JSON.parse(await client.frame((text) => text.includes(id))))
    }
    expect(answers).toMatchObject([
      { success: false, ret_msg: 'error:handler not found,topic:publicTrade.NOSUCH' },
      { success: true, ret_msg: 'subscribe' },
      { success: false, ret_msg: 'error:already subscribed,topic:publicTrade.BTCUSDT' },
      { success: false, ret_msg: 'args size >10' },
      { success: false, ret_msg: 'error:invalid op' },
    ])
    client.send({ op: 'ping', req_id: 'f' })
    expect(JSON.parse(await client.frame((text) => text.includes('"pong"')))).toMatchObject({
      success: true,
      req_id: '',
      op: 'ping',
    })
    client.send('no JSON')
    await client.frame((text) => text.includes('Failed to decode'))
  })

  test('carries every trade to the end once, a sweep in a push, without a number that shows a loss', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.wsUrl('bybit-linear'))
    client.send(subscription('1', 'BTCUSDT'))
    await client.frame((text) => text.includes('"success":true'))
    simulator.release()
    const sequences = sequencesBetween('bybit-linear', 'BTCUSDT', start, start + 120_000)
    await client.until(() => pushes(client.frames).flat().length >= sequences.length)
    const market = groundTruth('bybit-linear')
    const sweeps = pushes(client.frames)
    expect(sweeps.flat().map(({ T, S, i, p, v }) => [i, T, S.toLowerCase(), p, v])).toEqual(
      sequences.map((sequence) => {
        const { eventTime, price, quantity, takerSide, tradeId } = market.trade('BTCUSDT', sequence)
        return [tradeId, eventTime, takerSide, price, quantity]
      }),
    )
    expect(sweeps.some((rows) => rows.length > 1)).toBe(true)
    for (const rows of sweeps) expect(new Set(rows.map(({ seq }) => seq)).size).toBe(1)
    const jumps = sweeps.map(([row], at) => (row?.seq ?? 0) - (sweeps[at - 1]?.[0]?.seq ?? 0))
    expect(jumps.slice(1).every((jump) => jump > 1)).toBe(true)
  })

  test('has the same symbol on other markets, with other trades', async () => {
    const [spot, linear] = (['bybit-spot', 'bybit-linear'] as const).map((venue) =>
      groundTruth(venue).trade('BTCUSDT', 1_000),
    )
    expect(spot?.tradeId).not.toBe(linear?.tradeId)
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.wsUrl('bybit-inverse'))
    client.send(subscription('1', 'BTCUSDT'))
    await client.frame((text) => text.includes('handler not found'))
  })

  test('is cut after ten minutes without a push and without a word', async () => {
    await using simulator = await startSimulator({ ...heldMarket, protocolSecondMs: 0.2 })
    await using client = await VenueClient.connect(simulator.wsUrl('bybit-spot'))
    expect(await client.closed()).toBe(1006)
  })
})

describe("Bybit's REST interface", () => {
  test.each([
    ['bybit-spot', 'spot', 'BTCUSDT', 60],
    ['bybit-linear', 'linear', 'BTCUSDT', 1000],
    ['bybit-inverse', 'inverse', 'BTCUSD', 1000],
  ] as const)('of %s tells the last trades and no more', async (venue, category, symbol, most) => {
    await using simulator = await startSimulator({ ...heldMarket, start: start + 600_000 })
    const address = `${simulator.restUrl(venue)}/v5/market/recent-trade?category=${category}`
    const { body } = await getJson<RestAnswer<{ execId: string }>>(
      `${address}&symbol=${symbol}&limit=1000`,
    )
    const market = groundTruth(venue)
    const end = market.nextSequence(symbol, start + 600_000)
    expect(body.result.list?.map(({ execId }) => execId)).toEqual(
      Array.from({ length: most }, (_, n) => market.trade(symbol, end - 1 - n).tradeId),
    )
    const unknown = await getJson<RestAnswer<unknown>>(`${address}&symbol=NOSUCH`)
    expect([unknown.status, unknown.body.retCode]).toEqual([200, 10001])
  })

  test('locks out who asks more than 600 times in 5 s', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.restUrl('bybit-spot')}/v5/market/time`
    let status = 200
    for (let asked = 0; asked < 1_200 && status === 200; asked += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(url)))
      for (const answer of answers) {
        await answer.text()
        if (answer.status !== 200) status = answer.status
      }
    }
    expect(status).toBe(403)
  })

  test('lists what trades, and tells the time in nanoseconds', async () => {
    await using simulator = await startSimulator(heldMarket)
    const rest = simulator.restUrl('bybit-inverse')
    const listed = await getJson<RestAnswer<{ symbol: string; contractType: string }>>(
      `${rest}/v5/market/instruments-info?category=inverse`,
    )
    expect(listed.body.result.list).toMatchObject([
      { symbol: 'BTCUSD', contractType: 'InversePerpetual' },
      { symbol: 'ETHUSD', contractType: 'InversePerpetual' },
    ])
    const time = await getJson<RestAnswer<unknown>>(`${rest}/v5/market/time`)
    expect(time.body.result.timeNano).toBe(`${start}000123`)
  })
})
