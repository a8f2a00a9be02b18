import type { CandleColumns, CandleResource } from '@tickertape/market-api'

import { positionText } from '../position-text.ts'
import type { CandlePageContent } from './candle-page.ts'
import { candleCursor } from './candle-range.ts'
import type { CandlePageRange } from './candle-range.ts'
import { field, storedCandleJson } from './stored-candles.ts'
import type { StoredCandle } from './stored-candles.ts'

type CandleList = Pick<CandlePageContent, 'stored' | 'held'>

/** The end of a CandlePage, behind its facts: encoded candles joined, none of them decoded. */
export function rowsJson(range: CandlePageRange, content: CandleList): string {
  const candles = content.stored.map(storedCandleJson(range))
  for (const { json } of content.held) candles.push(json)
  return `,"candles":[${candles.join(',')}]}`
}

/** The end of CandleColumns: the same page, by columns. */
export function columnsJson(_range: CandlePageRange, content: CandleList): string {
  // What memory holds is encoded already: it is taken apart again.
  const rows = [
    ...content.stored.map(storedColumns),
    ...content.held.map(({ json }) => JSON.parse(json) as CandleResource),
  ]
  const names = new Set(rows.flatMap(({ indicators }) => Object.keys(indicators)))
  const columns: CandleColumns['columns'] = {
    windowStart: rows.map(({ windowStart }) => windowStart),
    open: rows.map(({ open }) => open),
    high: rows.map(({ high }) => high),
    low: rows.map(({ low }) => low),
    close: rows.map(({ close }) => close),
    volume: rows.map(({ volume }) => volume),
    quoteVolume: rows.map(({ quoteVolume }) => quoteVolume),
    tradeCount: rows.map(({ tradeCount }) => tradeCount),
    quality: rows.map(({ quality }) => quality),
    revision: rows.map(({ revision }) => revision),
    indicators: Object.fromEntries(
      [...names].map((name) => [name, rows.map(({ indicators }) => indicators[name] ?? null)]),
    ),
  }
  return `,"columns":${JSON.stringify(columns)}}`
}

type ColumnValues = Pick<
  CandleResource,
  | 'windowStart'
  | 'open'
  | 'high'
  | 'low'
  | 'close'
  | 'volume'
  | 'quoteVolume'
  | 'tradeCount'
  | 'quality'
  | 'revision'
  | 'indicators'
>

function storedColumns({ windowStart, revision, fields }: StoredCandle): ColumnValues {
  const textOf = (at: number): string => fields[at] ?? ''
  return {
    windowStart,
    open: textOf(field.open),
    high: textOf(field.high),
    low: textOf(field.low),
    close: textOf(field.close),
    volume: textOf(field.volume),
    quoteVolume: textOf(field.quoteVolume),
    tradeCount: Number(textOf(field.tradeCount)),
    // The column takes no other values.
    quality: textOf(field.quality) as CandleResource['quality'],
    revision,
    // Numbers by name, as the aggregator wrote them.
    indicators: JSON.parse(textOf(field.indicators)) as CandleResource['indicators'],
  }
}

/** The beginning of either document. */
export function factsJson(
  range: CandlePageRange,
  content: CandlePageContent,
  gapsJson: string,
): string {
  const { stored, held, hasEarlier, hasLater, position } = content
  const firstStart = (stored[0] ?? held[0])?.windowStart
  const lastStart = (held.at(-1) ?? stored.at(-1))?.windowStart
  const next = hasLater && lastStart !== undefined ? candleCursor(range, 'later', lastStart) : null
  const previous =
    hasEarlier && firstStart !== undefined ? candleCursor(range, 'earlier', firstStart) : null
  return (
    `{"instrumentId":${JSON.stringify(range.instrumentId)},"interval":"${range.interval}"` +
    `,"gaps":${gapsJson},"next":${JSON.stringify(next)},"previous":${JSON.stringify(previous)}` +
    `,"position":"${positionText(position)}"`
  )
}
