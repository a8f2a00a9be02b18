import { expect, test } from 'vitest'
import { startSimulator } from '../src/simulator.ts'
import { heldMarket, sequencesBetween, start, twoMinutes } from './simulated.ts'
import { postJson, VenueClient } from './venue-client.ts'

const channels = ['trades.BTC-PERPETUAL.100ms']
const expected = sequencesBetween('deribit', 'BTC-PERPETUAL', start, start + 120_000)

/** Subscribes to BTC-PERPETUAL on a clock that is still held. */
async function subscriber(url: string): Promise<VenueClient> {
  const client = await VenueClient.connect(url)
  await client.call('public/subscribe', { channels })
  return client
}

function sequencesOf({ trades }: VenueClient): readonly number[] {
  return trades.map(({ sequence }) => sequence)
}

test('silence keeps trades off the socket, and answers go on', async () => {
  await using simulator = await startSimulator(twoMinutes)
  await using client = await subscriber(simulator.deribitWsUrl)
  await postJson(`${simulator.controlUrl}/silence`, { on: true })
  simulator.release()
  let time = start
  while (time < start + 120_000) {
    const { result } = await client.call('public/get_time')
    time = Number(result)
  }
  expect(client.trades).toEqual([])
})

test('reorder sends frames behind the next of their channel, and loses none', async () => {
  await using simulator = await startSimulator(twoMinutes)
  await using client = await subscriber(simulator.deribitWsUrl)
  await postJson(`${simulator.controlUrl}/reorder`, { count: 2 })
  simulator.release()
  await client.until(() => client.trades.length === expected.length)
  expect(sequencesOf(client)).not.toEqual(expected)
  expect(sequencesOf(client).toSorted((one, other) => one - other)).toEqual(expected)
})

test('delay lets later frames go past, and loses none', async () => {
  await using simulator = await startSimulator(twoMinutes)
  await using client = await subscriber(simulator.deribitWsUrl)
  await postJson(`${simulator.controlUrl}/delay`, { count: 1, milliseconds: 50 })
  simulator.release()
  await client.until(() => client.trades.length === expected.length)
  expect(sequencesOf(client)[0]).not.toBe(expected[0])
  expect(sequencesOf(client).toSorted((one, other) => one - other)).toEqual(expected)
})

test('half-open leaves one connection open and silent, answers included', async () => {
  await using simulator = await startSimulator(heldMarket)
  await using silent = await subscriber(simulator.deribitWsUrl)
  await using other = await subscriber(simulator.deribitWsUrl)
  await postJson(`${simulator.controlUrl}/half-open`, { connection: 1 })
  const before = silent.frames.length
  silent.send({ jsonrpc: '2.0', id: 1, method: 'public/test' })
  await other.call('public/test')
  await other.call('public/test')
  expect(silent.frames.length).toBe(before)
  expect(silent.closeCode).toBeUndefined()
})

test('cut closes with a code', async () => {
  await using simulator = await startSimulator(heldMarket)
  await using client = await subscriber(simulator.deribitWsUrl)
  await postJson(`${simulator.controlUrl}/cut`, { code: 1012, reason: 'service restart' })
  expect(await client.closed()).toBe(1012)
})

test('error-frame sends what nobody asked for', async () => {
  await using simulator = await startSimulator(heldMarket)
  await using client = await subscriber(simulator.deribitWsUrl)
  const text = '{"error":{"code":13888,"message":"timed_out"}}'
  await postJson(`${simulator.controlUrl}/error-frame`, { text })
  expect(await client.frame((frame) => frame.includes('13888'))).toBe(text)
})

test('limit turns requests and attempts to connect away, as the venue would, and then no more', async () => {
  await using simulator = await startSimulator(heldMarket)
  const url = `${simulator.deribitRestUrl}/public/test`
  const body = '{"error":{"code":10028,"message":"too_many_requests"}}'
  const answer = { requests: 1, connects: 1, status: 418, retryAfter: '2', body }
  await postJson(`${simulator.controlUrl}/limit`, answer)
  const refused = await fetch(url)
  expect([refused.status, refused.headers.get('retry-after'), await refused.text()]).toEqual([
    418,
    '2',
    body,
  ])
  expect((await fetch(url)).status).toBe(200)
  await expect(VenueClient.connect(simulator.deribitWsUrl)).rejects.toThrow('418')
  await using client = await VenueClient.connect(simulator.deribitWsUrl)
  expect((await client.call('public/test')).result).toBeDefined()
})

test('refuse leaves an instrument out of the answer to a subscription', async () => {
  await using simulator = await startSimulator(heldMarket)
  await using client = await VenueClient.connect(simulator.deribitWsUrl)
  const instrument = 'BTC-PERPETUAL'
  await postJson(`${simulator.controlUrl}/refuse`, { instrument, on: true })
  expect((await client.call('public/subscribe', { channels })).result).toEqual([])
  await postJson(`${simulator.controlUrl}/refuse`, { instrument, on: false })
  expect((await client.call('public/subscribe', { channels })).result).toEqual(channels)
})
