import type { SpanContext } from './span-context.ts'

export type SpanKind = 'client' | 'consumer' | 'internal' | 'producer' | 'server'

export type Attributes = Readonly<
  Record<string, boolean | number | string | readonly string[] | undefined>
>

export interface SpanOptions {
  /** `internal` unless given. */
  readonly kind?: SpanKind
  /** Ms since the epoch, fractions allowed; now unless given. */
  readonly startTime?: number
  /** undefined begins a trace. */
  readonly parent?: SpanContext | undefined
  /** Others that it has to do with, up to 128. */
  readonly links?: readonly SpanContext[]
  readonly attributes?: Attributes
}

/** One step of a trace. It is exported when it has ended; one that never ends leaves nothing behind. */
export interface Span {
  /** What the next step is a child of. */
  readonly context: SpanContext
  set(attributes: Attributes): void
  /** @param time ms since the epoch. */
  event(name: string, time: number): void
  /** @param endTime ms since the epoch; now unless given. Before the start, it is taken for the start. */
  end(endTime?: number): void
  /** Ends it with an error status. */
  fail(reason: string, endTime?: number): void
}

/**
 * Makes spans and sends them away. Nothing is instrumented by itself: whoever has a sampled record says what
 * happened to it and when. Disposing sends what is left, for a bounded time.
 */
export interface Tracing extends AsyncDisposable {
  /** Whether spans go anywhere. If not, no header need be looked for. */
  readonly enabled: boolean
  /** Spans that wait to be sent. */
  readonly waiting: number
  start(name: string, options?: SpanOptions): Span
  /** A span of which everything is known. @returns its context. */
  record(name: string, options: SpanOptions & { readonly endTime: number }): SpanContext
}

const noContext: SpanContext = { traceId: '0'.repeat(32), spanId: '0'.repeat(16) }

function ignoringSpan(context: SpanContext): Span {
  return {
    context,
    set: () => undefined,
    event: () => undefined,
    end: () => undefined,
    fail: () => undefined,
  }
}

const ignored = ignoringSpan(noContext)

/** Tracing that is off: its spans have the context of their parent, so that a trace goes through. */
export const noTracing: Tracing = {
  enabled: false,
  waiting: 0,
  start: (_name, options) =>
    options?.parent === undefined ? ignored : ignoringSpan(options.parent),
  record: (_name, options) => options.parent ?? noContext,
  [Symbol.asyncDispose]: async () => undefined,
}
