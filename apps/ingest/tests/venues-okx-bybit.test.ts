import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { instrumentIdOf } from '@tickertape/market-model'
import type { SequenceGap } from '@tickertape/market-model'
import type { SimulatorOptions, Venue } from '@tickertape/market-simulator'
import { repetitions, waitUntil } from '@tickertape/testing'

import { IngestRun } from './ingest-run.ts'
import { duplicatesOf, liesOf, tradesOf, truthOf } from './log-facts.ts'
import type { LogRecord, PlainTrade } from './log-facts.ts'
import { readRecords } from './topic-reader.ts'

interface TestedMarket {
  readonly venue: Venue
  readonly instruments: readonly string[]
  /** Whether its history reaches back over everything that a test makes it miss. */
  readonly remembers: boolean
  /** Whether the log has the venue's own order. */
  readonly sequenced: boolean
  /** What passes in a second has to be fetched in less. */
  readonly simulator: SimulatorOptions
}

const markets: readonly TestedMarket[] = [
  {
    venue: 'okx',
    instruments: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
    remembers: true,
    sequenced: true,
    // 300 trades a second, of which OKX gives 100 with each of 8 requests.
    simulator: { speed: 3 },
  },
  // 1,000 trades, which is more than the market makes in two minutes however it bursts, and longer than a
  // restart takes on a busy machine.
  {
    venue: 'bybit-linear',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    remembers: true,
    sequenced: false,
    simulator: { speed: 2, rate: 0.2 },
  },
  {
    venue: 'bybit-inverse',
    instruments: ['BTCUSD'],
    remembers: true,
    sequenced: false,
    simulator: { speed: 2, rate: 0.2 },
  },
  // 60 trades: less than what passes while a process starts again.
  {
    venue: 'bybit-spot',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    remembers: false,
    sequenced: false,
    simulator: { speed: 10 },
  },
]

const steps = repetitions({ short: 8, long: 120 })

/** What may go wrong; a trade that is skipped shows only where ids are a sequence. */
type Fault =
  | { readonly name: 'drop' | 'kill' }
  | { readonly name: 'duplicate' | 'malformed' | 'skip'; readonly count: number }

function faultsOf({ sequenced }: TestedMarket): readonly Fault[] {
  const counted = fc.record({
    name: fc.constantFrom(
      'duplicate' as const,
      'malformed' as const,
      ...(sequenced ? (['skip'] as const) : []),
    ),
    count: fc.integer({ min: 1, max: 20 }),
  })
  const plain = fc.record({ name: fc.constantFrom('drop' as const, 'kill' as const) })
  return fc.sample(fc.oneof(counted, plain), { seed: 7, numRuns: steps })
}

async function suffer(run: IngestRun, fault: Fault): Promise<void> {
  if (fault.name === 'kill') {
    await run.stop('SIGKILL')
    run.start()
    await run.subscribed()
  } else {
    await run.arm(fault.name, 'count' in fault ? { count: fault.count } : {})
  }
}

/** A trade as both the truth and the log of a venue without sequences have it. */
type Facts = Omit<PlainTrade, 'sequence' | 'status' | 'version'>

function factsOf({ eventTime, price, quantity, takerSide, tradeId }: PlainTrade): Facts {
  return { eventTime, price, quantity, takerSide, tradeId }
}

interface Comparison {
  /** Trades of the truth that are not in the log. */
  readonly missing: readonly PlainTrade[]
  /** Trades of the truth that the log tells otherwise. */
  readonly changed: readonly Facts[]
}

function compare(
  { simulator }: IngestRun,
  records: readonly LogRecord[],
  { venue }: TestedMarket,
  instrument: string,
  until: number,
): Comparison {
  const truth = truthOf(simulator, venue, instrument, until)
  if (truth.length === 0) throw new Error(`${instrument} had no trades`)
  const delivered = new Map(tradesOf(records, instrument).map((each) => [each.tradeId, each]))
  const changed = truth.flatMap((trade) => {
    const found = delivered.get(trade.tradeId)
    if (found === undefined) return []
    return isDeepStrictEqual(factsOf(found), factsOf(trade)) ? [] : [factsOf(found)]
  })
  return { missing: truth.filter(({ tradeId }) => !delivered.has(tradeId)), changed }
}

/** Trades that are missing without a word. */
function unsaid(missing: readonly PlainTrade[], gaps: readonly SequenceGap[]) {
  const lost = gaps.filter(({ state }) => state === 'unrecoverable')
  return missing.filter(
    ({ eventTime }) =>
      !lost.some(({ fromTime, toTime }) => fromTime <= eventTime && eventTime < toTime),
  )
}

/** The last word on each gap that has to do with an instrument. */
function gapsOf(records: readonly LogRecord[], instrumentId: string): readonly SequenceGap[] {
  const latest = new Map<string, SequenceGap>()
  for (const { value } of records) {
    if (value.type !== 'SequenceGap') continue
    const gap = value.value
    if (gap.instrumentId === null || gap.instrumentId === instrumentId) {
      // What is told of the instrument stands above what is told of the whole feed.
      const own = latest.get(gap.gapId)
      if (gap.instrumentId !== null || (own?.instrumentId ?? null) === null) {
        latest.set(gap.gapId, gap)
      }
    }
  }
  return [...latest.values()]
}

async function everyGapClosed({ prefix }: IngestRun, market: TestedMarket): Promise<void> {
  const { instruments, venue } = market
  await waitUntil(
    'every gap to be closed',
    async () => {
      const records = await readRecords('market-events', prefix)
      return instruments.every((instrument) =>
        gapsOf(records, instrumentIdOf({ venue, instrument })).every(
          ({ state }) => state !== 'open',
        ),
      )
    },
    { withinMs: 90_000, everyMs: 500 },
  )
}

describe.each(markets)('the log of $venue', (market) => {
  it('holds every trade once, and its heartbeats are true, when nothing happens', async () => {
    await using run = await IngestRun.open(market)
    await run.advance(10_000)
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await readRecords('market-events', run.prefix)
    for (const instrument of market.instruments) {
      const compared = compare(run, records, market, instrument, until)
      expect(compared).toEqual({ missing: [], changed: [] })
    }
    expect(duplicatesOf(records)).toEqual({ count: 0, conflicts: [] })
    expect(liesOf(records)).toEqual([])
  })

  it(`holds every trade, or says which times it misses, through ${steps} faults`, async () => {
    await using run = await IngestRun.open(market)
    for (const fault of faultsOf(market)) {
      await suffer(run, fault)
      await run.advance(2_000)
    }
    const until = await run.venueTime()
    await run.covered(until)
    await everyGapClosed(run, market)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await readRecords('market-events', run.prefix)
    expect(duplicatesOf(records).conflicts).toEqual([])
    for (const instrument of market.instruments) {
      const { changed, missing } = compare(run, records, market, instrument, until)
      const gaps = gapsOf(records, instrumentIdOf({ venue: market.venue, instrument }))
      expect(changed).toEqual([])
      expect(market.remembers ? missing : unsaid(missing, gaps)).toEqual([])
      const sequences = tradesOf(records, instrument).map(({ sequence }) => sequence)
      const first = sequences[0] ?? Number.NaN
      expect(sequences).toEqual(
        sequences.map((_, index) => (market.sequenced ? first + index : Number.NaN)),
      )
    }
  })
})
