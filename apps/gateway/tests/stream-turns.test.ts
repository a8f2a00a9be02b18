import type { Interval } from '@tickertape/market-model'
import { expect, it } from 'vitest'

import { positionText } from '../src/position-text.ts'
import { MemoryView } from '../src/stream/testing/memory-view.ts'
import { Peer, StreamBed } from './stream-bed.ts'

const minute = 60_000
const depth = 100
const instruments = Array.from({ length: 40 }, (_, number) => `v:${100 + number}`)
const candles = { channel: 'candles', intervals: ['1m'] } as const

/** Counts how many candles are asked for, for the first time, in each turn of the event loop. */
class CountingView extends MemoryView {
  readonly encodedInTurn: number[] = []
  readonly #encoded = new Set<string>()
  #now: number | undefined
  /** Called once, between two turns, when so many series have been encoded. */
  between: { readonly series: number; readonly call: () => void } | undefined

  override candles(instrumentId: string, interval: Interval, count: number) {
    const latest = super.candles(instrumentId, interval, count)
    if (!this.#encoded.has(instrumentId)) this.#count(instrumentId, latest.length)
    return latest
  }

  #count(instrumentId: string, items: number): void {
    this.#encoded.add(instrumentId)
    if (this.#now === undefined) {
      setImmediate(() => {
        this.encodedInTurn.push(this.#now ?? 0)
        this.#now = undefined
      })
    }
    this.#now = (this.#now ?? 0) + items
    if (this.#encoded.size === this.between?.series) setImmediate(this.between.call)
  }
}

function filledView(): CountingView {
  const view = new CountingView()
  for (const instrumentId of instruments) {
    for (let window = 0; window < depth; window += 1) {
      const windowStart = window * minute
      view.tellCandles({ instrumentId, windowStart, close: window, final: true })
    }
  }
  return view
}

// One subscribe had up to 20,000 candles encoded in one turn of the event loop, and twenty a second from one
// connection left no time for anybody else.
it('a long snapshot is encoded over many turns, and has neither a hole nor a double to the stream behind it', async () => {
  const view = filledView()
  await using bed = await StreamBed.over(view)
  using peer = await Peer.connect(bed.url)
  const [first = '', last = ''] = [instruments[0], instruments.at(-1)]
  peer.subscribe({ ...candles, id: 'small', instruments: ['v:other'] })
  await peer.message('snapshot')
  view.between = {
    series: 20,
    call: () => {
      // One whose candles have been encoded, and one whose have not.
      for (const instrumentId of [first, last]) {
        const windowStart = depth * minute
        view.tellCandles({ instrumentId, windowStart, close: 7_000, final: true })
      }
    },
  }
  peer.subscribe({ ...candles, id: 'long', instruments, snapshot: depth })
  const snapshots = () => peer.of('snapshot').filter(({ id }) => id === 'long')
  await peer.until('the last part', () => snapshots().at(-1)?.last === true)
  for (const instrumentId of [first, last]) {
    const windowStart = (depth + 1) * minute
    view.tellCandles({ instrumentId, windowStart, close: 8_000, final: true })
  }
  await peer.until('what came behind it', () => peer.of('candle').length >= 2)

  expect(view.encodedInTurn.length).toBeGreaterThanOrEqual(instruments.length / 6)
  expect(Math.max(...view.encodedInTurn)).toBeLessThanOrEqual(500 + depth)
  const sent = snapshots().flatMap((part) => part.candles ?? [])
  expect(sent).toHaveLength(instruments.length * depth)
  expect(sent.filter(({ close }) => close === '7000').map((one) => one.instrumentId)).toEqual([
    first,
    last,
  ])
  expect(peer.of('candle').map(({ candle }) => candle.close)).toEqual(['8000', '8000'])
})

// What waited for a connection was added up over its subscriptions: one that came again with all of them at once
// was refused some that it had had before.
it.each([false, true])(
  'whoever comes again with many subscriptions at once gets all of them, resumed: %j',
  async (resumed) => {
    const view = filledView()
    await using bed = await StreamBed.over(view, { limits: { snapshotItems: 30 } })
    const resume = positionText(view.position())
    for (const instrumentId of instruments) {
      for (let window = depth; window < depth + 20; window += 1) {
        const windowStart = window * minute
        view.tellCandles({ instrumentId, windowStart, close: window, final: true })
      }
    }
    using peer = await Peer.connect(bed.url)
    for (const id of instruments) {
      const facts = { ...candles, id, instruments: [id], snapshot: 20 }
      peer.subscribe(resumed ? { ...facts, resume } : facts)
    }
    const items = () =>
      peer.of('candle').length + peer.of('snapshot').flatMap((part) => part.candles ?? []).length
    await peer.until(
      'all that was asked for',
      () => peer.of('error').length > 0 || items() === 20 * instruments.length,
    )
    expect(peer.of('error')).toEqual([])
    expect(peer.of('subscribed').map((answer) => [answer.id, answer.resumed])).toEqual(
      instruments.map((id) => [id, resumed]),
    )
    // A cursor before the last answer would speak for subscriptions that have had nothing of what they missed.
    await peer.message('cursor')
    const types = peer.messages.map(({ type }) => type)
    expect(types.indexOf('cursor')).toBeGreaterThan(types.lastIndexOf('subscribed'))
  },
)

it('a subscription that waits for its turn can be ended, and is one of the connection until then', async () => {
  await using bed = await StreamBed.over(filledView(), { limits: { subscriptions: 2 } })
  using peer = await Peer.connect(bed.url)
  const long = { ...candles, instruments, snapshot: depth }
  for (const id of ['a', 'b', 'b', 'c']) peer.subscribe({ ...long, id })
  peer.send({ type: 'unsubscribe', id: 'b' })
  peer.send({ type: 'unsubscribe', id: 'a' })
  peer.send({ type: 'ping', id: 'end' })
  await peer.message('pong')
  expect(peer.of('error').map(({ code }) => code)).toEqual([
    'subscription_exists',
    'too_many_subscriptions',
  ])
  expect(peer.of('unsubscribed').map(({ id }) => id)).toEqual(['b', 'a'])
  expect(await bed.metric('gateway_stream_subscriptions')).toBe(0)
  peer.subscribe({ ...candles, id: 'b', instruments: ['v:100'] })
  await peer.until('its snapshot', () => peer.of('snapshot').some(({ id }) => id === 'b'))
})
