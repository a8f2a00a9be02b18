import { Client } from 'pg'

import type { KafkaConnection } from '@tickertape/kafka-avro'
import { formatDecimal, parseDecimal } from '@tickertape/market-model'
import { startSimulator } from '@tickertape/market-simulator'
import type {
  RunningSimulator,
  SimulatedTrade,
  SimulatorOptions,
  Venue,
} from '@tickertape/market-simulator'
import { testStack, waitUntil } from '@tickertape/testing'
import type { TestStack } from '@tickertape/testing'
import { verify, verifyDefaults } from '@tickertape/verify'
import type { VerifyReport } from '@tickertape/verify'

import { Road } from '../src/index.ts'
import { MarketAppender } from './market-appender.ts'

export interface MarketRunOptions {
  /** The stack that all tests share unless given, and how verify reaches its Kafka. */
  readonly stack?: TestStack & { readonly connection: KafkaConnection }
  readonly venue: Venue
  readonly instruments: readonly string[]
  readonly simulator: SimulatorOptions
  /** Of the services, beyond their defaults. */
  readonly settings?: Readonly<Record<string, string>>
  /** What happens to the road while trades flow; `progress` waits for a share of all trades in PostgreSQL. */
  readonly during?: (run: {
    readonly road: Road
    readonly simulator: RunningSimulator
    readonly progress: (share: number) => Promise<void>
  }) => Promise<void>
  /** What happens once the market's last window has closed; heartbeats go on. */
  readonly afterwards?: (run: {
    readonly append: MarketAppender
    readonly database: Pick<Client, 'query'>
  }) => Promise<void>
}

/** A trade as both sides can tell it; numbers in plain digits without trailing zeros. */
export interface PlainTrade {
  readonly instrument: string
  /** The trade's, or that of the event that told of it. */
  readonly sequence: number
  readonly tradeId: string
  readonly version: number
  readonly status: string
  readonly eventTime: number
  readonly price: string
  readonly quantity: string
  readonly takerSide: string
}

export interface MarketRunResult {
  /** Every trade that the venue made, by instrument and sequence. */
  readonly truth: readonly PlainTrade[]
  /** Every row of `trades`, in the same order. */
  readonly stored: readonly PlainTrade[]
  /** Every row of `current_trades`. */
  readonly current: readonly PlainTrade[]
  readonly report: VerifyReport
  /** Records that any service turned away, as `stage: reason`. */
  readonly rejected: readonly string[]
  /** Trades that the 1s candles count. */
  readonly tradesInCandles: number
  /** Candles that stand in a revision, as `interval windowStart quality`. */
  readonly revised: readonly string[]
}

/**
 * Lets a simulated market run through the whole road and reads what PostgreSQL holds once the last
 * window has closed. The market begins when ingest has subscribed.
 */
export async function runMarket(options: MarketRunOptions): Promise<MarketRunResult> {
  await using simulator = await startSimulator({ ...options.simulator, hold: true })
  const { stack = testStack() } = options
  await using road = await Road.open({
    stack,
    venue: options.venue,
    instruments: options.instruments,
    wsUrl: simulator.wsUrl(options.venue),
    restUrl: simulator.restUrl(options.venue),
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  })
  const truth = truthOf(simulator, options)
  const database = new Client({ connectionString: road.databaseUrl })
  try {
    await waitUntil(
      'ingest to subscribe to every instrument',
      async () => (await subscriptions(simulator)) >= options.instruments.length,
      { withinMs: 180_000 },
    )
    await waitUntil('the tables', async () => {
      await database.connect()
      return true
    })
    simulator.release()
    await options.during?.({
      road,
      simulator,
      progress: async (share) => {
        await waitUntil(
          `${share} of ${truth.length} trades in PostgreSQL`,
          async () => (await countTrades(database)) >= share * truth.length,
          { withinMs: 180_000 },
        )
      },
    })
    const lastMinute = Math.ceil((endOf(truth) + 1) / 60_000) * 60_000
    await waitUntil(
      'every window to close',
      async () => (await watermark(database)) >= lastMinute + 1_000,
      { withinMs: 240_000, everyMs: 200 },
    )
    if (options.afterwards !== undefined) {
      await using append = await MarketAppender.open(stack, road.topicPrefix)
      await options.afterwards({ append, database })
    }
    const report = await verify({
      ...verifyDefaults,
      connection: options.stack?.connection ?? { brokers: stack.kafkaBrokers },
      databaseUrl: road.databaseUrl,
      topicPrefix: road.topicPrefix,
      aggregatorGroupId: `${road.topicPrefix}aggregator`,
    })
    return {
      truth,
      stored: await readTrades(database, 'trades'),
      current: await readTrades(database, 'current_trades'),
      report,
      rejected: await readRejected(database),
      tradesInCandles: await numberFrom(
        database,
        "select sum(trade_count) as value from candles where interval = '1s'",
      ),
      revised: await readRevised(database),
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)}\n${road.output}`, {
      cause: error,
    })
  } finally {
    await database.end()
  }
}

function truthOf(simulator: RunningSimulator, options: MarketRunOptions): readonly PlainTrade[] {
  const market = simulator.markets.get(options.venue)
  if (market === undefined) throw new Error(`The simulator has no ${options.venue}`)
  return options.instruments.flatMap((instrument) => {
    const { trades } = market.history({
      instrument,
      fromTime: options.simulator.start,
      toTime: market.endTime,
      publishedBy: Infinity,
      limit: Infinity,
      newestFirst: false,
    })
    return trades.map(plainTrade)
  })
}

function plainTrade(trade: SimulatedTrade): PlainTrade {
  const { instrument, sequence, tradeId, eventTime, takerSide } = trade
  const { status = 'confirmed', version = 0 } = trade
  const price = plainDigits(trade.price)
  return {
    instrument,
    sequence,
    tradeId,
    version,
    status,
    eventTime,
    price,
    quantity: plainDigits(trade.quantity),
    takerSide,
  }
}

function plainDigits(text: string): string {
  const value = parseDecimal(text)
  if (value === undefined) throw new Error(`Not a number: ${text}`)
  return formatDecimal(value)
}

function endOf(trades: readonly PlainTrade[]): number {
  return trades.reduce((latest, { eventTime }) => Math.max(latest, eventTime), 0)
}

async function subscriptions(simulator: RunningSimulator): Promise<number> {
  const answer = await fetch(`${simulator.controlUrl}/status`)
  // The simulator's own document.
  const status = (await answer.json()) as { connections: { subscriptions: string[] }[] }
  return status.connections.flatMap((connection) => connection.subscriptions).length
}

async function countTrades(database: Client): Promise<number> {
  return numberFrom(database, 'select count(*) as value from trades')
}

/** The lowest of all feeds and partitions, once each partition has one. */
async function watermark(database: Client): Promise<number> {
  return numberFrom(
    database,
    `select case when count(*) >= 4 then extract(epoch from min(up_to)) * 1000 else 0 end as value
     from feed_watermarks`,
  )
}

async function numberFrom(database: Client, query: string): Promise<number> {
  const { rows } = await database.query<{ value: string }>(query)
  return Number(rows[0]?.value ?? 0)
}

async function readRejected(database: Client): Promise<readonly string[]> {
  const { rows } = await database.query<{ stage: string; reason: string }>(
    'select stage, reason from rejected order by stage, reason',
  )
  return rows.map(({ stage, reason }) => `${stage}: ${reason}`)
}

async function readRevised(database: Client): Promise<readonly string[]> {
  const { rows } = await database.query<{ candle: string }>(
    `select concat_ws(' ', interval, to_char(window_start at time zone 'UTC', 'HH24:MI:SS'), quality) as candle
      from candles where revision > 0 order by window_end, window_start desc, instrument_id`,
  )
  return rows.map(({ candle }) => candle)
}

async function readTrades(
  database: Client,
  table: 'current_trades' | 'trades',
): Promise<readonly PlainTrade[]> {
  const { rows } = await database.query<{
    instrument: string
    sequence: string
    trade_id: string
    version: number
    status: string
    event_time: string
    price: string
    quantity: string
    taker_side: string
  }>(
    `select instrument, coalesce(sequence, venue_order) as sequence, trade_id, version, status, price,
            quantity, taker_side, (extract(epoch from event_time) * 1000)::bigint as event_time
     from ${table}`,
  )
  return rows.map((row) => ({
    instrument: row.instrument,
    sequence: Number(row.sequence),
    tradeId: row.trade_id,
    version: row.version,
    status: row.status,
    eventTime: Number(row.event_time),
    price: plainDigits(row.price),
    quantity: plainDigits(row.quantity),
    takerSide: row.taker_side,
  }))
}

/** Of each trade the version that stands. */
export function standing(trades: readonly PlainTrade[]): readonly PlainTrade[] {
  const highest = new Map<string, PlainTrade>()
  for (const trade of trades) {
    const key = `${trade.instrument} ${trade.tradeId}`
    if ((highest.get(key)?.version ?? -1) < trade.version) highest.set(key, trade)
  }
  return [...highest.values()]
}

/** Equal lists in one order, and cheap to compare: a diff of 100,000 objects is not readable anyway. */
export function differences(
  expected: readonly PlainTrade[],
  stored: readonly PlainTrade[],
): readonly string[] {
  const left = new Map<string, number>()
  for (const trade of expected) count(left, JSON.stringify(trade), 1)
  for (const trade of stored) count(left, JSON.stringify(trade), -1)
  return [...left]
    .filter(([, balance]) => balance !== 0)
    .map(
      ([trade, balance]) =>
        `${balance > 0 ? 'missing' : 'too many'} (${Math.abs(balance)}): ${trade}`,
    )
}

function count(balances: Map<string, number>, key: string, change: number): void {
  balances.set(key, (balances.get(key) ?? 0) + change)
}
