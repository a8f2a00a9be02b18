import { candleColumns, candlePage, candlesRequest } from '@tickertape/market-api'
import { intervalMs } from '@tickertape/market-model'
import { z } from 'zod'

import { ProblemError } from '../problem.ts'
import { CandleBodies } from './candle-bodies.ts'
import { columnsJson, factsJson, rowsJson } from './candle-document.ts'
import { readCandlePage } from './candle-page.ts'
import type { CandlePageContent } from './candle-page.ts'
import { candleRange } from './candle-range.ts'
import type { CandlePageRange } from './candle-range.ts'
import { candleTag } from './candle-tag.ts'
import { endpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import type { OpenSources, Sources } from './sources.ts'

/** A window beyond the revision horizon changes by a rebuild or a gap that is filled: seldom. */
const oldFreshSeconds = 60
const newFreshSeconds = 1

/** Of bodies that are kept: some 200 pages of 200 candles. */
const keptBodyBytes = 32 * 1024 * 1024

export function candlesEndpoint(sources: OpenSources): Endpoint {
  const bodies = new CandleBodies(keptBodyBytes)
  return endpoint({
    path: '/v1/candles',
    operationId: 'listCandles',
    summary: 'Candles of one instrument',
    about:
      'Oldest first. Without `from` and `cursor` the latest ones, the open window (`final: false`) included. `from` and `to` bound what `next` and `previous` lead to. 1s windows without trades have no candle. While the database is behind, a page stops at what is not written yet, with a cursor that gets 503 until it is.',
    group: 'candles',
    params: z.object({}),
    query: candlesRequest,
    answer: z.union([candlePage, candleColumns]),
    problems: ['not_found'],
    handle: async (_params, query) => {
      const open = sources()
      const range = candleRange(query)
      const content = await readCandlePage(open, range)
      requireKnown(open, range, content)
      const gapsJson = JSON.stringify(gapsOf(open, range, content))
      const listed = query.layout === 'columns' ? columnsJson : rowsJson
      return {
        body: () => {
          const facts = factsJson(range, content, gapsJson)
          if (content.stored.length > 0) return facts + listed(range, content)
          const key = bodyKey(query.layout, range)
          const list = bodies.of(key, content.held, () => listed(range, content))
          return Buffer.concat([Buffer.from(facts), list])
        },
        tag: candleTag(content, `${query.layout}${gapsJson}`),
        freshSeconds: isOld(open, range, content) ? oldFreshSeconds : newFreshSeconds,
      }
    },
  })
}

/** Equal for requests of the same candles in the same layout. */
function bodyKey(layout: string, range: CandlePageRange): string {
  const { instrumentId, interval, from, to, limit, first } = range
  return [layout, interval, from, to, limit, first, instrumentId].join(' ')
}

function requireKnown(
  { catalog }: Sources,
  { instrumentId }: CandlePageRange,
  { stored, held }: CandlePageContent,
): void {
  if (stored.length + held.length > 0 || catalog.instrument(instrumentId) !== undefined) return
  throw new ProblemError('not_found', {
    detail: `No instrument ${instrumentId} is known: /v1/instruments lists those that are`,
  })
}

/** Gaps within the time of the page's candles. */
function gapsOf(
  { catalog }: Sources,
  { instrumentId, interval }: CandlePageRange,
  { stored, held }: CandlePageContent,
) {
  const begin = (stored[0] ?? held[0])?.windowStart
  const last = (held.at(-1) ?? stored.at(-1))?.windowStart
  if (begin === undefined || last === undefined) return []
  return catalog.gaps(instrumentId, begin, last + intervalMs(interval))
}

/** Whether no candle of the page is likely to change, nor one to come. */
function isOld(
  { now, revisionHorizonMs }: Sources,
  { interval, limit }: CandlePageRange,
  { stored, held }: CandlePageContent,
): boolean {
  const last = (held.at(-1) ?? stored.at(-1))?.windowStart
  if (last === undefined || stored.length + held.length < limit) return false
  return last + intervalMs(interval) + revisionHorizonMs < now()
}
