import { DecodeFailure } from '@tickertape/kafka-avro'
import type { Deserializer } from '@tickertape/kafka-avro'
import type { Trade } from '@tickertape/market-model'
import { tradeRow } from '@tickertape/market-store'
import type { Statement, Transaction } from '@tickertape/market-store'

import { keptFrom } from './known-trades.ts'

/**
 * Trades that the sink alone has turned away: they are in `rejected`, as bytes, and the aggregator has counted them.
 * What was put back since is in `trades`.
 *
 * $1: the topic market-events. $2, $3, $4: behind which partition and offset, and how many. $5: how many bytes of
 * values may come before the last one.
 */
const selectTurnedAwayBySink = `
select partition, "offset", value
from (
  select *, sum(octet_length(value)) over (
      order by partition, "offset" rows between unbounded preceding and 1 preceding
    ) as bytes_before
  from (
    select partition, "offset", value
    from rejected
    where stage = 'pg-sink' and topic = $1 and redriven_at is null and (partition, "offset") > ($2, $3)
    order by partition, "offset" limit $4
  ) as turned_away
) as page
where coalesce(bytes_before, 0) < $5
order by partition, "offset"`

const pageRows = 5_000
/** A value may have a megabyte; trades have some 150 bytes. */
const pageBytes = 4 * 2 ** 20

/** What a computation over trades asks of one, and where it stands in the log. */
const columns = [
  ['instrument_id', 'text'],
  ['trade_id', 'text'],
  ['version', 'integer'],
  ['feed_id', 'text'],
  ['sequence', 'bigint'],
  ['status', 'text'],
  ['event_time', 'timestamptz'],
  ['venue_order', 'bigint'],
  ['price', 'numeric'],
  ['quantity', 'numeric'],
  ['notional_usd', 'numeric'],
  ['taker_side', 'text'],
  ['source_partition', 'integer'],
  ['source_offset', 'bigint'],
] as const

const names = columns.map(([name]) => name).join(', ')

/** As many as `readUnstoredTrades` finds. */
export const createUnstoredTrades = `
create temp table unstored_trades (${columns.map(([name, type]) => `${name} ${type}`).join(', ')}) on commit drop`

/** The stored trades and those that the sink alone has turned away, as far back as all are stored. */
export const createAllTrades = `
create temp view all_trades as
select ${names}, true as is_stored from trades
union all
select ${names}, false from unstored_trades where event_time >= ${keptFrom}`

const insertUnstored = `
insert into unstored_trades select * from unnest(${columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')})`

export interface UnstoredTrades {
  readonly trades: readonly UnstoredTrade[]
  /** Trades of which nothing can be computed, each with the reason: their windows may differ. */
  readonly leftOut: readonly string[]
}

export interface UnstoredTrade {
  readonly trade: Trade
  readonly partition: number
  readonly offset: number
}

interface Row {
  readonly partition: number
  /** bigint comes as text. */
  readonly offset: string
  readonly value: Buffer | null
}

/**
 * Reads what the sink has turned away, page by page. What is no trade, or cannot be decoded, changes no candle:
 * the aggregator could not read it either.
 *
 * @param deserializer undefined if there is no registry to read by: then all of it is left out.
 */
export async function* readUnstoredTrades(
  database: Pick<Transaction, 'query'>,
  topic: string,
  deserializer: Deserializer<'market-events'> | undefined,
): AsyncGenerator<UnstoredTrades> {
  let after: readonly [number, string] = [-1, '-1']
  for (;;) {
    const { rows } = await database.query<Row>({
      text: selectTurnedAwayBySink,
      values: [topic, ...after, pageRows, pageBytes],
    })
    const last = rows.at(-1)
    if (last === undefined) return
    after = [last.partition, last.offset]
    yield await tradesOf(rows, topic, deserializer)
  }
}

async function tradesOf(
  rows: readonly Row[],
  topic: string,
  deserializer: Deserializer<'market-events'> | undefined,
): Promise<UnstoredTrades> {
  const place = ({ partition, offset }: Row) => `${topic} [${partition}] offset ${offset}`
  if (deserializer === undefined) {
    const leftOut = rows.map((row) => `${place(row)}: without a registry it cannot be read`)
    return { trades: [], leftOut }
  }
  await deserializer.prepare(rows.map(({ value }) => value))
  const trades: UnstoredTrade[] = []
  const leftOut: string[] = []
  for (const row of rows) {
    const event = deserializer.deserialize(row.value)
    if (event instanceof DecodeFailure || event.type !== 'Trade') continue
    const trade = event.value
    const problem = whyNotComputable(trade)
    if (problem !== undefined) leftOut.push(`${place(row)}: ${problem}`)
    else trades.push({ trade, partition: row.partition, offset: Number(row.offset) })
  }
  return { trades, leftOut }
}

/** PostgreSQL's numeric takes 16,383 digits behind the point. */
const maxExponent = 2_000

/** Years that are written with four digits. */
const maxTime = Date.parse('9999-12-31T00:00:00Z')

/** Why PostgreSQL has no value for a fact that is computed with. */
function whyNotComputable(trade: Trade): string | undefined {
  const { eventTime, feedId, instrument, notionalUsd, price, quantity, tradeId, venue } = trade
  if ([venue, instrument, tradeId, feedId].some((text) => text.includes('\0'))) {
    return 'its instrument, id or feed has a zero byte'
  }
  if (!(Math.abs(eventTime) <= maxTime)) return `its time is ${eventTime} ms`
  const numbers = notionalUsd === null ? [price, quantity] : [price, quantity, notionalUsd]
  return numbers.some(({ exponent }) => Math.abs(exponent) > maxExponent)
    ? 'it has a number of too many digits'
    : undefined
}

/** @returns what adds trades to `unstored_trades`. */
export function insertingUnstored(unstored: readonly UnstoredTrade[]): Statement {
  return { text: insertUnstored, values: [...columnsOf(unstored)] }
}

function columnsOf(unstored: readonly UnstoredTrade[]): readonly unknown[][] {
  const rows = unstored.map(({ trade, partition, offset }) =>
    tradeRow(trade, { partition, offset }),
  )
  return [
    rows.map(({ instrumentId }) => instrumentId),
    rows.map(({ tradeId }) => tradeId),
    rows.map(({ version }) => version),
    rows.map(({ feedId }) => feedId),
    rows.map(({ sequence }) => sequence),
    rows.map(({ status }) => status),
    rows.map(({ eventTime }) => eventTime),
    rows.map(({ venueOrder }) => venueOrder),
    rows.map(({ price }) => price),
    rows.map(({ quantity }) => quantity),
    rows.map(({ notionalUsd }) => notionalUsd),
    rows.map(({ takerSide }) => takerSide),
    rows.map(({ sourcePartition }) => sourcePartition),
    rows.map(({ sourceOffset }) => sourceOffset),
  ]
}
