import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { describe, expect, it } from 'vitest'

import { repetitions } from '@tickertape/testing'
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
  simulator: { replay: recordings + spotRecording, speed: 20, speedAfterEnd: 60, limits: false },
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
 * Verification leaves out what the aggregator turned away, so an untrue heartbeat, which makes trades late,
 * shows only in the counts of candles and rejects.
 */
function expectExact(result: MarketRunResult): void {
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
    expectExact(await runMarket({ ...seededDeribit, simulator, during: killEach(rounds) }))
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
          await progress((at + 1) / (faults.length + 1))
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
    // may have passed it by then.
    const late = result.rejected.filter((reject) => reject === 'aggregator: late')
    const malformed = Array.from({ length: 3 }, () => 'ingest: malformed')
    expect(result.rejected).toEqual([...late, ...malformed])
    expect(result.tradesInCandles + late.length).toBe(result.truth.length)
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
    expectExact(result)
  })
})

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
