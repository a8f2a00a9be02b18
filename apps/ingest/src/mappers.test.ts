import { readSettings } from '@tickertape/service-runtime'
import { waitUntil } from '@tickertape/testing'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'

import { localVenue } from './testing/local-venue.ts'
import { venueNames, venues } from './venue-registry.ts'
import type { VenueName } from './venue-registry.ts'
import { readVenueSettings, venueSettings } from './venue-settings.ts'

/** What differs from frame to frame, as JSON texts; what is left out is right. */
interface Fields {
  readonly id: number
  readonly price?: string
  readonly quantity?: string
  readonly time?: string
  /** Another instrument than the one that is read. */
  readonly instrument?: string
}

interface Sample {
  readonly instrument: string
  readonly frame: (fields: Fields) => string
  /** A time in the year 2100. */
  readonly future: string
}

const time = Date.UTC(2026, 4, 20)
const late = Date.UTC(2100, 0, 1)
const isoTime = '"2026-05-20T00:00:00.000000Z"'
const isoLate = '"2100-01-01T00:00:00.000000Z"'

const binanceSample = (instrument: string, type: 'aggTrade' | 'trade'): Sample => ({
  instrument,
  future: String(late),
  frame: (each) => {
    const id = type === 'trade' ? `"t":${each.id}` : `"a":${each.id},"f":${each.id},"l":${each.id}`
    const facts = `"p":${each.price ?? '"5.0"'},"q":${each.quantity ?? '"7"'},"T":${each.time ?? time}`
    const symbol = each.instrument ?? instrument
    return `{"stream":"x","data":{"e":"${type}","E":${time},"s":"${symbol}",${id},${facts},"m":true,"X":"MARKET"}}`
  },
})

const bybitSample = (instrument: string): Sample => ({
  instrument,
  future: String(late),
  frame: (each) => {
    const facts = `"p":${each.price ?? '"5.0"'},"v":${each.quantity ?? '"7"'},"T":${each.time ?? time}`
    const symbol = each.instrument ?? instrument
    return `{"topic":"publicTrade.${symbol}","type":"snapshot","ts":${time},"data":[{"s":"${symbol}","S":"Buy",${facts},"L":"PlusTick","i":"id-${each.id}","BT":false,"seq":${each.id}}]}`
  },
})

const samples: Readonly<Record<VenueName, Sample>> = {
  deribit: {
    instrument: 'BTC-PERPETUAL',
    future: String(late),
    frame: (each) => {
      const facts = `"price":${each.price ?? '5.0'},"amount":${each.quantity ?? '7'},"timestamp":${each.time ?? time}`
      const name = each.instrument ?? 'BTC-PERPETUAL'
      return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.${name}.100ms","data":[{"trade_seq":${each.id},"trade_id":"${each.id}","instrument_name":"${name}","direction":"buy","tick_direction":0,"index_price":5,"mark_price":5,${facts}}]}}`
    },
  },
  binance: binanceSample('BTCUSDT', 'trade'),
  'binance-usdm': binanceSample('BTCUSDT', 'aggTrade'),
  'binance-coinm': binanceSample('BTCUSD_PERP', 'aggTrade'),
  okx: {
    instrument: 'BTC-USDT',
    future: `"${late}"`,
    frame: (each) => {
      const name = each.instrument ?? 'BTC-USDT'
      const facts = `"px":${each.price ?? '"5.0"'},"sz":${each.quantity ?? '"7"'},"ts":${each.time ?? `"${time}"`}`
      return `{"arg":{"channel":"trades-all","instId":"${name}"},"data":[{"instId":"${name}","tradeId":"${each.id}","side":"buy","source":"0",${facts}}]}`
    },
  },
  'bybit-spot': bybitSample('BTCUSDT'),
  'bybit-linear': bybitSample('BTCUSDT'),
  'bybit-inverse': bybitSample('BTCUSD'),
  coinbase: {
    instrument: 'BTC-USD',
    future: isoLate,
    frame: (each) => {
      const facts = `"price":${each.price ?? '"5.0"'},"size":${each.quantity ?? '"7"'},"time":${each.time ?? isoTime}`
      return `{"type":"match","trade_id":${each.id},"side":"sell","product_id":"${each.instrument ?? 'BTC-USD'}","sequence":${each.id},${facts}}`
    },
  },
  'coinbase-advanced': {
    instrument: 'BTC-USD',
    future: isoLate,
    frame: (each) => {
      const facts = `"price":${each.price ?? '"5.0"'},"size":${each.quantity ?? '"7"'},"time":${each.time ?? isoTime}`
      return `{"channel":"market_trades","client_id":"","timestamp":${isoTime},"sequence_num":${each.id},"events":[{"type":"update","trades":[{"trade_id":"${each.id}","product_id":"${each.instrument ?? 'BTC-USD'}","side":"BUY",${facts}}]}]}`
    },
  },
  kraken: {
    instrument: 'BTC/USD',
    future: isoLate,
    frame: (each) => {
      const facts = `"price":${each.price ?? '5.0'},"qty":${each.quantity ?? '7'},"timestamp":${each.time ?? isoTime}`
      return `{"channel":"trade","type":"update","data":[{"symbol":"${each.instrument ?? 'BTC/USD'}","side":"buy","ord_type":"market","trade_id":${each.id},${facts}}]}`
    },
  },
  otc: {
    instrument: 'EUR-USD',
    future: String(late),
    frame: (each) => {
      const facts = `"price":${each.price ?? '"5.0"'},"quantity":${each.quantity ?? '"7"'},"executedAt":${each.time ?? time}`
      return `{"events":[{"instrument":"${each.instrument ?? 'EUR-USD'}","sequence":${each.id},"tradeId":"OTC-${each.id}","version":0,"status":"confirmed","side":"buy","counterparty":"Halden Bank","book":"FX","maturesAt":${late + 86_400_000},${facts}}]}`
    },
  },
  swaps: {
    instrument: 'WETH-USDC',
    future: String(late),
    frame: (each) => {
      const facts = `"toAmount":${each.price ?? '"5.0"'},"fromAmount":${each.quantity ?? '"7"'},"timestamp":${each.time ?? time}`
      const hash = String(each.id).padStart(64, '0')
      return `{"events":[{"instrument":"${each.instrument ?? 'WETH-USDC'}","sequence":${each.id},"txHash":"0x${hash}","status":"confirmed","fromToken":"WETH","toToken":"USDC","usdValue":"5",${facts}}]}`
    },
  },
}

const badNumbers = ['NaN', '"NaN"', '-1', '"-1"', '0', '"0"', 'null', '"abc"', '""', '"Infinity"']
const badShapes = ['[]', '{}', 'true']
const badTimes = [
  'null',
  '"yesterday"',
  '-1',
  '"-1"',
  '1e300',
  '"1e300"',
  '-8640000000000001',
  '""',
]
const noFrames = ['', 'no JSON', '{"', '[]', 'null', '5', '"text"', '{}', '\u0000']

const values = readSettings(venueSettings, 'INGEST_', {})

/** A connection of the venue's own feed to a server that sends what the test has it send. */
async function given(name: VenueName) {
  const { instrument, frame } = samples[name]
  let client: WebSocket | undefined
  let told = ''
  const local = await localVenue({
    onFrame: (text, from) => {
      client = from
      told += text.toUpperCase()
    },
    // The contract sizes that Binance's coin-margined contracts are read by.
    onGet: () => JSON.stringify({ symbols: [{ symbol: 'BTCUSD_PERP', contractSize: 100 }] }),
  })
  const connection = await venues[name](readVenueSettings(values, '')).connect(local.options)
  connection.subscribe([instrument]).catch(() => undefined)
  await waitUntil('the subscription', () => told.includes(instrument.toUpperCase()))
  let end = ''
  void connection.closed.then((reason) => (end = reason))
  let id = 1_000
  const { trades, malformed } = local.handed
  const send = (fields: Omit<Fields, 'id'>): string => {
    id += 1
    const text = frame({ id, ...fields })
    client?.send(text)
    return text
  }
  /** Waits until a frame behind all others has come through. */
  const passed = async (): Promise<void> => {
    const before = trades.filter(({ kind }) => kind === 'trade').length
    send({})
    await waitUntil(`a good frame (${end})`, () => {
      return trades.filter(({ kind }) => kind === 'trade').length > before
    })
  }
  const sendText = (text: string): void => client?.send(text)
  return { send, sendText, passed, trades, malformed, ended: () => end }
}

describe.each(venueNames)('bad input from %s', (name) => {
  it('is turned away with its bytes and a reason, each by itself, and the feed goes on', async () => {
    const { send, passed, trades, malformed, ended } = await given(name)
    const bad = [
      ...[...badNumbers, ...badShapes].flatMap((value) => [{ price: value }, { quantity: value }]),
      ...[...badTimes, ...badShapes].map((value) => ({ time: value })),
      { time: samples[name].future },
    ]
    const texts = bad.map(send)
    await passed()
    const rejected = trades.flatMap((each) => (each.kind === 'rejected' ? [each] : []))
    for (const [index, text] of texts.entries()) {
      // A frame that is no JSON is kept whole, and what a row holds with the row.
      const isMalformed = malformed[0] === text
      if (isMalformed) malformed.splice(0, 1)
      const row = isMalformed ? undefined : rejected.shift()
      const [value = ''] = Object.values(bad[index] ?? {})
      expect(isMalformed ? text : (row?.original ?? ''), text).toContain(value)
      expect(isMalformed ? 'malformed' : (row?.message ?? ''), text).not.toBe('')
    }
    expect(rejected).toEqual([])
    expect(malformed).toEqual([])
    expect(trades.filter(({ kind }) => kind === 'trade')).toHaveLength(1)
    expect(ended()).toBe('')
  })

  it('that is no frame of the venue’s ends nothing', async () => {
    const { sendText, passed, trades, ended } = await given(name)
    for (const text of noFrames) sendText(text)
    await passed()
    expect(trades.filter(({ kind }) => kind === 'trade')).toHaveLength(1)
    expect(ended()).toBe('')
  })

  it('that is too large ends the connection alone', async () => {
    const { sendText, ended } = await given(name)
    sendText(`{"x":"${'x'.repeat(2 * 1024 ** 2)}"}`)
    await waitUntil('the end', () => ended() !== '')
    expect(ended()).toBe('Max payload size exceeded')
  })
})
