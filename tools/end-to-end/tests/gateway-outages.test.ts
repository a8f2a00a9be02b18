import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { EventProducer, topicName } from '@tickertape/kafka-avro'
import { startSimulator } from '@tickertape/market-simulator'
import { runningStackStatus, startStack } from '@tickertape/stack'
import type { RunningStack } from '@tickertape/stack'
import { waitUntil } from '@tickertape/testing'

import { Road } from '../src/index.ts'
import { HeldMarket, loggedMarket } from './held-market.ts'
import { ServedGateway } from './served-gateway.ts'

type PartName = Parameters<RunningStack['killAndRestart']>[0]

const within = { withinMs: 180_000 }

let stack: RunningStack
let road: Road
let gateway: ServedGateway
let held: HeldMarket
const cleanup = new AsyncDisposableStack()

beforeAll(async () => {
  stack = cleanup.use(
    await startStack({
      folder: mkdtempSync(join(tmpdir(), 'tickertape-gateway-outages-')),
      ports: 'free',
      temporary: true,
      onProgress: () => undefined,
    }),
  )
  const simulator = cleanup.use(
    await startSimulator({
      start: Date.UTC(2026, 0, 5, 9, 30),
      speed: 5,
      rate: 0.2,
      limits: false,
      hold: true,
      venues: ['deribit'],
    }),
  )
  road = cleanup.use(
    await Road.open({
      stack,
      venue: 'deribit',
      instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'],
      wsUrl: simulator.deribitWsUrl,
      restUrl: simulator.deribitRestUrl,
    }),
  )
  gateway = cleanup.use(
    await ServedGateway.open({
      KAFKA_BROKERS: stack.kafkaBrokers,
      REGISTRY_URL: stack.registryUrl,
      DATABASE_URL: road.databaseUrl,
      TOPIC_PREFIX: road.topicPrefix,
    }),
  )
  held = cleanup.use(new HeldMarket(gateway.url, 'deribit'))
  await waitUntil('both subscriptions to begin', () => held.snapshots === 2, within)
  // The client is there before the market: it must hold all of the log.
  simulator.release()
}, 300_000)

afterAll(async () => {
  await cleanup[Symbol.asyncDispose]()
})

/** Waits until the client has been told of as many again: the road is whole from the venue to it. */
async function more(): Promise<void> {
  const wanted = { trades: held.trades.length + 200, candles: held.candles.length + 20 }
  await waitUntil(
    'more trades and candles',
    () => {
      if (held.trades.length >= wanted.trades && held.candles.length >= wanted.candles) return true
      const has = `${held.trades.length} trades, ${held.candles.length} candles`
      throw new Error(`${has}; wanted are ${wanted.trades} and ${wanted.candles}`)
    },
    within,
  )
}

/** Ends a part of the stack at once, without a word of farewell. */
async function end(name: PartName, signal: 'SIGKILL' | 'SIGQUIT' = 'SIGKILL'): Promise<void> {
  const { parts } = await runningStackStatus(stack.folder)
  const part = parts.find((each) => each.name === name)
  if (part === undefined) throw new Error(`The stack has no ${name}`)
  process.kill(part.pid, signal)
}

async function readinessToSay(reason: string | RegExp): Promise<void> {
  await waitUntil(
    `readiness to say ${String(reason)}`,
    async () => {
      const said = await gateway.readiness()
      if (said.search(reason) !== -1) return true
      throw new Error(said)
    },
    within,
  )
}

async function readyWithoutComplaint(): Promise<void> {
  await waitUntil(
    'readiness without a complaint',
    async () => {
      const said = await gateway.readiness()
      if ((await gateway.isReady()) && !said.includes('does not answer')) return true
      throw new Error(said)
    },
    within,
  )
}

/** Everything that the log holds now is, or comes to be, with the client; nothing is there twice. */
async function expectWhole(): Promise<void> {
  const logged = await loggedMarket(stack, road.topicPrefix)
  for (const kind of ['trades', 'candles'] as const) {
    const missing = (): readonly string[] => {
      const has = new Set(held[kind])
      return [...logged[kind]].filter((name) => !has.has(name))
    }
    await waitUntil(
      `the client to hold all ${kind} of the log`,
      () => {
        const names = missing()
        if (names.length === 0) return true
        throw new Error(`${names.length} are missing: ${names.slice(0, 5).join(', ')}`)
      },
      { ...within, everyMs: 500 },
    )
    expect(held[kind]).toHaveLength(new Set(held[kind]).size)
    expect(logged[kind].size).toBeGreaterThan(0)
  }
  expect(held.resets).toEqual([])
}

/** What the processes wrote is what tells why a wait was in vain. */
async function telling(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`${message}\n${road.output}\n--- gateway\n${gateway.output}`, { cause: error })
  }
}

describe('a client that streams misses nothing and has nothing twice', () => {
  it('through a broker that is killed and comes again', async () => {
    await telling(async () => {
      await more()
      await end('kafka')
      await readinessToSay(/Kafka has not answered for \d+ s/)
      await stack.killAndRestart('kafka')
      await readyWithoutComplaint()
      await more()
      await expectWhole()
    })
  }, 900_000)

  it('through a registry that is away when a record needs it', async () => {
    await telling(async () => {
      await more()
      await end('registry')
      // Of a schema that nobody knows: whether it can be read only the registry can tell.
      await using producer = await EventProducer.open({
        connection: { brokers: stack.kafkaBrokers },
        clientId: 'test',
      })
      const value = Buffer.from([0, 0x7f, 0, 0, 0, 0])
      const topic = topicName('candles-live', road.topicPrefix)
      producer.produce({ topic, partition: 0, key: 'deribit:BTC-PERPETUAL', value })
      await producer.acknowledged()
      await readinessToSay(`schema registry ${stack.registryUrl}`)
      await stack.killAndRestart('registry')
      await readyWithoutComplaint()
      await more()
      await expectWhole()
    })
  }, 900_000)

  it('through a database that is stopped at once and started again', async () => {
    await telling(async () => {
      await more()
      // Its immediate shutdown: no checkpoint, and every connection is cut.
      await end('postgres', 'SIGQUIT')
      await readinessToSay('the database does not answer')
      // What comes meanwhile goes by way of Kafka alone.
      await more()
      await stack.killAndRestart('postgres')
      await readyWithoutComplaint()
      await more()
      await expectWhole()
    })
  }, 900_000)

  it('through a restart of the gateway while the sink is far behind', async () => {
    await telling(async () => {
      await more()
      await road.process('pg-sink').stop('SIGKILL')
      for (let times = 0; times < 5; times += 1) await more()
      const connections = held.states.filter((status) => status === 'live').length
      await gateway.stop('SIGKILL')
      await gateway.start()
      await waitUntil(
        'the client to come again',
        () => held.states.filter((status) => status === 'live').length > connections,
        within,
      )
      await more()
      await expectWhole()
      // A gateway that ends in order tells its clients a cursor first.
      await gateway.stop('SIGTERM')
      await gateway.start()
      await more()
      await expectWhole()
      road.start('pg-sink')
      await more()
      await expectWhole()
    })
  }, 900_000)
})
