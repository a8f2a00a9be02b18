import { constants } from 'node:zlib'

import { default as compress } from '@fastify/compress'
import { default as files } from '@fastify/static'
import type { FastifyInstance } from 'fastify'

import { ProblemError } from '../problem.ts'
import { asyncApiDocument } from '../stream/asyncapi.ts'
import { candlesEndpoint } from './candles-endpoint.ts'
import { registerDashboard } from './dashboard-files.ts'
import { registerDescription } from './description-pages.ts'
import { registerEndpoints } from './endpoint.ts'
import type { Endpoint } from './endpoint.ts'
import { instrumentEndpoints } from './instruments-endpoint.ts'
import { openApiDocument } from './openapi.ts'
import { pipelineEndpoints } from './pipeline-endpoints.ts'
import type { PipelineWatch } from './pipeline-watch.ts'
import { registerProblemPages } from './problem-pages.ts'
import { dashboardFolder, swaggerFolder } from './served-files.ts'
import type { OpenSources } from './sources.ts'
import { statsEndpoints } from './stats-endpoint.ts'
import { tradesEndpoint } from './trades-endpoint.ts'

/** Below this many bytes compressing costs more than it saves. */
const compressFrom = 1_024

/** Version of what is under /v1. */
const apiVersion = '1.0.0'

export interface RestOptions {
  readonly sources: OpenSources
  readonly watch: () => PipelineWatch
  /** Files of the dashboard; undefined: where the build puts them. */
  readonly dashboardFolder: string | undefined
}

/** Serves what is read over HTTP: the resources under /v1, their description, and the dashboard. */
export async function registerRest(app: FastifyInstance, options: RestOptions): Promise<void> {
  await app.register(compress, {
    threshold: compressFrom,
    encodings: ['br', 'gzip'],
    // The default of 11 takes seconds for a page of candles; 4 makes it a seventh in 5 ms.
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } },
    zlibOptions: { level: 4 },
  })
  await app.register(files, { serve: false, root: swaggerFolder() })
  const endpoints = restEndpoints(options)
  registerEndpoints(app, endpoints)
  app.get('/v1/stream', (request) => {
    if (request.headers.upgrade?.toLowerCase() === 'websocket') throw streamAway(options.sources)
    throw new ProblemError('invalid_request', {
      detail: 'This is a WebSocket: open it with ws:// or wss://',
      headers: { upgrade: 'websocket', connection: 'Upgrade' },
    })
  })
  registerDescription(app, {
    openApi: openApiDocument(endpoints, apiVersion),
    asyncApi: asyncApiDocument(apiVersion),
    swaggerFolder: swaggerFolder(),
  })
  registerProblemPages(app)
  registerDashboard(app, options.dashboardFolder ?? dashboardFolder())
}

export function restEndpoints({
  sources,
  watch,
}: Pick<RestOptions, 'sources' | 'watch'>): readonly Endpoint[] {
  return [
    ...instrumentEndpoints(sources),
    candlesEndpoint(sources),
    tradesEndpoint(sources),
    ...statsEndpoints(sources),
    ...pipelineEndpoints(sources, watch),
  ]
}

/** Paths of resources, each with parameters as `:name`. */
const servedPaths = restEndpoints({ sources: unopened, watch: unopened }).map(({ path }) =>
  path.split('/'),
)

/** Methods of the resource under a path; undefined: there is none. */
export function methodsOf(path: string): readonly string[] | undefined {
  const parts = path.split('/')
  const isServed = servedPaths.some(
    (served) =>
      served.length === parts.length &&
      served.every((part, at) => part === parts[at] || (part.startsWith(':') && parts[at] !== '')),
  )
  return isServed ? ['GET', 'HEAD'] : undefined
}

/**
 * What an upgrade is answered that comes to the route: Node hands it on as a request where nobody takes upgrades,
 * which is before the stream is open, and once it closes.
 */
function streamAway(sources: OpenSources): ProblemError {
  // Until they are open they say what is waited for.
  sources()
  return new ProblemError('not_ready', {
    detail: 'The stream does not take connections now: come again',
    headers: { 'retry-after': '2' },
  })
}

/** Only paths are asked for. */
function unopened(): never {
  throw new Error('no sources')
}
