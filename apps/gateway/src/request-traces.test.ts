import { RecordedTracing } from '@tickertape/tracing/testing'
import { describe, expect, it } from 'vitest'

import { requestContext, traceRequest } from './request-traces.ts'

const traceId = 'a'.repeat(32)
const spanId = '1'.repeat(16)
const parent = { traceId, spanId }

describe('the trace of a request', () => {
  it('is the one that its caller names, if that is sampled', () => {
    const traceparent = `00-${traceId}-${spanId}-01`
    expect(requestContext({ traceparent })).toEqual(parent)
    const traceState = 'a=1'
    expect(requestContext({ traceparent, tracestate: traceState })).toEqual({
      ...parent,
      traceState,
    })
    expect(requestContext({})).toBeUndefined()
    expect(requestContext({ traceparent: `00-${traceId}-${spanId}-00` })).toBeUndefined()
    expect(requestContext({ traceparent: 'anything' })).toBeUndefined()
  })

  it('goes on with a span that is named by the route’s template', () => {
    const tracing = new RecordedTracing()
    const route = '/v1/instruments/:instrumentId'
    traceRequest(tracing, parent, { route, method: 'GET', status: 404, elapsedMs: 5 })
    const [span] = tracing.spans
    expect(span).toMatchObject({ name: `GET ${route}`, kind: 'server', parent, error: undefined })
    expect((span?.endTime ?? 0) - (span?.startTime ?? 0)).toBeGreaterThanOrEqual(5)
    expect(span?.attributes).toMatchObject({ 'http.response.status_code': 404 })
  })

  it('has no path in its name where nothing is served, and fails where the gateway did', () => {
    const tracing = new RecordedTracing()
    traceRequest(tracing, parent, { route: undefined, method: 'PUT', status: 404, elapsedMs: 1 })
    traceRequest(tracing, parent, { route: '/v1/stats', method: 'GET', status: 503, elapsedMs: 1 })
    expect(tracing.spans.map(({ name, error }) => [name, error])).toEqual([
      ['PUT', undefined],
      ['GET /v1/stats', 'HTTP 503'],
    ])
  })
})
