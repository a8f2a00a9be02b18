import { describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import type { Venue } from '@tickertape/market-simulator'
import { repetitions } from '@tickertape/testing'

import { IngestRun } from './ingest-run.ts'
import { cursorsAhead, duplicatesOf, liesOf, tradesOf, truthOf } from './log-facts.ts'
import { readMessages, readRecords } from './topic-reader.ts'

const markets: readonly { readonly venue: Venue; readonly instruments: readonly string[] }[] = [
  { venue: 'deribit', instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'] },
  { venue: 'binance', instruments: ['BTCUSDT', 'ETHUSDT'] },
]

const kills = repetitions({ short: 3, long: 20 })

async function expectWhole(run: IngestRun, market: (typeof markets)[number], until: number) {
  const records = await readRecords('market-events', run.prefix)
  for (const instrument of market.instruments) {
    const truth = truthOf(run.simulator, market.venue, instrument, until)
    const delivered = tradesOf(records, instrument)
    expect(truth.length).toBeGreaterThan(0)
    expect(delivered.slice(0, truth.length)).toEqual(truth)
    // And what followed goes on without a hole.
    const sequences = delivered.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.map((_, index) => (sequences[0] ?? 0) + index))
  }
  expect(duplicatesOf(records).conflicts).toEqual([])
  expect(records.filter(({ value }) => value.type === 'SequenceGap')).toEqual([])
  return records
}

describe.each(markets)('the log of $venue', (market) => {
  it('holds every trade once and in order, and its heartbeats are true, when nothing happens', async () => {
    await using run = await IngestRun.open(market)
    await run.advance(10_000)
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await expectWhole(run, market, until)
    expect(duplicatesOf(records).count).toBe(0)
    expect(liesOf(records)).toEqual([])
    const first = records.find(({ value }) => value.type === 'InstrumentStatus')
    expect(first?.value.value).toMatchObject({ status: 'listed', feedId: market.venue })
    // The last cursor stands behind the last trade.
    const cursors = await readRecords('feed-cursors', run.prefix)
    for (const instrument of market.instruments) {
      const last = cursors.findLast(({ value }) => value.instrument === instrument)
      expect(last?.value.sequence).toBe(tradesOf(records, instrument).at(-1)?.sequence)
    }
  })

  it('holds every trade through cuts, skipped, doubled and broken frames', async () => {
    await using run = await IngestRun.open(market)
    const skipped: string[] = []
    for (const [fault, parameters] of [
      ['drop', {}],
      ['skip', { count: 7 }],
      ['duplicate', { count: 20 }],
      ['malformed', { count: 5 }],
      ['skip', { count: 1, instrument: market.instruments[0] }],
      ['drop', {}],
    ] as const) {
      const answer = await run.arm(fault, parameters)
      skipped.push(...skippedBy(answer))
      await run.advance(5_000)
    }
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await expectWhole(run, market, until)
    // A venue that holds a trade back says nothing of it before the next one: a heartbeat may have
    // passed it by then.
    const lies = liesOf(records).filter((lie) => !skipped.some((each) => lie.includes(each)))
    expect(lies).toEqual([])
    expect(duplicatesOf(records).count).toBe(0)
    const rejected = await readMessages(`${run.prefix}rejected`)
    const origins = rejected.map(({ headers }) => rejectedOrigin(headers))
    expect(origins.map(({ stage, reason }) => `${stage} ${reason}`)).toEqual(
      Array.from({ length: 5 }, () => 'ingest malformed'),
    )
    expect(rejected.every(({ value }) => String(value).startsWith('{'))).toBe(true)
  })

  it(`holds every trade through ${kills} SIGKILLs, and no cursor is ever ahead of it`, async () => {
    await using run = await IngestRun.open(market)
    for (let kill = 0; kill < kills; kill += 1) {
      // The last one hits a process that has just subscribed.
      if (kill < kills - 1) await run.advance(4_000)
      await run.stop('SIGKILL')
      const cursors = await readRecords('feed-cursors', run.prefix)
      const records = await readRecords('market-events', run.prefix)
      expect(cursorsAhead(cursors, records)).toEqual([])
      run.start()
      await run.subscribed()
    }
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await expectWhole(run, market, until)
    expect(liesOf(records)).toEqual([])
  })
})

/** The sequences that the skip fault says it leaves out, as `liesOf` writes them. */
function skippedBy(answer: unknown): readonly string[] {
  // Other faults answer with something else.
  const { skipped = [] } = answer as { skipped?: { fromSequence: number; toSequence: number }[] }
  return skipped.flatMap(({ fromSequence, toSequence }) =>
    Array.from(
      { length: toSequence - fromSequence + 1 },
      (_, index) => `(sequence ${fromSequence + index})`,
    ),
  )
}
