import { expect, it } from 'vitest'

import { readPartition, topicOffsets } from '@tickertape/kafka-avro'
import { waitUntil } from '@tickertape/testing'
import { migrate } from '@tickertape/market-store'
import { readSettings } from '@tickertape/service-runtime'

import { redrive } from '../src/redrive-command.ts'
import { redriveSettings } from '../src/redrive-settings.ts'
import { createSinkLog, storedTrades, trade } from './sink-log.ts'
import type { SinkLog } from './sink-log.ts'

async function run(
  log: SinkLog,
  reason: 'refused_by_database' | 'undecodable',
  dryRun = false,
): Promise<readonly string[]> {
  const values = readSettings(redriveSettings, 'REDRIVE_', {
    KAFKA_BROKERS: log.connection.brokers,
    REGISTRY_URL: log.registryUrl,
    TOPIC_PREFIX: log.prefix,
    DATABASE_URL: log.databaseUrl,
  })
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  await redrive(values, { reason, dryRun }, write, new AbortController().signal)
  return lines
}

async function rejectedCount(log: SinkLog): Promise<number> {
  const { count } = await log.database.query('select from rejected')
  return count
}

it('what PostgreSQL refused goes into the tables once it is mended, and only there', async () => {
  await using log = await createSinkLog()
  await log.database.query(
    `alter table trades add constraint small check (trade_id not in ('t1', 't3', 't5'))`,
  )
  await using sink = log.startSink()
  await log.appendEvents([0, 1, 2, 3, 4, 5].map((number) => trade(number)))
  await waitUntil('three rejects', async () => (await rejectedCount(log)) === 3)
  await sink.stop('SIGTERM')
  const name = 'pg-sink, refused_by_database'

  expect(await run(log, 'refused_by_database', true)).toEqual([
    `${name}: 3 to put back (dry run: nothing is written)`,
  ])
  await log.database.query(
    `alter table trades drop constraint small, add constraint smaller check (trade_id <> 't3')`,
  )
  const lines = await run(log, 'refused_by_database')
  expect(lines[0]).toBe(`${name}: 3 to put back`)
  expect(lines.join('\n')).toMatch(
    /market-events \[\d\] offset \d+ stays rejected: PostgreSQL refuses it: .*"smaller"/,
  )
  expect(lines.at(-1)).toBe(`${name}: 2 put back, 1 stay rejected`)
  expect(await storedTrades(log.database)).toHaveLength(5)

  await log.database.query('alter table trades drop constraint smaller')
  expect((await run(log, 'refused_by_database')).at(-1)).toBe(`${name}: 1 put back`)
  expect(await run(log, 'refused_by_database')).toEqual([
    `${name}: 0 to put back, 3 were put back before`,
  ])
  const stored = await storedTrades(log.database)
  expect(stored.map((line) => line.split(' ')[1])).toEqual(['t0', 't1', 't2', 't3', 't4', 't5'])
  // Each stands at its own place in the log, and the log has none of them twice.
  expect(new Set(stored.map((line) => line.split(' ').at(-1))).size).toBe(6)
  const ends = await topicOffsets(log.connection, log.topic('market-events'))
  expect(ends.reduce((sum, { high }) => sum + high, 0)).toBe(6)
})

it('the command finds the tables where DATABASE_SCHEMA says, and says so where there are none', async () => {
  await using log = await createSinkLog({ migrated: false })
  const settings = { DATABASE_SCHEMA: 'market' }
  await migrate(log.databaseUrl, { schema: 'market' })
  await log.database.query(
    `alter table market.trades add constraint small check (trade_id <> 't1')`,
  )
  await using sink = log.startSink(settings)
  await log.appendEvents([0, 1, 2].map((number) => trade(number)))
  await waitUntil('the reject', async () => {
    return (await log.database.query('select from market.rejected')).count === 1
  })
  await sink.stop('SIGTERM')
  await log.database.query('alter table market.trades drop constraint small')

  const elsewhere = log.startRedrive(['--reason', 'refused_by_database'])
  expect(await elsewhere.exited()).toBe(1)
  expect(elsewhere.output).toMatch(/^redrive: DATABASE_URL names a database without a table/)
  for (const expected of ['1 put back', '0 to put back, 1 were put back before']) {
    const command = log.startRedrive(['--reason', 'refused_by_database'], settings)
    expect(await command.exited(), command.output).toBe(0)
    expect(command.output).toContain(`pg-sink, refused_by_database: ${expected}\n`)
  }
  expect((await log.database.query('select from market.trades')).count).toBe(3)
})

it('what the aggregator could not read goes back into its partition of the log', async () => {
  await using log = await createSinkLog()
  const topic = log.topic('market-events')
  await log.database.query({
    text: `insert into rejected (topic, partition, "offset", stage, reason, message, source_topic,
        source_partition, source_offset, key, value, rejected_at)
      values ($1, 0, 0, 'aggregator', 'undecodable', 'no Avro', $2, 1, 7, 'key', 'bytes', now()),
        ($1, 0, 1, 'aggregator', 'undecodable', 'no Avro', 'elsewhere', 1, 7, 'key', 'bytes', now())`,
    values: [log.topic('rejected'), topic],
  })
  const lines = await run(log, 'undecodable')
  expect(lines).toContain('aggregator, undecodable: 1 put back, 1 stay rejected')
  expect(lines).toContain(
    `aggregator, undecodable: ${log.topic('rejected')} [0] offset 1 stays rejected: it was not read from ${topic}, but from elsewhere`,
  )
  expect(lines).toContain('pg-sink, undecodable: 0 to put back')
  const found: string[] = []
  const options = { connection: log.connection, clientId: 'test' }
  const range = { topic, partition: 1, from: 'earliest', to: 'end' } as const
  for await (const batch of readPartition(options, range)) {
    for (const { key, value } of batch) found.push(`${String(key)} ${String(value)}`)
  }
  expect(found).toEqual(['key bytes'])
})
