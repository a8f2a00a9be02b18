import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import type { SpanContext as SdkContext, Span as SdkSpan, Tracer } from '@opentelemetry/api'
import { TraceState } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace'
import type { SpanExporter } from '@opentelemetry/sdk-trace'

import { ExportQueue } from './export-queue.ts'
import type { SpanContext } from './span-context.ts'
import type { TracingOptions } from './start-tracing.ts'
import type { TracingConfig } from './tracing-config.ts'
import type { Attributes, Span, SpanOptions, Tracing } from './tracing.ts'
import { ZipkinExporter } from './zipkin-exporter.ts'

const kinds = {
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
  producer: SpanKind.PRODUCER,
  server: SpanKind.SERVER,
} as const

/** How long an ending service waits for its last spans to be taken, in ms. */
const flushMs = 3_000

/** Its requests cannot be ended, and one that hangs holds an ending process for so long, in ms. */
const otlpTimeoutMs = 10_000

/** Spans by the SDK of OpenTelemetry, every one of them kept: who begins a trace has chosen it. */
export class SdkTracing implements Tracing {
  readonly enabled = true
  readonly #provider: TracerProvider
  readonly #queue: ExportQueue
  readonly #tracer: Tracer

  constructor({ config, service, version, instance, events }: TracingOptions) {
    this.#queue = new ExportQueue(exporterOf(config), config.queue, events)
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.namespace': 'tickertape',
        'service.version': version,
        'service.instance.id': instance,
        ...config.resource,
        'service.name': config.serviceName || config.resource['service.name'] || service,
      }),
      sampler: new AlwaysOnSampler(),
      spanProcessors: [this.#queue],
    })
    this.#tracer = this.#provider.getTracer('tickertape', version)
  }

  get waiting(): number {
    return this.#queue.waiting
  }

  start(name: string, options: SpanOptions = {}): Span {
    const { kind = 'internal', startTime = Date.now(), parent, links = [], attributes } = options
    const context =
      parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, sdkContext(parent))
    const span = this.#tracer.startSpan(
      name,
      {
        kind: kinds[kind],
        startTime,
        links: links.map((link) => ({ context: sdkContext(link) })),
        attributes: given(attributes),
      },
      context,
    )
    return new RecordedSpan(span)
  }

  record(name: string, options: SpanOptions & { readonly endTime: number }): SpanContext {
    const span = this.start(name, options)
    span.end(options.endTime)
    return span.context
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise: deadline, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, flushMs)
    await Promise.race([this.#queue.forceFlush(), deadline])
    // What the exporter still has under way is its own to end: each of its requests has a time limit.
    await Promise.race([this.#queue.end(), deadline])
    clearTimeout(timer)
  }
}

class RecordedSpan implements Span {
  readonly context: SpanContext
  readonly #span: SdkSpan

  constructor(span: SdkSpan) {
    const { traceId, spanId, traceState } = span.spanContext()
    this.#span = span
    this.context =
      traceState === undefined
        ? { traceId, spanId }
        : { traceId, spanId, traceState: traceState.serialize() }
  }

  set(attributes: Attributes): void {
    this.#span.setAttributes(given(attributes))
  }

  event(name: string, time: number): void {
    this.#span.addEvent(name, time)
  }

  end(endTime: number = Date.now()): void {
    this.#span.end(endTime)
  }

  fail(reason: string, endTime?: number): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: reason })
    this.end(endTime)
  }
}

function sdkContext({ traceId, spanId, traceState }: SpanContext): SdkContext {
  const own = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true }
  return traceState === undefined ? own : { ...own, traceState: new TraceState(traceState) }
}

/** Without those that are undefined; arrays copied, for the SDK's are not readonly. */
function given(attributes: Attributes = {}): Record<string, boolean | number | string | string[]> {
  const all: Record<string, boolean | number | string | string[]> = {}
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue
    all[name] = typeof value === 'object' ? [...value] : value
  }
  return all
}

function exporterOf({ exporter, endpoint, queue }: TracingConfig): SpanExporter {
  if (exporter === 'zipkin') return new ZipkinExporter(endpoint, queue.timeoutMs)
  // Headers, compression and certificates are read by the exporter from OTEL_EXPORTER_OTLP_*.
  const timeoutMillis = Math.min(queue.timeoutMs, otlpTimeoutMs)
  return new OTLPTraceExporter({ url: endpoint, timeoutMillis })
}
