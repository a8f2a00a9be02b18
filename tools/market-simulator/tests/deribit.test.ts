import { describe, expect, test } from 'vitest'
import { tradesBetween } from '../src/index.ts'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { asReceived, getJson, poll, type ReceivedTrade, VenueClient } from './venue-client.ts'

interface LastTrades {
  readonly result: {
    readonly trades: readonly { readonly trade_seq: number; readonly timestamp: number }[]
    readonly has_more: boolean
  }
}

interface RpcErrorBody {
  readonly error: { readonly code: number; readonly data: { readonly param: string } }
}

const perpetual = 'BTC-PERPETUAL'

describe('subscriptions', () => {
  test('are acknowledged with the channels accepted; raw needs a key, unknown ones do not exist', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    const wanted = [
      'trades.BTC-PERPETUAL.100ms',
      'trades.BTC-PERPETUAL.raw',
      'trades.BTC-PERPETUAL.agg2',
      'trades.DOGE-PERPETUAL.100ms',
      'trades.future.any.100ms',
      'trades.option.BTC.100ms',
      'trades.future.DOGE.100ms',
      'ticker.BTC-PERPETUAL.100ms',
      'trades',
    ]
    const { result } = await client.call('public/subscribe', { channels: wanted })
    expect(result).toEqual([
      'trades.BTC-PERPETUAL.100ms',
      'trades.BTC-PERPETUAL.agg2',
      'trades.future.any.100ms',
      'trades.option.BTC.100ms',
    ])
    const left = await client.call('public/unsubscribe', { channels: wanted.slice(0, 2) })
    expect(left.result).toEqual(['trades.BTC-PERPETUAL.100ms'])
  })

  test('to raw channels are for sessions that the venue has let in', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    const channels = ['trades.BTC-PERPETUAL.raw']
    const key = { grant_type: 'client_credentials', client_id: 'simulator' }
    const refused = await client.call('public/auth', { ...key, client_secret: 'guessed' })
    expect(refused).toMatchObject({ error: { code: 13004, message: 'invalid_credentials' } })
    expect((await client.call('public/subscribe', { channels })).result).toEqual([])
    const taken = await client.call('public/auth', { ...key, client_secret: 'simulated-secret' })
    expect(taken.result).toMatchObject({ token_type: 'bearer', expires_in: 900 })
    expect((await client.call('public/subscribe', { channels })).result).toEqual(channels)
  })

  test('carry every trade to the end of trading once, in order, with the digits of the truth', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    const names = groundTruth('deribit').instruments.map(({ name }) => name)
    await client.call('public/subscribe', { channels: names.map((name) => `trades.${name}.100ms`) })
    simulator.release()
    const expected = names.flatMap((name) =>
      sequencesBetween('deribit', name, start, start + 120_000),
    )
    await client.until(() => client.trades.length >= expected.length)
    const received = client.trades
    for (const name of names) {
      expect(received.filter((trade) => trade.instrument === name)).toEqual(
        tradesBetween(groundTruth('deribit'), name, start + 1, start + 120_001).map(asReceived),
      )
    }
    expect(received).toHaveLength(expected.length)
  })

  test('by kind and currency carry the trades of all its instruments in order of time', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    await client.call('public/subscribe', { channels: ['trades.future.BTC.agg2'] })
    simulator.release()
    const market = groundTruth('deribit')
    const expected = [perpetual, 'BTC-25JUN27'].map((name) =>
      tradesBetween(market, name, start + 1, start + 120_001).map(asReceived),
    )
    const total = expected.flat().length
    await client.until(() => client.trades.length >= total)
    for (const own of expected) {
      const name = own[0]?.instrument ?? 'an instrument without trades'
      expect(client.trades.filter(byInstrument(name))).toEqual(own)
    }
    expect(client.trades).toHaveLength(total)
    const times = client.trades.map(({ eventTime }) => eventTime)
    expect(times).toEqual(times.toSorted((one, other) => one - other))
  })

  test('write ids beyond 2^53 and amounts with exponents as bare digits', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    await client.call('public/subscribe', { channels: ['trades.BTC-PERPETUAL.100ms'] })
    simulator.release()
    const frame = await client.frame((text) => /"amount":\d\.\d+e\d/.test(text))
    expect(frame).toMatch(/"starbase_match_id":214\d{15},"starbase_timestamp":\d{19}}/)
  })

  test('end with the socket: the next subscriber hears the channel anew', async () => {
    await using simulator = await startSimulator({ ...heldMarket, speed: 20 })
    simulator.release()
    const channels = ['trades.BTC-PERPETUAL.100ms']
    const first = await VenueClient.connect(simulator.deribitWsUrl)
    await first.call('public/subscribe', { channels })
    await first.until(() => first.trades.length > 0)
    await first[Symbol.asyncDispose]()
    await using second = await VenueClient.connect(simulator.deribitWsUrl)
    await second.call('public/subscribe', { channels })
    await second.until(() => second.trades.length > 10)
    const sequences = second.trades.map(({ sequence }) => sequence)
    const [from = 0] = sequences
    expect(sequences).toEqual(sequences.map((_, index) => from + index))
  })
})

describe('a reader that stops reading', () => {
  test('is cut off instead of being buffered for without a bound', async () => {
    await using simulator = await startSimulator({ ...heldMarket, speed: 5000, rate: 20 })
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    await client.call('public/subscribe', { channels: ['trades.BTC-PERPETUAL.100ms'] })
    client.stopReading()
    simulator.release()
    interface Status {
      readonly connections: readonly unknown[]
    }
    const { body } = await poll(
      () => getJson<Status>(`${simulator.controlUrl}/status`),
      (status) => status.body.connections.length === 0,
    )
    expect(body.connections).toEqual([])
  })
})

describe('the time', () => {
  test('T comes after all trades up to T, on the same socket and on every other', async () => {
    await using simulator = await startSimulator({ ...heldMarket, speed: 30 })
    await using asker = await VenueClient.connect(simulator.deribitWsUrl)
    await using listener = await VenueClient.connect(simulator.deribitWsUrl)
    const channels = ['trades.BTC-PERPETUAL.100ms', 'trades.ETH-PERPETUAL.agg2']
    for (const client of [asker, listener]) await client.call('public/subscribe', { channels })
    simulator.release()
    for (let round = 0; round < 20; round += 1) {
      const { result, tradesBefore } = await asker.call('public/get_time')
      // A round trip on the other socket brings what was put on it before.
      await listener.call('public/test')
      for (const name of [perpetual, 'ETH-PERPETUAL']) {
        const due = sequencesBetween('deribit', name, start, Number(result))
        const seen = asker.trades.slice(0, tradesBefore).filter(byInstrument(name))
        expect(seen.map(({ sequence }) => sequence)).toEqual(due)
        const heard = listener.trades.filter(byInstrument(name)).slice(0, due.length)
        expect(heard.map(({ sequence }) => sequence)).toEqual(due)
      }
    }
  })

  test('stands still while the clock is held, and goes on after the last trade', async () => {
    // Without limits: a machine that is slow to move the clock is asked more often than they allow.
    await using simulator = await startSimulator({
      ...twoMinutes,
      speedAfterEnd: 100_000,
      limits: false,
    })
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    expect((await client.call('public/get_time')).result).toBe(start)
    await client.call('public/subscribe', { channels: ['trades.BTC-PERPETUAL.100ms'] })
    expect((await client.call('public/get_time')).result).toBe(start)
    simulator.release()
    let time = 0
    while (time < start + 180_000) time = Number((await client.call('public/get_time')).result)
    const last = client.trades.at(-1)
    expect(last?.eventTime).toBeLessThanOrEqual(start + 120_000)
  })
})

describe('heartbeats', () => {
  const quick = { ...heldMarket, protocolSecondMs: 50 }

  test('keep a session that answers each test_request, and close one that falls silent', async () => {
    await using simulator = await startSimulator(quick)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    expect((await client.call('public/set_heartbeat', { interval: 10 })).result).toBe('ok')
    const requests = () => client.frames.filter((frame) => frame.includes('"test_request"'))
    for (let answered = 0; answered < 2; answered += 1) {
      await client.until(() => requests().length > answered)
      client.send({ jsonrpc: '2.0', method: 'public/test' })
    }
    await client.until(() => requests().length > 2)
    expect(client.closeCode).toBeUndefined()
    expect(client.frames.some((frame) => frame.includes('{"type":"heartbeat"}'))).toBe(true)
    expect(await client.closed()).toBe(1008)
    expect(requests()).toHaveLength(3)
  })

  test('shorter than 10 s are refused, and disabled ones ask for nothing', async () => {
    await using simulator = await startSimulator(quick)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    const refused = await client.call('public/set_heartbeat', { interval: 9 })
    expect(refused.error?.code).toBe(-32602)
    await client.call('public/set_heartbeat', { interval: 10 })
    expect((await client.call('public/disable_heartbeat')).result).toBe('ok')
    await using other = await VenueClient.connect(simulator.deribitWsUrl)
    await other.call('public/set_heartbeat', { interval: 10 })
    expect(await other.closed()).toBe(1008)
    expect(client.closeCode).toBeUndefined()
    expect(client.frames.filter((frame) => frame.includes('"heartbeat"'))).toEqual([])
  })
})

describe('errors', () => {
  test('are JSON-RPC errors with the codes of the venue', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    expect((await client.call('public/nothing')).error?.code).toBe(-32601)
    expect((await client.call('constructor')).error?.code).toBe(-32601)
    expect((await client.call('private/get_positions')).error?.code).toBe(13009)
    const many = Array.from({ length: 501 }, () => 'trades.BTC-PERPETUAL.100ms')
    const tooMany = await client.call('public/subscribe', { channels: many })
    expect(tooMany.error).toMatchObject({ code: -32602, data: { param: 'channels' } })
    client.send('{"jsonrpc":')
    expect(await client.frame((frame) => frame.includes('"error"'), 4)).toContain('-32700')
    client.send({ jsonrpc: '2.0', id: 7 })
    expect(await client.frame((frame) => frame.includes('"error"'), 5)).toContain('-32600')
  })

  test('too many requests end the session', async () => {
    await using simulator = await startSimulator(heldMarket)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    for (let id = 0; id < 300; id += 1) client.send({ jsonrpc: '2.0', id, method: 'public/test' })
    expect(await client.closed()).toBe(1008)
    const refusal = client.frames.at(-1)
    expect(refusal).toContain('"code":10028,"message":"too_many_requests"')
    expect(client.frames.length).toBeGreaterThan(100)
  })

  test('a 33rd connection is refused with 429', async () => {
    await using simulator = await startSimulator(heldMarket)
    const { deribitWsUrl } = simulator
    await Promise.all(Array.from({ length: 32 }, () => VenueClient.connect(deribitWsUrl)))
    await expect(VenueClient.connect(deribitWsUrl)).rejects.toThrow('429')
  })
})

describe('history over REST', () => {
  const from = sequencesBetween('deribit', perpetual, start - 50_000, start)
  const first = from[0] ?? 0
  const last = from.at(-1) ?? 0

  function lastTradesUrl(base: string, query: Readonly<Record<string, number | string>>): string {
    const search = new URLSearchParams({ instrument_name: perpetual })
    for (const [name, value] of Object.entries(query)) search.set(name, String(value))
    return `${base}/public/get_last_trades_by_instrument?${search.toString()}`
  }

  test('pages from start_seq on with has_more, up to the present and not beyond', async () => {
    await using simulator = await startSimulator(heldMarket)
    const found: number[] = []
    let more = true
    while (more) {
      const { body } = await getJson<LastTrades>(
        lastTradesUrl(simulator.deribitRestUrl, {
          start_seq: first + found.length,
          end_seq: last + 1000,
          count: 1000,
          sorting: 'asc',
        }),
      )
      found.push(...body.result.trades.map(({ trade_seq }) => trade_seq))
      more = body.result.has_more
    }
    expect(found).toEqual(from)
    expect(found.length).toBeGreaterThan(1000)
  })

  test('takes bounds of time, counts and sorting', async () => {
    await using simulator = await startSimulator(heldMarket)
    const ask = async (query: Readonly<Record<string, number | string>>) => {
      const { body } = await getJson<LastTrades>(lastTradesUrl(simulator.deribitRestUrl, query))
      return body.result
    }
    const newest = await ask({})
    expect(newest.trades.map(({ trade_seq }) => trade_seq)).toEqual(from.slice(-10).toReversed())
    expect(newest.has_more).toBe(true)
    const range = { start_timestamp: start - 10_000, end_timestamp: start - 5000, count: 1000 }
    const inTime = tradesBetween(groundTruth('deribit'), perpetual, start - 10_000, start - 4999)
    const expected = inTime.map(({ sequence }) => sequence)
    const ascending = await ask({ ...range, sorting: 'asc' })
    expect(ascending.trades.map(({ trade_seq }) => trade_seq)).toEqual(expected)
    expect(ascending.has_more).toBe(false)
    const descending = await ask({ ...range, sorting: 'desc', count: 3 })
    expect(descending.trades.map(({ trade_seq }) => trade_seq)).toEqual(
      expected.slice(-3).toReversed(),
    )
  })

  test('writes a trade with the same text as the WebSocket', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await VenueClient.connect(simulator.deribitWsUrl)
    await client.call('public/subscribe', { channels: ['trades.BTC-PERPETUAL.100ms'] })
    simulator.release()
    const frame = await client.frame((text) => text.includes('"subscription"'))
    const sent = /"data":\[(\{.*?\})[,\]]/.exec(frame)?.[1] ?? 'no trade'
    const { text } = await getJson(
      lastTradesUrl(simulator.deribitRestUrl, { start_seq: last + 1, count: 1 }),
    )
    expect(text).toContain(`"trades":[${sent}]`)
  })

  test('refuses what it cannot answer with the parameter at fault', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = lastTradesUrl(simulator.deribitRestUrl, { count: 1001 })
    const { body, status } = await getJson<RpcErrorBody>(url)
    expect(status).toBe(400)
    expect(body.error).toMatchObject({ code: -32602, data: { param: 'count' } })
    const unknown = url.replace(perpetual, 'DOGE-PERPETUAL').replace('1001', '1')
    expect((await getJson<RpcErrorBody>(unknown)).body.error.data.param).toBe('instrument_name')
  })

  test('is the same from another simulator with the same seed', async () => {
    await using one = await startSimulator(heldMarket)
    await using other = await startSimulator(heldMarket)
    const query = { start_seq: first, count: 1000 }
    const answers = await Promise.all(
      [one, other].map(async ({ deribitRestUrl }) => {
        const { body } = await getJson<LastTrades>(lastTradesUrl(deribitRestUrl, query))
        return body.result
      }),
    )
    expect(answers[0]).toEqual(answers[1])
  })

  test('lists instruments by currency', async () => {
    await using simulator = await startSimulator(heldMarket)
    const url = `${simulator.deribitRestUrl}/public/get_instruments?currency=BTC&kind=future`
    const { body } = await getJson<{ result: { instrument_name: string }[] }>(url)
    expect(body.result.map(({ instrument_name }) => instrument_name)).toEqual([
      perpetual,
      'BTC-25JUN27',
    ])
  })
})

function byInstrument(name: string): (trade: ReceivedTrade) => boolean {
  return (trade) => trade.instrument === name
}
