import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { Client } from 'pg'

import {
  EventProducer,
  Registry,
  Serializer,
  partitionOf,
  topicName,
  topicOffsets,
} from '@tickertape/kafka-avro'
import { instrumentIdOf, noOptionalFacts } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'
import { startSimulator } from '@tickertape/market-simulator'
import { ServiceProcess, testStack, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { Road, roadServices } from '../src/index.ts'
import { isReady, scrape } from './scraped-service.ts'
import type { Scrape } from './scraped-service.ts'

const gatewayMain = fileURLToPath(new URL('../../../apps/gateway/src/main.ts', import.meta.url))
const document = readFileSync(new URL('../../../docs/metrics.md', import.meta.url), 'utf8')
const documented = new Set(
  [...document.matchAll(/^\| ([a-z]\w*) \| (counter|gauge|histogram) \|/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  ),
)

const instrumentName = 'MANY'
const few = 100
const many = 10_000
/** Values of labels that come late (a quality, a kind of batch) have series of their own: far fewer than instruments. */
const lateSeries = many / 100

/** Trades of instruments that the venue does not have, of its feed and its time: each service takes them for its own. */
async function appendTrades(
  road: Road,
  { feedId, eventTime }: { readonly feedId: string; readonly eventTime: number },
  range: { readonly from: number; readonly to: number },
): Promise<void> {
  const { kafkaBrokers, registryUrl } = testStack()
  const connection = { brokers: kafkaBrokers }
  const topic = topicName('market-events', road.topicPrefix)
  const registry = new Registry({ url: registryUrl }, road.topicPrefix)
  const serializer = new Serializer('market-events', await registry.register('market-events'))
  const partitions = (await topicOffsets(connection, topic)).length
  await using producer = await EventProducer.open({ connection, clientId: road.topicPrefix })
  for (let number = range.from; number < range.to; number += 1) {
    const trade: Trade = {
      venue: 'deribit',
      feedId,
      instrument: `${instrumentName}-${number}`,
      tradeId: '1',
      version: 0,
      status: 'confirmed',
      sequence: 1,
      venueOrder: null,
      price: { mantissa: 100, exponent: 0 },
      quantity: { mantissa: 1, exponent: 0 },
      notionalUsd: null,
      takerSide: 'buy',
      eventTime,
      receivedAt: eventTime,
      ...noOptionalFacts,
    }
    const key = instrumentIdOf(trade)
    const value = serializer.serialize({ type: 'Trade', value: trade })
    producer.produce({ topic, partition: partitionOf(key, partitions), key, value })
  }
  await producer.acknowledged()
}

async function newestTrade(database: Client): Promise<{ feedId: string; eventTime: number }> {
  return await waitUntil(
    'a trade in PostgreSQL',
    async () => {
      const { rows } = await database.query<{ feed_id: string; event_time: string }>(
        `select feed_id, (extract(epoch from event_time) * 1000)::bigint as event_time
         from trades order by event_time desc limit 1`,
      )
      const [row] = rows
      return row && { feedId: row.feed_id, eventTime: Number(row.event_time) }
    },
    { withinMs: 120_000 },
  )
}

/** Waits until candles of so many of the instruments have come to PostgreSQL, and to the gateway's memory. */
async function candlesOf(database: Client, gateway: ServiceProcess, count: number): Promise<void> {
  await waitUntil(
    `candles of ${count} instruments`,
    async () => {
      const { rows } = await database.query<{ count: string }>(
        `select count(distinct instrument_id) as count from candles where instrument_id like $1`,
        [`deribit:${instrumentName}-%`],
      )
      return Number(rows[0]?.count) === count
    },
    { withinMs: 240_000, everyMs: 500 },
  )
  await waitUntil(
    'the gateway to have them',
    async () => {
      const { text } = await scrape(gateway)
      const told = /^gateway_view_updates_total\{type="closed candle".*\} (\d+)$/m.exec(text)?.[1]
      return Number(told) >= count
    },
    { withinMs: 240_000, everyMs: 500 },
  )
}

// 10,000 instruments through all services are some 40 s of both cores' work.
it(
  'series do not grow with instruments, none of which a metric names, and all are documented',
  {
    timeout: 900_000,
  },
  async () => {
    const stack = testStack()
    const start = Date.UTC(2026, 0, 5, 9, 30)
    await using simulator = await startSimulator({
      start,
      speed: 4,
      rate: 0.2,
      limits: false,
      venues: ['deribit'],
    })
    await using road = await Road.open({
      stack,
      venue: 'deribit',
      instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL'],
      wsUrl: simulator.deribitWsUrl,
      restUrl: simulator.deribitRestUrl,
    })
    const database = new Client({ connectionString: road.databaseUrl })
    await database.connect()
    await using cleanup = new AsyncDisposableStack()
    cleanup.defer(() => database.end())
    await newestTrade(database)
    await using gateway = ServiceProcess.start({
      main: gatewayMain,
      environment: {
        KAFKA_BROKERS: stack.kafkaBrokers,
        REGISTRY_URL: stack.registryUrl,
        DATABASE_URL: road.databaseUrl,
        TOPIC_PREFIX: road.topicPrefix,
        GATEWAY_PORT: '0',
        GATEWAY_ADMIN_PORT: '0',
      },
    })
    const services = new Map<string, ServiceProcess>([
      ...roadServices.map((name) => [name, road.process(name)] as const),
      ['gateway', gateway],
    ])
    const scrapeAll = async (): Promise<ReadonlyMap<string, Scrape>> =>
      new Map(
        await Promise.all(
          [...services].map(async ([name, service]) => [name, await scrape(service)] as const),
        ),
      )
    // What it finds in the database when it begins is none of the updates that are counted below.
    await waitUntil('the gateway to be ready', () => isReady(gateway), { withinMs: 240_000 })
    await appendTrades(road, await newestTrade(database), { from: 0, to: few })
    await candlesOf(database, gateway, few)
    const before = await scrapeAll()
    await appendTrades(road, await newestTrade(database), { from: few, to: many })
    await candlesOf(database, gateway, many)
    const after = await scrapeAll()
    const total = /^aggregator_instruments\{.*\} (\d+)$/gm
    const known = [...(after.get('aggregator')?.text ?? '').matchAll(total)]
    expect(known.reduce((sum, [, count]) => sum + Number(count), 0)).toBeGreaterThan(many)
    for (const [name, { series, text, metrics }] of after) {
      const earlier = before.get(name)?.series ?? new Set()
      expect([...series.difference(earlier)].length, name).toBeLessThan(lateSeries)
      expect(text, name).not.toContain(instrumentName)
      expect(text, name).not.toContain('PERPETUAL')
      expect(
        metrics.filter((metric) => !documented.has(metric)),
        name,
      ).toEqual([])
    }
  },
)
