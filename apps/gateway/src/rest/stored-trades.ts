import type { TradeResource } from '@tickertape/market-api'
import type { Database } from '@tickertape/market-store'

import { sinkPositionSql } from './sink-position.ts'
import { plainDecimal } from './stored-text.ts'

/** Where a trade stands in its instrument's tape: newest first by this, in this order. */
export interface TapePlace {
  readonly eventTime: number
  readonly sequence: number | null
  readonly venueOrder: number | null
  readonly tradeId: string
}

export interface TradeRange {
  readonly instrumentId: string
  /** First event time, in ms since the epoch. */
  readonly from: number
  /** Exclusive. */
  readonly to: number
  /** Only trades behind it in the tape; undefined: from the newest on. */
  readonly behind: TapePlace | undefined
  readonly limit: number
}

export interface TapeTrade {
  readonly trade: TradeResource
  readonly place: TapePlace
}

interface TradeRow extends Readonly<
  Record<'price' | 'quantity' | 'tradeId' | 'status' | 'takerSide', string>
> {
  readonly version: number
  readonly sequence: string | null
  readonly venueOrder: string | null
  readonly notionalUsd: string | null
  readonly eventTime: number
  readonly receivedAt: number
  readonly impliedVolatility: string | null
  readonly liquidation: string | null
  readonly counterparty: string | null
  readonly book: string | null
  readonly maturesAt: number | null
  readonly expired: boolean
  readonly txHash: string | null
  readonly baseToken: string | null
  readonly quoteToken: string | null
}

/**
 * The condition on the time alone is what an index has; the rest of the order decides among equal times. Names
 * are compared by bytes, as everywhere.
 */
const statement = {
  name: 'tape',
  text: `
    with page as materialized (
      select trade_id as "tradeId", version, status, sequence, venue_order as "venueOrder", price, quantity,
        notional_usd as "notionalUsd", taker_side as "takerSide",
        date_part('epoch', event_time) * 1000 as "eventTime",
        date_part('epoch', received_at) * 1000 as "receivedAt",
        implied_volatility as "impliedVolatility", liquidation, counterparty, book,
        date_part('epoch', matures_at) * 1000 as "maturesAt", expired,
        tx_hash as "txHash", base_token as "baseToken", quote_token as "quoteToken"
      from current_trades
      where instrument_id = $1
        and event_time >= to_timestamp($2::float8 / 1000) and event_time < to_timestamp($3::float8 / 1000)
        and ($5::text is null
          or event_time < to_timestamp($4::float8 / 1000)
          or event_time = to_timestamp($4::float8 / 1000)
            and (coalesce(sequence, -1), coalesce(venue_order, -1), trade_id collate "C")
              < ($6::bigint, $7::bigint, $5::text collate "C"))
      order by event_time desc, coalesce(sequence, -1) desc, coalesce(venue_order, -1) desc,
        trade_id collate "C" desc
      limit $8
    )
    select (${sinkPositionSql}) as offsets, page.*
    from (select) as one left join page on true`,
}

/**
 * Trades as they stand, newest first, and how far the sink had written then.
 *
 * @throws what the database says.
 */
export async function readStoredTrades(
  database: Pick<Database, 'query'>,
  { instrumentId, from, to, behind, limit }: TradeRange,
): Promise<{ readonly trades: readonly TapeTrade[]; readonly offsets: string }> {
  const { rows } = await database.query<
    Partial<TradeRow> & { readonly tradeId: string | null; readonly offsets: string | null }
  >({
    ...statement,
    values: [
      instrumentId,
      from,
      // Those of the place's own time are among the rest.
      behind === undefined ? to : Math.min(to, behind.eventTime + 1),
      behind?.eventTime ?? 0,
      behind?.tradeId ?? null,
      behind?.sequence ?? -1,
      behind?.venueOrder ?? -1,
      limit,
    ],
  })
  return {
    // Without trades there is one row, of the offsets alone.
    trades: rows.flatMap((row) =>
      row.tradeId === null ? [] : [tapeTrade(instrumentId, row as TradeRow)],
    ),
    offsets: rows[0]?.offsets ?? '',
  }
}

/** The members in the order in which the stream sends them. */
function tapeTrade(instrumentId: string, row: TradeRow): TapeTrade {
  const sequence = numberOf(row.sequence)
  const eventTime = Math.round(row.eventTime)
  return {
    place: { eventTime, sequence, venueOrder: numberOf(row.venueOrder), tradeId: row.tradeId },
    trade: {
      instrumentId,
      tradeId: row.tradeId,
      version: row.version,
      // The columns take no other values.
      status: row.status as TradeResource['status'],
      sequence,
      price: plainDecimal(row.price),
      quantity: plainDecimal(row.quantity),
      notionalUsd: row.notionalUsd && plainDecimal(row.notionalUsd),
      takerSide: row.takerSide as TradeResource['takerSide'],
      eventTime,
      receivedAt: Math.round(row.receivedAt),
      impliedVolatility: row.impliedVolatility && plainDecimal(row.impliedVolatility),
      liquidation: row.liquidation,
      counterparty: row.counterparty,
      book: row.book,
      maturesAt: row.maturesAt === null ? null : Math.round(row.maturesAt),
      expired: row.expired,
      txHash: row.txHash,
      baseToken: row.baseToken,
      quoteToken: row.quoteToken,
    },
  }
}

function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text)
}
