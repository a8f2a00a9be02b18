import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { rejectedOrigin } from '@tickertape/kafka-avro'
import { instrumentIdOf } from '@tickertape/market-model'
import type { FeedCursor, SequenceGap } from '@tickertape/market-model'
import { defaultInstruments } from '@tickertape/market-simulator'
import { repetitions, testSeed, waitUntil } from '@tickertape/testing'

import { everyGap, gapsOf, gapsOnceClosed, unannouncedJumps } from '../gap-facts.ts'
import { IngestRun } from '../ingest-run.ts'
import { duplicatesOf, liesOf, tradesOf } from '../log-facts.ts'
import type { LogRecord } from '../log-facts.ts'
import type { ReadRecord } from '../topic-tail.ts'
import { compare, expectedTrades, isSaidLost, lotsOutside } from './compared.ts'
import { countedByCandles, countedByRule } from './counted-by-candles.ts'
import { FaultyRun } from './faulty-run.ts'
import type { Cut } from './faulty-run.ts'
import { testedMarkets } from './tested-markets.ts'
import type { TestedMarket } from './tested-markets.ts'
import { drawFaults } from './venue-fault.ts'

const steps = repetitions({ short: 6, long: 120 })
const seed = testSeed()

/** The tests of one market go on with the same log. */
const inTurn = { concurrent: false } as const

/**
 * Waits are short: what they hold does not depend on how long they are. Without sequences no connection may be
 * taken for dead for the machine's slowness, in the middle of a fault that no cut may meet.
 */
function impatient({ sequenced }: TestedMarket): Readonly<Record<string, string>> {
  return {
    INGEST_IDLE_TIMEOUT_MS: sequenced ? '3000' : '10000',
    INGEST_RECONNECT_MAX_MS: '1000',
    INGEST_HEARTBEAT_MS: '250',
  }
}

function open(market: TestedMarket): Promise<IngestRun> {
  const { instruments, listed = [], protocolSecondMs, rate, settings, speed, venue } = market
  return IngestRun.open({
    venue,
    instruments,
    simulator: {
      speed,
      instruments: [...defaultInstruments, ...listed],
      ...(rate !== undefined && { rate }),
      ...(protocolSecondMs !== undefined && { protocolSecondMs }),
    },
    ...(settings !== undefined && { settings }),
  })
}

/** What the venue traded that is neither in the log nor, where it cannot be had any more, said to be lost. */
function unaccounted(
  run: IngestRun,
  market: TestedMarket,
  records: readonly LogRecord[],
  until: number,
): readonly unknown[] {
  return market.instruments.flatMap((instrument): readonly unknown[] => {
    const expected = expectedTrades(run, market, instrument, until)
    if (expected.length === 0) throw new Error(`${instrument} had no trades`)
    const { missing } = compare(expected, records, instrument)
    if (market.remembers === true) return missing
    const gaps = gapsOf(records, instrumentIdOf({ venue: market.venue, instrument }))
    if (market.remembers === false) return missing.filter((each) => !isSaidLost(each, gaps))
    const [told, traded] = [tradesOf(records, instrument), expected].map((trades) =>
      lotsOutside(trades, gaps, until),
    )
    return told === traded ? [] : [{ instrument, told, traded }]
  })
}

/** What the log tells that is not so: trades that are others or missing, and jumps that it does not announce. */
function untruths(
  run: IngestRun,
  market: TestedMarket,
  records: readonly LogRecord[],
  until: number,
): readonly unknown[] {
  const { conflicts } = duplicatesOf(records)
  const untrue = market.instruments.flatMap((instrument): readonly unknown[] => {
    const instrumentId = instrumentIdOf({ venue: market.venue, instrument })
    const jumps = market.sequenced ? unannouncedJumps(records, instrumentId) : []
    // The truth of what a channel gathers is known as a sum alone.
    if (market.remembers === null) return jumps
    const expected = expectedTrades(run, market, instrument, until)
    return [...jumps, ...compare(expected, records, instrument).changed]
  })
  return [...conflicts, ...untrue]
}

/** Instruments whose sequences have a hole in the end. */
function holed({ instruments, sequenced }: TestedMarket, records: readonly LogRecord[]) {
  if (!sequenced) return []
  return instruments.filter((instrument) => {
    const sequences = new Set(tradesOf(records, instrument).map(({ sequence }) => sequence))
    let [first, last] = [Infinity, -Infinity]
    for (const sequence of sequences) {
      first = Math.min(first, sequence)
      last = Math.max(last, sequence)
    }
    return last - first + 1 !== sequences.size
  })
}

/** Instruments whose trades are not in the order of their sequence. */
function disordered({ instruments }: TestedMarket, records: readonly LogRecord[]) {
  return instruments.filter((instrument) => {
    const sequences = tradesOf(records, instrument).map(({ sequence }) => sequence)
    return sequences.some((sequence, index) => sequence < (sequences[index - 1] ?? 0))
  })
}

/** Instruments whose last cursor does not stand behind their last trade. */
function cursorsElsewhere(
  { instruments, sequenced }: TestedMarket,
  cursors: readonly ReadRecord<FeedCursor>[],
  records: readonly LogRecord[],
): readonly string[] {
  return instruments.filter((instrument) => {
    const last = cursors.findLast(({ value }) => value.instrument === instrument)
    const { sequence, tradeId = '' } = tradesOf(records, instrument).at(-1) ?? {}
    return sequenced
      ? last?.value.sequence !== sequence
      : last?.value.tradeIds.includes(tradeId) !== true
  })
}

/** Times without a connection that no gap of the whole feed tells of. */
function untoldCuts(records: readonly LogRecord[], cuts: readonly Cut[]): readonly Cut[] {
  const absences = everyGap(records).filter(({ instrumentId }) => instrumentId === null)
  return cuts.filter(
    (cut) =>
      !absences.some(({ fromTime, toTime }) => fromTime <= cut.toTime && cut.fromTime <= toTime),
  )
}

// Each has topics, a simulator and processes of its own, and waits most of the time.
describe.concurrent.each(testedMarkets)('the log of $title', (market) => {
  let run: IngestRun

  beforeAll(async () => {
    run = await open(market)
  })

  afterAll(async () => {
    await run[Symbol.asyncDispose]()
  })

  it(
    'holds every trade once and in order, and its heartbeats are true, while nothing happens',
    inTurn,
    async () => {
      await run.advance(1_000 * market.speed)
      const until = await run.venueTime()
      await run.covered(until)
      expect(await run.stop('SIGTERM'), run.output).toBe(0)

      const records = await run.records()
      expect(unaccounted(run, market, records, until)).toEqual([])
      expect(untruths(run, market, records, until)).toEqual([])
      expect(disordered(market, records)).toEqual([])
      expect(duplicatesOf(records).count).toBe(0)
      expect(liesOf(records)).toEqual([])
      // With a short history, or none, nobody knows where the market stood when we began.
      expect(market.remembers === true ? everyGap(records) : []).toEqual([])
      expect(await run.rejected()).toEqual([])
      expect(cursorsElsewhere(market, await run.cursors(), records)).toEqual([])
      const first = records.find(({ value }) => value.type !== 'FeedHeartbeat')
      expect(first?.value).toMatchObject({
        type: 'InstrumentStatus',
        value: { status: 'listed', feedId: market.venue },
      })
    },
  )

  it(
    `holds every trade, tells of every gap and is counted once through ${steps} faults (TICKERTAPE_TEST_SEED=${seed})`,
    inTurn,
    async ({ onTestFailed }) => {
      const suffering = new FaultyRun(run, market)
      onTestFailed(() => {
        process.stderr.write(`${suffering.steps.join('\n')}\n${run.output.slice(-30_000)}`)
      })
      run.start(impatient(market))
      for (const step of drawFaults(steps, { ...market, seed })) await suffering.suffer(step)
      const until = await run.venueTime()
      await run.covered(until)
      // What the venue still holds back shows when the next trade comes.
      let left: readonly unknown[] = []
      await waitUntil(
        'every trade',
        async () => {
          left = unaccounted(run, market, await run.records(), until)
          return left.length === 0
        },
        { withinMs: 120_000, everyMs: 1_000 },
      ).catch((error: unknown) => {
        const some = JSON.stringify(left.slice(0, 5))
        throw new Error(`${String(error)}; ${left.length} are missing: ${some}`, { cause: error })
      })
      const lost: SequenceGap[] = []
      for (const instrument of market.instruments) {
        const closed = await gapsOnceClosed(
          run,
          instrumentIdOf({ venue: market.venue, instrument }),
        )
        lost.push(...closed.filter(({ state }) => state === 'unrecoverable'))
      }
      expect(market.remembers === true ? lost : []).toEqual([])
      expect(await run.stop('SIGTERM'), run.output).toBe(0)

      const records = await run.records()
      expect(unaccounted(run, market, records, until)).toEqual([])
      expect(untruths(run, market, records, until)).toEqual([])
      expect(holed(market, records)).toEqual([])
      expect(untoldCuts(records, suffering.cuts)).toEqual([])
      const { closedUntil, seconds } = countedByCandles(records)
      expect(seconds.size).toBeGreaterThan(0)
      expect(seconds.symmetricDifference(countedByRule(records, closedUntil))).toEqual(new Set())
      const rejected = await run.rejected()
      const reasons = rejected.map(({ headers }) => rejectedOrigin(headers).reason)
      expect(new Set(reasons).difference(new Set(['malformed']))).toEqual(new Set())
    },
  )
})
