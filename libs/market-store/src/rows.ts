import { formatDecimal, instrumentIdOf } from '@tickertape/market-model'
import type {
  Candle,
  Decimal,
  InstrumentStatus,
  SequenceGap,
  Trade,
} from '@tickertape/market-model'

import type { BulkRow } from './bulk.ts'
import type { candles, instruments, rejected, sequenceGaps, trades } from './schema.ts'

export type TradeRow = BulkRow<typeof trades>
export type CandleRow = BulkRow<typeof candles>
export type GapRow = BulkRow<typeof sequenceGaps>
export type InstrumentRow = BulkRow<typeof instruments>
export type RejectedRow = BulkRow<typeof rejected>

/** Where a record stands in its topic. */
export interface SourcePosition {
  readonly partition: number
  readonly offset: number
}

/** The row of a trade; `position` is where market-events has it. */
export function tradeRow(trade: Trade, position: SourcePosition): TradeRow {
  return {
    instrumentId: instrumentIdOf(trade),
    tradeId: trade.tradeId,
    version: trade.version,
    venue: trade.venue,
    feedId: trade.feedId,
    instrument: trade.instrument,
    status: trade.status,
    sequence: trade.sequence,
    venueOrder: trade.venueOrder,
    price: formatDecimal(trade.price),
    quantity: formatDecimal(trade.quantity),
    notionalUsd: decimalOrNull(trade.notionalUsd),
    takerSide: trade.takerSide,
    eventTime: timeText(trade.eventTime),
    receivedAt: timeText(trade.receivedAt),
    indexPrice: decimalOrNull(trade.indexPrice),
    markPrice: decimalOrNull(trade.markPrice),
    impliedVolatility: decimalOrNull(trade.impliedVolatility),
    liquidation: trade.liquidation,
    tickDirection: trade.tickDirection,
    counterparty: trade.counterparty,
    book: trade.book,
    maturesAt: trade.maturesAt === null ? null : timeText(trade.maturesAt),
    txHash: trade.txHash,
    baseToken: trade.baseToken,
    quoteToken: trade.quoteToken,
    sourcePartition: position.partition,
    sourceOffset: position.offset,
  }
}

/** The row of a closed candle. */
export function candleRow(candle: Candle): CandleRow {
  return {
    instrumentId: candle.instrumentId,
    interval: candle.interval,
    windowStart: timeText(candle.windowStart),
    windowEnd: timeText(candle.windowEnd),
    open: formatDecimal(candle.open),
    high: formatDecimal(candle.high),
    low: formatDecimal(candle.low),
    close: formatDecimal(candle.close),
    volume: formatDecimal(candle.volume),
    buyVolume: formatDecimal(candle.buyVolume),
    quoteVolume: formatDecimal(candle.quoteVolume),
    notionalUsd: decimalOrNull(candle.notionalUsd),
    vwap: decimalOrNull(candle.vwap),
    tradeCount: candle.tradeCount,
    indicators: JSON.stringify(candle.indicators),
    quality: candle.quality,
    revision: candle.revision,
    final: candle.final,
    firstSequence: candle.firstSequence,
    lastSequence: candle.lastSequence,
    rebuildId: candle.rebuildId,
  }
}

/** The row of a gap as announced at `position` of market-events. */
export function gapRow(gap: SequenceGap, position: SourcePosition): GapRow {
  return {
    gapId: gap.gapId,
    feedId: gap.feedId,
    replicaId: gap.replicaId,
    instrumentId: gap.instrumentId,
    fromTime: timeText(gap.fromTime),
    toTime: timeText(gap.toTime),
    fromSequence: gap.fromSequence,
    toSequence: gap.toSequence,
    state: gap.state,
    sourcePartition: position.partition,
    sourceOffset: position.offset,
  }
}

/** The row of an instrument as described at `position` of market-events. */
export function instrumentRow(status: InstrumentStatus, position: SourcePosition): InstrumentRow {
  const { instrumentId } = status
  const colon = instrumentId.indexOf(':')
  return {
    instrumentId,
    venue: instrumentId.slice(0, Math.max(colon, 0)),
    instrument: instrumentId.slice(colon + 1),
    feedId: status.feedId,
    status: status.status,
    base: status.base,
    quote: status.quote,
    kind: status.kind,
    quantityUnit: status.quantityUnit,
    eventTime: timeText(status.eventTime),
    sourcePartition: position.partition,
    sourceOffset: position.offset,
  }
}

/** Milliseconds since the epoch as ISO 8601 in UTC. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

function decimalOrNull(value: Decimal | null): string | null {
  return value === null ? null : formatDecimal(value)
}
