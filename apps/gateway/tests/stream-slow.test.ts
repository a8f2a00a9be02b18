import { expect, it } from 'vitest'

import { waitUntil } from '@tickertape/testing'

import { Peer, StreamBed, candlesKnown } from './stream-bed.ts'

const btc = 'binance:BTCUSDT'
const minute = 60_000
const candles = { id: 'a', channel: 'candles', instruments: ['*'], intervals: ['1m'] } as const

/** Makes a candle so long that the buffers of the operating system are soon full. */
const long = 'x'.repeat(20_000)

/** Tells of open windows, a turn of the loop for each, until a condition is met. */
async function moveUntil(
  bed: Awaited<ReturnType<typeof StreamBed.open>>,
  what: string,
  condition: () => Promise<boolean>,
): Promise<number> {
  let close = 0
  await waitUntil(
    what,
    async () => {
      for (let count = 0; count < 20; count += 1) {
        close += 1
        bed.view.tellCandles({
          instrumentId: btc,
          windowStart: 0,
          close,
          final: false,
          indicator: long,
        })
        await new Promise((resolve) => setImmediate(resolve))
      }
      return await condition()
    },
    { everyMs: 1 },
  )
  return close
}

const isConflating = (bed: Awaited<ReturnType<typeof StreamBed.open>>) => async () =>
  (await bed.metric('gateway_stream_conflations_total')) > 100

it('a slow client misses open windows that were overtaken, and no final', async () => {
  await using bed = await StreamBed.open({ flushMs: 0, socketBytes: 65_536 })
  using slow = await Peer.connect(bed.url)
  slow.subscribe(candles)
  await slow.message('snapshot')
  slow.socket.pause()
  await moveUntil(bed, 'conflation', isConflating(bed))
  const finals = Array.from({ length: 50 }, (_, window) => ({
    instrumentId: btc,
    windowStart: window * minute,
    close: 1_000_000 + window,
    final: true,
  }))
  for (const final of finals) bed.view.tellCandles(final)
  bed.view.tellCandles({ instrumentId: btc, windowStart: 50 * minute, close: -7, final: false })
  slow.socket.resume()
  await slow.until('the open window at the end', () =>
    slow.of('candle').some(({ candle }) => candle.close === '-7'),
  )
  const received = slow.of('candle').map(({ candle }) => candle)
  expect(received.filter(({ final }) => final).map(({ close }) => Number(close))).toEqual(
    finals.map(({ close }) => close),
  )
  // What it knows at the end is what the view knows.
  const known = [...candlesKnown(slow.messages)].map(([key, { close }]) => [key, close])
  const viewed = bed.view
    .candles(btc, '1m', 100)
    .map(({ json }) => JSON.parse(json) as { windowStart: number; close: string })
    .map(({ windowStart, close }) => [`${btc} 1m ${windowStart}`, close])
  expect(known).toEqual(viewed)
  expect(await bed.metric('gateway_stream_clients')).toBe(1)
})

it('a stalled client costs the others nothing, and is closed when its finals fill the outbox', async () => {
  await using bed = await StreamBed.open({ outboxBytes: 2 * 2 ** 20, socketBytes: 65_536 })
  using stalled = await Peer.connect(bed.url)
  stalled.subscribe(candles)
  await stalled.message('snapshot')
  using fast = await Peer.connect(bed.url)
  fast.subscribe(candles)
  await fast.message('snapshot')
  stalled.socket.pause()
  let window = 0
  await waitUntil(
    'the stalled client to be closed',
    async () => {
      for (let count = 0; count < 10; count += 1) {
        bed.view.tellCandles({
          instrumentId: btc,
          windowStart: window * minute,
          close: window,
          final: true,
          indicator: long,
        })
        window += 1
      }
      // The other one has all of them before more are told.
      await fast.until('the finals', () => fast.of('candle').length === window)
      return (await bed.metric('gateway_stream_closes_total', { reason: 'slowConsumer' })) === 1
    },
    { everyMs: 1 },
  )
  expect(fast.of('candle').map(({ candle }) => Number(candle.close))).toEqual(
    Array.from({ length: window }, (_, index) => index),
  )
  expect(fast.closed).toBeUndefined()
  await waitUntil(
    'one client to be left',
    async () => (await bed.metric('gateway_stream_clients')) === 1,
  )
  expect(await bed.metric('gateway_stream_outbox_bytes')).toBe(0)
})

it('a client that takes nothing by the deadline is closed, though nothing but open windows waits for it', async () => {
  await using bed = await StreamBed.open({ flushMs: 0, socketBytes: 65_536, writeDeadlineMs: 300 })
  using stalled = await Peer.connect(bed.url)
  stalled.subscribe(candles)
  await stalled.message('snapshot')
  stalled.socket.pause()
  await moveUntil(bed, 'conflation', isConflating(bed))
  await bed.closedFor('slowConsumer')
  await waitUntil('nobody to be left', () => bed.stream.clients === 0)
  expect(await bed.metric('gateway_stream_socket_bytes')).toBe(0)
})

it('a client that does not read its snapshot holds no more of it than its references', async () => {
  await using bed = await StreamBed.open({ outboxBytes: 65_536, socketBytes: 65_536 })
  const windows = 1_000
  for (let window = 0; window < windows; window += 1) {
    bed.view.tellCandles({
      instrumentId: btc,
      windowStart: window * minute,
      close: window,
      final: true,
      indicator: long,
    })
  }
  using slow = await Peer.connect(bed.url)
  slow.socket.pause()
  for (const id of ['a', 'b', 'c', 'd', 'e']) slow.subscribe({ ...candles, id, snapshot: 300 })
  await waitUntil(
    'the subscriptions',
    async () => (await bed.metric('gateway_stream_subscriptions')) === 5,
  )
  expect(await bed.metric('gateway_stream_outbox_bytes')).toBeLessThan(65_536)
  slow.socket.resume()
  await slow.until(
    'all snapshots',
    () => slow.of('snapshot').filter(({ last }) => last).length === 5,
  )
  expect(slow.of('snapshot').flatMap(({ candles: part = [] }) => part)).toHaveLength(5 * 300)
})
