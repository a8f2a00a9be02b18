import type { CandleQuality, KnownGap } from '@tickertape/market-model'

/** From the worst to the best. */
const ranking: readonly CandleQuality[] = ['gap', 'partial', 'backfilled', 'complete', 'quiet']

export function worstQuality(a: CandleQuality, b: CandleQuality): CandleQuality {
  return ranking.indexOf(a) <= ranking.indexOf(b) ? a : b
}

/** The quality of a window [start, end) of an instrument, made worse by the gaps that touch it. */
export function qualityWithGaps(
  quality: CandleQuality,
  gaps: Iterable<KnownGap>,
  instrumentId: string,
  start: number,
  end: number,
): CandleQuality {
  let worst = quality
  for (const gap of gaps) {
    if (gap.instrumentId !== null && gap.instrumentId !== instrumentId) continue
    if (gap.fromTime >= end || gap.toTime <= start) continue
    worst = worstQuality(worst, gap.state === 'backfilled' ? 'backfilled' : 'gap')
  }
  return worst
}
