import { once } from 'node:events'
import { createServer } from 'node:http'

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
import { instrumentIdOf, normalizeDecimal } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'
import { Database, migrate } from '@tickertape/market-store'
import { readSettings } from '@tickertape/service-runtime'
import { testDatabase, testStack, uniquePrefix } from '@tickertape/testing'

import { redrive, redriveSettings } from '../src/redrive-command.ts'

const partitions = 2
const executedAt = Date.UTC(2026, 4, 20)

function frame(id: number, symbol = 'BTCUSDT'): string {
  const data = { e: 'trade', s: symbol, t: id, p: '61.5', q: '2', T: executedAt + id, m: true }
  return JSON.stringify({ stream: 'btcusdt@trade', data })
}

it('what ingest turned away goes through the venue’s mapper again, and its trades into the log', async () => {
  const prefix = uniquePrefix()
  const { kafkaBrokers, registryUrl } = testStack()
  const connection = { brokers: kafkaBrokers }
  await ensureTopics({ connection, prefix, partitions })
  await using created = await testDatabase()
  await migrate(created.url)
  await using database = new Database(created.url, { applicationName: 'test' })
  const rejects = [
    ['binance', frame(1)],
    ['binance', frame(2)],
    ['binance', 'still no JSON'],
    ['binance-coinm', frame(3, 'BTCUSD_PERP')],
    [null, frame(4)],
    ['binance-coinm', frame(5, 'UNHEARD_PERP')],
  ] as const
  for (const [offset, [venue, value]] of rejects.entries()) {
    await database.query({
      text: `insert into rejected (topic, partition, "offset", stage, reason, message, key, value,
          rejected_at, venue, feed_id)
        values ('rejected', 0, $1, 'ingest', 'malformed', 'no JSON', null, $2, now(), $3, 'feed of ' || $3)`,
      values: [offset, Buffer.from(value), venue],
    })
  }
  await using catalog = await startCatalog()
  const values = readSettings(redriveSettings, 'REDRIVE_', {
    KAFKA_BROKERS: connection.brokers,
    REGISTRY_URL: registryUrl,
    TOPIC_PREFIX: prefix,
    DATABASE_URL: created.url,
    INGEST_VENUE: 'binance-coinm',
    INGEST_REST_URL: catalog.url,
  })
  const run = async (): Promise<readonly string[]> => {
    const lines: string[] = []
    const args = { reason: 'malformed', dryRun: false } as const
    await redrive(values, args, (line) => void lines.push(line), new AbortController().signal)
    return lines
  }

  // Without the catalog nobody knows what a contract is worth.
  const kept = [
    'ingest, malformed: rejected [0] offset 2 stays rejected: it is neither a frame nor a row with trades',
    expect.stringMatching(
      /offset 3 stays rejected: what the contracts of binance-coinm are worth is not to be had: GET .* 503/,
    ),
    'ingest, malformed: rejected [0] offset 4 stays rejected: it does not tell whose frame it is: it was rejected by an older version',
    expect.stringContaining('offset 5 stays rejected: what the contracts'),
  ]
  expect(await run()).toEqual([
    'ingest, malformed: 6 to put back',
    ...kept,
    'ingest, malformed: 6 of 6',
    'ingest, malformed: 2 put back, 4 stay rejected',
  ])
  catalog.open()
  const again = await run()
  expect(again).toContain(
    'ingest, malformed: rejected [0] offset 5 stays rejected: the size of a contract of UNHEARD_PERP is not known',
  )
  expect(again.at(-1)).toBe('ingest, malformed: 1 put back, 3 stay rejected')
  const spot = await tradesOf(prefix, 'binance:BTCUSDT')
  expect(spot.map(({ feedId, tradeId }) => [feedId, tradeId])).toEqual([
    ['feed of binance', '1'],
    ['feed of binance', '2'],
  ])
  // Two contracts of 100 dollars.
  const dollars = normalizeDecimal({ mantissa: 200, exponent: 0 })
  expect(await tradesOf(prefix, 'binance-coinm:BTCUSD_PERP')).toMatchObject([
    { feedId: 'feed of binance-coinm', tradeId: '3', quantity: dollars, notionalUsd: dollars },
  ])
})

/** Binance's list of coin-margined contracts, away until it is opened. */
async function startCatalog() {
  let isOpen = false
  const server = createServer((_, response) => {
    response.writeHead(isOpen ? 200 : 503)
    response.end(JSON.stringify({ symbols: [{ symbol: 'BTCUSD_PERP', contractSize: 100 }] }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  // A TCP server's address is an object.
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    open: () => {
      isOpen = true
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function tradesOf(prefix: string, instrumentId: string): Promise<readonly Trade[]> {
  const partition = partitionOf(instrumentId, partitions)
  const { kafkaBrokers, registryUrl } = testStack()
  const connection = { brokers: kafkaBrokers }
  const deserializer = new Deserializer('market-events', new Registry({ url: registryUrl }, prefix))
  const topic = topicName('market-events', prefix)
  const found: Trade[] = []
  const range = { topic, partition, from: 'earliest', to: 'end' } as const
  for await (const batch of readPartition({ connection, clientId: 'test' }, range)) {
    await deserializer.prepare(batch.map(({ value }) => value))
    for (const { value } of batch) {
      const event = deserializer.deserialize(value)
      if (event instanceof DecodeFailure || event.type !== 'Trade') throw new Error('no trade')
      if (instrumentIdOf(event.value) === instrumentId) found.push(event.value)
    }
  }
  return found
}
