import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import {
  EventProducer,
  Registry,
  Serializer,
  defaultPartitions,
  partitionOf,
  topicName,
} from '@tickertape/kafka-avro'
import type { Candle } from '@tickertape/market-model'
import { ServiceProcess, waitUntil } from '@tickertape/testing'
import { WebSocket } from 'ws'

import { fillStart } from './bench-market.ts'
import { startGateway } from './gateway-process.ts'
import type { BenchGateway, GatewayRun } from './gateway-process.ts'
import { percentile } from './percentile.ts'
import { candlesOf } from './sink-market.ts'
import { ArrivalTable, indicator } from './stream-arrivals.ts'

const clientsMain = fileURLToPath(new URL('./stream-clients-main.ts', import.meta.url))

const clients = 1_000
const clientProcesses = 2
/** That each client follows; together they follow each instrument equally often. */
const followedByEach = 20
const instruments = 500
const followersOfEach = (clients * followedByEach) / instruments
const changesPerSecond = 4 * instruments

/** Of the first seconds nothing is counted: code that runs for the first time is compiled then. */
const warmUpSeconds = 10
const measuredSeconds = 30

export interface FanOut {
  readonly p50Ms: number
  readonly p99Ms: number
  /** Share of the updates that some client did not get, for a newer one of the same window replaced it. */
  readonly conflatedShare: number
  readonly rssMb: number
  /** CPU time of the gateway for each update of each client, reading and encoding included. */
  readonly cpuMicrosPerUpdate: number
}

/**
 * Writes open candles at an even pace, and measures for each the time from handing it to the producer (a little
 * before Kafka appends it) to its arrival at the last of the clients that follow it. Processes of one machine
 * share its clock. Beside the clients one follows everything and reads nothing.
 *
 * @throws Error if a client that reads was closed.
 */
export async function measureFanOut(run: GatewayRun): Promise<FanOut> {
  await using gateway = await startGateway(run)
  await using stack = new AsyncDisposableStack()
  const url = `ws://${gateway.host}/v1/stream`
  const { processes, results } = startClients(url, run.stack.folder, stack)
  for (const one of processes) {
    await waitUntil('the clients to subscribe', () => one.output.includes('subscribed'), {
      withinMs: 120_000,
    })
  }
  const stalled = stack.use(new StalledClient(url))
  await stalled.subscribed()
  const { sentAt, cpuSeconds } = await writeOpenCandles(run, gateway)
  await gateway.service.until('have nothing left to send', async () => {
    const waiting = await gateway.service.metric('gateway_stream_outbox_bytes')
    return waiting === 0
  })
  const { peakRssMb } = await gateway.service.usage()
  const table = new ArrivalTable()
  for (const [index, one] of processes.entries()) {
    if (one.output.includes('closed')) throw new Error(`A client was closed:\n${one.output}`)
    await one.stop('SIGTERM')
    table.addAll(await readFile(results[index] ?? ''))
  }
  await gateway.service.stop()
  const { delivered, ...latencies } = latenciesOf(table, sentAt)
  return { ...latencies, rssMb: peakRssMb, cpuMicrosPerUpdate: (cpuSeconds * 1e6) / delivered }
}

function startClients(url: string, folder: string, stack: AsyncDisposableStack) {
  const each = clients / clientProcesses
  const results = Array.from({ length: clientProcesses }, (_, index) =>
    join(folder, `stream-clients-${index}`),
  )
  const processes = results.map((result, index) =>
    stack.use(
      ServiceProcess.start({
        main: clientsMain,
        arguments: [url, result, ...[index * each, each, followedByEach, instruments].map(String)],
        environment: {},
      }),
    ),
  )
  return { processes, results }
}

/** Follows everything, reads nothing, and comes again whenever it is closed for that. */
class StalledClient implements Disposable {
  readonly #url: string
  readonly #subscribed = Promise.withResolvers<void>()
  #socket: WebSocket | undefined
  #isOver = false

  constructor(url: string) {
    this.#url = url
    this.#connect()
  }

  subscribed(): Promise<void> {
    return this.#subscribed.promise
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#socket?.terminate()
  }

  #connect(): void {
    if (this.#isOver) return
    const socket = new WebSocket(this.#url, { perMessageDeflate: false })
    this.#socket = socket
    socket.on('open', () => {
      const facts = { id: 'all', channel: 'candles', instruments: ['*'], intervals: ['1m'] }
      socket.send(JSON.stringify({ type: 'subscribe', ...facts }))
      socket.pause()
      this.#subscribed.resolve()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => this.#connect())
  }
}

/** @returns when each update was handed over, in ms since the epoch, and what the gateway took meanwhile. */
async function writeOpenCandles({ stack, prefix }: GatewayRun, { service }: BenchGateway) {
  const registry = new Registry({ url: stack.registryUrl }, prefix)
  const serializer = new Serializer('candles-live', await registry.register('candles-live'))
  const connection = { brokers: stack.kafkaBrokers }
  await using producer = await EventProducer.open({
    connection,
    clientId: `${prefix}bench`,
    lingerMs: 1,
  })
  const topic = topicName('candles-live', prefix)
  const open = openCandles()
  const sentAt: number[] = []
  const total = (warmUpSeconds + measuredSeconds) * changesPerSecond
  const began = performance.now()
  let warm: Awaited<ReturnType<typeof service.usage>> | undefined
  while (sentAt.length < total) {
    const due = Math.floor(((performance.now() - began) * changesPerSecond) / 1_000)
    for (; sentAt.length < due && sentAt.length < total;) {
      const candle = open[sentAt.length % instruments]
      if (candle === undefined) throw new RangeError('Every instrument has a candle')
      const key = candle.instrumentId
      const value = serializer.serialize({ ...candle, indicators: { [indicator]: sentAt.length } })
      sentAt.push(performance.timeOrigin + performance.now())
      producer.produce({ topic, partition: partitionOf(key, defaultPartitions), key, value })
    }
    if (warm === undefined && sentAt.length >= warmUpSeconds * changesPerSecond) {
      warm = await service.usage()
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await producer.acknowledged()
  const end = await service.usage()
  if (warm === undefined) throw new Error('The warm-up ends before the measurement')
  return { sentAt, cpuSeconds: end.cpuSeconds - warm.cpuSeconds }
}

/** One open candle for each instrument, of a minute behind all of the fill's. */
function openCandles(): readonly Candle[] {
  const windowStart = fillStart + 86_400_000
  return [...candlesOf({ instruments, windows: 1 }, 0)].map((candle) => ({
    ...candle,
    interval: '1m',
    windowStart,
    windowEnd: windowStart + 60_000,
    final: false,
  }))
}

function latenciesOf(table: ArrivalTable, sentAt: readonly number[]) {
  const latencies: number[] = []
  let conflated = 0
  let delivered = 0
  for (const [number, sent] of sentAt.entries()) {
    if (number < warmUpSeconds * changesPerSecond) continue
    const { count, lastAt } = table.of(number)
    delivered += count
    if (count < followersOfEach) conflated += 1
    else latencies.push(lastAt - sent)
  }
  return {
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    conflatedShare: conflated / (latencies.length + conflated),
    delivered,
  }
}
