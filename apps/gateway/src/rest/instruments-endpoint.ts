import {
  instrument,
  instrumentId,
  instrumentPage,
  instrumentsRequest,
} from '@tickertape/market-api'
import type { InstrumentResource } from '@tickertape/market-api'
import { z } from 'zod'

import { ProblemError } from '../problem.ts'
import type { StoredInstrument } from './catalog.ts'
import { endpoint, jsonAnswer } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { namedPage } from './named-page.ts'
import type { OpenSources, Sources } from './sources.ts'

export function instrumentEndpoints(sources: OpenSources): readonly Endpoint[] {
  return [
    endpoint({
      path: '/v1/instruments',
      operationId: 'listInstruments',
      summary: 'Instruments, each with what it did in the last 24 hours',
      about: 'By name. `search` finds a part of the instrumentId, of the base or the quote.',
      group: 'instruments',
      params: z.object({}),
      query: instrumentsRequest,
      answer: instrumentPage,
      handle: (_params, query) => {
        const open = sources()
        const found = open.catalog.instruments().filter((entry) => isAskedFor(entry, query))
        const { entries, next } = namedPage(
          'instruments',
          found,
          (entry) => entry.instrumentId,
          query,
        )
        return jsonAnswer({ instruments: entries.map((entry) => resource(open, entry)), next })
      },
    }),
    endpoint({
      path: '/v1/instruments/:instrumentId',
      operationId: 'getInstrument',
      summary: 'One instrument',
      group: 'instruments',
      params: z.object({ instrumentId }),
      query: z.object({}),
      answer: instrument,
      problems: ['not_found'],
      handle: (params) => {
        const open = sources()
        const entry = open.catalog.instrument(params.instrumentId)
        if (entry !== undefined) return jsonAnswer(resource(open, entry))
        throw new ProblemError('not_found', {
          detail: `No instrument ${params.instrumentId} is known: /v1/instruments lists those that are`,
        })
      },
    }),
  ]
}

function resource({ view }: Sources, entry: StoredInstrument): InstrumentResource {
  return { ...entry, summary: view.summary(entry.instrumentId) }
}

function isAskedFor(
  entry: StoredInstrument,
  { search, venue, status, kind }: z.output<typeof instrumentsRequest>,
): boolean {
  if (venue !== undefined && entry.venue !== venue) return false
  if (status !== undefined && entry.status !== status) return false
  if (kind !== undefined && entry.kind !== kind) return false
  if (search === undefined) return true
  const part = search.toLowerCase()
  return [entry.instrumentId, entry.base, entry.quote].some((text) =>
    text?.toLowerCase().includes(part),
  )
}
