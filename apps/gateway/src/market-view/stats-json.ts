import type { InstrumentStats, PairStats, StatsMinutes, TokenStats } from '@tickertape/candles'
import type { StatsSpan } from '@tickertape/market-api'
import { formatDecimal } from '@tickertape/market-model'
import type { CandleQuality, Decimal } from '@tickertape/market-model'

import { nullableDecimal } from './json-values.ts'

/** A statistic's JSON in two parts, because time alone changes the first: `{name, span, from, to` and the rest. */
export interface StatsJson {
  readonly head: string
  readonly rest: string
}

interface Facts {
  readonly from: number
  readonly to: number
  readonly tradeCount: number
  readonly notionalUsd: Decimal | null
  readonly quality: CandleQuality | null
  readonly isComplete: boolean
  readonly minutes: StatsMinutes
}

/** An InstrumentStatsResource. */
export function instrumentStatsJson(stats: InstrumentStats, span: StatsSpan): StatsJson {
  return {
    head: `{"instrumentId":${JSON.stringify(stats.instrumentId)}${timesJson(stats, span)}`,
    rest:
      `${factsJson(stats)},"volume":"${formatDecimal(stats.volume)}"` +
      `,"buyVolume":"${formatDecimal(stats.buyVolume)}"` +
      `,"quoteVolume":"${formatDecimal(stats.quoteVolume)}","vwap":${nullableDecimal(stats.vwap)}}`,
  }
}

/** A PairStatsResource. */
export function pairStatsJson(stats: PairStats, span: StatsSpan): StatsJson {
  return {
    head: `{"base":${JSON.stringify(stats.base)},"quote":${JSON.stringify(stats.quote)}${timesJson(stats, span)}`,
    rest:
      `${factsJson(stats)},"instruments":${stats.instruments}` +
      `,"volume":${nullableDecimal(stats.volume)},"buyVolume":${nullableDecimal(stats.buyVolume)}` +
      `,"quoteVolume":${nullableDecimal(stats.quoteVolume)}}`,
  }
}

/** A TokenStatsResource. */
export function tokenStatsJson(stats: TokenStats, span: StatsSpan): StatsJson {
  return {
    head: `{"token":${JSON.stringify(stats.token)}${timesJson(stats, span)}`,
    rest:
      `${factsJson(stats)},"instruments":${stats.instruments}` +
      `,"volume":${nullableDecimal(stats.volume)}` +
      `,"volumeAsBase":${nullableDecimal(stats.volumeAsBase)}` +
      `,"volumeAsQuote":${nullableDecimal(stats.volumeAsQuote)}` +
      `,"buyVolume":${nullableDecimal(stats.buyVolume)}}`,
  }
}

function timesJson({ from, to }: Facts, span: StatsSpan): string {
  return `,"span":"${span}","from":${from},"to":${to}`
}

function factsJson({ tradeCount, notionalUsd, quality, isComplete, minutes }: Facts): string {
  return (
    `,"tradeCount":${tradeCount},"notionalUsd":${nullableDecimal(notionalUsd)}` +
    `,"quality":${quality === null ? 'null' : `"${quality}"`},"isComplete":${isComplete}` +
    `,"minutes":{"complete":${minutes.complete},"quiet":${minutes.quiet}` +
    `,"backfilled":${minutes.backfilled},"partial":${minutes.partial}` +
    `,"gap":${minutes.gap},"missing":${minutes.missing}}`
  )
}
