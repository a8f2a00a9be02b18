/** A partition that tests feed record by record. */
import type { Candle, MarketEvent, Trade } from '@tickertape/market-model'
import type { AggregationSettings } from './aggregation-settings.ts'
import { epoch, heartbeat, tradeEvent } from './market-logs.ts'
import { PartitionAggregation } from './partition-aggregation.ts'

const settings: AggregationSettings = {
  graceMs: 1_000,
  futureToleranceMs: 5_000,
  intervals: ['1s', '1m'],
  indicators: [],
}

export const minute = 60_000

/** Times are in ms after `epoch`. */
export class FedPartition {
  readonly candles: Candle[] = []
  readonly aggregation: PartitionAggregation
  #offset = 0

  constructor(own: Partial<AggregationSettings> = {}) {
    this.aggregation = new PartitionAggregation({ ...settings, ...own })
  }

  apply(event: MarketEvent) {
    const applied = this.aggregation.apply(event, this.#offset)
    this.#offset += 1
    this.candles.push(...applied.candles)
    return applied
  }

  /** Its outcome. */
  trade(at: number, facts: Partial<Trade> = {}): string {
    return this.apply(tradeEvent({ eventTime: epoch + at, ...facts })).outcome
  }

  /** Instrument, interval, start in seconds after `epoch` and quality of each closed candle. */
  beat(at: number, feedId?: string): readonly string[] {
    return this.apply(heartbeat(epoch + at, feedId)).candles.map(described)
  }
}

function described({ instrumentId, interval, windowStart, quality }: Candle): string {
  return `${instrumentId.split(':')[1]} ${interval} ${(windowStart - epoch) / 1_000} ${quality}`
}
