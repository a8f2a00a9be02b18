/** A partition that tests feed record by record. */
import type { Candle, MarketEvent, OffsetRange, Trade } from '@tickertape/market-model'
import type { LoggedTrade } from './counted-trade.ts'
import type { AggregationSettings } from './aggregation-settings.ts'
import { epoch, heartbeat, tradeEvent } from './market-logs.ts'
import { memoryCodec } from './memory-codec.ts'
import { PartitionAggregation } from './partition-aggregation.ts'

export const fedSettings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  horizonMs: 60_000,
  intervals: ['1s', '1m'],
  indicators: [],
}

export const minute = 60_000

/** Times are in ms after `epoch`. */
export class FedPartition {
  readonly candles: Candle[] = []
  readonly aggregation: PartitionAggregation
  readonly #log: MarketEvent[] = []

  constructor(own: Partial<AggregationSettings> = {}) {
    this.aggregation = new PartitionAggregation({ ...fedSettings, ...own }, memoryCodec())
  }

  apply(event: MarketEvent) {
    const offset = this.#log.push(event) - 1
    const first = this.aggregation.apply(event, offset)
    const applied =
      first.needs === null ? first : this.aggregation.apply(event, offset, this.#read(first.needs))
    this.candles.push(...applied.candles)
    return applied
  }

  /** Trades at some offsets, as whoever runs an aggregation must bring them. */
  #read(ranges: readonly OffsetRange[]): LoggedTrade[] {
    return ranges.flatMap(({ from, to }) =>
      this.#log.slice(from, to + 1).flatMap((event, at) => {
        return event.type === 'Trade' ? [{ offset: from + at, trade: event.value }] : []
      }),
    )
  }

  /** Its outcome. */
  trade(at: number, facts: Partial<Trade> = {}): string {
    return this.apply(tradeEvent({ eventTime: epoch + at, ...facts })).outcome
  }

  /** Instrument, interval, start in seconds after `epoch`, quality, and revision if any, of each candle. */
  beat(at: number, feedId?: string): readonly string[] {
    return this.apply(heartbeat(epoch + at, feedId)).candles.map(described)
  }
}

function described(candle: Candle): string {
  const { instrumentId, interval, windowStart, quality, revision } = candle
  const text = `${instrumentId.split(':')[1]} ${interval} ${(windowStart - epoch) / 1_000} ${quality}`
  return revision === 0 ? text : `${text} r${revision}`
}
