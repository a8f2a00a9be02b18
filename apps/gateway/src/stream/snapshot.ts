import type { Subscribe } from '@tickertape/market-api'
import type { Interval } from '@tickertape/market-model'

import type { EncodedCandle, MarketUpdate, MarketView } from '../market-view.ts'
import { candleText, tradeText } from './messages.ts'

/** How many candles, trades or statistics the snapshot of so many names can have. */
export function mostItems(request: Subscribe, names: number): number {
  switch (request.channel) {
    case 'candles':
      return names * new Set(request.intervals).size * request.snapshot
    case 'trades':
      return names * request.snapshot
    default:
      return names
  }
}

/** As many as a snapshot may need: without open windows one more, for the last one may be open. */
function standingCandles(
  view: MarketView,
  { live, snapshot }: Extract<Subscribe, { channel: 'candles' }>,
  name: string,
  interval: Interval,
): readonly EncodedCandle[] {
  return snapshot === 0 ? [] : view.candles(name, interval, live ? snapshot : snapshot + 1)
}

/**
 * Has the view encode what a snapshot will be made of, one series with each step: it keeps what it has encoded,
 * so that the snapshot itself, which is read in one turn of the event loop, is put together from texts.
 *
 * @returns how many candles each step asked for.
 */
export function* encodingSteps(
  view: MarketView,
  request: Subscribe,
  names: ReadonlySet<string>,
): Generator<number, undefined> {
  // Trades and statistics are held as texts.
  if (request.channel !== 'candles') return
  for (const name of names) {
    for (const interval of new Set(request.intervals)) {
      yield standingCandles(view, request, name, interval).length
    }
  }
}

/** What a subscription begins with, oldest first for each name. */
export function snapshotOf(
  view: MarketView,
  request: Subscribe,
  names: ReadonlySet<string>,
): readonly { readonly json: string }[] {
  switch (request.channel) {
    case 'candles':
      return [...names].flatMap((name) =>
        [...new Set(request.intervals)].flatMap((interval) => {
          const { live, snapshot } = request
          const standing = standingCandles(view, request, name, interval)
          return live || snapshot === 0
            ? standing
            : standing.filter(({ final }) => final).slice(-snapshot)
        }),
      )
    case 'trades':
      return [...names].flatMap((name) =>
        request.snapshot === 0 ? [] : view.trades(name, request.snapshot),
      )
    default: {
      const stats = view.stats(request.of, request.span)
      return [...names].flatMap((name) => stats.get(name) ?? [])
    }
  }
}

/** Finals or trades of a subscription among updates, and then its open windows as they stand. */
export function missedTexts(
  view: MarketView,
  request: Exclude<Subscribe, { channel: 'stats' }>,
  names: ReadonlySet<string>,
  updates: readonly MarketUpdate[],
): readonly string[] {
  if (request.channel === 'trades') {
    return updates.flatMap((update) =>
      update.type === 'trade' && names.has(update.trade.instrumentId)
        ? [tradeText(update.trade)]
        : [],
    )
  }
  const intervals = new Set(request.intervals)
  const isMissed = ({ final, interval, instrumentId }: EncodedCandle): boolean =>
    final && intervals.has(interval) && names.has(instrumentId)
  const finals = updates.flatMap((update) =>
    update.type === 'candle' && isMissed(update.candle) ? [candleText(update.candle)] : [],
  )
  if (!request.live) return finals
  const open = [...names].flatMap((name) =>
    [...intervals].flatMap((interval) =>
      view.candles(name, interval, 1).filter(({ final }) => !final),
    ),
  )
  return [...finals, ...open.map(candleText)]
}
