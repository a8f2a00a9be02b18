import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { instrumentIdOf } from '@tickertape/market-model'
import type { SequenceGap } from '@tickertape/market-model'
import type { SimulatorOptions, Venue } from '@tickertape/market-simulator'
import { repetitions, waitUntil } from '@tickertape/testing'

import { gapsOf } from './gap-facts.ts'
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
  /** An error of the venue's that nobody waits for. */
  readonly complaint: string
}

const okxComplaint = '{"event":"error","code":"64007","msg":"Operation failed.","connId":"x"}'
const bybitComplaint =
  '{"success":false,"ret_msg":"error:internal","conn_id":"x","req_id":"","op":""}'

const markets: readonly TestedMarket[] = [
  {
    venue: 'okx',
    instruments: ['BTC-USDT', 'ETH-USDT', 'BTC-USDT-SWAP'],
    remembers: true,
    sequenced: true,
    // 300 trades a second, of which OKX gives 100 with each of 8 requests.
    simulator: { speed: 3 },
    complaint: okxComplaint,
  },
  // 1,000 trades, which is more than the market makes in two minutes however it bursts, and longer than a
  // restart takes on a busy machine.
  {
    venue: 'bybit-linear',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    remembers: true,
    sequenced: false,
    simulator: { speed: 2, rate: 0.2 },
    complaint: bybitComplaint,
  },
  {
    venue: 'bybit-inverse',
    instruments: ['BTCUSD'],
    remembers: true,
    sequenced: false,
    simulator: { speed: 2, rate: 0.2 },
    complaint: bybitComplaint,
  },
  // 60 trades: less than what passes while a process starts again.
  {
    venue: 'bybit-spot',
    instruments: ['BTCUSDT', 'ETHUSDT'],
    remembers: false,
    sequenced: false,
    simulator: { speed: 10 },
    complaint: bybitComplaint,
  },
]

const steps = repetitions({ short: 8, long: 120 })

/** A fault of the simulator's, by its name and parameters; null is a SIGKILL. */
type Fault = readonly [name: string, parameters: object] | null

/** What no venue may do to a trade without its log saying so. */
const onAnyVenue: readonly fc.Arbitrary<Fault>[] = [
  fc.constant(null),
  fc.constant(['drop', {}] as const),
  fc.constant(['cut', { code: 1012, reason: 'service restart' }] as const),
  fc.constant(['half-open', {}] as const),
  counted('duplicate'),
  counted('malformed'),
]

/** What shows only where ids are a sequence. */
const onSequences: readonly fc.Arbitrary<Fault>[] = [
  counted('skip'),
  counted('reorder'),
  fc.constant(['delay', { count: 10, milliseconds: 300 }] as const),
]

function counted(name: string): fc.Arbitrary<Fault> {
  return fc.integer({ min: 1, max: 20 }).map((count) => [name, { count }] as const)
}

function faultsOf({ complaint, sequenced }: TestedMarket): readonly Fault[] {
  const complaints = fc.constant(['error-frame', { text: complaint }] as const)
  const faults = [...onAnyVenue, complaints, ...(sequenced ? onSequences : [])]
  return fc.sample(fc.oneof(...faults), { seed: 7, numRuns: steps })
}

async function suffer(run: IngestRun, fault: Fault): Promise<void> {
  if (fault !== null) {
    await run.arm(...fault)
    return
  }
  await run.stop('SIGKILL')
  run.start()
  await run.subscribed()
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

/** The gaps that have to do with an instrument, when none of them is open any more. */
async function gapsOnceClosed(
  { prefix }: IngestRun,
  instrumentId: string,
): Promise<readonly SequenceGap[]> {
  const told = async (): Promise<readonly SequenceGap[]> =>
    gapsOf(await readRecords('market-events', prefix), instrumentId)
  await waitUntil(
    `every gap of ${instrumentId} to be closed`,
    async () => (await told()).every(({ state }) => state !== 'open'),
    { withinMs: 90_000, everyMs: 500 },
  )
  return await told()
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
    await using run = await IngestRun.open({
      ...market,
      settings: { INGEST_IDLE_TIMEOUT_MS: '1500' },
    })
    for (const fault of faultsOf(market)) {
      await suffer(run, fault)
      await run.advance(2_000)
    }
    const until = await run.venueTime()
    await run.covered(until)
    for (const instrument of market.instruments) {
      await gapsOnceClosed(run, instrumentIdOf({ venue: market.venue, instrument }))
    }
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

describe('a service upgrade that OKX announces', () => {
  it('is met by another connection, and leaves neither gap nor duplicate', async () => {
    const market = { venue: 'okx', instruments: ['BTC-USDT', 'ETH-USDT'] } as const
    await using run = await IngestRun.open({ ...market, simulator: { speed: 3 } })
    await run.advance(3_000)
    const text = JSON.stringify({
      event: 'notice',
      code: '64008',
      msg: 'The connection will soon be closed for a service upgrade. Please reconnect.',
      connId: 'x',
    })
    const { reached } = (await run.arm('error-frame', { text })) as { reached: readonly number[] }
    expect(reached).toHaveLength(1)
    await waitUntil('another connection', () => run.output.includes('took over'), {
      withinMs: 60_000,
    })
    await run.advance(3_000)
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await readRecords('market-events', run.prefix)
    for (const instrument of market.instruments) {
      const truth = truthOf(run.simulator, market.venue, instrument, until)
      expect(tradesOf(records, instrument).slice(0, truth.length)).toEqual(truth)
    }
    expect(records.filter(({ value }) => value.type === 'SequenceGap')).toEqual([])
    expect(duplicatesOf(records)).toEqual({ count: 0, conflicts: [] })
    expect(liesOf(records)).toEqual([])
  })
})

describe("OKX's aggregates", () => {
  it('leave nothing out, and what a cut made us miss is said to be lost', async () => {
    await using run = await IngestRun.open({
      venue: 'okx',
      instruments: ['BTC-USDT'],
      simulator: { speed: 3 },
      settings: (simulator) => ({
        INGEST_OKX_CHANNEL: 'trades',
        INGEST_WS_URL: simulator.wsUrl('okx').replace('/business', '/public'),
      }),
    })
    await run.advance(5_000)
    const cutAt = await run.venueTime()
    await run.covered(cutAt)
    await run.arm('drop')
    await run.advance(5_000)
    const closed = await gapsOnceClosed(run, 'okx:BTC-USDT')
    expect(await run.stop('SIGTERM')).toBe(0)

    const lost = closed.filter(({ toTime }) => toTime > cutAt)
    expect(lost.map(({ state }) => state)).toEqual(['unrecoverable'])
    const records = await readRecords('market-events', run.prefix)
    const gathered = tradesOf(records, 'BTC-USDT').filter(({ eventTime }) => eventTime <= cutAt)
    const truth = truthOf(run.simulator, 'okx', 'BTC-USDT', cutAt)
    expect(gathered.length).toBeLessThan(truth.length)
    expect(gathered.every(({ tradeId }) => /^a\d+$/.test(tradeId))).toBe(true)
    expect(lotsOf(gathered)).toBe(lotsOf(truth))
  })
})

/** The quantity of all, in the smallest size that the simulated OKX trades. */
function lotsOf(trades: readonly PlainTrade[]): number {
  return trades.reduce((sum, { quantity }) => sum + Math.round(Number(quantity) * 1e8), 0)
}
