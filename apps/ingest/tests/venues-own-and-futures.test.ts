import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import { formatDecimal, multiplyDecimals, parseDecimal } from '@tickertape/market-model'
import type { SequenceGap } from '@tickertape/market-model'
import { defaultInstruments, deribitOptionsAndSpreads } from '@tickertape/market-simulator'
import type { Instrument, Venue } from '@tickertape/market-simulator'
import { repetitions } from '@tickertape/testing'

import { IngestRun } from './ingest-run.ts'
import { duplicatesOf, tradesOf, truthOf } from './log-facts.ts'
import type { LogRecord, PlainTrade } from './log-facts.ts'
import { readMessages, readRecords } from './topic-reader.ts'

interface TestedMarket {
  readonly title: string
  readonly venue: Venue
  readonly instruments: readonly string[]
  readonly settings?: Readonly<Record<string, string>>
  /** On top of those that the simulator has by default. */
  readonly listed?: readonly Instrument[]
  /** A frame that nobody asked for: the venue complains, or announces that it will end the connection. */
  readonly frame: string
  /** What the log makes of what the venue traded. */
  readonly mapped?: (trade: PlainTrade) => PlainTrade
}

const complaint = '{"error":"internal error"}'
const shutdown = '{"e":"serverShutdown","E":1770123456789}'

const aggregate = (trade: PlainTrade): PlainTrade => ({ ...trade, tradeId: `a${trade.sequence}` })

const markets: readonly TestedMarket[] = [
  { title: 'otc', venue: 'otc', instruments: ['EUR-USD', 'XAU-USD'], frame: complaint },
  {
    title: 'swaps',
    venue: 'swaps',
    instruments: ['WETH-USDC', 'WBTC-USDC', 'WETH-LINK'],
    frame: complaint,
  },
  {
    title: 'binance, aggregate trades',
    venue: 'binance',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    settings: { INGEST_BINANCE_STREAM: 'aggTrade' },
    frame: shutdown,
    mapped: aggregate,
  },
  {
    title: 'binance-usdm',
    venue: 'binance-usdm',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    frame: shutdown,
    mapped: aggregate,
  },
  {
    title: 'binance-usdm, single trades with a key',
    venue: 'binance-usdm',
    instruments: ['ETHUSDT'],
    settings: { INGEST_BINANCE_STREAM: 'trade', INGEST_BINANCE_API_KEY: 'a-key' },
    frame: '{"error":{"code":0,"msg":"Unknown property"},"id":null}',
  },
  {
    title: 'binance-coinm',
    venue: 'binance-coinm',
    instruments: ['BTCUSD_PERP', 'ETHUSD_PERP'],
    frame: shutdown,
    // Contracts of 100 and of 10 dollars; the truth has no instrument, so that the price tells.
    mapped: (trade) => ({
      ...aggregate(trade),
      quantity: times(trade.quantity, Number(trade.price) > 10_000 ? '100' : '10'),
    }),
  },
  {
    title: 'deribit, raw, with options and a spread',
    venue: 'deribit',
    instruments: ['BTC-PERPETUAL', ...deribitOptionsAndSpreads.map(({ name }) => name)],
    settings: {
      INGEST_DERIBIT_INTERVAL: 'raw',
      INGEST_DERIBIT_CLIENT_ID: 'simulator',
      INGEST_DERIBIT_CLIENT_SECRET: 'simulated-secret',
    },
    listed: deribitOptionsAndSpreads,
    frame: '{"jsonrpc":"2.0","error":{"code":11051,"message":"system_maintenance"}}',
  },
]

async function open({
  listed = [],
  ...market
}: Omit<TestedMarket, 'frame' | 'title'>): Promise<IngestRun> {
  const instruments = [...defaultInstruments, ...listed]
  return await IngestRun.open({ ...market, simulator: { instruments } })
}

const steps = repetitions({ short: 4, long: 120 })

type Fault =
  | { readonly name: 'cut' | 'drop' | 'error-frame' | 'kill' }
  | {
      readonly name: 'delay' | 'duplicate' | 'malformed' | 'reorder' | 'skip'
      readonly count: number
    }

const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    name: fc.constantFrom('cut' as const, 'drop' as const, 'error-frame' as const, 'kill' as const),
  }),
  fc.record({
    name: fc.constantFrom(
      'delay' as const,
      'duplicate' as const,
      'malformed' as const,
      'reorder' as const,
      'skip' as const,
    ),
    count: fc.integer({ min: 1, max: 20 }),
  }),
)

function times(quantity: string, factor: string): string {
  const [one, other] = [parseDecimal(quantity), parseDecimal(factor)]
  if (one === undefined || other === undefined) throw new Error(`${quantity} * ${factor}`)
  return formatDecimal(multiplyDecimals(one, other))
}

async function suffer(run: IngestRun, fault: Fault, { frame }: TestedMarket): Promise<void> {
  if (fault.name === 'kill') {
    await run.stop('SIGKILL')
    run.start()
    await run.subscribed()
    return
  }
  await run.arm(fault.name, {
    ...('count' in fault && { count: fault.count }),
    ...(fault.name === 'delay' && { milliseconds: 500 }),
    ...(fault.name === 'error-frame' && { text: frame }),
  })
}

/** Every gap was filled before it had to be given up. */
function lostIn(records: readonly LogRecord[]): readonly SequenceGap[] {
  const latest = new Map<string, SequenceGap>()
  for (const { value } of records) {
    if (value.type !== 'SequenceGap') continue
    latest.set(`${value.value.gapId} ${value.value.instrumentId ?? ''}`, value.value)
  }
  return [...latest.values()].filter(({ state }) => state === 'unrecoverable')
}

describe.each(markets)('the log of $title', (market) => {
  it('holds every event once and in order, whatever goes wrong', async () => {
    await using run = await open(market)
    for (const fault of fc.sample(anyFault, { seed: 17, numRuns: steps })) {
      await suffer(run, fault, market)
      await run.advance(4_000)
    }
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await readRecords('market-events', run.prefix)
    for (const instrument of market.instruments) {
      const truth = truthOf(run.simulator, market.venue, instrument, until)
      const delivered = tradesOf(records, instrument)
      expect(truth.length).toBeGreaterThan(5)
      expect(delivered.slice(0, truth.length)).toEqual(
        truth.map((each) => market.mapped?.(each) ?? each),
      )
      // And what followed goes on without a hole.
      const sequences = delivered.map(({ sequence }) => sequence)
      expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index))
    }
    expect(duplicatesOf(records).conflicts).toEqual([])
    expect(lostIn(records)).toEqual([])
    const rejected = await readMessages(`${run.prefix}rejected`)
    const reasons = rejected.map(({ headers }) => rejectedOrigin(headers).reason)
    expect(new Set(reasons).difference(new Set(['malformed']))).toEqual(new Set())
  })
})

it('the versions of an OTC trade stand in the log with its counterparty, book and maturity', async () => {
  await using run = await IngestRun.open({ venue: 'otc', instruments: ['EUR-USD'] })
  await run.advance(60_000)
  expect(await run.stop('SIGTERM')).toBe(0)
  const records = await readRecords('market-events', run.prefix)
  const trades = records.flatMap(({ value }) => (value.type === 'Trade' ? [value.value] : []))
  const versions = Map.groupBy(trades, ({ tradeId }) => tradeId)
  const corrected = [...versions.values()].filter(({ length }) => length > 1)
  expect(corrected.length).toBeGreaterThan(5)
  for (const each of corrected) {
    expect(new Set(each.map(({ book, counterparty }) => `${counterparty} ${book}`)).size).toBe(1)
    expect(each.every(({ eventTime, maturesAt }) => (maturesAt ?? 0) >= eventTime)).toBe(true)
  }
  expect(new Set(trades.map(({ status }) => status))).toEqual(new Set(['confirmed', 'cancelled']))
})

it('a swap stands in the log as it waits, and again as it came out', async () => {
  await using run = await IngestRun.open({ venue: 'swaps', instruments: ['WETH-USDC'] })
  await run.advance(30_000)
  expect(await run.stop('SIGTERM')).toBe(0)
  const records = await readRecords('market-events', run.prefix)
  const trades = records.flatMap(({ value }) => (value.type === 'Trade' ? [value.value] : []))
  const lives = Map.groupBy(trades, ({ txHash }) => txHash)
  const courses = [...lives.values()].map((each) =>
    each.map(({ status, version }) => `${version} ${status}`).join(', '),
  )
  expect(new Set(courses)).toEqual(
    new Set(['0 pending, 1 confirmed', '0 pending, 1 cancelled', '0 pending', '1 confirmed']),
  )
  expect(
    trades.every(({ baseToken, quoteToken }) => `${baseToken} ${quoteToken}` === 'WETH USDC'),
  ).toBe(true)
})

it("Deribit's options have an implied volatility, its spreads prices below zero", async () => {
  const instruments = deribitOptionsAndSpreads.map(({ name }) => name)
  await using run = await open({
    venue: 'deribit',
    instruments,
    listed: deribitOptionsAndSpreads,
  })
  await run.advance(60_000)
  expect(await run.stop('SIGTERM')).toBe(0)
  const records = await readRecords('market-events', run.prefix)
  const trades = records.flatMap(({ value }) => (value.type === 'Trade' ? [value.value] : []))
  const [options, spreads] = [/-[CP]$/, /-FS-/].map((form) =>
    trades.filter(({ instrument }) => form.test(instrument)),
  )
  expect(options?.length).toBeGreaterThan(20)
  expect(options?.filter(({ impliedVolatility }) => impliedVolatility === null)).toEqual([])
  expect(spreads?.some(({ price }) => price.mantissa < 0)).toBe(true)
  expect(await readMessages(`${run.prefix}rejected`)).toEqual([])
})
