import fc from 'fast-check'
import { expect, it } from 'vitest'

import type { Candle } from '@tickertape/market-model'
import { Database, migrate } from '@tickertape/market-store'
import { testDatabase } from '@tickertape/testing'

import { Batch } from '../src/batch.ts'
import { writeBatch } from '../src/batch-writer.ts'
import { claimPartitions, partitionKey } from '../src/partition-epochs.ts'
import { base } from './sink-log.ts'

const partition = { topic: 'candles', partition: 0 }

/** The price tells which record of the log a stored candle is. */
function candle(changes: Partial<Candle>, price: number): Candle {
  const number = { mantissa: price, exponent: 0 }
  return {
    instrumentId: 'deribit:BTC-PERPETUAL',
    interval: '1s',
    windowStart: base,
    windowEnd: base + 1_000,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number,
    buyVolume: number,
    quoteVolume: number,
    notionalUsd: null,
    vwap: number,
    tradeCount: 1,
    indicators: {},
    quality: 'complete',
    revision: 0,
    final: true,
    firstSequence: null,
    lastSequence: null,
    rebuildId: null,
    ...changes,
  }
}

const change = fc.record({
  windowStart: fc.constantFrom(base, base + 1_000),
  interval: fc.constantFrom('1s' as const, '1m' as const),
  revision: fc.nat(4),
  rebuildId: fc.option(fc.nat(3), { freq: 2 }),
})

/** A log in batches: a revision and the one that it follows may come in one batch or in two. */
const batches = fc.array(fc.array(change, { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 5,
})

it('of all candles of a window the first of the highest (rebuild, revision) stands, however they are batched', async () => {
  await using created = await testDatabase()
  await migrate(created.url)
  await using database = new Database(created.url, { applicationName: 'test' })
  const claimed = await claimPartitions(database, [partition], async (unknown) =>
    unknown.map((at) => ({ ...at, offset: 0 })),
  )
  const owned = new Map(claimed.map((at) => [partitionKey(at), at]))
  let offset = 0
  await fc.assert(
    fc.asyncProperty(batches, async (list) => {
      await database.query('truncate candles')
      const log: Candle[] = []
      for (const changes of list) {
        const batch = new Batch()
        for (const made of changes) {
          const next = candle(made, log.length + 1)
          batch.reached({ ...partition, offset, value: null })
          offset += 1
          batch.addCandle(next)
          log.push(next)
        }
        await writeBatch(database, batch, owned)
        for (const [key, claim] of owned) owned.set(key, { ...claim, offset })
      }
      const standing = new Map<string, Candle>()
      for (const each of log) {
        const key = `${each.interval} ${each.windowStart}`
        const known = standing.get(key)
        if (known === undefined || rank(each) > rank(known)) standing.set(key, each)
      }
      const { rows } = await database.query<{ key: string; close: string }>(
        `select concat(interval, ' ', (extract(epoch from window_start) * 1000)::bigint) as key, close
          from candles`,
      )
      expect(new Map(rows.map(({ key, close }) => [key, close]))).toEqual(
        new Map([...standing].map(([key, { close }]) => [key, String(close.mantissa)])),
      )
    }),
    { numRuns: 60 },
  )
})

/** No rebuild is below every rebuild. */
function rank({ rebuildId, revision }: Candle): number {
  return (rebuildId === null ? 0 : rebuildId + 1) * 1_000 + revision
}
