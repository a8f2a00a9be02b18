import {
  intervalMs,
  isInterval,
  noOptionalFacts,
  parseDecimal,
  zero,
} from '@tickertape/market-model'
import type { Candle, Decimal, Trade } from '@tickertape/market-model'

/** Columns of `candles`, times as ms since the epoch. */
export const candleColumns = `c.instrument_id, c.interval, extract(epoch from c.window_start)::float8 * 1000 as window_start,
  c.open, c.high, c.low, c.close, c.volume, c.buy_volume, c.quote_volume, c.notional_usd, c.vwap,
  c.trade_count::float8 as trade_count, c.indicators, c.quality, c.revision,
  c.first_sequence::float8 as first_sequence, c.last_sequence::float8 as last_sequence,
  c.rebuild_id::float8 as rebuild_id`

/** Columns of `trades` that a view shows, likewise. */
export const tradeColumns = `t.instrument_id, t.venue, t.feed_id, t.instrument, t.trade_id, t.version, t.status,
  t.sequence::float8 as sequence, t.price, t.quantity, t.notional_usd, t.taker_side,
  extract(epoch from t.event_time)::float8 * 1000 as event_time,
  extract(epoch from t.received_at)::float8 * 1000 as received_at,
  t.implied_volatility, t.liquidation, t.counterparty, t.book,
  extract(epoch from t.matures_at)::float8 * 1000 as matures_at,
  t.tx_hash, t.base_token, t.quote_token, t.source_offset::float8 as source_offset`

/** What a trade is known again by. */
export const tradeIdentityColumns = 't.instrument_id, t.trade_id, t.version'

/** As `candleColumns` gives it: numerics are text. */
export interface CandleRow {
  readonly instrument_id: string
  readonly interval: string
  readonly window_start: number
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
  readonly buy_volume: string
  readonly quote_volume: string
  readonly notional_usd: string | null
  readonly vwap: string | null
  readonly trade_count: number
  readonly indicators: Readonly<Record<string, number>>
  readonly quality: Candle['quality']
  readonly revision: number
  readonly first_sequence: number | null
  readonly last_sequence: number | null
  readonly rebuild_id: number | null
}

/** As `tradeIdentityColumns` gives it. */
export interface TradeIdentityRow {
  readonly instrument_id: string
  readonly trade_id: string
  readonly version: number
}

/** As `tradeColumns` gives it. */
export interface TradeRow extends TradeIdentityRow {
  readonly venue: string
  readonly feed_id: string
  readonly instrument: string
  readonly status: Trade['status']
  readonly sequence: number | null
  readonly price: string
  readonly quantity: string
  readonly notional_usd: string | null
  readonly taker_side: Trade['takerSide']
  readonly event_time: number
  readonly received_at: number
  readonly implied_volatility: string | null
  readonly liquidation: string | null
  readonly counterparty: string | null
  readonly book: string | null
  readonly matures_at: number | null
  readonly tx_hash: string | null
  readonly base_token: string | null
  readonly quote_token: string | null
  readonly source_offset: number
}

/** The candle that a row was written from. */
export function candleOf(row: CandleRow): Candle {
  const windowStart = Math.round(row.window_start)
  return {
    instrumentId: row.instrument_id,
    interval: row.interval,
    windowStart,
    windowEnd: windowStart + (isInterval(row.interval) ? intervalMs(row.interval) : 0),
    open: decimal(row.open),
    high: decimal(row.high),
    low: decimal(row.low),
    close: decimal(row.close),
    volume: decimal(row.volume),
    buyVolume: decimal(row.buy_volume),
    quoteVolume: decimal(row.quote_volume),
    notionalUsd: nullableDecimal(row.notional_usd),
    vwap: nullableDecimal(row.vwap),
    tradeCount: row.trade_count,
    indicators: row.indicators,
    quality: row.quality,
    revision: row.revision,
    final: true,
    firstSequence: row.first_sequence,
    lastSequence: row.last_sequence,
    rebuildId: row.rebuild_id,
  }
}

/** The trade that a row was written from, as far as a view shows it. */
export function tradeOf(row: TradeRow): Trade {
  return {
    ...noOptionalFacts,
    venue: row.venue,
    feedId: row.feed_id,
    instrument: row.instrument,
    tradeId: row.trade_id,
    version: row.version,
    status: row.status,
    sequence: row.sequence,
    venueOrder: null,
    price: decimal(row.price),
    quantity: decimal(row.quantity),
    notionalUsd: nullableDecimal(row.notional_usd),
    takerSide: row.taker_side,
    eventTime: Math.round(row.event_time),
    receivedAt: Math.round(row.received_at),
    impliedVolatility: nullableDecimal(row.implied_volatility),
    liquidation: row.liquidation,
    counterparty: row.counterparty,
    book: row.book,
    maturesAt: row.matures_at === null ? null : Math.round(row.matures_at),
    txHash: row.tx_hash,
    baseToken: row.base_token,
    quoteToken: row.quote_token,
  }
}

/** Identities without those of trades that are restored whole: what is known already is not held any more. */
export function notHeld(
  identities: readonly TradeIdentityRow[],
  held: readonly TradeIdentityRow[],
): readonly TradeIdentityRow[] {
  const keyOf = (row: TradeIdentityRow): string =>
    JSON.stringify([row.instrument_id, row.trade_id, row.version])
  const keys = new Set(held.map(keyOf))
  return identities.filter((row) => !keys.has(keyOf(row)))
}

function nullableDecimal(text: string | null): Decimal | null {
  return text === null ? null : decimal(text)
}

/** What a numeric column holds was written from a Decimal. */
function decimal(text: string): Decimal {
  return parseDecimal(text) ?? zero
}
