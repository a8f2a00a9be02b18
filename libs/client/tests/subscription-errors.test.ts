import { expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { createClient } from '../src/index.ts'
import type { CandleEvent, Notice, ServerMessage, StreamErrorCode } from '../src/index.ts'
import { candleAt, told, waitForEvents } from './candle-events.ts'
import { LocalGateway } from './local-gateway.ts'

function fullFor(id: string, code: StreamErrorCode): ServerMessage {
  return { type: 'error', id, code, message: 'No more instruments fit into the connection' }
}

it('goes on with a subscription into which no more instruments fit, and says so', async () => {
  // The gateway tells of an instrument that came later, beyond its limit, by an error, and goes on sending the others.
  // The client took that for the end of the subscription.
  await using gateway = await LocalGateway.open(600_000)
  using client = createClient({ url: gateway.url })
  const asked = { instruments: ['binance:*'], intervals: ['1m' as const] }
  const handled: (CandleEvent | Notice)[] = []
  const take = (event: CandleEvent | Notice): void => void handled.push(event)
  client.stream().candles(asked, {
    event: take,
    notice: take,
    error: (error) => expect.unreachable(error.message),
  })
  const read: (CandleEvent | Notice)[] = []
  for await (const event of client.stream().candles(asked)) {
    read.push(event)
    if (read.length === 1) {
      for (const id of ['s1', 's2']) {
        gateway.say(fullFor(id, 'instrument_not_followed'))
        gateway.say(fullFor(id, 'too_many_instruments'))
      }
      gateway.publish({ type: 'candle', candle: candleAt(1) })
    }
    if ('candle' in event) break
  }
  expect(told(read)).toEqual([
    'snapshot 0',
    'notice instrument_not_followed',
    'notice too_many_instruments',
    'update 1.0',
  ])
  expect(told(handled)).toEqual(told(read))
})

it('ends a subscription that the gateway refuses when it comes again', async () => {
  // It goes on from a cursor and has had events, on another connection: what this gateway refuses has ended all the same.
  await using gateway = await LocalGateway.open(600_000)
  using client = createClient({ url: gateway.url })
  const events: CandleEvent[] = []
  const codes: string[] = []
  client.stream().candles(
    { instruments: ['binance:*'], intervals: ['1m'] },
    {
      event: (event) => void events.push(event),
      error: ({ code }) => void codes.push(code),
    },
  )
  await waitForEvents(events, 1)
  gateway.cursors()
  gateway.publish({ type: 'candle', candle: candleAt(1) })
  await waitForEvents(events, 2)
  gateway.holds = () => true
  gateway.cut()
  await waitUntil('s2', async () => gateway.held > 0, { withinMs: 60_000 })
  gateway.say(fullFor('s2', 'too_many_instruments'))
  await waitUntil('the refusal', async () => codes.length > 0, { withinMs: 60_000 })
  expect(codes).toEqual(['too_many_instruments'])
})

it('ends a running subscription for any other error, at the gateway as well', async () => {
  // It was forgotten here and went on there, and counted against the limits of the connection.
  await using gateway = await LocalGateway.open(600_000)
  using client = createClient({ url: gateway.url })
  const request = { instruments: ['binance:*'], intervals: ['1m' as const] }
  const events = client.stream().candles(request)[Symbol.asyncIterator]()
  await events.next()
  gateway.say({ type: 'error', id: 's1', code: 'forbidden', message: 'The key has ended' })
  await expect(events.next()).rejects.toThrow('The key has ended')
  await waitUntil(
    'the subscription to end',
    async () => gateway.received.some((sent) => sent.type === 'unsubscribe' && sent.id === 's1'),
    { withinMs: 60_000 },
  )
})
