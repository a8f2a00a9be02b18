import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { ExportResultCode, hrTimeToMicroseconds } from '@opentelemetry/core'
import type { ExportResult } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'

const kinds: Readonly<Partial<Record<SpanKind, string>>> = {
  [SpanKind.SERVER]: 'SERVER',
  [SpanKind.CLIENT]: 'CLIENT',
  [SpanKind.PRODUCER]: 'PRODUCER',
  [SpanKind.CONSUMER]: 'CONSUMER',
}

/**
 * Posts spans in Zipkin's JSON v2, as OpenTelemetry maps them:
 * https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/
 *
 * The exporter that the SDK brings has no time limit for a request, so that a server which accepts and never
 * answers holds the process, and it leaves links out. Zipkin knows no links either: here they are tags.
 */
export class ZipkinExporter implements SpanExporter {
  readonly #endpoint: string
  readonly #timeoutMs: number
  readonly #ending = new AbortController()

  constructor(endpoint: string, timeoutMs: number) {
    this.#endpoint = endpoint
    this.#timeoutMs = timeoutMs
  }

  export(spans: readonly ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#post(JSON.stringify(spans.map(zipkinSpan))).then(
      () => done({ code: ExportResultCode.SUCCESS }),
      (error: unknown) =>
        done({
          code: ExportResultCode.FAILED,
          error: error instanceof Error ? error : new Error(String(error)),
        }),
    )
  }

  /** Requests under way end. */
  async shutdown(): Promise<void> {
    this.#ending.abort(new Error('the service ends'))
  }

  async #post(body: string): Promise<void> {
    const limit = AbortSignal.timeout(this.#timeoutMs)
    const answer = await fetch(this.#endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.any([this.#ending.signal, limit]),
    })
    // Read to its end, so that the connection can be used again.
    const text = await answer.text()
    if (!answer.ok) throw new Error(`Zipkin answers ${answer.status}: ${text.slice(0, 200)}`)
  }
}

/** https://github.com/openzipkin/zipkin-api/blob/master/zipkin2-api.yaml, Span. */
export function zipkinSpan(span: ReadableSpan): object {
  const { traceId, spanId } = span.spanContext()
  const system = span.attributes['messaging.system']
  return {
    traceId,
    id: spanId,
    parentId: span.parentSpanContext?.spanId,
    name: span.name,
    kind: kinds[span.kind],
    // Zipkin refuses a whole request for one fraction.
    timestamp: Math.round(hrTimeToMicroseconds(span.startTime)),
    // Zipkin takes 0 for unknown.
    duration: Math.max(1, Math.round(hrTimeToMicroseconds(span.duration))),
    localEndpoint: { serviceName: String(span.resource.attributes['service.name']) },
    remoteEndpoint: typeof system === 'string' ? { serviceName: system } : undefined,
    tags: tagsOf(span),
    annotations: span.events.map(({ name, time }) => ({
      timestamp: Math.round(hrTimeToMicroseconds(time)),
      value: name,
    })),
  }
}

function tagsOf(span: ReadableSpan): Record<string, string> {
  const tags: Record<string, string> = {}
  for (const attributes of [span.resource.attributes, span.attributes]) {
    for (const [name, value] of Object.entries(attributes)) tags[name] = String(value)
  }
  span.links.forEach(({ context }, number) => {
    tags[`otel.link.${number}`] = `${context.traceId}-${context.spanId}`
  })
  if (span.status.code === SpanStatusCode.ERROR) {
    tags['otel.status_code'] = 'ERROR'
    tags['error'] = span.status.message ?? ''
  }
  return tags
}
