import { expect, it } from 'vitest'

import { closeCodes } from '@tickertape/market-api/close-codes'
import { waitUntil } from '@tickertape/testing'

import { createClient } from '../src/index.ts'
import type { CandleEvent, Notice, StreamState } from '../src/index.ts'
import { candleAt, follow, minute, tellsOf, told, waitForEvents, watch } from './candle-events.ts'
import { LocalGateway } from './local-gateway.ts'

it('tells a snapshot, what grows, what closes, and what is revised', async () => {
  await using gateway = await LocalGateway.open()
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  gateway.publish({ type: 'candle', candle: candleAt(2) })
  const { client, events } = watch(gateway.url)
  using _client = client
  await waitForEvents(events, 1)
  gateway.publish({ type: 'candle', candle: candleAt(3, { final: false }) })
  gateway.publish({ type: 'candle', candle: candleAt(3) })
  gateway.publish({ type: 'candle', candle: candleAt(3, { revision: 1 }) })
  await waitForEvents(events, 4)
  expect(told(events)).toEqual(['snapshot 2', 'update 3.0 open', 'update 3.0', 'revision 3.1'])
})

it('goes on from the last cursor after the gateway was away, without a hole or a double', async () => {
  // No cursors but those that the test asks for.
  await using gateway = await LocalGateway.open(600_000)
  const { client, events, states } = watch(gateway.url)
  using _client = client
  await waitForEvents(events, 1)
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  gateway.cursors()
  // Behind the cursor, so it comes again.
  gateway.publish({ type: 'candle', candle: candleAt(2) })
  await waitForEvents(events, 3)
  gateway.stop()
  gateway.log.push({ type: 'candle', candle: candleAt(3) })
  gateway.start()
  await waitForEvents(events, 4)
  gateway.publish({ type: 'candle', candle: candleAt(4) })
  await waitForEvents(events, 5)
  const expected = ['snapshot 0', 'update 1.0', 'update 2.0', 'update 3.0', 'update 4.0']
  expect(told(events)).toEqual(expected)
  expect(states).toContain('waiting')
})

it('says reset where the gateway no longer has the position, and begins with a snapshot', async () => {
  await using gateway = await LocalGateway.open(600_000)
  const { client, events } = watch(gateway.url)
  using _client = client
  await waitForEvents(events, 1)
  gateway.cursors()
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  await waitForEvents(events, 2)
  gateway.remembersFrom = 1_000
  gateway.cut()
  await waitForEvents(events, 4)
  expect(told(events).slice(2)).toEqual(['reset position_too_old', 'snapshot 1'])
})

it('asks a gateway that has fallen silent, and takes the connection for dead without an answer', async () => {
  await using gateway = await LocalGateway.open(600_000)
  const { client, events, states } = watch(gateway.url)
  using _client = client
  await waitForEvents(events, 1)
  const pings = (): number => gateway.received.filter(({ type }) => type === 'ping').length
  await waitUntil('a second question', async () => pings() > 1, { withinMs: 60_000 })
  // The first one was answered.
  expect(gateway.connections).toBe(1)
  gateway.isSilent = true
  await waitUntil('a second connection', async () => gateway.connections > 1, { withinMs: 60_000 })
  gateway.isSilent = false
  gateway.cut()
  gateway.publish({ type: 'candle', candle: candleAt(9) })
  // On which of its connections it comes, and so in what form, is chance.
  await waitUntil('the candle', async () => events.some(tellsOf(9)), { withinMs: 60_000 })
  expect(states).toContain('waiting')
})

it('tries no more once the gateway wants another token, until it has one', async () => {
  await using gateway = await LocalGateway.open()
  gateway.token = 'right'
  const { client, events, states } = watch(gateway.url, 'wrong')
  using _client = client
  await waitUntil('the refusal', async () => states.includes('unauthenticated'), {
    withinMs: 60_000,
  })
  expect(gateway.connections).toBe(0)
  client.setToken('right')
  await waitForEvents(events, 1)
  gateway.token = 'changed'
  gateway.closeAll(closeCodes.unauthenticated)
  await waitUntil('the second refusal', async () => states.at(-1) === 'unauthenticated', {
    withinMs: 60_000,
  })
  expect(gateway.connections).toBe(1)
})

it('takes no cursor for a subscription that has not been answered: without a hole', async () => {
  // A cursor between two answers counted for both. When the connection broke before the second answer, the second
  // one went on from there, and what it had missed before was never told.
  await using gateway = await LocalGateway.open(600_000)
  using client = createClient({ url: gateway.url })
  const btc = follow(client, 'binance:BTCUSDT')
  const eth = follow(client, 'binance:ETHUSDT')
  await waitForEvents(eth, 1)
  gateway.cursors()
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  await waitForEvents(btc, 2)
  gateway.stop()
  gateway.log.push({ type: 'candle', candle: candleAt(1, { instrumentId: 'binance:ETHUSDT' }) })
  gateway.holds = ({ id }) => id === 's4'
  gateway.start()
  await waitUntil('s4', async () => gateway.held > 0, { withinMs: 60_000 })
  gateway.cursors()
  // Behind the cursor, so the client has had that as well.
  gateway.publish({ type: 'candle', candle: candleAt(2) })
  await waitForEvents(btc, 3)
  gateway.cut()
  await waitForEvents(eth, 2)
  gateway.publish({ type: 'candle', candle: candleAt(3) })
  await waitForEvents(btc, 4)
  expect(told(eth)).toEqual(['snapshot 0', 'update 1.0'])
  expect(told(btc)).toEqual(['snapshot 0', 'update 1.0', 'update 2.0', 'update 3.0'])
})

it('takes no cursor for a subscription that has not been answered: without a double', async () => {
  // A cursor between two answers made the client forget what it had told, and the second answer brought it again.
  await using gateway = await LocalGateway.open(600_000)
  using client = createClient({ url: gateway.url })
  const all = follow(client, 'binance:*')
  const btc = follow(client, 'binance:BTCUSDT')
  await waitForEvents(btc, 1)
  gateway.cursors()
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  await waitForEvents(btc, 2)
  gateway.holds = ({ id }) => id === 's4'
  gateway.cut()
  await waitUntil('s4', async () => gateway.held > 0, { withinMs: 60_000 })
  gateway.cursors()
  gateway.answerHeld()
  gateway.publish({ type: 'candle', candle: candleAt(2) })
  await waitUntil('both', async () => all.some(tellsOf(2)) && btc.some(tellsOf(2)), {
    withinMs: 60_000,
  })
  expect(told(all)).toEqual(['snapshot 0', 'update 1.0', 'update 2.0'])
  expect(told(btc)).toEqual(['snapshot 0', 'update 1.0', 'update 2.0'])
})

it('connects for a subscription that is opened as the last one is closed, whatever its state', async () => {
  // Closing the last one took away the timer of the next try, and the timer that was set instead became idle, with
  // a subscription that nothing connected for any more.
  await using gateway = await LocalGateway.open()
  gateway.stop()
  using client = createClient({ url: gateway.url })
  const stream = client.stream()
  const request = { instruments: ['binance:*'], intervals: ['1m' as const] }
  const events: CandleEvent[] = []
  const handlers = { event: (event: CandleEvent) => void events.push(event) }
  const first = stream.candles(request, handlers)
  expect(stream.state.status).toBe('connecting')
  first.close()
  const second = stream.candles(request, handlers)
  await waitUntil('a wait', async () => stream.state.status === 'waiting', { withinMs: 60_000 })
  second.close()
  stream.candles(request, handlers)
  gateway.start()
  await waitForEvents(events, 1)
  expect(stream.state.status).toBe('live')
})

it('comes again, try after try, to a gateway that began anew or is not ready, and goes on', async () => {
  // Only a token that is refused may end the tries: neither 4503 nor a handshake answered by 503 says anything of it.
  await using gateway = await LocalGateway.open(600_000)
  gateway.token = 'right'
  const { client, events, states } = watch(gateway.url, 'right')
  using _client = client
  const waits: StreamState[] = []
  client.stream().onState((state) => {
    if (state.status === 'waiting') waits.push(state)
  })
  await waitForEvents(events, 1)
  gateway.cursors()
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  await waitForEvents(events, 2)
  gateway.isUnready = true
  gateway.closeAll(closeCodes.streamReset)
  await waitUntil('two handshakes in vain', async () => gateway.putOff > 1, { withinMs: 60_000 })
  gateway.log.push({ type: 'candle', candle: candleAt(2) })
  gateway.isUnready = false
  await waitForEvents(events, 3)
  expect(told(events)).toEqual(['snapshot 0', 'update 1.0', 'update 2.0'])
  expect(states).not.toContain('unauthenticated')
  expect(waits.slice(0, 3)).toMatchObject([
    { tries: 1, reason: 'closed with code 4503' },
    { tries: 2 },
    { tries: 3 },
  ])
})

it('carries several subscriptions over one connection and tells each what is its own', async () => {
  await using gateway = await LocalGateway.open()
  using client = createClient({ url: gateway.url })
  const stream = client.stream()
  const seen: string[] = []
  const handlers = (name: string) => ({
    event: (event: CandleEvent) => {
      if ('candle' in event) seen.push(`${name} ${event.candle.instrumentId}`)
      else seen.push(`${name} ${event.type}`)
    },
  })
  stream.candles({ instruments: ['binance:*'], intervals: ['1m'] }, handlers('all'))
  stream.candles({ instruments: ['binance:ETHUSDT'], intervals: ['1m'] }, handlers('eth'))
  await waitUntil('both snapshots', async () => seen.length === 2, { withinMs: 60_000 })
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  gateway.publish({ type: 'candle', candle: candleAt(1, { instrumentId: 'binance:ETHUSDT' }) })
  await waitUntil('three updates', async () => seen.length === 5, { withinMs: 60_000 })
  expect(seen.slice(2)).toEqual([
    'all binance:BTCUSDT',
    'all binance:ETHUSDT',
    'eth binance:ETHUSDT',
  ])
  expect(gateway.connections).toBe(1)
})

it('an iterable gives the latest of an open window to a slow reader, and every final', async () => {
  await using gateway = await LocalGateway.open()
  using client = createClient({ url: gateway.url })
  const events: (CandleEvent | Notice)[] = []
  const subscription = client.stream().candles({ instruments: ['binance:*'], intervals: ['1m'] })
  for await (const event of subscription) {
    events.push(event)
    if (events.length === 1) {
      for (let n = 0; n < 50; n += 1) {
        gateway.publish({
          type: 'candle',
          candle: candleAt(1, { final: false, tradeCount: n }),
        })
      }
      gateway.publish({ type: 'candle', candle: candleAt(1) })
      gateway.publish({ type: 'candle', candle: candleAt(2) })
    }
    if ('candle' in event && event.candle.windowStart === 2 * minute) break
  }
  const all = told(events)
  expect(all[0]).toBe('snapshot 0')
  expect(all.slice(-2)).toEqual(['update 1.0', 'update 2.0'])
  const open = events.findLast((event) => 'candle' in event && !event.candle.final)
  expect(open).toMatchObject({ candle: { tradeCount: 49 } })
  await waitUntil(
    'the subscription to end with the loop',
    async () => gateway.received.some(({ type }) => type === 'unsubscribe'),
    { withinMs: 60_000 },
  )
})

it('an iterable throws what the gateway refuses', async () => {
  await using gateway = await LocalGateway.open()
  using client = createClient({ url: gateway.url })
  const request = { instruments: ['binance:*'], intervals: ['1m' as const] }
  for (let n = 0; n < 10; n += 1) client.stream().candles(request, { event: () => undefined })
  const next = client.stream().candles(request)[Symbol.asyncIterator]().next()
  await expect(next).rejects.toThrow('Ten subscriptions are the most')
})
