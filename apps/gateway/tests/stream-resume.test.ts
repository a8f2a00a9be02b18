import { expect, it } from 'vitest'

import { positionText } from '../src/position-text.ts'
import type { MemoryView } from '../src/stream/testing/memory-view.ts'
import { Peer, StreamBed } from './stream-bed.ts'

const btc = 'binance:BTCUSDT'
const eth = 'kraken:ETH/USD'
const minute = 60_000
const candles = { id: 'a', channel: 'candles', instruments: [btc, eth], intervals: ['1m'] } as const

async function lastCursor(peer: Peer, bed: StreamBed<MemoryView>): Promise<string> {
  const text = positionText(bed.view.position())
  await peer.until('the cursor of now', () =>
    peer.of('cursor').some(({ position }) => position === text),
  )
  return text
}

it('a cursor says that everything before it has been sent, and the stream goes on from it', async () => {
  await using bed = await StreamBed.open()
  using first = await Peer.connect(bed.url)
  first.subscribe(candles)
  await first.message('snapshot')
  bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
  const resume = await lastCursor(first, bed)
  expect(first.of('candle')).toHaveLength(1)
  first.socket.terminate()

  bed.view.tellCandles({ instrumentId: btc, windowStart: minute, close: 2, final: true })
  bed.view.tellCandles({ instrumentId: eth, windowStart: 0, close: 3, final: true })
  bed.view.tellCandles({ instrumentId: 'okx:OTHER', windowStart: 0, close: 4, final: true })
  bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 5, final: true, revision: 1 })
  bed.view.tellCandles({ instrumentId: btc, windowStart: 2 * minute, close: 6, final: false })

  using second = await Peer.connect(bed.url)
  second.subscribe({ ...candles, resume })
  await second.until('what was missed', () => second.of('candle').length >= 4)
  bed.view.tellCandles({ instrumentId: eth, windowStart: minute, close: 7, final: true })
  await lastCursor(second, bed)
  expect(await second.message('subscribed')).toMatchObject({ resumed: true, reset: null })
  expect(second.of('snapshot')).toEqual([])
  expect(second.of('candle').map(({ candle }) => candle.close)).toEqual(['2', '3', '5', '6', '7'])
})

it('trades go on from a cursor', async () => {
  await using bed = await StreamBed.open()
  bed.view.tellTrade(btc, 't1')
  const resume = positionText(bed.view.position())
  bed.view.tellTrade(btc, 't2')
  using peer = await Peer.connect(bed.url)
  peer.subscribe({ id: 'a', channel: 'trades', instruments: ['binance:*'], resume })
  await peer.message('trade')
  bed.view.tellTrade(btc, 't3')
  await lastCursor(peer, bed)
  expect(peer.of('trade').map(({ trade }) => trade.tradeId)).toEqual(['t2', 't3'])
})

it.each([
  ['position_too_old', (bed: StreamBed<MemoryView>) => positionText(bed.view.position())],
  ['position_unknown', () => '1-999_999-999_999'],
  ['position_unknown', () => 'what-is-this'],
] as const)(
  'a resume that is not possible is told as %s, and a snapshot follows',
  async (reset, position) => {
    await using bed = await StreamBed.open()
    const resume = position(bed)
    bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
    bed.view.forget()
    using peer = await Peer.connect(bed.url)
    peer.subscribe({ ...candles, resume })
    await peer.message('snapshot')
    expect(peer.of('subscribed')).toMatchObject([{ resumed: false, reset }])
    expect(peer.of('snapshot')[0]?.candles).toHaveLength(1)
  },
)

it('a resume of more than a connection may wait for is too old', async () => {
  await using bed = await StreamBed.open({ limits: { snapshotItems: 10 } })
  const resume = positionText(bed.view.position())
  for (let window = 0; window < 11; window += 1) {
    bed.view.tellCandles({ instrumentId: btc, windowStart: window * minute, close: 1, final: true })
  }
  using peer = await Peer.connect(bed.url)
  peer.subscribe({ ...candles, resume })
  expect(await peer.message('subscribed')).toMatchObject({ reset: 'position_too_old' })
})

it('statistics begin anew wherever they go on from', async () => {
  await using bed = await StreamBed.open()
  bed.view.tellTokenStats('BTC', '24h', 7)
  using peer = await Peer.connect(bed.url)
  const resume = positionText(bed.view.position())
  peer.subscribe({ id: 'a', channel: 'stats', of: 'tokens', span: '24h', names: ['*'], resume })
  expect((await peer.message('snapshot')).stats).toMatchObject([{ token: 'BTC', tradeCount: 7 }])
  expect(peer.of('subscribed')).toMatchObject([{ resumed: false, reset: null }])
})

it('a gateway that ends closes with 1001 behind a last cursor, and a reset view with its own code', async () => {
  await using bed = await StreamBed.open({ cursorMs: 3_600_000 })
  using peer = await Peer.connect(bed.url)
  peer.subscribe(candles)
  await peer.message('cursor')
  bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
  await bed.stream[Symbol.asyncDispose]()
  expect(await peer.closing()).toMatchObject({ code: 1001 })
  expect(peer.of('candle')).toHaveLength(1)
  const { position } = peer.of('cursor').at(-1) ?? {}
  expect(position).toBe(positionText(bed.view.position()))

  await using other = await StreamBed.open()
  using reset = await Peer.connect(other.url)
  await reset.message('welcome')
  other.view.reset()
  expect(await reset.closing()).toMatchObject({ code: 4503 })
})
