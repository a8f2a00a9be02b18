import { Client } from 'pg'

import { noOptionalFacts } from '@tickertape/market-model'
import type { Trade } from '@tickertape/market-model'
import { startSimulator } from '@tickertape/market-simulator'
import { testStack, waitUntil } from '@tickertape/testing'

import { BuiltDashboard } from '../src/built-dashboard.ts'
import { Road } from '../src/index.ts'
import { MarketAppender } from './market-appender.ts'
import { ServedGateway } from './served-gateway.ts'

export const instrument = 'deribit:BTC-PERPETUAL'

const start = Date.UTC(2026, 0, 5, 9, 30)

/** The whole system on a simulated market that runs 20 times as fast as time, with a gateway and a built dashboard. */
export class DashboardSystem implements AsyncDisposable {
  readonly road: Road
  readonly database: Client
  readonly append: MarketAppender
  readonly gateway: ServedGateway
  readonly #cleanup: AsyncDisposableStack

  private constructor(
    parts: Pick<DashboardSystem, 'road' | 'database' | 'append' | 'gateway'>,
    cleanup: AsyncDisposableStack,
  ) {
    this.road = parts.road
    this.database = parts.database
    this.append = parts.append
    this.gateway = parts.gateway
    this.#cleanup = cleanup
  }

  /** @param settings of the gateway, beside its defaults. */
  static async open(settings: Readonly<Record<string, string>> = {}): Promise<DashboardSystem> {
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
    const gateway = building.use(
      await ServedGateway.open({
        KAFKA_BROKERS: stack.kafkaBrokers,
        REGISTRY_URL: stack.registryUrl,
        DATABASE_URL: road.databaseUrl,
        TOPIC_PREFIX: road.topicPrefix,
        GATEWAY_DASHBOARD_FOLDER: folder,
        ...settings,
      }),
    )
    const system = new DashboardSystem({ road, database, append, gateway }, building.move())
    try {
      await waitUntil('the first candle', async () => (await system.lastStored()) > 0, {
        withinMs: 120_000,
      })
      await waitUntil('the gateway to be ready', () => gateway.isReady(), { withinMs: 120_000 })
      return system
    } catch (error) {
      await system[Symbol.asyncDispose]()
      throw new Error(`The system did not start:\n${system.output}`, { cause: error })
    }
  }

  get url(): string {
    return this.gateway.url
  }

  /** What its processes wrote last: why a wait was in vain. */
  get output(): string {
    return `${this.road.output}\n--- gateway\n${this.gateway.output}`
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

  /** How many instruments the gateway finds by a search. */
  async instruments(search: string): Promise<number> {
    const answer = await fetch(`${this.url}/v1/instruments?search=${search}`)
    // As above.
    const { instruments } = (await answer.json()) as { readonly instruments: readonly unknown[] }
    return instruments.length
  }

  /** Has the venue list instruments that nobody trades. */
  async list(names: readonly string[]): Promise<void> {
    const { feedId, eventTime } = await this.#lastTrade()
    await this.append.listings(
      names.map((name) => ({
        instrumentId: `deribit:${name}`,
        feedId,
        status: 'listed',
        eventTime,
        receivedAt: eventTime,
        base: 'BTC',
        quote: 'USD',
        kind: 'option',
        quantityUnit: 'base',
      })),
    )
  }

  /** A trade of an instrument of which there was none, as new as the newest of all. */
  async tradeOf(instrumentName: string): Promise<Trade> {
    const { feedId, eventTime } = await this.#lastTrade()
    return {
      venue: 'deribit',
      feedId,
      instrument: instrumentName,
      tradeId: 'first',
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
  }

  async #lastTrade(): Promise<{ readonly feedId: string; readonly eventTime: number }> {
    const { rows } = await this.database.query<{ feed_id: string; event_time: string }>(
      `select feed_id, (extract(epoch from event_time) * 1000)::bigint as event_time
       from trades order by event_time desc limit 1`,
    )
    const [row] = rows
    if (row === undefined) throw new Error('There is no trade yet')
    return { feedId: row.feed_id, eventTime: Number(row.event_time) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]()
  }
}
