import type { CandleQuality } from '@tickertape/market-model'

/** From the worst to the best. */
const ranking: readonly CandleQuality[] = ['gap', 'partial', 'backfilled', 'complete', 'quiet']

export function worstQuality(a: CandleQuality, b: CandleQuality): CandleQuality {
  return ranking.indexOf(a) <= ranking.indexOf(b) ? a : b
}
