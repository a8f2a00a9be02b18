import {
  instrumentId,
  instrumentStats,
  instrumentStatsPage,
  pairStats,
  pairStatsPage,
  statsParams,
  statsRequest,
  tokenStats,
  tokenStatsPage,
} from '@tickertape/market-api'
import type { StatsSpan, StatsSubject } from '@tickertape/market-api'
import { z } from 'zod'

import type { EncodedStats } from '../market-view.ts'
import { ProblemError } from '../problem.ts'
import { positionText } from '../position-text.ts'
import { endpoint } from './endpoint.ts'
import type { Answer, Endpoint } from './endpoint.ts'
import { compareNames, namedPage } from './named-page.ts'
import type { OpenSources } from './sources.ts'

const about =
  'Over closed candles, sliding in event time; from memory. `isComplete` tells whether every minute is known.'

const pages = {
  instruments: { answer: instrumentStatsPage, name: 'Instruments' },
  pairs: { answer: pairStatsPage, name: 'Pairs' },
  tokens: { answer: tokenStatsPage, name: 'Tokens' },
} as const

/** One asset; those of `/v1/stats` are as the venues name them. */
const asset = z.string().min(1).max(100)

export function statsEndpoints(sources: OpenSources): readonly Endpoint[] {
  const one = (of: StatsSubject, span: StatsSpan, name: string): Answer => {
    const stats = sources().view.stats(of, span).get(name)
    if (stats !== undefined) return { body: () => stats.json }
    throw new ProblemError('not_found', {
      detail: `There are no statistics of ${name}: /v1/stats/${span}/${of} lists what there is`,
    })
  }
  return [
    listEndpoint('instruments', sources),
    endpoint({
      path: '/v1/stats/:span/instruments/:instrumentId',
      operationId: 'getInstrumentStats',
      summary: 'Statistics of one instrument',
      group: 'statistics',
      params: statsParams.extend({ instrumentId }),
      query: z.object({}),
      answer: instrumentStats,
      problems: ['not_found'],
      handle: (params) => one('instruments', params.span, params.instrumentId),
    }),
    listEndpoint('pairs', sources),
    endpoint({
      path: '/v1/stats/:span/pairs/:base/:quote',
      operationId: 'getPairStats',
      summary: 'Statistics of one pair over all venues',
      group: 'statistics',
      params: statsParams.extend({ base: asset, quote: asset }),
      query: z.object({}),
      answer: pairStats,
      problems: ['not_found'],
      handle: ({ span, base, quote }) => one('pairs', span, `${base}/${quote}`),
    }),
    listEndpoint('tokens', sources),
    endpoint({
      path: '/v1/stats/:span/tokens/:token',
      operationId: 'getTokenStats',
      summary: 'Statistics of one token over all pairs',
      group: 'statistics',
      params: statsParams.extend({ token: asset }),
      query: z.object({}),
      answer: tokenStats,
      problems: ['not_found'],
      handle: ({ span, token }) => one('tokens', span, token),
    }),
  ]
}

function listEndpoint(of: StatsSubject, sources: OpenSources): Endpoint {
  const { answer, name } = pages[of]
  return endpoint({
    path: `/v1/stats/:span/${of}`,
    operationId: `list${name.slice(0, -1)}Stats`,
    summary: `Statistics of all ${of}`,
    about: `By name. ${about}`,
    group: 'statistics',
    params: statsParams,
    query: statsRequest,
    answer,
    handle: ({ span }, query) => {
      const { view } = sources()
      const sorted = [...view.stats(of, span).values()].sort((a, b) => compareNames(a.name, b.name))
      const position = positionText(view.position())
      const nameOf = (stats: EncodedStats): string => stats.name
      const { entries, next } = namedPage(`stats-${of}`, sorted, nameOf, query)
      return {
        body: () =>
          `{"stats":[${entries.map(({ json }) => json).join(',')}],"next":${JSON.stringify(next)},"position":"${position}"}`,
      }
    },
  })
}
