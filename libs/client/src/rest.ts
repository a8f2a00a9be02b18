import type {
  CandleColumns,
  CandlePage,
  CandleResource,
  FeedResource,
  GapResource,
  InstrumentPage,
  InstrumentResource,
  InstrumentStatsResource,
  PairStatsResource,
  Pipeline,
  RejectedCounts,
  StatsSpan,
  TokenStatsResource,
  TradePage,
} from '@tickertape/market-api'

import { errorOf, GatewayError } from './gateway-error.ts'

/** Milliseconds since the epoch, or ISO 8601 with a zone. */
export type TimeBound = number | string

interface PageQuery {
  readonly limit?: number
  readonly cursor?: string | undefined
}

export interface InstrumentsQuery extends PageQuery {
  readonly search?: string
  readonly venue?: string
  readonly status?: InstrumentResource['status']
  readonly kind?: NonNullable<InstrumentResource['kind']>
}

export interface CandlesQuery extends PageQuery {
  readonly instrument: string
  readonly interval: CandleResource['interval']
  readonly from?: TimeBound
  /** Exclusive. */
  readonly to?: TimeBound
}

export interface TradesQuery extends PageQuery {
  readonly instrument: string
  readonly from?: TimeBound
  readonly to?: TimeBound
}

export interface GapsQuery extends PageQuery {
  readonly state?: GapResource['state']
  readonly feed?: string
}

export interface StatsOf {
  readonly instruments: InstrumentStatsResource
  readonly pairs: PairStatsResource
  readonly tokens: TokenStatsResource
}

export interface StatsPage<Subject extends keyof StatsOf> {
  readonly stats: readonly StatsOf[Subject][]
  readonly next: string | null
  readonly position: string
}

export interface GapPage {
  readonly gaps: readonly GapResource[]
  readonly next: string | null
}

export interface RequestOptions {
  readonly signal?: AbortSignal
}

/** The gateway's REST resources. Every call throws GatewayError for an answer that is no success. */
export interface Rest {
  instruments(query?: InstrumentsQuery, options?: RequestOptions): Promise<InstrumentPage>
  /** Every instrument of all pages. */
  eachInstrument(
    query?: InstrumentsQuery,
    options?: RequestOptions,
  ): AsyncGenerator<InstrumentResource, void, undefined>
  candles(query: CandlesQuery, options?: RequestOptions): Promise<CandlePage>
  candleColumns(query: CandlesQuery, options?: RequestOptions): Promise<CandleColumns>
  trades(query: TradesQuery, options?: RequestOptions): Promise<TradePage>
  stats<Subject extends keyof StatsOf>(
    span: StatsSpan,
    of: Subject,
    query?: PageQuery,
    options?: RequestOptions,
  ): Promise<StatsPage<Subject>>
  feeds(options?: RequestOptions): Promise<{ readonly feeds: readonly FeedResource[] }>
  gaps(query?: GapsQuery, options?: RequestOptions): Promise<GapPage>
  rejected(
    query?: { readonly since?: TimeBound },
    options?: RequestOptions,
  ): Promise<RejectedCounts>
  pipeline(options?: RequestOptions): Promise<Pipeline>
}

type Query = Readonly<Record<string, string | number | undefined>>

/**
 * @param url base address of the gateway, with or without a path.
 * @param token asked for with every request, so that a new one counts at once.
 */
export function createRest(url: string, token: () => string | undefined): Rest {
  const get = <T>(path: string, query: object, options: RequestOptions = {}): Promise<T> =>
    // The queries above hold texts and numbers only.
    request<T>(address(url, path, query as Query), token(), options.signal)
  const instruments: Rest['instruments'] = (query = {}, options) =>
    get('/v1/instruments', query, options)
  return {
    instruments,
    async *eachInstrument(query = {}, options) {
      let cursor: string | undefined
      do {
        const page = await instruments({ limit: 1_000, ...query, cursor }, options)
        yield* page.instruments
        cursor = page.next ?? undefined
      } while (cursor !== undefined)
    },
    candles: (query, options) => get('/v1/candles', query, options),
    candleColumns: (query, options) => get('/v1/candles', { ...query, layout: 'columns' }, options),
    trades: (query, options) => get('/v1/trades', query, options),
    stats: (span, of, query = {}, options) => get(`/v1/stats/${span}/${of}`, query, options),
    feeds: (options) => get('/v1/feeds', {}, options),
    gaps: (query = {}, options) => get('/v1/gaps', query, options),
    rejected: (query = {}, options) => get('/v1/rejected', query, options),
    pipeline: (options) => get('/v1/pipeline', {}, options),
  }
}

function address(url: string, path: string, query: Query): string {
  const target = new URL(url.replace(/\/+$/, '') + path)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) target.searchParams.set(name, String(value))
  }
  return target.toString()
}

async function request<T>(
  target: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<T> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`
  let response: Response
  try {
    response = await fetch(target, { headers, signal: signal ?? null })
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    throw new GatewayError(`No answer from ${target}: is the gateway running there?`, {
      code: 'unreachable',
      cause,
    })
  }
  if (!response.ok) throw await errorOf(response)
  try {
    // The gateway's contract, which its own tests hold: checking every answer again would cost a
    // browser the schema library.
    return (await response.json()) as T
  } catch (cause) {
    if (signal?.aborted === true) throw cause
    throw new GatewayError(`${target} answered ${response.status} with something that is no JSON`, {
      code: 'unreadable',
      status: response.status,
      cause,
    })
  }
}
