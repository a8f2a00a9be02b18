import { afterAll, beforeAll, expect, it } from 'vitest'

import { Deserializer, Registry, Serializer } from '@tickertape/kafka-avro'
import type { MarketEvent } from '@tickertape/market-model'
import { bulkInsert, tradeRow, trades } from '@tickertape/market-store'
import { testStack, uniquePrefix } from '@tickertape/testing'

import { readUnstoredTrades } from '../src/unstored-trades.ts'
import { plain } from './plain-market.ts'
import { base, createStoredMarket, heartbeat, trade } from './stored-market.ts'
import type { StoredMarket } from './stored-market.ts'

const hourMs = 3_600_000

let market: StoredMarket
let serializer: Serializer<'market-events'>
let deserializer: Deserializer<'market-events'>

beforeAll(async () => {
  market = await createStoredMarket()
  const registry = new Registry({ url: testStack().registryUrl }, uniquePrefix())
  serializer = new Serializer('market-events', await registry.register('market-events'))
  deserializer = new Deserializer('market-events', registry)
})

afterAll(() => market[Symbol.asyncDispose]())

/** As if PostgreSQL had refused the records at these offsets, which the aggregator could use. */
async function refuse(events: readonly MarketEvent[], ...offsets: readonly number[]) {
  const { database } = market
  await database.query({
    text: 'delete from trades where source_offset = any($1::bigint[])',
    values: [offsets],
  })
  for (const offset of offsets) {
    const event = events[offset]
    await database.query({
      text: `insert into rejected (topic, partition, "offset", stage, reason, message, source_topic,
          source_partition, source_offset, value, rejected_at)
        values ('market-events', 0, $1, 'pg-sink', 'refused_by_database', '', 'market-events', 0, $1, $2, now())`,
      values: [offset, event === undefined ? null : serializer.serialize(event)],
    })
  }
}

function offsetOf(events: readonly MarketEvent[], tradeId: string): number {
  return events.findIndex(({ type, value }) => type === 'Trade' && value.tradeId === tradeId)
}

it('a trade that only the sink has turned away counts', async () => {
  await market.store(plain)
  await refuse(plain, offsetOf(plain, 't3'), offsetOf(plain, 't9'))
  const report = await market.compare({ deserializer })
  expect(report).toMatchObject({ differences: 0, unstoredTrades: 2, leftOut: [] })
  expect(report.trades).toBe(59)
})

it('values of a megabyte are read few at a time, and each once', async () => {
  // A page had 5,000 values whatever their size: gigabytes, if a producer has gone mad.
  await market.store([])
  await refuse([], ...Array(12).keys())
  await market.database.query(
    `update rejected set value = convert_to(repeat('x', 1000000), 'UTF8') where "offset" >= 4`,
  )
  const pages: number[] = []
  for await (const { leftOut } of readUnstoredTrades(market.database, 'market-events', undefined)) {
    pages.push(leftOut.length)
  }
  expect(pages).toEqual([9, 3])
})

it('without a registry it is left out, and that is told', async () => {
  await market.store(plain)
  const offset = offsetOf(plain, 't3')
  await refuse(plain, offset)
  const report = await market.compare()
  expect(report).toMatchObject({ differences: 2, unstoredTrades: 0 })
  expect(report.leftOut).toEqual([
    `market-events [0] offset ${offset}: without a registry it cannot be read`,
  ])
})

it('one that PostgreSQL has no value for is left out; bytes that are no trade change nothing', async () => {
  const events = [
    trade(1, 500),
    trade(2, 600, { tradeId: 'a\0b' }),
    heartbeat(61_000),
    heartbeat(62_000),
  ]
  await market.store(events.filter((_, at) => at !== 1))
  await refuse(events, 1, 3)
  await market.database.query({
    text: `update rejected set value = 'no Avro' where "offset" = 3`,
  })
  const { leftOut } = await market.compare({ deserializer })
  expect(leftOut).toEqual([
    'market-events [0] offset 1: its instrument, id or feed has a zero byte',
  ])
})

it('one that the aggregator has turned away as well does not count', async () => {
  const events = [trade(1, 500), heartbeat(2 * hourMs), trade(2, 300), heartbeat(3 * hourMs)]
  const { outcomes } = await market.store(events)
  expect(outcomes[2]).toBe('late')
  await refuse(events, 2)
  expect(await market.compare({ deserializer })).toMatchObject({
    differences: 0,
    unstoredTrades: 0,
    leftOut: [],
  })
})

it('the first of two records of a trade counts, whichever of them is stored', async () => {
  const again = trade(1, 500, { receivedAt: base + 600 })
  const events = [trade(1, 500), again, trade(2, 700), heartbeat(61_000)]
  const { outcomes } = await market.store(events)
  expect(outcomes[1]).toBe('duplicate')
  await market.database.query(`update trades set source_offset = 1 where trade_id = 't1'`)
  await refuse(events, 0)
  expect(await market.compare({ deserializer })).toMatchObject({
    differences: 0,
    unstoredTrades: 1,
  })
})

it('what was put back since is a stored trade like any other', async () => {
  await market.store(plain)
  const offset = offsetOf(plain, 't3')
  await refuse(plain, offset)
  const event = plain[offset]
  if (event?.type !== 'Trade') throw new Error('The market has no such trade')
  await market.database.query(
    bulkInsert(trades).with([tradeRow(event.value, { partition: 0, offset })]),
  )
  await market.database.query('update rejected set redriven_at = now()')
  expect(await market.compare({ deserializer })).toMatchObject({
    differences: 0,
    unstoredTrades: 0,
  })
})

it('windows that such a trade behind the snapshot touches are not judged', async () => {
  const events = [...plain, trade(62, 30_500), heartbeat(201_000)]
  await market.store(events)
  await refuse(events, plain.length)
  const { database } = market
  const { value } = plain.findLast(({ type }) => type === 'FeedHeartbeat') ?? {}
  if (value === undefined || !('upTo' in value)) throw new Error('The market has no heartbeat')
  await database.query({
    text: 'update feed_watermarks set up_to = $1, heartbeat_offset = $2',
    values: [new Date(value.upTo).toISOString(), plain.length - 1],
  })
  await database.query({ text: 'update sink_offsets set next_offset = $1', values: [plain.length] })
  expect(await market.compare({ deserializer })).toMatchObject({ differences: 0, undecided: 2 })
  expect((await market.compare()).differences).toBe(2)
})
