import {
  feedList,
  gapPage,
  gapsRequest,
  pipeline,
  rejectedCounts,
  rejectedRequest,
} from '@tickertape/market-api'
import type { FeedResource, GapResource } from '@tickertape/market-api'
import { z } from 'zod'

import { endpoint, jsonAnswer } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { cursorText, readCursor } from './page-cursor.ts'
import type { PipelineWatch } from './pipeline-watch.ts'
import { readTimes } from './request-reading.ts'
import type { OpenSources, Sources } from './sources.ts'

/** Behind by more than that a feed is late, then silent; both in ms. */
const lateMs = 10_000
const silentMs = 60_000

const dayMs = 86_400_000

/** How the system does: feeds, gaps, what was rejected, and each hop of the road. */
export function pipelineEndpoints(
  sources: OpenSources,
  watch: () => PipelineWatch,
): readonly Endpoint[] {
  const group = 'pipeline'
  const none = z.object({})
  return [
    endpoint({
      path: '/v1/feeds',
      operationId: 'listFeeds',
      summary: 'Feeds: how far each is behind its venue, and its open gaps',
      group,
      params: none,
      query: none,
      answer: feedList,
      handle: () => jsonAnswer({ feeds: feeds(sources()) }),
    }),
    endpoint({
      path: '/v1/gaps',
      operationId: 'listGaps',
      summary: 'Gaps, the latest first',
      about: 'Some 20,000 of them at least, and all that are open.',
      group,
      params: none,
      query: gapsRequest,
      answer: gapPage,
      handle: (_params, query) => jsonAnswer(gaps(sources(), query)),
    }),
    endpoint({
      path: '/v1/rejected',
      operationId: 'countRejected',
      summary: 'Records that were turned away and not put back since, by reason',
      about: 'Counted every few seconds.',
      group,
      scope: 'admin',
      params: none,
      query: rejectedRequest,
      answer: rejectedCounts,
      handle: async (_params, query) => {
        const { now } = sources()
        const since = readTimes({ since: query.since }).since ?? now() - dayMs
        return jsonAnswer(await watch().rejected(since))
      },
    }),
    endpoint({
      path: '/v1/pipeline',
      operationId: 'getPipeline',
      summary: 'Rates, delays of each hop, lags and instances of the gateway',
      group,
      scope: 'admin',
      params: none,
      query: none,
      answer: pipeline,
      handle: async () => jsonAnswer(await watch().pipeline()),
    }),
  ]
}

function feeds({ view, catalog, now }: Sources): readonly FeedResource[] {
  const at = now()
  const openGaps = Map.groupBy(
    catalog.allGaps().filter(({ state }) => state === 'open'),
    ({ feedId }) => feedId,
  )
  const members = Map.groupBy(catalog.instruments(), ({ feedId }) => feedId)
  return view
    .feeds()
    .map(({ feedId, upTo, instruments }) => {
      const lagMs = upTo === null ? null : at - upTo
      return {
        feedId,
        venue: members.get(feedId)?.[0]?.venue ?? venueOf(feedId),
        upTo,
        lagMs,
        state: stateOf(lagMs),
        instruments: Math.max(instruments, members.get(feedId)?.length ?? 0),
        openGaps: openGaps.get(feedId)?.length ?? 0,
      }
    })
    .sort((a, b) => (a.feedId < b.feedId ? -1 : 1))
}

/** Of a feed none of whose instruments is known: feeds are named for their venue unless somebody names them. */
function venueOf(feedId: string): string {
  return feedId.split('/')[0] ?? feedId
}

function stateOf(lagMs: number | null): FeedResource['state'] {
  if (lagMs === null || lagMs > silentMs) return 'silent'
  return lagMs > lateMs ? 'late' : 'live'
}

const gapCursorFacts = z.tuple([z.literal('gaps'), z.int(), z.string(), z.string()])

function gaps(
  { catalog }: Sources,
  { state, feed, limit, cursor }: z.output<typeof gapsRequest>,
): { readonly gaps: readonly GapResource[]; readonly next: string | null } {
  const found = catalog
    .allGaps()
    .filter(
      (gap) =>
        (state === undefined || gap.state === state) && (feed === undefined || gap.feedId === feed),
    )
  const begin = cursor === undefined ? 0 : behind(found, readCursor(cursor, gapCursorFacts))
  const page = found.slice(begin, begin + limit)
  const last = begin + limit < found.length ? page.at(-1) : undefined
  const next =
    last === undefined
      ? null
      : cursorText(['gaps', last.fromTime, last.gapId, last.instrumentId ?? ''])
  return { gaps: page, next }
}

/** Index of the first gap behind a place in the list, which may have lost that gap since. */
function behind(
  found: readonly GapResource[],
  [, fromTime, gapId, instrumentId]: z.output<typeof gapCursorFacts>,
): number {
  const index = found.findIndex((gap) => {
    if (gap.fromTime !== fromTime) return gap.fromTime < fromTime
    if (gap.gapId !== gapId) return gap.gapId > gapId
    return (gap.instrumentId ?? '') > instrumentId
  })
  return index === -1 ? found.length : index
}
