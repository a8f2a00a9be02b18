import { describe, expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { groundTruth, heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { getJson, isJson, poll, postJson, VenueClient } from './venue-client.ts'

const perpetual = 'BTC-PERPETUAL'
const channels = ['trades.BTC-PERPETUAL.100ms']
const expected = sequencesBetween('deribit', perpetual, start, start + 120_000)

interface Status {
  readonly clock: number
  readonly held: boolean
  readonly finished: boolean
  readonly speed: number | 'max'
  readonly connections: readonly { readonly id: number; readonly subscriptions: string[] }[]
  readonly instruments: readonly {
    readonly instrument: string
    readonly sentTrades: number
    readonly firstSequence: number | null
    readonly lastSequence: number | null
  }[]
}

interface Refusal {
  readonly error: string
}

/** Subscribes to BTC-PERPETUAL on a clock that is still held. */
async function subscriber(url: string): Promise<VenueClient> {
  const client = await VenueClient.connect(url)
  await client.call('public/subscribe', { channels })
  return client
}

describe('faults', () => {
  test('drop cuts one connection, or all', async () => {
    await using simulator = await startSimulator(heldMarket)
    const { controlUrl, deribitWsUrl } = simulator
    await using one = await subscriber(deribitWsUrl)
    await using other = await subscriber(deribitWsUrl)
    await using third = await VenueClient.connect(`${simulator.binanceWsUrl}/ws`)
    const { body } = await getJson<Status>(`${controlUrl}/status`)
    expect(body.connections).toHaveLength(3)
    const id = body.connections[1]?.id
    await postJson(`${controlUrl}/drop`, { connection: id })
    expect(await other.closed()).toBe(1006)
    expect((await one.call('public/test')).result).toBeDefined()
    expect((await postJson(`${controlUrl}/drop`)).body).toEqual({
      dropped: body.connections.map((each) => each.id).filter((each) => each !== id),
    })
    expect(await one.closed()).toBe(1006)
    expect(await third.closed()).toBe(1006)
  })

  test('skip keeps the next trades off the WebSocket, and in history', async () => {
    await using simulator = await startSimulator(twoMinutes)
    const { controlUrl, deribitRestUrl, deribitWsUrl } = simulator
    await using client = await subscriber(deribitWsUrl)
    const armed = await postJson<unknown>(`${controlUrl}/skip`, {
      instrument: perpetual,
      count: 25,
    })
    const [fromSequence = 0] = expected
    expect(armed.body).toEqual({
      skipped: [
        {
          venue: 'deribit',
          instrument: perpetual,
          fromSequence,
          toSequence: fromSequence + 24,
        },
      ],
    })
    simulator.release()
    await client.until(() => client.trades.length >= expected.length - 25)
    expect(client.trades.map(({ sequence }) => sequence)).toEqual(expected.slice(25))
    const { body } = await getJson<{ result: { trades: { trade_seq: number }[] } }>(
      `${deribitRestUrl}/public/get_last_trades_by_instrument?instrument_name=${perpetual}` +
        `&start_seq=${fromSequence}&end_seq=${fromSequence + 24}&count=100`,
    )
    expect(body.result.trades.map(({ trade_seq }) => trade_seq)).toEqual(expected.slice(0, 25))
  })

  test('duplicate sends the next frames twice', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await subscriber(simulator.deribitWsUrl)
    await postJson(`${simulator.controlUrl}/duplicate`, { count: 3 })
    const before = client.frames.length
    simulator.release()
    await client.until(() => client.trades.at(-1)?.sequence === expected.at(-1))
    const frames = client.frames.slice(before)
    expect(frames[0]).toBe(frames[1])
    expect(frames[2]).toBe(frames[3])
    expect(frames[4]).toBe(frames[5])
    expect(new Set(frames).size).toBe(frames.length - 3)
    expect([...new Set(client.trades.map(({ sequence }) => sequence))]).toEqual(expected)
  })

  test('malformed sends broken JSON before the next frames, and loses none', async () => {
    await using simulator = await startSimulator(twoMinutes)
    await using client = await subscriber(simulator.deribitWsUrl)
    await postJson(`${simulator.controlUrl}/malformed`, { count: 2 })
    const before = client.frames.length
    simulator.release()
    await client.until(() => client.trades.at(-1)?.sequence === expected.at(-1))
    const broken = client.frames.slice(before).map((frame) => !isJson(frame))
    expect(broken.slice(0, 5)).toEqual([true, false, true, false, false])
    expect(broken.filter(Boolean)).toHaveLength(2)
    expect(client.trades.map(({ sequence }) => sequence)).toEqual(expected)
  })

  test('that do not exist, or do not fit, are refused with the reason', async () => {
    await using simulator = await startSimulator(heldMarket)
    const unknown = await postJson<Refusal>(`${simulator.controlUrl}/earthquake`)
    expect(unknown.status).toBe(400)
    expect(unknown.body.error).toBe(
      'There is no fault "earthquake"; there are drop, skip, duplicate, malformed, silence, reorder, delay, ' +
        'half-open, cut, error-frame, refuse, limit',
    )
    const unfit = await postJson<Refusal>(`${simulator.controlUrl}/skip`, { count: 0 })
    expect(unfit.body.error).toMatch(/^Fault "skip" cannot be armed: count: /)
    const elsewhere = { instrument: 'DOGE-PERPETUAL', count: 1 }
    const nowhere = await postJson<Refusal>(`${simulator.controlUrl}/skip`, elsewhere)
    expect(nowhere.body.error).toContain('there is no instrument "DOGE-PERPETUAL"')
  })
})

describe('control', () => {
  test('start releases a held clock; status tells what was sent and when all is', async () => {
    await using simulator = await startSimulator(twoMinutes)
    const { controlUrl, deribitWsUrl } = simulator
    await using client = await subscriber(deribitWsUrl)
    const held = (await getJson<Status>(`${controlUrl}/status`)).body
    expect(held).toMatchObject({ clock: start, held: true, finished: false, speed: 'max' })
    expect(held.connections[0]?.subscriptions).toEqual(channels)
    await postJson(`${controlUrl}/start`)
    const done = await poll(
      async () => (await getJson<Status>(`${controlUrl}/status`)).body,
      ({ finished }) => finished,
    )
    expect(done.clock).toBeGreaterThanOrEqual(start + 120_000)
    expect(done.instruments.find(({ instrument }) => instrument === perpetual)).toMatchObject({
      sentTrades: expected.length,
      firstSequence: expected[0],
      lastSequence: expected.at(-1),
    })
    // Finished means published: a round trip brings the rest.
    await client.call('public/test')
    expect(client.trades.map(({ sequence }) => sequence)).toEqual(expected)
  })

  test('at speed max the clock waits for a first subscriber', async () => {
    await using simulator = await startSimulator({ ...twoMinutes, hold: false })
    await using visitor = await VenueClient.connect(simulator.deribitWsUrl)
    expect((await visitor.call('public/get_time')).result).toBe(start)
    await visitor.call('public/subscribe', { channels })
    await visitor.until(() => visitor.trades.length >= expected.length)
    expect(visitor.trades.map(({ sequence }) => sequence)).toEqual(expected)
  })

  test('truth gives any stretch, whatever the clock says', async () => {
    await using simulator = await startSimulator(heldMarket)
    const truth = `${simulator.controlUrl}/truth`
    const [from = 0] = expected
    const { body } = await getJson<{ trades: unknown[]; hasMore: boolean }>(
      `${truth}?venue=deribit&instrument=${perpetual}&from_seq=${from}&to_seq=${from + 99}`,
    )
    const market = groundTruth('deribit')
    expect(body.trades).toHaveLength(100)
    expect(body.hasMore).toBe(false)
    expect(body.trades[99]).toMatchObject({
      sequence: from + 99,
      price: market.trade(perpetual, from + 99).price,
      quantity: market.trade(perpetual, from + 99).quantity,
    })
    const page = await getJson<{ trades: unknown[]; hasMore: boolean }>(
      `${truth}?instrument=BTCUSDT&from_time=${start}&to_time=${start + 60_000}&limit=10`,
    )
    expect(page.body.trades).toHaveLength(10)
    expect(page.body.hasMore).toBe(true)
    expect((await getJson<Refusal>(`${truth}?instrument=DOGE`)).status).toBe(404)
    expect((await getJson<Refusal>(`${truth}?instrument=${perpetual}&from_seq=x`)).status).toBe(400)
  })
})
