import { deserialize, serialize } from 'node:v8'

import { PartitionAggregation } from '@tickertape/candles'
import type { EventOutcome, LoggedTrade } from '@tickertape/candles'
import type { Candle, MarketEvent, OffsetRange, StoredWindow } from '@tickertape/market-model'

import { marketSettings } from './reference-market-settings.ts'
import type { MarketRecord } from './reference-market.ts'

export interface ExpectedRejection {
  readonly offset: number
  readonly reason: string
}

export interface PassedPartition {
  readonly candles: readonly Candle[]
  readonly rejected: readonly ExpectedRejection[]
  /** How many records had which outcome. */
  readonly outcomes: ReadonlyMap<string, number>
}

const rejections: readonly EventOutcome[] = ['late', 'future', 'invalid', 'conflict']

const codec = {
  encode: (window: StoredWindow): Uint8Array => serialize(window),
  // Written by `encode`.
  decode: (bytes: Uint8Array): StoredWindow => deserialize(bytes) as StoredWindow,
}

/** One uninterrupted pass over a partition's log, in memory. */
export class PartitionPass {
  readonly #aggregation = new PartitionAggregation(marketSettings, codec)
  readonly #log: readonly MarketRecord[]
  readonly #candles: Candle[] = []
  readonly #rejected: ExpectedRejection[] = []
  readonly #outcomes = new Map<string, number>()
  #next = 0

  constructor(log: readonly MarketRecord[]) {
    this.#log = log
  }

  /** Goes on until before this offset. @returns all since the log's beginning. */
  passUntil(offset: number): PassedPartition {
    for (; this.#next < offset; this.#next += 1) {
      const record = this.#log[this.#next]
      if (record === undefined) break
      const { event } = record
      const outcome =
        event.type === 'Garbage'
          ? (record.intent ?? 'undecodable')
          : this.#apply(event, record.offset)
      this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
      if (event.type === 'Garbage' || rejections.some((reason) => reason === outcome)) {
        this.#rejected.push({ offset: record.offset, reason: outcome })
      }
    }
    return { candles: this.#candles, rejected: this.#rejected, outcomes: this.#outcomes }
  }

  #apply(event: MarketEvent, offset: number): EventOutcome {
    let logged: readonly LoggedTrade[] | undefined
    for (;;) {
      const applied = this.#aggregation.apply(event, offset, logged)
      if (applied.needs !== null) {
        logged = [...(logged ?? []), ...this.#tradesAt(applied.needs)].toSorted(
          (a, b) => a.offset - b.offset,
        )
        continue
      }
      for (const candle of applied.candles) this.#candles.push(candle)
      if (!applied.unfinished) return applied.outcome
      logged = undefined
    }
  }

  #tradesAt(ranges: readonly OffsetRange[]): readonly LoggedTrade[] {
    return ranges.flatMap(({ from, to }) =>
      this.#log
        .slice(from, to + 1)
        .flatMap(({ offset, event }) =>
          event.type === 'Trade' ? [{ offset, trade: event.value }] : [],
        ),
    )
  }
}
