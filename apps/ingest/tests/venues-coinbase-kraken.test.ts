import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import type { SequenceGap } from '@tickertape/market-model'
import type { SimulatorOptions, Venue } from '@tickertape/market-simulator'
import { repetitions } from '@tickertape/testing'

import { IngestRun } from './ingest-run.ts'
import { duplicatesOf, liesOf, tradesOf, truthOf } from './log-facts.ts'
import type { LogRecord } from './log-facts.ts'
import { readRecords } from './topic-reader.ts'

interface TestedMarket {
  readonly venue: Venue
  readonly instruments: readonly string[]
  readonly simulator: SimulatorOptions
  /** Whether the venue tells of a trade that it did not send, even if no other one follows it. */
  readonly tellsLast: boolean
  /** What the venue complains with. */
  readonly errorFrame: string
}

const markets: readonly TestedMarket[] = [
  {
    venue: 'coinbase',
    instruments: ['BTC-USD', 'ETH-USD'],
    simulator: { protocolSecondMs: 250 },
    tellsLast: true,
    errorFrame: '{"type":"error","message":"internal error"}',
  },
  {
    venue: 'coinbase-advanced',
    instruments: ['BTC-USD', 'ETH-USD'],
    simulator: { protocolSecondMs: 250 },
    tellsLast: false,
    errorFrame: '{"type":"error","message":"internal error"}',
  },
  {
    venue: 'kraken',
    instruments: ['BTC/USD', 'ETH/USD', 'DOGE/USD'],
    simulator: {},
    tellsLast: false,
    errorFrame: '{"error":"Internal error","success":false}',
  },
]

const steps = repetitions({ short: 8, long: 40 })

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

async function suffer(run: IngestRun, fault: Fault, { errorFrame }: TestedMarket): Promise<void> {
  if (fault.name === 'kill') {
    await run.stop('SIGKILL')
    run.start()
    await run.subscribed()
    return
  }
  await run.arm(fault.name, {
    ...('count' in fault && { count: fault.count }),
    ...(fault.name === 'delay' && { milliseconds: 500 }),
    ...(fault.name === 'error-frame' && { text: errorFrame }),
  })
}

function lostIn(records: readonly LogRecord[]): readonly SequenceGap[] {
  return records
    .map(({ value }) => value)
    .filter((value) => value.type === 'SequenceGap')
    .map(({ value }) => value)
    .filter(({ state }) => state === 'unrecoverable')
}

function expectWhole(
  run: IngestRun,
  records: readonly LogRecord[],
  { instruments, venue }: TestedMarket,
  until: number,
): void {
  for (const instrument of instruments) {
    const truth = truthOf(run.simulator, venue, instrument, until)
    const delivered = tradesOf(records, instrument)
    expect(truth.length).toBeGreaterThan(5)
    expect(delivered.slice(0, truth.length)).toEqual(truth)
    // And what followed goes on without a hole.
    const sequences = delivered.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index))
  }
  expect(duplicatesOf(records).conflicts).toEqual([])
  expect(lostIn(records)).toEqual([])
}

describe.each(markets)('the log of $venue', (market) => {
  it('holds every trade once and in order, and its heartbeats are true, when nothing happens', async () => {
    await using run = await IngestRun.open(market)
    await run.advance(15_000)
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await readRecords('market-events', run.prefix)
    expectWhole(run, records, market, until)
    expect(duplicatesOf(records).count).toBe(0)
    expect(liesOf(records)).toEqual([])
  })

  it(`holds every trade in order through ${steps} faults`, async () => {
    await using run = await IngestRun.open(market)
    for (const fault of fc.sample(anyFault, { seed: 5, numRuns: steps })) {
      await suffer(run, fault, market)
      await run.advance(4_000)
    }
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await readRecords('market-events', run.prefix)
    expectWhole(run, records, market, until)
    // Elsewhere a heartbeat may pass a trade that the venue holds back.
    expect(market.tellsLast ? liesOf(records) : []).toEqual([])
  })
})
