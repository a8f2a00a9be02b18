import { describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { Venue } from '@tickertape/market-simulator'
import { repetitions, waitUntil } from '@tickertape/testing'

import { ask } from './admin-port.ts'
import { announces, gapsOf, gapsOnceClosed } from './gap-facts.ts'
import type { SkippedTrades } from './gap-facts.ts'
import { IngestRun } from './ingest-run.ts'
import { cursorsAhead, duplicatesOf, liesOf, tradesOf, truthOf } from './log-facts.ts'

const markets: readonly { readonly venue: Venue; readonly instruments: readonly string[] }[] = [
  { venue: 'deribit', instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'] },
  { venue: 'binance', instruments: ['BTCUSDT', 'ETHUSDT'] },
]

const kills = repetitions({ short: 3, long: 20 })

async function expectWhole(run: IngestRun, market: (typeof markets)[number], until: number) {
  const records = await run.records()
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
  return records
}

/** Waits until nothing that was missing is open, and expects that all of it came. */
async function expectGapsBackfilled(run: IngestRun, market: (typeof markets)[number]) {
  for (const instrument of market.instruments) {
    const gaps = await gapsOnceClosed(run, instrumentIdOf({ venue: market.venue, instrument }))
    expect(gaps.filter(({ state }) => state !== 'backfilled')).toEqual([])
  }
}

// Each has topics, a simulator and processes of its own, and waits most of the time.
describe.concurrent.each(markets)('the log of $venue', (market) => {
  it('holds every trade through cuts, skipped, doubled and broken frames', async () => {
    await using run = await IngestRun.open(market)
    const skipped: SkippedTrades[] = []
    for (const [fault, parameters] of [
      ['drop', {}],
      ['skip', { count: 7 }],
      ['duplicate', { count: 20 }],
      ['malformed', { count: 5 }],
      ['skip', { count: 1, instrument: market.instruments[0] }],
      ['drop', {}],
    ] as const) {
      const answer = await run.arm(fault, parameters)
      // Of a stretch in each instrument of each venue, where it is that fault.
      skipped.push(...((answer as { skipped?: SkippedTrades[] }).skipped ?? []))
      await run.advance(5_000)
    }
    const until = await run.venueTime()
    await run.covered(until)
    await expectGapsBackfilled(run, market)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await expectWhole(run, market, until)
    const own = skipped.filter(
      ({ instrument, venue }) => venue === market.venue && market.instruments.includes(instrument),
    )
    expect(own.length).toBe(market.instruments.length + 1)
    expect(own.filter((each) => !announces(records, each))).toEqual([])
    const absences = records.filter(
      ({ partition, value }) =>
        partition === 0 && value.type === 'SequenceGap' && value.value.instrumentId === null,
    )
    expect(new Set(absences.map(({ value }) => JSON.stringify(value))).size).toBe(4)
    // A venue that holds a trade back says nothing of it before the next one: a heartbeat may have
    // passed it by then.
    const known = own.flatMap(({ fromSequence, toSequence }) =>
      Array.from(
        { length: toSequence - fromSequence + 1 },
        (_, index) => `(sequence ${fromSequence + index})`,
      ),
    )
    const lies = liesOf(records).filter((lie) => !known.some((each) => lie.includes(each)))
    expect(lies).toEqual([])
    expect(duplicatesOf(records).count).toBe(0)
    const rejected = await run.rejected()
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
      const cursors = await run.cursors()
      const records = await run.records()
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

  it('holds every trade once, and knows of no gap, where one connection follows another in time', async () => {
    await using run = await IngestRun.open({
      ...market,
      settings: { INGEST_MAX_CONNECTION_MS: '2500' },
    })
    await waitUntil('three more connections', () => run.output.split('took over').length > 3, {
      withinMs: 60_000,
    })
    const until = await run.venueTime()
    await run.covered(until)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await expectWhole(run, market, until)
    expect(records.filter(({ value }) => value.type === 'SequenceGap')).toEqual([])
    expect(duplicatesOf(records).count).toBe(0)
    expect(liesOf(records)).toEqual([])
  })

  it('holds every trade where Kafka is slower than the venue', async () => {
    await using run = await IngestRun.open({ ...market, settings: { INGEST_MAX_IN_FLIGHT: '20' } })
    await run.advance(20_000)
    await run.arm('drop')
    await run.advance(20_000)
    const until = await run.venueTime()
    await run.covered(until)
    await expectGapsBackfilled(run, market)
    const metrics = await ask(run.process, '/metrics')
    expect(Number(/ingest_pauses_total\{[^}]*\} (\d+)/.exec(metrics)?.[1])).toBeGreaterThan(0)
    expect(await run.stop('SIGTERM')).toBe(0)

    const records = await expectWhole(run, market, until)
    expect(duplicatesOf(records).count).toBe(0)
    expect(liesOf(records)).toEqual([])
  })
})

describe.concurrent('an instrument that the venue refuses', () => {
  const instruments = ['BTC-PERPETUAL', 'ETH-PERPETUAL']
  const market = { venue: 'deribit', instruments } as const

  it('is named, holds back nobody, and is whole once it is delivered again', async () => {
    await using run = await IngestRun.open(market)
    await run.advance(3_000)
    await run.arm('refuse', { instrument: 'ETH-PERPETUAL', on: true })
    await run.arm('drop')
    // Heartbeats of the feed go on.
    await run.advance(5_000)
    const ready: unknown = JSON.parse(await ask(run.process, '/readyz'))
    expect(ready).toMatchObject({
      ready: true,
      degraded: [
        {
          subject: 'instruments',
          reason: 'deribit does not deliver ETH-PERPETUAL; all others go on',
        },
      ],
    })
    // What the cut itself has cost of it is closed when its history has told, behind heartbeats or before.
    await waitUntil('its gap alone to be open', async () => {
      const gaps = gapsOf(await run.records(), 'deribit:ETH-PERPETUAL')
      const open = gaps.filter(({ state }) => state === 'open')
      return open.length === 1 && open[0]?.instrumentId !== null
    })
    await run.arm('refuse', { instrument: 'ETH-PERPETUAL', on: false })
    await run.arm('drop')
    await run.advance(5_000)
    const until = await run.venueTime()
    await run.covered(until)
    await expectGapsBackfilled(run, { ...market, instruments })
    expect(await run.stop('SIGTERM')).toBe(0)
    await expectWhole(run, market, until)
  })
})
