import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

import { describe, expect, it } from 'vitest'

import type { MappedTrade, MappingContext } from './mapped-trade.ts'
import { mapBinanceMessage } from './mapper-binance.ts'
import { mapCoinbaseMessage } from './mapper-coinbase.ts'
import { mapDeribitHistory, mapDeribitMessage } from './mapper-deribit.ts'
import { mapKrakenHistory } from './mapper-kraken.ts'
import { mapOkxMessage } from './mapper-okx.ts'
import { SequenceTracker } from './sequence-tracker.ts'

const folder = fileURLToPath(new URL('../../../../shared/recordings/', import.meta.url))
const manifestPath = `${folder}manifest.json`
const present = existsSync(manifestPath)
const why = present ? '' : ' (skipped: no recordings at ../shared/recordings)'

/** What the tests use of manifest.json. */
interface Manifest {
  readonly recordings: readonly {
    readonly file: string
    readonly trades: number
    readonly first_trade_ms: number | null
    readonly last_trade_ms: number | null
    readonly per_symbol: Readonly<Record<string, { readonly trades: number }>>
  }[]
}

const context: MappingContext = {
  feedId: 'recorded',
  receivedAt: Date.UTC(2030, 0, 1),
  futureToleranceMs: 5_000,
}

const mappers = {
  deribit: mapDeribitMessage,
  binance: mapBinanceMessage,
  coinbase: mapCoinbaseMessage,
  // Among them inverse contracts, of 100 dollars and of 10: what they are worth is not what is counted here.
  okx: (text: string, mapping: MappingContext) =>
    mapOkxMessage(text, mapping, () => ({ size: { mantissa: 100, exponent: 0 }, unit: 'quote' })),
  'binance-usdm': (text: string, mapping: MappingContext) =>
    mapBinanceMessage(text, mapping, { venue: 'binance-usdm' }),
} as const

function readTrades(file: string, venue: keyof typeof mappers): readonly MappedTrade[] {
  const lines = gunzipSync(readFileSync(folder + file))
    .toString('utf8')
    .trimEnd()
    .split('\n')
  return lines.flatMap((line) => {
    // The recordings' own line format.
    const { dir, raw } = JSON.parse(line) as { dir: string | null; raw: string }
    if (dir !== 'in') return []
    const message = mappers[venue](raw, context)
    return message.type === 'trades' ? message.trades : []
  })
}

function entryOf(file: string): Manifest['recordings'][number] {
  // A document of the recordings' makers, in the shape above.
  const { recordings } = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest
  const entry = recordings.find((each) => each.file === file)
  if (entry === undefined) throw new Error(`The manifest has no ${file}`)
  return entry
}

describe.skipIf(!present)(`recorded messages${why}`, () => {
  it.each([
    ['deribit/options-2021-07-22.jsonl.gz', 'deribit'],
    ['deribit/single-messages.jsonl.gz', 'deribit'],
    ['binance/spot-btcusdt-20240808.jsonl.gz', 'binance'],
    ['binance/spot-aggtrade-2021-10-12.jsonl.gz', 'binance'],
    ['binance/usdm-btcusdt-20240808.jsonl.gz', 'binance-usdm'],
    ['coinbase/exchange-feed-2021-04-17.jsonl.gz', 'coinbase'],
    ['okx/v5-public-2022-05-13.jsonl.gz', 'okx'],
  ] as const)('%s holds the trades of the manifest', (file, venue) => {
    const entry = entryOf(file)
    const mapped = readTrades(file, venue)
    const trades = mapped.flatMap((each) => (each.kind === 'trade' ? [each.trade] : []))
    const perInstrument = new Map<string, number>()
    for (const { instrument } of trades) {
      perInstrument.set(instrument, (perInstrument.get(instrument) ?? 0) + 1)
    }
    const times = trades.map(({ eventTime }) => eventTime)
    expect({
      rejected: mapped.length - trades.length,
      trades: trades.length,
      first: times.length === 0 ? null : Math.min(...times),
      last: times.length === 0 ? null : Math.max(...times),
      perInstrument: Object.fromEntries(perInstrument),
    }).toEqual({
      rejected: 0,
      trades: entry.trades,
      first: entry.first_trade_ms,
      last: entry.last_trade_ms,
      perInstrument: Object.fromEntries(
        Object.entries(entry.per_symbol).map(([name, { trades: count }]) => [name, count]),
      ),
    })
  })

  it('the recorded Binance stream has no hole and no duplicate', () => {
    const tracker = new SequenceTracker<number>()
    let ready = 0
    for (const { sequence } of readTrades('binance/spot-btcusdt-20240808.jsonl.gz', 'binance')) {
      if (typeof sequence !== 'number') continue
      if (tracker.position === undefined) tracker.begin(sequence - 1)
      const offered = tracker.offer(sequence, sequence)
      if (offered.outcome === 'accepted') ready += offered.ready.length
    }
    expect([ready, tracker.waitingCount]).toEqual([9757, 0])
  })

  it("a page of Deribit's history is mapped whole", () => {
    const file = 'rest/deribit-get_last_trades_by_instrument-ETH-PERPETUAL.json.gz'
    const page = mapDeribitHistory(
      gunzipSync(readFileSync(folder + file)).toString('utf8'),
      context,
    )
    expect(page.trades.length).toBeGreaterThan(0)
    expect(page.trades.filter(({ kind }) => kind === 'rejected')).toEqual([])
  })

  it("a page of Kraken's history is mapped whole, its ids without a hole", () => {
    const file = 'rest/kraken-Trades-XBTUSDT-1000.json.gz'
    const rows = mapKrakenHistory(
      'BTC/USDT',
      gunzipSync(readFileSync(folder + file)).toString('utf8'),
      context,
    )
    expect(rows.filter(({ mapped }) => mapped.kind === 'rejected')).toEqual([])
    expect(rows.map(({ mapped }) => mapped.sequence)).toEqual(
      Array.from({ length: 1_000 }, (_, index) => 10_218_208 + index),
    )
    // Trades of one order share a time, which never goes back.
    const times = rows.map(({ nanoseconds }) => nanoseconds ?? 0n)
    expect(times.every((time, index) => time >= (times[index - 1] ?? 0n))).toBe(true)
    expect(new Set(times).size).toBeLessThan(1_000)
  })
})
