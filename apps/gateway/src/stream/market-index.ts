import { statsSpans, statsSubjects } from '@tickertape/market-api'
import type { StatsSpan, StatsSubject } from '@tickertape/market-api'
import { intervals } from '@tickertape/market-model'
import type { Interval } from '@tickertape/market-model'

import { NameIndex } from './name-index.ts'

/** Who follows which candles, trades and statistics. */
export class MarketIndex<F> {
  readonly trades = new NameIndex<F>()
  readonly #candles = new Map<Interval, NameIndex<F>>(
    intervals.map((interval) => [interval, new NameIndex<F>()]),
  )
  readonly #stats = new Map<StatsSubject, ReadonlyMap<StatsSpan, NameIndex<F>>>(
    statsSubjects.map((of) => [of, new Map(statsSpans.map((span) => [span, new NameIndex<F>()]))]),
  )

  candles(interval: Interval): NameIndex<F> {
    return required(this.#candles.get(interval))
  }

  stats(of: StatsSubject, span: StatsSpan): NameIndex<F> {
    return required(this.#stats.get(of)?.get(span))
  }
}

function required<T>(index: T | undefined): T {
  if (index === undefined) throw new RangeError('Only known intervals, subjects and spans have one')
  return index
}
