import { waitUntil } from '@tickertape/testing'
import { describe, expect, it, vi } from 'vitest'

import { messagingAttributes } from './messaging-attributes.ts'
import type { SpanContext } from './span-context.ts'
import { startTracing } from './start-tracing.ts'
import { startSpanSink } from './testing/span-sink.ts'
import type { SpanSink } from './testing/span-sink.ts'
import type { ExportQueueLimits, TracingConfig } from './tracing-config.ts'
import type { Tracing } from './tracing.ts'

// A bound against hanging, not a measure.
vi.setConfig({ testTimeout: 60_000 })

const start = Date.UTC(2026, 0, 5)
const parent: SpanContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceState: 'a=1',
}
const other: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) }

interface Given {
  readonly tracing: Tracing
  readonly sent: () => number
  readonly dropped: () => readonly (readonly [number, string])[]
}

async function given(
  exporter: TracingConfig['exporter'],
  endpoint: string,
  limits: Partial<ExportQueueLimits> = {},
): Promise<Given> {
  let sent = 0
  const dropped: [number, string][] = []
  const tracing = await startTracing({
    service: 'demo',
    version: '1.2.3',
    instance: 'a',
    config: {
      exporter,
      endpoint,
      serviceName: '',
      resource: { 'deployment.environment.name': 'test' },
      queue: { maxSpans: 100, maxBatch: 50, delayMs: 5, timeoutMs: 60_000, ...limits },
    },
    events: {
      spansSent: (count) => {
        sent += count
      },
      spansDropped: (count, reason) => dropped.push([count, reason]),
    },
  })
  return { tracing, sent: () => sent, dropped: () => dropped }
}

function recordOne(tracing: Tracing): SpanContext {
  const span = tracing.start('send candles', {
    kind: 'producer',
    startTime: start,
    parent,
    links: [other],
    attributes: messagingAttributes({
      operation: 'send',
      topic: 'test.candles',
      partition: 3,
      key: Buffer.from('deribit:BTC-PERPETUAL'),
    }),
  })
  span.set({ 'messaging.kafka.offset': 17 })
  span.event('written', start + 1)
  span.end(start + 2.5)
  return span.context
}

const zipkinPath = '/api/v2/spans'

async function bodyOf(sink: SpanSink): Promise<unknown> {
  const request = await waitUntil('the spans', () => sink.requests[0])
  expect(request.contentType).toBe('application/json')
  return request.body
}

describe('a span', () => {
  it('comes to Zipkin with its parent, times, links, kind and attributes', async () => {
    await using sink = await startSpanSink()
    const { tracing, sent } = await given('zipkin', `${sink.url}${zipkinPath}`)
    await using _ = tracing
    const context = recordOne(tracing)
    expect(context).toEqual({
      traceId: parent.traceId,
      spanId: expect.stringMatching(/^[\da-f]{16}$/),
      traceState: 'a=1',
    })
    expect(await bodyOf(sink)).toEqual([
      {
        traceId: parent.traceId,
        id: context.spanId,
        parentId: parent.spanId,
        name: 'send candles',
        kind: 'PRODUCER',
        timestamp: start * 1_000,
        duration: 2_500,
        localEndpoint: { serviceName: 'demo' },
        remoteEndpoint: { serviceName: 'kafka' },
        annotations: [{ timestamp: start * 1_000 + 1_000, value: 'written' }],
        tags: {
          'service.name': 'demo',
          'service.namespace': 'tickertape',
          'service.version': '1.2.3',
          'service.instance.id': 'a',
          'deployment.environment.name': 'test',
          'messaging.system': 'kafka',
          'messaging.operation.name': 'send',
          'messaging.operation.type': 'send',
          'messaging.destination.name': 'test.candles',
          'messaging.destination.partition.id': '3',
          'messaging.kafka.message.key': 'deribit:BTC-PERPETUAL',
          'messaging.kafka.offset': '17',
          'otel.link.0': `${other.traceId}-${other.spanId}`,
        },
      },
    ])
    await waitUntil('its answer', () => sent() === 1)
  })

  // Zipkin answers 400 to all spans of a request in which one begins at a fraction of a microsecond, as one does
  // that began so many milliseconds of the monotonic clock before now.
  it('begins at a whole microsecond for Zipkin', async () => {
    await using sink = await startSpanSink()
    const { tracing } = await given('zipkin', `${sink.url}${zipkinPath}`)
    await using _ = tracing
    tracing.record('a', { startTime: start + 0.1234567, endTime: start + 7.7654321 })
    const begin: unknown = expect.toSatisfy(Number.isInteger)
    expect(await bodyOf(sink)).toMatchObject([{ timestamp: begin, duration: begin }])
  })

  it('comes to an OTLP collector as JSON', async () => {
    await using sink = await startSpanSink(200)
    const { tracing, sent } = await given('otlp', `${sink.url}/v1/traces`)
    await using _ = tracing
    const { spanId } = recordOne(tracing)
    expect(await bodyOf(sink)).toMatchObject({
      resourceSpans: [
        {
          resource: {
            attributes: expect.arrayContaining([
              { key: 'service.name', value: { stringValue: 'demo' } },
            ]),
          },
          scopeSpans: [
            {
              spans: [
                {
                  traceId: parent.traceId,
                  spanId,
                  parentSpanId: parent.spanId,
                  traceState: 'a=1',
                  name: 'send candles',
                  kind: 4,
                  startTimeUnixNano: `${start}000000`,
                  endTimeUnixNano: `${start + 2}500000`,
                  links: [{ traceId: other.traceId, spanId: other.spanId }],
                },
              ],
            },
          ],
        },
      ],
    })
    await waitUntil('its answer', () => sent() === 1)
  })

  it('that fails says why', async () => {
    await using sink = await startSpanSink()
    const { tracing } = await given('zipkin', sink.url)
    await using _ = tracing
    tracing.start('send candles').fail('the transaction was aborted')
    expect(await bodyOf(sink)).toMatchObject([
      { tags: { error: 'the transaction was aborted', 'otel.status_code': 'ERROR' } },
    ])
  })

  it('without a parent begins a trace of its own, at the present', async () => {
    await using sink = await startSpanSink()
    const { tracing } = await given('zipkin', sink.url)
    await using _ = tracing
    const began = Date.now()
    const [a, b] = [tracing.start('a'), tracing.start('b')]
    expect(a.context.traceId).not.toBe(b.context.traceId)
    a.end()
    const [span] = (await bodyOf(sink)) as [
      { readonly timestamp: number; readonly parentId?: string },
    ]
    expect(span.parentId).toBeUndefined()
    expect(span.timestamp).toBeGreaterThanOrEqual(began * 1_000)
    expect(span.timestamp).toBeLessThanOrEqual(Date.now() * 1_000)
  })

  it('that ends before it begins has no duration', async () => {
    await using sink = await startSpanSink()
    const { tracing } = await given('zipkin', sink.url)
    await using _ = tracing
    tracing.record('a', { startTime: start, endTime: start - 5 })
    expect(await bodyOf(sink)).toMatchObject([{ timestamp: start * 1_000, duration: 1 }])
  })
})

describe('an exporter', () => {
  it('that is not there costs the spans beyond the queue and those that it refuses, all of them counted', async () => {
    const sink = await startSpanSink()
    await sink[Symbol.asyncDispose]()
    const { tracing, dropped, sent } = await given('zipkin', sink.url, {
      maxSpans: 10,
      maxBatch: 5,
    })
    await using _ = tracing
    for (let count = 0; count < 25; count += 1) tracing.start('a').end()
    expect(tracing.waiting).toBe(10)
    expect(dropped()).toEqual(Array.from({ length: 15 }, () => [1, 'the queue is full']))
    await waitUntil('the rest to be given up', () => tracing.waiting === 0)
    expect(dropped().slice(15)).toEqual([
      [5, expect.stringMatching(/fetch failed.*ECONNREFUSED/)],
      [5, expect.stringMatching(/fetch failed.*ECONNREFUSED/)],
    ])
    expect(sent()).toBe(0)
  })

  it('that comes back within three tries gets what waited for it', async () => {
    await using sink = await startSpanSink(503, 503, 202)
    const { tracing, dropped, sent } = await given('zipkin', sink.url)
    await using _ = tracing
    tracing.start('a').end()
    await waitUntil('the span to be taken', () => sent() === 1)
    expect(dropped()).toEqual([])
  })

  it('that never answers is given up after its time', async () => {
    await using sink = await startSpanSink('never')
    const { tracing, dropped } = await given('zipkin', sink.url, { timeoutMs: 20 })
    await using _ = tracing
    tracing.start('a').end()
    await waitUntil('it to be given up', () => dropped().length > 0)
    expect(dropped()).toEqual([[1, expect.stringContaining('timeout')]])
  })

  it('gets what waits when the service ends', async () => {
    await using sink = await startSpanSink()
    const { tracing, sent } = await given('zipkin', sink.url, { delayMs: 3_600_000 })
    for (let count = 0; count < 100; count += 1) tracing.start('a').end()
    await tracing[Symbol.asyncDispose]()
    expect(sent()).toBe(100)
    expect(sink.requests.map(({ body }) => (body as unknown[]).length)).toEqual([50, 50])
  })

  it('that hangs then does not hold the service, and what it did not take is counted', async () => {
    await using sink = await startSpanSink('never')
    const { tracing, dropped, sent } = await given('zipkin', sink.url, { delayMs: 3_600_000 })
    tracing.start('a').end()
    await tracing[Symbol.asyncDispose]()
    expect([sent(), dropped()]).toEqual([0, [[1, 'the service ends']]])
    tracing.start('b').end()
    expect(dropped()).toHaveLength(2)
  })
})

it('without an exporter nothing is made, and a trace goes through as it came', async () => {
  const { tracing } = await given('none', '')
  expect(tracing.enabled).toBe(false)
  const span = tracing.start('a', { parent })
  span.set({ x: 1 })
  span.end()
  expect(span.context).toBe(parent)
  expect(tracing.start('a')).toBe(tracing.start('b'))
  expect(tracing.record('a', { parent, endTime: start })).toBe(parent)
  await tracing[Symbol.asyncDispose]()
})
