import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { describe, expect, it } from 'vitest'

import { Registry, Serializer } from '@tickertape/kafka-avro'
import { startStack } from '@tickertape/stack'
import { repetitions } from '@tickertape/testing'

import { checkCandles } from './reference-market-candles.ts'
import { PartitionPass } from './reference-market-pass.ts'
import type { PassedPartition } from './reference-market-pass.ts'
import { seededRandom } from './reference-market-random.ts'
import { tradeKey } from './reference-market-trades.ts'
import { byPartition, referenceMarket } from './reference-market.ts'
import type { MarketRecord } from './reference-market.ts'
import {
  CandleReader,
  candleBytes,
  expectedRejections,
  firstDifference,
  keyedBytes,
  rejectedFacts,
} from './three-instances-comparison.ts'
import { appendUnderFaults, countKills, faultsOf } from './three-instances-faults.ts'
import { Installation, partitions } from './three-instances-installation.ts'

const seed = 20_260_105
const kills = repetitions({ short: 5, long: 24 })
const asked = repetitions({ short: 24_000, long: 560_000 })
const trades = repetitions({ short: 20_000, long: 500_000 })
const tradingMs = repetitions({ short: 720_000, long: 2_400_000 })

/** Both readers, and transactions of unequal size: what is committed together must not matter. */
const instances = [
  { AGGREGATOR_COMMIT_RECORDS: '2000' },
  { AGGREGATOR_COMMIT_RECORDS: '500', AGGREGATOR_COMMIT_INTERVAL_MS: '20' },
  { AGGREGATOR_COMMIT_RECORDS: '5000', AGGREGATOR_READER: 'librdkafka' },
]

const market = referenceMarket({ seed, trades: asked, tradingMs, partitions })
const logs = byPartition(market.records, partitions)
const passes = logs.map((log) => new PartitionPass(log))

describe('three instances', () => {
  it('write, through kills and a restart of the broker, what one pass over the log gives', async () => {
    await using stack = await startStack({
      folder: mkdtempSync(join(tmpdir(), 'tickertape-faults-')),
      ports: 'free',
      temporary: true,
      onProgress: () => undefined,
    })
    await using installation = await Installation.open({ stack, instances })
    const registry = new Registry({ url: stack.registryUrl }, installation.prefix)
    const underFaults = market.records.slice(0, Math.floor(market.records.length * 0.9))
    const random = seededRandom(seed, 'faults')
    const faults = faultsOf(kills, underFaults.length, random)

    expect(countKills(faults)).toBeGreaterThanOrEqual(kills)
    expect(distinctTrades(market.records)).toBeGreaterThanOrEqual(trades)

    installation.startAll()
    await appendUnderFaults(installation, underFaults, {
      faults,
      random,
      restartBroker: () => stack.killAndRestart('kafka'),
    })
    await expectOnePass(installation, registry, underFaults)

    // What the faults left in the changelog is enough to go on from.
    const codes = await installation.drainAll()
    expect(codes, installation.output).toEqual([0, 0, 0])
    installation.startAll()
    await installation.append(market.records.slice(underFaults.length))
    await installation.reaches(market.records.length)
    const passed = await expectOnePass(installation, registry, market.records)
    expectVariety(passed)
  })
})

/** Compares the topics of the installation with one pass over these records. */
async function expectOnePass(
  installation: Installation,
  registry: Registry,
  appended: readonly MarketRecord[],
): Promise<readonly PassedPartition[]> {
  const serializer = new Serializer('candles', await registry.register('candles'))
  const reader = new CandleReader(registry)
  const written = await installation.read('candles')
  const rejected = await installation.read('rejected')
  await reader.prepare(written)
  const appendedLogs = byPartition(appended, partitions)
  return appendedLogs.map((log, partition) => {
    const passed = passOf(partition).passUntil(log.length)
    const messages = written[partition] ?? []
    const difference = firstDifference(
      messages.map(keyedBytes),
      candleBytes(passed.candles, serializer),
      ({ value }) => reader.decode(value),
    )
    expect(difference, `candles of partition ${partition}`).toBeUndefined()

    const facts = rejectedFacts(rejected[partition] ?? [])
    expect(facts).toEqual(expectedRejections(passed, log, installation))
    const reasons = new Map(facts.map(({ offset, reason }) => [offset, reason]))
    const intended = log.filter(({ intent }) => intent !== null)
    expect(intended.filter(({ offset, intent }) => reasons.get(offset) !== intent)).toEqual([])

    const candles = messages.map(({ value }) => reader.decode(value))
    const offsets = new Set(facts.flatMap(({ offset }) => (offset === null ? [] : [offset])))
    const check = checkCandles(log, offsets, candles)
    expect(check.problems.slice(0, 10), `partition ${partition}`).toEqual([])
    expect(check.compared).toBeGreaterThan(500)
    return { ...passed }
  })
}

/** The market has made the aggregator do everything that it can do. */
function expectVariety(passed: readonly PassedPartition[]): void {
  const outcomes = new Set(passed.flatMap((partition) => [...partition.outcomes.keys()]))
  expect([...outcomes].toSorted()).toEqual([
    'accepted',
    'conflict',
    'duplicate',
    'future',
    'invalid',
    'late',
    'revised',
    'superseded',
    'uncounted',
    'undecodable',
    'unknown_schema_id',
  ])
  const candles = passed.flatMap((partition) => [...partition.candles])
  expect([...new Set(candles.map(({ quality }) => quality))].toSorted()).toEqual([
    'backfilled',
    'complete',
    'gap',
    'partial',
    'quiet',
  ])
  const revised = candles.filter(({ revision }) => revision > 1).map(({ interval }) => interval)
  for (const interval of ['1s', '1m', '5m']) expect(revised).toContain(interval)
}

function passOf(partition: number): PartitionPass {
  const pass = passes[partition]
  if (pass === undefined) throw new Error(`No partition ${partition}`)
  return pass
}

function distinctTrades(records: readonly MarketRecord[]): number {
  const keys = records.flatMap(({ event, intent }) =>
    event.type === 'Trade' && intent === null ? [tradeKey(event.value)] : [],
  )
  return new Set(keys).size
}
