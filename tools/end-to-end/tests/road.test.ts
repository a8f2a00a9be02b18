import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { noOptionalFacts } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'
import { repetitions, waitUntil } from '@tickertape/testing'
import { formatReport } from '@tickertape/verify'

import { roadServices } from '../src/index.ts'
import { differences, runMarket } from './market-run.ts'
import type { MarketRunOptions, MarketRunResult } from './market-run.ts'

const minute = 60_000
const start = Date.UTC(2026, 0, 5, 9, 30)

const seededDeribit: MarketRunOptions = {
  venue: 'deribit',
  instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'],
  simulator: { start, end: start + 6 * minute, speed: 24, speedAfterEnd: 60, limits: false },
}

const recordings = fileURLToPath(new URL('../../../../shared/recordings/', import.meta.url))
const spotRecording = 'binance/spot-btcusdt-20240808.jsonl.gz'

const recordedBinance: MarketRunOptions = {
  venue: 'binance',
  instruments: ['BTCUSDT'],
  simulator: { replay: recordings + spotRecording, speed: 40, speedAfterEnd: 60, limits: false },
}

/** Each service is killed at another place of the stream, and once more for each round. */
const killEach =
  (rounds: number): NonNullable<MarketRunOptions['during']> =>
  async ({ road, progress }) => {
    const kills = rounds * roadServices.length
    for (let kill = 0; kill < kills; kill += 1) {
      await progress((kill + 1) / (kills + 2))
      const service = roadServices[kill % roadServices.length]
      if (service !== undefined) await road.killAndRestart(service)
    }
  }

/**
 * An untrue heartbeat, which makes trades late, shows neither in the candles, for late trades revise them,
 * nor in the verification, but in the revisions.
 */
function expectExact(result: MarketRunResult): void {
  expectWhole(result)
  expect(result.revised).toEqual([])
}

/** Of the seeded market, those that are long enough to hold a kill. */
const firstWindows = ['5m 09:30:00', '15m 09:30:00', '1h 09:00:00'].map((each) => `${each} partial`)

/**
 * An ingest that was killed tells what time it missed before it goes on: windows close with quality gap, and
 * are revised when it has fetched their trades. The first window of an interval began before we knew of the
 * instrument, so it stays partial whatever was fetched: longer ones hold kills as well.
 */
function expectExactAfterKills(result: MarketRunResult): void {
  expectWhole(result)
  const otherwise = result.revised.filter((window) => !window.endsWith(' backfilled'))
  expect(otherwise.filter((window) => !firstWindows.includes(window))).toEqual([])
}

function expectWhole(result: MarketRunResult): void {
  expectStored(result)
  expect(result.rejected).toEqual([])
  expect(result.tradesInCandles).toBe(result.truth.length)
}

function expectStored({ truth, stored, report }: MarketRunResult): void {
  expect(differences(truth, stored).slice(0, 5)).toEqual([])
  expect(stored).toHaveLength(truth.length)
  expect(formatReport(report)).toContain(': 0 differences')
  expect(report.candles['1s']).toBeGreaterThan(0)
  expect(report.candles['1m']).toBeGreaterThan(0)
}

describe('a seeded Deribit market', () => {
  it('is in PostgreSQL trade by trade, and every candle equals one computed by SQL', async () => {
    const result = await runMarket(seededDeribit)
    expect(result.truth.length).toBeGreaterThan(10_000)
    expectExact(result)
  })

  it('survives a SIGKILL of each service in the middle', async () => {
    const rounds = repetitions({ short: 1, long: 8 })
    const end = start + 6 * rounds * minute
    const simulator = { ...seededDeribit.simulator, end }
    expectExactAfterKills(
      await runMarket({ ...seededDeribit, simulator, during: killEach(rounds) }),
    )
  })

  it('survives dropped connections, skipped, doubled and malformed frames', async () => {
    const result = await runMarket({
      ...seededDeribit,
      during: async ({ simulator, progress }) => {
        const faults = [
          ['skip', { count: 25 }],
          ['drop', {}],
          ['duplicate', { count: 20 }],
          ['malformed', { count: 3 }],
        ] as const
        for (const [at, [fault, body]] of faults.entries()) {
          // In the first half of what is stored: the sink may lag far behind a market that ends early.
          await progress((at + 1) / (2 * faults.length))
          const answer = await fetch(`${simulator.controlUrl}/${fault}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          })
          expect(answer.status, await answer.text()).toBe(200)
        }
      },
    })
    expectStored(result)
    // A trade that the venue leaves out shows only when the next one of its instrument comes: heartbeats
    // may have passed it by then, and its candle is revised.
    expect(result.rejected).toEqual(Array.from({ length: 3 }, () => 'ingest: malformed'))
    expect(result.tradesInCandles).toBe(result.truth.length)
  })

  it('takes what comes after a window has closed as revisions of its candles', async () => {
    const instrumentId = 'deribit:BTC-PERPETUAL'
    const secondStart = start + minute
    const second = new Date(secondStart).toISOString()
    const added: Trade[] = []
    const result = await runMarket({
      ...seededDeribit,
      // Event time runs fast once the market has ended.
      settings: { AGGREGATOR_HORIZON_MS: String(24 * 60 * minute) },
      afterwards: async ({ append, database }) => {
        const { rows } = await database.query<{ feed_id: string; last: string }>(
          `select feed_id, max(sequence) as last from trades
            where instrument_id = $1 group by feed_id`,
          [instrumentId],
        )
        const feedId = rows[0]?.feed_id ?? ''
        const last = Number(rows[0]?.last)
        const missing = {
          gapId: 'test',
          feedId,
          replicaId: 'test',
          fromTime: secondStart,
          toTime: secondStart + 1_000,
          fromSequence: last + 1,
          toSequence: last + 2,
          state: 'open',
        } as const
        const whenQuality = (quality: string) =>
          waitUntil(`the candles of the second to be ${quality}`, async () => {
            const found = await database.query(
              `select from candles where instrument_id = $1 and quality = $2
                and window_start <= $3 and window_end > $3 and interval in ('1s', '1m')`,
              [instrumentId, quality, second],
            )
            return (found.rowCount ?? 0) === 2
          })
        await append.gap(instrumentId, missing)
        await whenQuality('gap')
        for (const sequence of [last + 1, last + 2]) {
          const trade = lateTrade(feedId, sequence, secondStart + (sequence - last))
          added.push(trade)
          await append.trade(trade)
        }
        await whenQuality('backfilled')
        // A correction of the first of them, and a cancel of the other.
        const [first, other] = added
        if (first === undefined || other === undefined) throw new Error('two trades were added')
        await append.trade({ ...first, version: 1, price: { mantissa: 1, exponent: 0 } })
        await append.trade({ ...other, version: 1, status: 'cancelled' })
        await waitUntil('the correction in a candle', async () => {
          const found = await database.query(
            `select from candles
              where instrument_id = $1 and interval = '5m' and low = 1 and window_start <= $2`,
            [instrumentId, second],
          )
          return (found.rowCount ?? 0) === 1
        })
      },
    })
    expect(formatReport(result.report)).toContain(': 0 differences')
    expect(result.report.candles['5m']).toBeGreaterThan(0)
    expect(result.rejected).toEqual([])
    expect(result.tradesInCandles).toBe(result.truth.length + 1)
    // The first five minutes hold the instrument's first second: what was partial stays so.
    expect(result.revised).toEqual([
      '1s 09:31:00 backfilled',
      '1m 09:31:00 backfilled',
      '5m 09:30:00 partial',
    ])
  })
})

describe('recorded Binance messages', () => {
  it('give each trade of the recording exactly once, and exact candles', async ({ skip }) => {
    requireRecordings(skip)
    const result = await runMarket(recordedBinance)
    expect(result.truth).toHaveLength(recordedTrades())
    expectExact(result)
  })

  it('do so with a SIGKILL of each service in the middle', async ({ skip }) => {
    requireRecordings(skip)
    const result = await runMarket({ ...recordedBinance, during: killEach(1) })
    expect(result.truth).toHaveLength(recordedTrades())
    expectExactAfterKills(result)
  })
})

/** A trade of BTC-PERPETUAL that the simulator's market does not have. */
function lateTrade(feedId: string, sequence: number, eventTime: number): Trade {
  return {
    venue: 'deribit',
    feedId,
    instrument: 'BTC-PERPETUAL',
    tradeId: `late-${sequence}`,
    version: 0,
    status: 'confirmed',
    sequence,
    venueOrder: null,
    price: { mantissa: 50_000 + (sequence % 7), exponent: 0 },
    quantity: { mantissa: 1, exponent: 1 },
    notionalUsd: null,
    takerSide: 'buy',
    eventTime,
    receivedAt: eventTime + minute,
    ...noOptionalFacts,
  }
}

function requireRecordings(skip: (reason: string) => never): void {
  if (!existsSync(recordings)) skip(`the recordings are not at hand (looked in ${recordings})`)
}

function recordedTrades(): number {
  // The recordings' own description of themselves.
  const manifest = JSON.parse(readFileSync(`${recordings}manifest.json`, 'utf8')) as {
    recordings: { file: string; trades: number }[]
  }
  return manifest.recordings.find(({ file }) => file === spotRecording)?.trades ?? 0
}
