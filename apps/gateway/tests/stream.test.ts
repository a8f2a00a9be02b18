import { describe, expect, it } from 'vitest'

import { Peer, StreamBed, candlesKnown } from './stream-bed.ts'

const btc = 'binance:BTCUSDT'
const eth = 'binance:ETHUSDT'
const minute = 60_000

describe('a subscription', () => {
  it('begins with a snapshot and goes on with the stream', async () => {
    await using bed = await StreamBed.open()
    bed.view.tellCandles(
      { instrumentId: btc, windowStart: 0, close: 1, final: true },
      { instrumentId: btc, windowStart: minute, close: 2, final: false },
    )
    using peer = await Peer.connect(bed.url)
    peer.subscribe({
      id: 'a',
      channel: 'candles',
      instruments: [btc, 'binance:NONE'],
      intervals: ['1m'],
      snapshot: 10,
    })
    await peer.message('snapshot')
    bed.view.tellCandles({ instrumentId: btc, windowStart: minute, close: 3, final: false })
    await peer.message('candle')
    bed.view.tellCandles({ instrumentId: btc, windowStart: minute, close: 4, final: true })
    await peer.until('the final', () => peer.of('candle').some(({ candle }) => candle.final))
    expect(peer.messages[0]).toMatchObject({ type: 'welcome', protocol: 1, instance: 'test' })
    expect(peer.messages[1]).toEqual({
      type: 'subscribed',
      id: 'a',
      channel: 'candles',
      resumed: false,
      reset: null,
      unknown: ['binance:NONE'],
    })
    expect(peer.of('snapshot')).toMatchObject([{ id: 'a', last: true }])
    expect([...candlesKnown(peer.messages)]).toEqual([
      [`${btc} 1m 0`, { close: '1', final: true, revision: 0 }],
      [`${btc} 1m ${minute}`, { close: '4', final: true, revision: 0 }],
    ])
  })

  it('of finals alone brings nothing of open windows', async () => {
    await using bed = await StreamBed.open()
    bed.view.tellCandles(
      { instrumentId: btc, windowStart: 0, close: 1, final: true },
      { instrumentId: btc, windowStart: minute, close: 2, final: false },
    )
    using peer = await Peer.connect(bed.url)
    peer.subscribe({
      id: 'a',
      channel: 'candles',
      instruments: [btc],
      intervals: ['1m'],
      live: false,
    })
    await peer.message('snapshot')
    bed.view.tellCandles({ instrumentId: btc, windowStart: minute, close: 3, final: false })
    bed.view.tellCandles({ instrumentId: btc, windowStart: minute, close: 4, final: true })
    await peer.message('candle')
    expect([...candlesKnown(peer.messages).values()].map(({ close }) => close)).toEqual(['1', '4'])
    expect(peer.of('candle')).toHaveLength(1)
  })

  it('of a pattern follows instruments that come later, and others are not sent', async () => {
    await using bed = await StreamBed.open()
    using peer = await Peer.connect(bed.url)
    peer.subscribe({ id: 'a', channel: 'candles', instruments: ['binance:*'], intervals: ['1m'] })
    await peer.message('snapshot')
    bed.view.tellCandles(
      { instrumentId: 'kraken:BTC/USD', windowStart: 0, close: 1, final: true },
      { instrumentId: btc, windowStart: 0, interval: '5m', close: 2, final: true },
      { instrumentId: btc, windowStart: 0, close: 3, final: true },
    )
    bed.view.tellCandles({ instrumentId: eth, windowStart: 0, close: 4, final: true })
    await peer.until('two finals', () => peer.of('candle').length >= 2)
    expect(peer.of('candle').map(({ candle }) => candle.close)).toEqual(['3', '4'])
  })

  it('of trades brings each once, and a revision of the past is a candle like any other', async () => {
    await using bed = await StreamBed.open()
    bed.view.tellTrade(btc, 't1')
    bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
    using peer = await Peer.connect(bed.url)
    peer.subscribe({ id: 'a', channel: 'trades', instruments: [btc] })
    // Twice the same candles: each is sent once.
    peer.subscribe({ id: 'b', channel: 'candles', instruments: [btc], intervals: ['1m'] })
    peer.subscribe({ id: 'c', channel: 'candles', instruments: ['*BTC*'], intervals: ['1m'] })
    await peer.until('three snapshots', () => peer.of('snapshot').length === 3)
    bed.view.tellTrade(btc, 't2')
    bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 9, final: true, revision: 1 })
    await peer.message('candle')
    expect(peer.of('snapshot')[0]?.trades?.map(({ tradeId }) => tradeId)).toEqual(['t1'])
    expect(peer.of('trade').map(({ trade }) => trade.tradeId)).toEqual(['t2'])
    expect(peer.of('candle')).toMatchObject([{ candle: { revision: 1, close: '9' } }])
  })

  it('of statistics brings the present ones, then each change', async () => {
    await using bed = await StreamBed.open()
    bed.view.tellTokenStats('BTC', '5m', 1)
    using peer = await Peer.connect(bed.url)
    peer.subscribe({ id: 'a', channel: 'stats', of: 'tokens', span: '5m', names: ['BTC', 'E*'] })
    await peer.message('snapshot')
    bed.view.tellTokenStats('BTC', '1h', 5)
    bed.view.tellTokenStats('ETH', '5m', 2)
    await peer.message('stats')
    expect(peer.of('snapshot')[0]?.stats).toMatchObject([{ token: 'BTC', tradeCount: 1 }])
    expect(peer.of('stats')).toMatchObject([
      { of: 'tokens', stats: { token: 'ETH', tradeCount: 2 } },
    ])
  })

  it('ends with unsubscribe, and nothing of it comes behind the answer', async () => {
    await using bed = await StreamBed.open()
    using peer = await Peer.connect(bed.url)
    peer.subscribe({ id: 'a', channel: 'candles', instruments: [btc], intervals: ['1m'] })
    await peer.message('snapshot')
    peer.send({ type: 'unsubscribe', id: 'a' })
    await peer.message('unsubscribed')
    bed.view.tellCandles({ instrumentId: btc, windowStart: 0, close: 1, final: true })
    peer.send({ type: 'ping', id: 'p' })
    expect(await peer.message('pong')).toEqual({ type: 'pong', id: 'p' })
    expect(peer.of('candle')).toEqual([])
    peer.send({ type: 'unsubscribe', id: 'a' })
    expect(await peer.message('error')).toMatchObject({ id: 'a', code: 'unknown_subscription' })
  })

  it('with a long snapshot gets it in parts, the last of which says so', async () => {
    await using bed = await StreamBed.open()
    bed.view.tellCandles(
      ...Array.from({ length: 1_000 }, (_, window) => ({
        instrumentId: btc,
        windowStart: window * minute,
        close: window,
        final: true,
      })),
    )
    using peer = await Peer.connect(bed.url)
    peer.subscribe({
      id: 'a',
      channel: 'candles',
      instruments: [btc],
      intervals: ['1m'],
      snapshot: 300,
    })
    // Told before the last part can be written.
    await peer.message('subscribed')
    bed.view.tellCandles({
      instrumentId: btc,
      windowStart: 1_000 * minute,
      close: 1_000,
      final: true,
    })
    await peer.message('candle')
    const parts = peer.of('snapshot')
    expect(parts.length).toBeGreaterThan(3)
    expect(parts.map(({ last }) => last)).toEqual([...parts.slice(1).map(() => false), true])
    expect(parts.flatMap(({ candles = [] }) => candles.map(({ close }) => Number(close)))).toEqual(
      Array.from({ length: 300 }, (_, index) => 700 + index),
    )
  })
})

it('heartbeats come by themselves, and pings are answered by the library', async () => {
  await using bed = await StreamBed.open({ heartbeatMs: 20 })
  using peer = await Peer.connect(bed.url, { protocols: ['tickertape.v1', 'bearer.secret'] })
  let pings = 0
  peer.socket.on('ping', () => {
    pings += 1
  })
  await peer.until('heartbeats and pings', () => peer.of('heartbeat').length > 2 && pings > 2)
  expect(peer.socket.protocol).toBe('tickertape.v1')
})

it('two hundred snapshots taken while the market moves have neither a hole nor a double behind them', async () => {
  await using bed = await StreamBed.open({ flushMs: 1 })
  let window = 0
  const market = setInterval(() => {
    for (let count = 0; count < 5; count += 1) {
      bed.view.tellCandles({
        instrumentId: btc,
        windowStart: window * minute,
        close: window,
        final: true,
      })
      bed.view.tellCandles({
        instrumentId: btc,
        windowStart: (window + 1) * minute,
        close: -window,
        final: false,
      })
      window += 1
    }
  }, 1)
  try {
    using peer = await Peer.connect(bed.url)
    for (let round = 0; round < 200; round += 1) {
      peer.messages.length = 0
      peer.subscribe({
        id: `s${round}`,
        channel: 'candles',
        instruments: [btc],
        intervals: ['1m'],
        snapshot: 3,
        live: round % 2 === 0,
      })
      await peer.until(
        'five finals behind the snapshot',
        () => peer.of('candle').filter(({ candle }) => candle.final).length > 5,
      )
      peer.send({ type: 'unsubscribe', id: `s${round}` })
      await peer.message('unsubscribed')
      const ofSnapshot = peer.of('snapshot').flatMap(({ candles = [] }) => candles)
      const all = [...ofSnapshot, ...peer.of('candle').map(({ candle }) => candle)]
      const finals = all.filter(({ final }) => final).map(({ windowStart }) => windowStart / minute)
      expect(finals).toEqual(finals.map((_, index) => (finals[0] ?? 0) + index))
    }
  } finally {
    clearInterval(market)
  }
})
