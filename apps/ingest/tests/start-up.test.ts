import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { ensureTopics } from '@tickertape/kafka-avro'
import { startSimulator } from '@tickertape/market-simulator'
import type { RunningSimulator } from '@tickertape/market-simulator'
import { startStack } from '@tickertape/stack'
import { ServiceProcess, TcpProxy, testStack, uniquePrefix, waitUntil } from '@tickertape/testing'
import { expect, it } from 'vitest'

import { readinessSays } from './admin-port.ts'
import { tradesOf } from './log-facts.ts'
import { RecordTail } from './topic-tail.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

const instrument = 'BTC-PERPETUAL'

interface Dependencies {
  readonly kafkaBrokers: string
  readonly registryUrl: string
}

function startIngest(
  { kafkaBrokers, registryUrl }: Dependencies,
  simulator: RunningSimulator,
  prefix: string,
): ServiceProcess {
  return ServiceProcess.start({
    main,
    environment: {
      KAFKA_BROKERS: kafkaBrokers,
      REGISTRY_URL: registryUrl,
      TOPIC_PREFIX: prefix,
      INGEST_VENUE: 'deribit',
      INGEST_INSTRUMENTS: instrument,
      INGEST_WS_URL: simulator.deribitWsUrl,
      INGEST_REST_URL: simulator.deribitRestUrl,
      INGEST_ADMIN_PORT: '0',
    },
  })
}

async function proxies() {
  const stack = testStack()
  const registry = new URL(stack.registryUrl)
  const kafkaProxy = await TcpProxy.to(stack.kafkaBrokers)
  const registryProxy = await TcpProxy.to(registry.host)
  kafkaProxy.shut()
  registryProxy.shut()
  registry.port = String(registryProxy.port)
  const addresses = {
    kafkaBrokers: `127.0.0.1:${kafkaProxy.port}`,
    registryUrl: registry.href,
  }
  return { kafkaProxy, registryProxy, addresses }
}

it.concurrent('waits for Kafka, then for the registry, says so, and reads once both are there', async () => {
  const prefix = uniquePrefix()
  await ensureTopics({ connection: { brokers: testStack().kafkaBrokers }, prefix })
  await using simulator = await startSimulator({ seed: 'start-up' })
  const { kafkaProxy, registryProxy, addresses } = await proxies()
  await using kafka = kafkaProxy
  await using registry = registryProxy
  await using ingest = startIngest(addresses, simulator, prefix)
  await readinessSays(ingest, 'kafka is not available')
  kafka.open()
  await readinessSays(ingest, 'registry is not available')
  registry.open()
  await readinessSays(ingest, '')
  const log = new RecordTail('market-events', prefix)
  await waitUntil('trades', async () => tradesOf(await log.read(), instrument).length > 0)
  expect(await ingest.stop('SIGTERM'), ingest.output).toBe(0)
})

it.concurrent('ends cleanly on SIGTERM while it waits', async () => {
  await using simulator = await startSimulator({ seed: 'start-up' })
  const { addresses, kafkaProxy } = await proxies()
  await using ingest = startIngest(addresses, simulator, uniquePrefix())
  await readinessSays(ingest, 'kafka is not available')
  expect(await ingest.stop('SIGTERM'), ingest.output).toBe(0)
  await kafkaProxy[Symbol.asyncDispose]()
})

it('goes through a kill of the broker without losing or doubling a trade', async () => {
  await using stack = await startStack({
    folder: mkdtempSync(join(tmpdir(), 'tickertape-ingest-')),
    ports: 'free',
    temporary: true,
    onProgress: () => undefined,
  })
  const prefix = uniquePrefix()
  await ensureTopics({ connection: { brokers: stack.kafkaBrokers }, prefix })
  await using simulator = await startSimulator({ seed: 'start-up' })
  await using ingest = startIngest(stack, simulator, prefix)
  const log = new RecordTail('market-events', prefix, stack)
  const sequences = async () =>
    tradesOf(await log.read(), instrument).map(({ sequence }) => sequence)
  await waitUntil('trades', async () => (await sequences()).length > 0)
  await stack.killAndRestart('kafka')
  const before = (await sequences()).at(-1) ?? 0
  await waitUntil('later trades', async () => ((await sequences()).at(-1) ?? 0) > before + 20, {
    withinMs: 60_000,
  })
  await readinessSays(ingest, '')
  expect(await ingest.stop('SIGTERM'), ingest.output).toBe(0)
  const delivered = await sequences()
  expect(delivered).toEqual(delivered.map((_, index) => (delivered[0] ?? 0) + index))
})
