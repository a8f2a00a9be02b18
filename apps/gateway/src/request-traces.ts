import type { IncomingHttpHeaders } from 'node:http'

import { contextOf } from '@tickertape/tracing'
import type { SpanContext, Tracing } from '@tickertape/tracing'

export interface TracedRequest {
  /** As it was registered, with the names of its parameters; undefined where nothing is served. */
  readonly route: string | undefined
  readonly method: string
  readonly status: number
  /** From its arrival to the end of its answer. */
  readonly elapsedMs: number
}

/** The sampled trace that a caller's request is part of, by its header `traceparent`. */
export function requestContext({
  traceparent,
  tracestate,
}: IncomingHttpHeaders): SpanContext | undefined {
  if (typeof traceparent !== 'string') return undefined
  const state = typeof tracestate === 'string' ? [{ tracestate }] : []
  return contextOf([{ traceparent }, ...state])
}

/**
 * Continues a caller's trace by the request that was answered. Its name is the route's template, never the path that
 * was asked for: names are few.
 */
export function traceRequest(
  tracing: Tracing,
  parent: SpanContext,
  { route, method, status, elapsedMs }: TracedRequest,
): void {
  const span = tracing.start(route === undefined ? method : `${method} ${route}`, {
    kind: 'server',
    parent,
    startTime: Date.now() - elapsedMs,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'http.response.status_code': status,
    },
  })
  if (status >= 500) span.fail(`HTTP ${status}`)
  else span.end()
}
