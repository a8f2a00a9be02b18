import type { SpanContext } from '../span-context.ts'
import type { Attributes, Span, SpanKind, SpanOptions, Tracing } from '../tracing.ts'

/** A span as it ended. Times are ms since the epoch. */
export interface RecordedSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly context: SpanContext
  readonly parent: SpanContext | undefined
  readonly links: readonly SpanContext[]
  readonly attributes: Attributes
  readonly events: readonly { readonly name: string; readonly time: number }[]
  readonly startTime: number
  readonly endTime: number
  /** Why it failed. */
  readonly error: string | undefined
}

/** Tracing for tests: spans are kept, in the order that they ended in. Ids count up from 1. */
export class RecordedTracing implements Tracing {
  readonly enabled = true
  readonly waiting = 0
  readonly spans: RecordedSpan[] = []
  /** Spans that have begun and not ended. */
  open = 0
  #ids = 0

  start(name: string, options: SpanOptions = {}): Span {
    const { kind = 'internal', startTime = Date.now(), parent, links = [] } = options
    const traceId = parent?.traceId ?? this.#nextId(32)
    const context: SpanContext = { traceId, spanId: this.#nextId(16) }
    let attributes = { ...options.attributes }
    const events: { name: string; time: number }[] = []
    const finish = (endTime = Date.now(), error?: string): void => {
      this.open -= 1
      this.spans.push({
        name,
        kind,
        context,
        parent,
        links,
        attributes,
        events,
        startTime,
        endTime,
        error,
      })
    }
    this.open += 1
    return {
      context,
      set: (more) => {
        attributes = { ...attributes, ...more }
      },
      event: (event, time) => void events.push({ name: event, time }),
      end: (endTime) => finish(endTime),
      fail: (reason, endTime) => finish(endTime, reason),
    }
  }

  record(name: string, options: SpanOptions & { readonly endTime: number }): SpanContext {
    const span = this.start(name, options)
    span.end(options.endTime)
    return span.context
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #nextId(length: number): string {
    this.#ids += 1
    return this.#ids.toString(16).padStart(length, '0')
  }
}
