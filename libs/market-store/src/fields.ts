import { instrumentIdOf } from '@tickertape/market-model'
import type {
  Candle,
  Decimal,
  InstrumentStatus,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'

import type { candles, instruments, sequenceGaps, trades } from './schema.ts'

/** Where a record stands in its topic. */
export interface SourcePosition {
  readonly partition: number
  readonly offset: number
}

/**
 * How each column of a table comes from a record of the log and its place: the one description of that, for
 * every way in which rows are written. Times are ms since the epoch.
 */
export type Fields<T extends PgTable, Source> = {
  readonly [Key in keyof T['_']['columns']]: (
    source: Source,
    position: SourcePosition,
  ) => FieldValue<T['_']['columns'][Key]>
}

type FieldValue<Column extends PgColumn> =
  | (Column['_']['columnType'] extends 'PgNumeric'
      ? Decimal
      : Column['_']['dataType'] extends 'date'
        ? number
        : Column['_']['data'])
  | (Column['_']['notNull'] extends true ? never : null)

export const tradeFields: Fields<typeof trades, Trade> = {
  instrumentId: (trade) => instrumentIdOf(trade),
  tradeId: (trade) => trade.tradeId,
  version: (trade) => trade.version,
  venue: (trade) => trade.venue,
  feedId: (trade) => trade.feedId,
  instrument: (trade) => trade.instrument,
  status: (trade) => trade.status,
  sequence: (trade) => trade.sequence,
  venueOrder: (trade) => trade.venueOrder,
  price: (trade) => trade.price,
  quantity: (trade) => trade.quantity,
  notionalUsd: (trade) => trade.notionalUsd,
  takerSide: (trade) => trade.takerSide,
  eventTime: (trade) => trade.eventTime,
  receivedAt: (trade) => trade.receivedAt,
  indexPrice: (trade) => trade.indexPrice,
  markPrice: (trade) => trade.markPrice,
  impliedVolatility: (trade) => trade.impliedVolatility,
  liquidation: (trade) => trade.liquidation,
  tickDirection: (trade) => trade.tickDirection,
  counterparty: (trade) => trade.counterparty,
  book: (trade) => trade.book,
  maturesAt: (trade) => trade.maturesAt,
  txHash: (trade) => trade.txHash,
  baseToken: (trade) => trade.baseToken,
  quoteToken: (trade) => trade.quoteToken,
  sourcePartition: (_, { partition }) => partition,
  sourceOffset: (_, { offset }) => offset,
}

export const candleFields: Fields<typeof candles, Candle> = {
  instrumentId: (candle) => candle.instrumentId,
  interval: (candle) => candle.interval,
  windowStart: (candle) => candle.windowStart,
  windowEnd: (candle) => candle.windowEnd,
  open: (candle) => candle.open,
  high: (candle) => candle.high,
  low: (candle) => candle.low,
  close: (candle) => candle.close,
  volume: (candle) => candle.volume,
  buyVolume: (candle) => candle.buyVolume,
  quoteVolume: (candle) => candle.quoteVolume,
  notionalUsd: (candle) => candle.notionalUsd,
  vwap: (candle) => candle.vwap,
  tradeCount: (candle) => candle.tradeCount,
  indicators: (candle) => candle.indicators,
  quality: (candle) => candle.quality,
  revision: (candle) => candle.revision,
  final: (candle) => candle.final,
  firstSequence: (candle) => candle.firstSequence,
  lastSequence: (candle) => candle.lastSequence,
  rebuildId: (candle) => candle.rebuildId,
}

export const gapFields: Fields<typeof sequenceGaps, SequenceGap> = {
  gapId: (gap) => gap.gapId,
  feedId: (gap) => gap.feedId,
  replicaId: (gap) => gap.replicaId,
  instrumentId: (gap) => gap.instrumentId,
  fromTime: (gap) => gap.fromTime,
  toTime: (gap) => gap.toTime,
  fromSequence: (gap) => gap.fromSequence,
  toSequence: (gap) => gap.toSequence,
  state: (gap) => gap.state,
  sourcePartition: (_, { partition }) => partition,
  sourceOffset: (_, { offset }) => offset,
}

export const instrumentFields: Fields<typeof instruments, InstrumentStatus> = {
  instrumentId: (status) => status.instrumentId,
  venue: ({ instrumentId }) => instrumentId.slice(0, Math.max(instrumentId.indexOf(':'), 0)),
  instrument: ({ instrumentId }) => instrumentId.slice(instrumentId.indexOf(':') + 1),
  feedId: (status) => status.feedId,
  status: (status) => status.status,
  base: (status) => status.base,
  quote: (status) => status.quote,
  kind: (status) => status.kind,
  quantityUnit: (status) => status.quantityUnit,
  eventTime: (status) => status.eventTime,
  sourcePartition: (_, { partition }) => partition,
  sourceOffset: (_, { offset }) => offset,
}
