import { describe, expect, it } from 'vitest'

import { Registry } from '@tickertape/kafka-avro'
import { repetitions, testStack } from '@tickertape/testing'

import { seededRandom } from './reference-market-random.ts'
import { referenceMarket } from './reference-market.ts'
import { CandleReader, firstDifference, keyedBytes } from './three-instances-comparison.ts'
import { appendUnderFaults, faultsOf } from './three-instances-faults.ts'
import { Installation, partitions } from './three-instances-installation.ts'

const seed = 7
const kills = repetitions({ short: 2, long: 8 })
const market = referenceMarket({
  seed,
  trades: repetitions({ short: 8_000, long: 100_000 }),
  tradingMs: 720_000,
  partitions,
})

describe('the same log', () => {
  it('gives the same bytes of candles and of rejected, whoever reads it and whatever happens meanwhile', async () => {
    const stack = testStack()
    await using quiet = await Installation.open({ stack, instances: [{}] })
    await using troubled = await Installation.open({
      stack,
      instances: [
        { AGGREGATOR_COMMIT_RECORDS: '333', AGGREGATOR_COMMIT_INTERVAL_MS: '10' },
        { AGGREGATOR_COMMIT_RECORDS: '4000', AGGREGATOR_READER: 'librdkafka' },
        { AGGREGATOR_COMMIT_RECORDS: '50', AGGREGATOR_COMMIT_INTERVAL_MS: '5' },
      ],
    })
    // All of it is there before the one begins; the other one's comes while it is read.
    await quiet.append(market.records)
    quiet.startAll()
    troubled.startAll()
    const random = seededRandom(seed, 'faults')
    const faults = faultsOf(kills, market.records.length, random).filter(
      ({ kind }) => kind !== 'broker',
    )
    await appendUnderFaults(troubled, market.records, {
      faults,
      random,
      restartBroker: () => Promise.resolve(),
    })
    await quiet.reaches(market.records.length)

    const reader = new CandleReader(new Registry({ url: stack.registryUrl }, quiet.prefix))
    for (const topic of ['market-events', 'candles', 'rejected'] as const) {
      const [once, again] = await Promise.all([quiet.read(topic), troubled.read(topic)])
      if (topic === 'candles') await reader.prepare(once)
      for (const [partition, messages] of once.entries()) {
        const difference = firstDifference(
          (again[partition] ?? []).map(keyedBytes),
          messages.map(keyedBytes),
          ({ key, value }) => (topic === 'candles' ? reader.decode(value) : key),
        )
        expect(difference, `${topic} [${partition}]`).toBeUndefined()
        expect(messages.length).toBeGreaterThan(topic === 'rejected' ? 5 : 200)
      }
    }
  })
})
