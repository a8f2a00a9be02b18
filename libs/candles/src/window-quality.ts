import type { CandleQuality, WindowSums } from '@tickertape/market-model'
import type { InstrumentProgress } from './instrument-progress.ts'

/** The quality of a window of the lowest interval, which has no children to take it from. */
export function ownQuality(
  instrument: InstrumentProgress,
  { windowStart, tradeCount }: WindowSums,
  end: number,
): CandleQuality {
  const { completeFrom, feed } = instrument
  const isFirst = completeFrom !== null && end <= completeFrom
  const base = tradeCount === 0 ? 'quiet' : isFirst ? 'partial' : 'complete'
  return feed.gaps.quality(base, instrument, windowStart, end)
}
