import { hash } from 'node:crypto'

import { tradePage, tradesRequest } from '@tickertape/market-api'
import { z } from 'zod'

import { ProblemError } from '../problem.ts'
import { positionText } from '../position-text.ts'
import { beginOfTime, endOfTime } from './candle-range.ts'
import { endpoint } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { cursorText, readCursor } from './page-cursor.ts'
import { invalidRequest, readTimes } from './request-reading.ts'
import { sinkPosition } from './sink-position.ts'
import type { OpenSources, Sources } from './sources.ts'
import { readStoredTrades } from './stored-trades.ts'
import type { TapeTrade, TradeRange } from './stored-trades.ts'

/** A page of the past changes by a correction or a gap that is filled: seldom. */
const oldFreshSeconds = 60

const cursorFacts = z.tuple([
  z.literal('trades'),
  z.string(),
  z.int(),
  z.int(),
  z.int(),
  z.int().nullable(),
  z.int().nullable(),
  z.string(),
])

export function tradesEndpoint(sources: OpenSources): Endpoint {
  return endpoint({
    path: '/v1/trades',
    operationId: 'listTrades',
    summary: 'Tape of one instrument',
    about:
      'Newest first, each trade as it stands: of its versions the highest. What the stream has sent may take a moment until it is here.',
    group: 'trades',
    params: z.object({}),
    query: tradesRequest,
    answer: tradePage,
    problems: ['not_found'],
    handle: async (_params, query) => {
      const open = sources()
      const { database, catalog, topics } = open
      const range = tradeRange(query)
      const read = await readStoredTrades(database, { ...range, limit: query.limit + 1 })
      if (read.trades.length === 0 && catalog.instrument(range.instrumentId) === undefined) {
        throw new ProblemError('not_found', {
          detail: `No instrument ${range.instrumentId} is known: /v1/instruments lists those that are`,
        })
      }
      const page = read.trades.slice(0, query.limit)
      const last = read.trades.length > page.length ? page.at(-1) : undefined
      const trades = JSON.stringify(page.map(({ trade }) => trade))
      const next = JSON.stringify(last === undefined ? null : tapeCursor(range, last))
      const position = JSON.stringify(positionText(sinkPosition(read.offsets, topics)))
      return {
        body: () => `{"trades":${trades},"next":${next},"position":${position}}`,
        // A correction takes the place of what it corrects without a number of its own, so that all is hashed.
        tag: hash('sha1', trades + next, 'base64url'),
        freshSeconds: isPast(open, range) ? oldFreshSeconds : 0,
      }
    },
  })
}

/** Whether no trade of now belongs to the page. */
function isPast(
  { now, revisionHorizonMs }: Sources,
  { to, behind }: Pick<TradeRange, 'to' | 'behind'>,
): boolean {
  return Math.min(to, behind?.eventTime ?? to) + revisionHorizonMs < now()
}

/** @throws ProblemError `invalid_request`. */
function tradeRange(query: z.output<typeof tradesRequest>): Omit<TradeRange, 'limit'> {
  const { instrument: instrumentId, cursor } = query
  const asked = readTimes({ from: query.from, to: query.to })
  if (cursor === undefined) {
    const { from = beginOfTime, to = endOfTime } = asked
    return { instrumentId, from, to, behind: undefined }
  }
  const facts = readCursor(cursor, cursorFacts)
  const [, ofInstrument, from, to, eventTime, sequence, venueOrder, tradeId] = facts
  const differs = [
    ofInstrument === instrumentId ? [] : ['instrument'],
    (asked.from ?? from) === from ? [] : ['from'],
    (asked.to ?? to) === to ? [] : ['to'],
  ].flat()
  if (differs.length > 0) {
    throw invalidRequest(
      differs.map((name) => ({ at: name, message: 'is not the one that the cursor belongs to' })),
    )
  }
  return { instrumentId, from, to, behind: { eventTime, sequence, venueOrder, tradeId } }
}

function tapeCursor(
  { instrumentId, from, to }: Omit<TradeRange, 'limit'>,
  { place: { eventTime, sequence, venueOrder, tradeId } }: TapeTrade,
): string {
  const place = [eventTime, sequence, venueOrder, tradeId]
  return cursorText(['trades', instrumentId, from, to, ...place])
}
