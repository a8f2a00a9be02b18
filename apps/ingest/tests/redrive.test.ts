import { expect, it } from 'vitest'

import {
  DecodeFailure,
  Deserializer,
  Registry,
  ensureTopics,
  partitionOf,
  readPartition,
  topicName,
} from '@tickertape/kafka-avro'
import type { Trade } from '@tickertape/market-model'
import { Database, migrate } from '@tickertape/market-store'
import { readSettings } from '@tickertape/service-runtime'
import { testDatabase, testStack, uniquePrefix } from '@tickertape/testing'

import { redrive, redriveSettings } from '../src/redrive-command.ts'

const partitions = 2
const executedAt = Date.UTC(2026, 4, 20)

function frame(id: number): string {
  const data = { e: 'trade', s: 'BTCUSDT', t: id, p: '61.5', q: '2', T: executedAt + id, m: true }
  return JSON.stringify({ stream: 'btcusdt@trade', data })
}

it('what ingest turned away goes through the venue’s mapper again, and its trades into the log', async () => {
  const prefix = uniquePrefix()
  const { kafkaBrokers: brokers, registryUrl } = testStack()
  await ensureTopics({ brokers, prefix, partitions })
  await using created = await testDatabase()
  await migrate(created.url)
  await using database = new Database(created.url, { applicationName: 'test' })
  const rejects = [
    ['binance', frame(1)],
    ['binance', frame(2)],
    ['binance', 'still no JSON'],
    ['binance-coinm', frame(3)],
    [null, frame(4)],
  ] as const
  for (const [offset, [venue, value]] of rejects.entries()) {
    await database.query({
      text: `insert into rejected (topic, partition, "offset", stage, reason, message, key, value,
          rejected_at, venue, feed_id)
        values ('rejected', 0, $1, 'ingest', 'malformed', 'no JSON', null, $2, now(), $3, 'feed of ' || $3)`,
      values: [offset, Buffer.from(value), venue],
    })
  }
  const values = readSettings(redriveSettings, 'REDRIVE_', {
    KAFKA_BROKERS: brokers,
    REGISTRY_URL: registryUrl,
    TOPIC_PREFIX: prefix,
    DATABASE_URL: created.url,
  })
  const run = async (): Promise<readonly string[]> => {
    const lines: string[] = []
    const args = { reason: 'malformed', dryRun: false } as const
    await redrive(values, args, (line) => void lines.push(line), new AbortController().signal)
    return lines
  }

  expect(await run()).toEqual([
    'ingest, malformed: 5 to put back',
    'ingest, malformed: rejected [0] offset 2 stays rejected: it is neither a frame nor a row with trades',
    'ingest, malformed: rejected [0] offset 3 stays rejected: frames of binance-coinm cannot be read without its catalog',
    'ingest, malformed: rejected [0] offset 4 stays rejected: it does not tell whose frame it is: it was rejected by an older version',
    'ingest, malformed: 5 of 5',
    'ingest, malformed: 2 put back, 3 stay rejected',
  ])
  expect((await run()).at(-1)).toBe('ingest, malformed: 0 put back, 3 stay rejected')
  const found = await tradesIn(prefix, partitionOf('binance:BTCUSDT', partitions))
  expect(found.map(({ feedId, tradeId }) => [feedId, tradeId])).toEqual([
    ['feed of binance', '1'],
    ['feed of binance', '2'],
  ])
})

async function tradesIn(prefix: string, partition: number): Promise<readonly Trade[]> {
  const { kafkaBrokers: brokers, registryUrl } = testStack()
  const deserializer = new Deserializer('market-events', new Registry(registryUrl, prefix))
  const topic = topicName('market-events', prefix)
  const found: Trade[] = []
  const range = { topic, partition, from: 'earliest', to: 'end' } as const
  for await (const batch of readPartition({ brokers, clientId: 'test' }, range)) {
    await deserializer.prepare(batch.map(({ value }) => value))
    for (const { value } of batch) {
      const event = deserializer.deserialize(value)
      if (event instanceof DecodeFailure || event.type !== 'Trade') throw new Error('no trade')
      found.push(event.value)
    }
  }
  return found
}
