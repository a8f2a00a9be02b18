import { fileURLToPath } from 'node:url'

import { Registry, Serializer, partitionOf } from '@tickertape/kafka-avro'
import type { Candle, MarketEvent } from '@tickertape/market-model'
import { ServiceProcess, waitUntil } from '@tickertape/testing'

import {
  candle,
  createSinkLog,
  heartbeat,
  instrumentStatus,
  partitions,
} from '../../../pg-sink/tests/sink-log.ts'
import type { SinkLog } from '../../../pg-sink/tests/sink-log.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export const minute = 60_000

/** The last window of these tests ends here: recent, because memory holds what is. */
export const now = Math.floor(Date.now() / minute) * minute

/** Topics and a database of the test's own, a sink between them and gateways before both. */
export interface RestMarket extends AsyncDisposable {
  readonly log: SinkLog
  readonly sink: ServiceProcess
  appendOpenCandles(candles: readonly Candle[]): Promise<void>
  /** Waits until it serves. */
  startGateway(settings?: Readonly<Record<string, string>>): Promise<Gateway>
  /** Until the sink has written all candles and events that are in the topics. */
  written(): Promise<void>
}

export interface Gateway extends AsyncDisposable {
  readonly process: ServiceProcess
  readonly origin: string
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** @throws Error for an answer that is no success. */
  json<T>(path: string): Promise<T>
}

export async function createRestMarket(
  events: readonly MarketEvent[] = [],
  candles: readonly Candle[] = [],
): Promise<RestMarket> {
  await using opened = new AsyncDisposableStack()
  const log = opened.use(await createSinkLog())
  const open = new Serializer(
    'candles-live',
    await new Registry({ url: log.registryUrl }, log.prefix).register('candles-live'),
  )
  await log.appendEvents([instrumentStatus(), ...events, heartbeat(now)])
  await log.appendCandles(candles)
  const sink = opened.use(log.startSink())
  const all = opened.move()
  const market: RestMarket = {
    log,
    sink,
    appendOpenCandles: async (list) => {
      for (const one of list) {
        const key = one.instrumentId
        const partition = partitionOf(key, partitions)
        const value = open.serialize(one)
        await log.append({ topic: log.topic('candles-live'), partition, key, value })
      }
    },
    startGateway: async (settings = {}) => {
      const gateway = launchGateway(log, settings)
      all.use(gateway)
      const origin = await originOf(gateway)
      await waitUntil('the gateway to serve', async () => {
        if (!gateway.running) throw new Error(`The gateway has ended: ${gateway.output}`)
        return (await fetch(`${origin}/v1/instruments`)).status === 200
      })
      return toGateway(gateway, origin)
    },
    written: async () => {
      await waitUntil('the sink to have written', async () => {
        const { rows } = await log.database.query<{ count: string }>('select count(*) from candles')
        const known = new Set(written.map(windowKey))
        return Number(rows[0]?.count) >= known.size
      })
    },
    [Symbol.asyncDispose]: async () => await all.disposeAsync(),
  }
  const written = candles
  return market
}

function windowKey({ instrumentId, interval, windowStart }: Candle): string {
  return `${instrumentId} ${interval} ${windowStart}`
}

/** A gateway that may wait for what it needs. */
export function launchGateway(
  log: SinkLog,
  settings: Readonly<Record<string, string>> = {},
): ServiceProcess {
  return ServiceProcess.start({
    main,
    environment: {
      KAFKA_BROKERS: log.connection.brokers,
      REGISTRY_URL: log.registryUrl,
      TOPIC_PREFIX: log.prefix,
      DATABASE_URL: log.databaseUrl,
      GATEWAY_PORT: '0',
      GATEWAY_ADMIN_PORT: '0',
      GATEWAY_RATE_LIMIT: '0',
      ...settings,
    },
  })
}

export async function originOf(gateway: ServiceProcess): Promise<string> {
  return await waitUntil('the gateway to listen', () => {
    if (!gateway.running) throw new Error(`The gateway has ended: ${gateway.output}`)
    return /"origin":"([^"]+)"/.exec(gateway.output)?.[1]
  })
}

function toGateway(process: ServiceProcess, origin: string): Gateway {
  const get: Gateway['get'] = (path, headers = {}) => fetch(`${origin}${path}`, { headers })
  return {
    process,
    origin,
    get,
    json: async <T>(path: string) => {
      const answer = await get(path)
      const text = await answer.text()
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`)
      // What the test asks for by the contract.
      return JSON.parse(text) as T
    },
    [Symbol.asyncDispose]: async () => await process[Symbol.asyncDispose](),
  }
}

/** A closed 1m candle, counted back from `now`: the last one is 1. */
export function minuteBack(back: number, changes: Partial<Candle> = {}): Candle {
  const windowStart = now - back * minute
  return candle({
    interval: '1m',
    windowStart,
    windowEnd: windowStart + minute,
    open: { mantissa: 100_000 + back, exponent: -2 },
    volume: { mantissa: 1_000 + back, exponent: -4 },
    ...changes,
  })
}

/** Closed 1m candles of the last minutes, oldest first. */
export function lastMinutes(count: number): readonly Candle[] {
  return Array.from({ length: count }, (_, index) => minuteBack(count - index))
}

export const candlesPath = '/v1/candles?instrument=deribit:BTC-PERPETUAL&interval=1m'
