import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { Client } from 'pg'

import { startSimulator } from '@tickertape/market-simulator'
import { ServiceProcess, testStack, waitUntil } from '@tickertape/testing'

import { BuiltDashboard } from '../src/built-dashboard.ts'
import { Road } from '../src/index.ts'
import { MarketAppender } from './market-appender.ts'

export const instrument = 'deribit:BTC-PERPETUAL'

const start = Date.UTC(2026, 0, 5, 9, 30)
const main = fileURLToPath(new URL('../../../apps/gateway/src/main.ts', import.meta.url))

/** The whole system on a simulated market that runs 20 times as fast as time, with a gateway and a built dashboard. */
export class DashboardSystem implements AsyncDisposable {
  readonly road: Road
  readonly database: Client
  readonly append: MarketAppender
  readonly url: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #cleanup: AsyncDisposableStack
  #gateway: ServiceProcess | undefined

  private constructor(
    parts: Pick<DashboardSystem, 'road' | 'database' | 'append' | 'url'>,
    environment: Readonly<Record<string, string>>,
    cleanup: AsyncDisposableStack,
  ) {
    this.road = parts.road
    this.database = parts.database
    this.append = parts.append
    this.url = parts.url
    this.#environment = environment
    this.#cleanup = cleanup
  }

  static async open(): Promise<DashboardSystem> {
    await using building = new AsyncDisposableStack()
    const simulator = building.use(
      await startSimulator({ start, speed: 20, rate: 0.2, limits: false, venues: ['deribit'] }),
    )
    const stack = testStack()
    const road = building.use(
      await Road.open({
        stack,
        venue: 'deribit',
        instruments: ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'SOL_USDC-PERPETUAL'],
        wsUrl: simulator.deribitWsUrl,
        restUrl: simulator.deribitRestUrl,
      }),
    )
    const { folder } = building.use(await BuiltDashboard.make())
    const database = new Client({ connectionString: road.databaseUrl })
    await database.connect()
    building.defer(() => database.end())
    const append = building.use(await MarketAppender.open(stack, road.topicPrefix))
    const port = await freePort()
    const system = new DashboardSystem(
      { road, database, append, url: `http://127.0.0.1:${port}` },
      {
        KAFKA_BROKERS: stack.kafkaBrokers,
        REGISTRY_URL: stack.registryUrl,
        DATABASE_URL: road.databaseUrl,
        TOPIC_PREFIX: road.topicPrefix,
        GATEWAY_PORT: String(port),
        GATEWAY_ADMIN_PORT: '0',
        GATEWAY_DASHBOARD_FOLDER: folder,
      },
      building.move(),
    )
    system.startGateway()
    await waitUntil('the gateway to serve candles', async () => (await system.candles()) > 0, {
      withinMs: 120_000,
    })
    return system
  }

  startGateway(): void {
    this.#gateway = ServiceProcess.start({ main, environment: this.#environment })
  }

  async killGateway(): Promise<void> {
    await this.#gateway?.stop('SIGKILL')
  }

  /** What its processes wrote last: why a wait was in vain. */
  get output(): string {
    return `${this.road.output}\n--- gateway\n${this.#gateway?.output.slice(-6_000)}`
  }

  /** Candles of the instrument that the gateway answers with, of the latest 1,000. */
  async candles(interval: '1s' | '1m' = '1m'): Promise<number> {
    const answer = await fetch(
      `${this.url}/v1/candles?instrument=${instrument}&interval=${interval}&limit=1000`,
    )
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
    // The gateway's own contract.
    const { candles } = (await answer.json()) as { readonly candles: readonly unknown[] }
    return candles.length
  }

  /** Begin of the latest 1m candle in PostgreSQL, in ms; 0 without any. */
  async lastStored(): Promise<number> {
    const { rows } = await this.database.query<{ last: string | null }>(
      `select extract(epoch from max(window_start)) * 1000 as last from candles
       where instrument_id = $1 and "interval" = '1m'`,
      [instrument],
    )
    return Number(rows[0]?.last ?? 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#gateway?.stop('SIGKILL')
    await this.#cleanup[Symbol.asyncDispose]()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
